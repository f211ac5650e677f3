from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from knowledge.documents import Category, Passage, Product, ProductVariant
from knowledge.errors import EmptyShop, SourceUnreadable, UnknownSource
from knowledge.feeds.base import Document, Source, failed
from knowledge.gathering import Gathering
from knowledge.library import Library
from knowledge.sources import SourceProblem
from tests.knowledge.conftest import PRODUCTS, VOCABULARY

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def product(key, title="Lantern", variant="", category=""):
    sold = (ProductVariant(variant or f"{key}-1", {}, 1000),)
    return Product(key, {"en": title}, sold, category=category)


def passage(key, text):
    return Passage(f"x:{key}:en", f"x:{key}", "help", "en", f"About {key}", text)


class Listed(Source):
    """A source of what it is told; an exception among it is raised there."""

    def __init__(self, name, *documents):
        super().__init__(name)
        self.given = list(documents)
        self.known = {}

    def documents(self, known):
        self.known = dict(known)
        for document in self.given:
            if isinstance(document, Exception):
                raise document
            if document.fingerprint and known.get(document.key) == document.fingerprint:
                yield Document(document.key, document.fingerprint, state="unchanged")
            else:
                yield document


def gathering(tmp_path, *sources):
    return Gathering(tmp_path / "kept", sources, lambda: NOW)


def test_only_what_changed_is_read_and_what_is_gone_is_removed(tmp_path):
    one = Document("a", "1", products=(product("A"),))
    two = Document("b", "1", passages=(passage("b", "Old."), passage("c", "Stays.")))
    source = Listed("feed", one, two)
    kept = gathering(tmp_path, source)
    (report,) = kept.refresh()
    assert (report.read, report.added, report.changed, report.removed) == (3, 3, 0, 0)
    before = kept.fingerprint()
    (report,) = kept.refresh()
    assert (report.read, report.is_new) == (3, False)
    assert source.known == {"a": "1", "b": "1"}
    source.given = [msgspec.structs.replace(two, fingerprint="2", passages=(passage("b", "New."),))]
    (report,) = gathering(tmp_path, source).refresh(["feed"])
    assert (report.read, report.added, report.changed, report.removed) == (1, 0, 1, 2)
    assert kept.fingerprint() != before
    kept.refresh(rebuild=True)
    assert source.known == {}
    assert kept.read_at("feed") == NOW


@pytest.mark.parametrize(
    "error", [SourceUnreadable("x", "is away"), ZeroDivisionError("a bug"), None]
)
def test_a_source_that_fails_or_empties_keeps_what_it_gave(tmp_path, dirs, error):
    source = Listed("feed", Document("a", "1", products=(product("A"),)))
    kept = gathering(tmp_path, source)
    kept.refresh()
    before = kept.fingerprint()
    source.given = [Document("n", "1", products=(product("N"),)), error] if error else []
    (report,) = kept.refresh()
    assert report.failure
    assert (report.read, report.is_new) == (1, False)
    assert kept.fingerprint() == before
    assert "A" in {p.id for p in kept.catalogue(dirs)[0].products}
    if error is None:
        (report,) = kept.refresh(rebuild=True)
        assert (report.failure, report.removed) == ("", 1)


def test_a_document_that_fails_keeps_what_it_gave_and_is_read_again_next_time(tmp_path, dirs):
    good = Document("a", "1", products=(product("A"),))
    source = Listed("feed", good, failed("never", "is broken"))
    kept = gathering(tmp_path, source)
    kept.refresh()
    source.given = [failed("a", "answers 500")]
    (report,) = kept.refresh()
    assert (report.failure, report.read, report.removed) == ("", 1, 0)
    assert report.left_out[0].reason == "answers 500; what it gave before stays"
    source.given = [good]
    (report,) = kept.refresh()
    assert source.known == {}
    assert report.problems == ()


