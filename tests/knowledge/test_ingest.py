import json

import numpy as np
import pytest

from knowledge.answer_vectors import usual_questions
from knowledge.errors import EmptyShop
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs, read_shop
from knowledge.store import ChromaStore, FileStore, VectorRecord
from tests.knowledge.conftest import PRODUCTS, VOCABULARY


class CountingEncoder:
    """A real, cheap encoder: hashed character trigrams, normalised; counts its texts."""

    def __init__(self, dims=64):
        self.dims = dims
        self.texts = 0

    def __call__(self, texts):
        self.texts += len(texts)
        rows = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for start in range(len(text) - 2):
                row[sum(map(ord, text[start : start + 3])) % self.dims] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def encoder():
    return CountingEncoder()


def open_library(dirs, home, encoder):
    return Library(dirs, home / "data", VOCABULARY, Encoders(encoder, encoder))


def edit_products(dirs, change):
    path = dirs.shop / "products.json"
    products = json.loads(path.read_text())
    path.write_text(json.dumps(change(products)))


def test_only_what_changed_is_encoded(dirs, tmp_path, encoder):
    library = open_library(dirs, tmp_path, encoder)
    report = library.ingest()
    assert (report.changed, report.removed, report.errors) == (0, 0, ())
    assert report.added == 2 * len(PRODUCTS) + 14 + 2 + len(usual_questions(VOCABULARY))

    def change(products):
        products[0]["description"]["de"] = "Ganz neu."
        return products[:-1]

    edit_products(dirs, change)
    encoder.texts = 0
    again = open_library(dirs, tmp_path, encoder)
    assert again.needs_ingest
    report = again.ingest()
    assert (report.added, report.changed, report.removed) == (0, 1, 2)
    assert encoder.texts <= 4  # one text, and probes of the encoder
    assert len(again.products) == len(PRODUCTS) - 1


def test_an_unchanged_shop_opens_without_chroma(dirs, tmp_path, encoder):
    open_library(dirs, tmp_path, encoder).ingest()
    (tmp_path / "data" / "chroma").rename(tmp_path / "away")
    library = open_library(dirs, tmp_path, encoder)
    assert not library.needs_ingest
    assert library.search_products(library.read_query("Zelt", "de")).total == 2
    assert not (tmp_path / "data" / "chroma").exists()


def test_another_encoder_rebuilds_in_a_new_generation(dirs, tmp_path, encoder):
    open_library(dirs, tmp_path, encoder).ingest()
    library = open_library(dirs, tmp_path, CountingEncoder(dims=32))
    assert library.needs_ingest
    report = library.ingest()
    assert report.unchanged == 0
    store = ChromaStore(tmp_path / "data" / "chroma")
    assert store.load("products-2").matrix.shape == (2 * len(PRODUCTS), 32)
    assert store.hashes("products-1") == {}


def test_a_failed_ingest_leaves_the_old_index(dirs, tmp_path, encoder):
    library = open_library(dirs, tmp_path, encoder)
    library.ingest()
    edit_products(dirs, lambda products: [*products, {**products[0], "id": "NEW"}])

    def broken(texts):
        raise ConnectionError

    failing = open_library(dirs, tmp_path, encoder)
    failing._encoders = Encoders(encoder, lambda t: encoder(t) if len(t) == 1 else broken(t))
    with pytest.raises(ConnectionError):
        failing.ingest()
    assert failing.search_products(failing.read_query("Zelt", "de")).total == 2
    report = open_library(dirs, tmp_path, encoder).ingest()
    assert report.added == 2


def test_without_an_encoder_words_alone_answer(dirs, tmp_path):
    library = Library(dirs, tmp_path / "data", VOCABULARY, None)
    library.ingest()
    result = library.search_products(library.read_query("Regenjacke", "de"))
    assert result.matches[0].product.id == "P1"
    assert library.answer("Welche Zahlungsarten gibt es?", "de").topic_id == "faq:payment-methods"
    assert library.answer("Wer ist Bundeskanzler?", "de") is None
    assert not Library(dirs, tmp_path / "data", VOCABULARY, None).needs_ingest


def test_broken_items_are_reported_and_the_rest_goes_in(dirs):
    edit_products(
        dirs,
        lambda products: [
            *products,
            products[0],
            {"id": 7},
            {**products[0], "id": "X", "variants": []},
            {**products[0], "id": "Y", "title": {}},
        ],
    )
    (dirs.faq / "broken.yml").write_text("- id: [", encoding="utf-8")
    (dirs.faq / "wrong.yml").write_text("- id: a\n  answer: 5\n", encoding="utf-8")
    (dirs.policies / "name.md").write_text("# x")
    (dirs.policies / "latin.de.md").write_bytes(b"# \xff\xfe")
    (dirs.shop / "vocabulary.json").write_text("{")
    catalogue, problems = read_shop(dirs)
    assert len(catalogue.products) == len(PRODUCTS)
    assert len(catalogue.passages) == 6
    assert len(problems) == 9
    assert {problem.item for problem in problems} >= {"P1", "X", "Y", f"#{len(PRODUCTS) + 1}"}


def test_a_folder_without_products_is_no_shop(tmp_path):
    with pytest.raises(EmptyShop, match=r"products\.json"):
        read_shop(SourceDirs(tmp_path))


class StoreContract:
    """What every vector store keeps to."""

    def open(self, path):
        raise NotImplementedError

    def record(self, key, value, text_hash="h"):
        vector = np.array([value, (1 - value**2) ** 0.5], dtype=np.float32)
        return VectorRecord(key, f"owner-{key}", "de", text_hash, vector)

    def test_what_is_written_is_there_after_reopening(self, tmp_path):
        self.open(tmp_path).write("texts", [self.record("a", 0.6), self.record("b", 0.0)], [])
        table = self.open(tmp_path).load("texts")
        rows = dict(zip(table.ids, table.matrix.tolist(), strict=True))
        assert rows == {"a": pytest.approx([0.6, 0.8]), "b": pytest.approx([0.0, 1.0])}
        assert set(table.owners) == {"owner-a", "owner-b"}

    def test_writing_twice_replaces(self, tmp_path):
        store = self.open(tmp_path)
        store.write("texts", [self.record("a", 0.6)], [])
        store.write("texts", [self.record("a", 0.0, "new")], [])
        assert store.hashes("texts") == {"a": "new"}
        assert store.load("texts").matrix[0] == pytest.approx([0.0, 1.0])

    def test_removed_and_dropped_are_gone(self, tmp_path):
        store = self.open(tmp_path)
        store.write("texts", [self.record("a", 0.6), self.record("b", 0.0)], [])
        store.write("texts", [], ["a", "unknown"])
        assert set(store.hashes("texts")) == {"b"}
        store.drop("texts")
        store.drop("never-there")
        assert store.hashes("texts") == {}


class TestChromaStore(StoreContract):
    def open(self, path):
        return ChromaStore(path / "chroma")


class TestFileStore(StoreContract):
    def open(self, path):
        return FileStore(path / "files")
