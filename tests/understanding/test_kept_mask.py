"""Masks that are kept between trainings, and when they may not be used."""

import numpy as np
import pytest

from bot.understanding import kept_mask
from bot.understanding.encoder import LexicalEncoder
from bot.understanding.kept_mask import KeptMask
from bot.understanding.training import load_or_train

TEXTS = ["where is TR-104711", "cancel it"]


class Reader:
    """Counts what it reads."""

    def __init__(self, word="NUMBER"):
        self.word, self.read = word, []

    def __call__(self, text):
        self.read.append(text)
        return text.replace("TR-104711", self.word)


def _masked(path, reader, settings="any shop", texts=TEXTS):
    mask = KeptMask(reader, path, settings)
    found = [mask(text) for text in texts]
    mask.keep()
    return found


def test_what_was_kept_is_not_read_again_and_what_is_new_is(tmp_path):
    path = tmp_path / "models" / "masks.json"
    _masked(path, Reader())
    later = Reader("ANOTHER")
    found = _masked(path, later, texts=[*TEXTS, "TR-104711?"])
    assert found == ["where is NUMBER", "cancel it", "ANOTHER?"]
    assert later.read == ["TR-104711?"]


def test_other_settings_read_anew(tmp_path):
    _masked(tmp_path / "masks.json", Reader(), "one shop")
    found = _masked(tmp_path / "masks.json", Reader("ANOTHER"), "another shop")
    assert found == ["where is ANOTHER", "cancel it"]


def test_a_changed_line_in_what_reads_reads_anew(tmp_path, monkeypatch):
    source = tmp_path / "understanding"
    source.mkdir()
    (source / "dates.py").write_text("DAYS = 7\n", encoding="utf-8")
    monkeypatch.setattr(kept_mask, "__file__", str(source / "kept_mask.py"))
    _masked(tmp_path / "masks.json", Reader())
    assert not _reads(tmp_path / "masks.json")
    (source / "dates.py").write_text("DAYS = 8\n", encoding="utf-8")
    assert _reads(tmp_path / "masks.json") == TEXTS


def test_another_release_of_what_reads_numbers_reads_anew(tmp_path, monkeypatch):
    _masked(tmp_path / "masks.json", Reader())
    monkeypatch.setattr(kept_mask, "version", lambda name: f"{name} 99")
    assert _reads(tmp_path / "masks.json") == TEXTS


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"reader": 1}', b"\xff\xfe"])
def test_a_broken_file_counts_as_none(tmp_path, broken):
    (tmp_path / "masks.json").write_bytes(broken)
    assert _reads(tmp_path / "masks.json") == TEXTS
    assert not _reads(tmp_path / "masks.json")


def _reads(path):
    reader = Reader()
    _masked(path, reader)
    return reader.read


def test_training_keeps_them_beside_the_model_and_makes_the_same_model_of_them(tmp_path):
    folder = tmp_path / "data" / "skills"
    folder.mkdir(parents=True)
    lines = 'skill: {}\nexamples:\n  en: ["{} TR-104711", "{} it please"]\n'
    for skill in ("track", "cancel"):
        (folder / f"{skill}.yml").write_text(lines.format(skill, skill, skill), encoding="utf-8")
    models = tmp_path / "models"
    first, second = Reader(), Reader()
    found = []
    for reader in (first, second):
        mask = KeptMask(reader, models / "masks.json", "any shop")
        found.append(load_or_train(models, [tmp_path / "data"], LexicalEncoder(), mask))
        (models / "intents.npz").unlink()
    assert len(first.read) == 4
    assert not second.read
    assert np.allclose(found[0].ngram_weights, found[1].ngram_weights, atol=1e-6)