def test_a_stopped_reading_has_no_effect(tmp_path):
    kept = gathering(tmp_path, Listed("feed", *(Document(str(n)) for n in range(9))))
    (report,) = kept.refresh(progress=lambda _, count: kept.stop() if count == 3 else None)
    assert report.failure == "was stopped"
    assert kept.read_at("feed") is None


def test_the_shop_comes_first_and_ids_are_used_once(tmp_path, dirs):
    own = PRODUCTS[0]["id"]
    kept = gathering(
        tmp_path,
        Listed("one", Document("f", products=(
            product(own, "Mine"), product("A", category="zelte"), product("B", variant="P2-0"),
        ), categories=(Category("zelte", {"de": "Zelte"}), Category("x", {"en": "Shoes"})))),
        Listed("two", Document("g", products=(
            product("A", "Other"), product("C", category="x"), product("A", category="zelte"),
        ), categories=(Category("x", {"en": "shoes"}),))),
    )  # fmt: skip
    kept.refresh()
    catalogue, problems = kept.catalogue(dirs)
    found = {p.id: p for p in catalogue.products}
    assert len(found) == len(PRODUCTS) + 2
    assert (found["A"].category, found["C"].category) == ("zelte", "shoes")
    assert {c.id for c in catalogue.categories} >= {"zelte", "shoes"}
    told = {(p.path, p.item): p.reason for p in problems}
    assert told["one: f", own] == "the shop has this product itself"
    assert told["one: f", "B"] == "one of its variants belongs to another product"
    assert "came before" in told["two: g", "A"]


def test_broken_or_vanished_products_of_the_shop_leave_the_last_ones(tmp_path, dirs):
    file: Path = dirs.shop / "products.json"
    Library(dirs, tmp_path / "data", VOCABULARY, None).ingest()
    whole = file.read_bytes()
    for content in (whole[:-9], b"[]x", b"\xff"):
        file.write_bytes(content)
        catalogue, problems = Gathering(tmp_path / "data" / "knowledge" / "sources").catalogue(dirs)
        assert len(catalogue.products) == len(PRODUCTS)
        assert "what it gave before stays" in problems[0].reason
    with pytest.raises(SourceUnreadable):
        gathering(tmp_path).catalogue(dirs)
    file.unlink()
    library = Library(dirs, tmp_path / "data", VOCABULARY, None)
    assert len(library.products) == len(PRODUCTS)
    with pytest.raises(EmptyShop):
        gathering(tmp_path).catalogue(dirs)


def test_what_sources_give_is_searched_and_answered_and_survives_a_restart(tmp_path, dirs):
    lantern = product("LAN", "Storm lantern")
    text = passage("lantern", "Fill the lantern with paraffin up to the mark.")
    source = Listed("feed", Document("a", "1", products=(lantern,), passages=(text,)))

    def opened():
        return Library(
            dirs, tmp_path / "data", VOCABULARY, None, Gathering(tmp_path / "kept", [source])
        )

    library = opened()
    library.ingest()
    library.gathering.refresh()
    assert library.product("LAN") is None
    library.ingest()
    library = opened()
    assert not library.needs_ingest
    found = library.search_products(library.read_query("storm lantern", "en"))
    assert found.matches[0].product.id == "LAN"
    assert library.rank_answers("How do I fill the lantern?", "en")[0].passage_id == text.id
    source.given = [Document("a", "2", passages=(text,))]
    library.gathering.refresh()
    assert opened().needs_ingest
    library.ingest()
    assert library.product("LAN") is None


def test_an_unknown_source_and_a_broken_file_of_what_was_kept(tmp_path):
    kept = gathering(tmp_path, Listed("feed", Document("a", "1", problems=(
        SourceProblem("a", "x", "odd", kept=True),))))  # fmt: skip
    with pytest.raises(UnknownSource, match="'fed' in endpoints"):
        kept.refresh(["fed"])
    (report,) = kept.refresh()
    assert (report.left_out, len(report.problems)) == ((), 1)
    (tmp_path / "kept" / "feed.json").write_bytes(b'{"format"')
    assert kept.read_at("feed") is None
    assert not kept.refresh()[0].failure
