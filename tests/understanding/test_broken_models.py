"""Files in models/ that are broken or cannot be written: the bot starts all the same."""

import io
import logging
import os
import struct
from contextlib import suppress

import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from bot.understanding.e5_adapter import AdapterFileError, load_adapter
from bot.understanding.encoder import LexicalEncoder
from bot.understanding.model_store import EmbeddingCache, ModelFileError, load_model
from bot.understanding.sentiment_head import SentimentHead, load_head, save_head
from bot.understanding.training import is_kept, load_or_train

SKILL = "skill: {}\nexamples:\n  en:\n    - {}\n    - {} please\n"


@pytest.fixture(autouse=True)
def _logs_from_warnings_on():
    """Log as a server does: a command that ran before may have asked for less."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.configure(**before)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data" / "skills").mkdir(parents=True)
    for name, said in (("stop", "cancel it"), ("track", "where is it")):
        path = tmp_path / "data" / "skills" / f"{name}.yml"
        path.write_text(SKILL.format(name, said, said), encoding="utf-8")
    return tmp_path / "data"


def head_bytes(**changed):
    """Return a head's file, with some of its arrays changed or (None) left out."""
    arrays = {
        "format": np.array(1), "encoder": np.array("e"), "weights": np.ones(2, np.float32),
        "languages": np.array(["de"]), "words": np.array([1.0]), "bias": np.array(0.1), **changed,
    }  # fmt: skip
    file = io.BytesIO()
    np.savez_compressed(file, **{key: value for key, value in arrays.items() if value is not None})
    return file.getvalue()


def broken(whole):
    """Yield a file of arrays as crashes, full disks and wrong copies leave it."""
    yield b""
    yield b"\0"
    yield b"PK\x05\x06" + bytes(18)
    yield b"version https://git-lfs.github.com/spec/v1\n"
    yield from (whole[: len(whole) * part // 8] for part in range(1, 8))
    for method in (1, 99):  # a compression that does not exist
        yield whole.replace(b"PK\x01\x02", b"PK\x01\x02", 1).replace(
            struct.pack("<H", 8) + whole[10:12], struct.pack("<H", method) + whole[10:12]
        )
    start = whole.index(b".npy") + 4
    for place in range(start, start + 60, 6):  # what is compressed is no longer that
        yield whole[:place] + bytes(6) + whole[place + 6 :]
    yield whole.replace(b"PK\x03\x04" + whole[4:6] + b"\0\0", b"PK\x03\x04" + whole[4:6] + b"\1\0")
    file = io.BytesIO()
    np.save(file, np.ones(3))
    yield file.getvalue()


def test_a_head_that_cannot_be_read_is_left_out_with_a_warning(tmp_path):
    path = tmp_path / "sentiment.npz"
    path.write_bytes(head_bytes())
    assert load_head(path, "e", 2) is not None
    contents = [
        *broken(head_bytes()),
        head_bytes(weights=None),
        head_bytes(bias=np.array("x")),
        head_bytes(weights=np.ones((2, 2))),
        head_bytes(weights=np.array([np.nan, 1.0])),
        head_bytes(format=np.array(2)),
        head_bytes(weights=np.ones(3, np.float32)),
    ]
    for content in contents:
        path.write_bytes(content)
        with capture_logs() as logs:
            found = load_head(path, "e", 2)
        said = [entry["event"] for entry in logs]
        assert found is not None or said == ["sentiment_head_broken"], content
    assert len(contents) > 25


def test_a_head_of_another_encoder_is_told(tmp_path):
    path = tmp_path / "sentiment.npz"
    save_head(path, SentimentHead("old", np.ones(2, np.float32), {"": 0.5}, 0.1))
    with capture_logs() as logs:
        assert load_head(path, "new", 2) is None
    (entry,) = logs
    assert entry["event"] == "sentiment_head_of_another_encoder"
    assert (entry["made_for"], entry["in_use"]) == ("old", "new")
    assert entry["log_level"] == "warning"


def test_no_broken_file_stops_the_start(tmp_path, data):
    models = tmp_path / "models"
    load_or_train(models, [data], LexicalEncoder(), str)
    whole = (models / "intents.npz").read_bytes()
    for content in broken(head_bytes()):
        (models / "intents.npz").write_bytes(content)
        (models / "embeddings.npz").write_bytes(content)
        with pytest.raises(ModelFileError):
            load_model(models / "intents.npz", "digest")
        EmbeddingCache(models / "embeddings.npz")
        with suppress(AdapterFileError):  # nothing else may come of it
            load_adapter(models / "embeddings.npz")
    assert load_or_train(models, [data], LexicalEncoder(), str).labels == ("stop", "track")
    assert len((models / "intents.npz").read_bytes()) == len(whole)


def _unwritable(folder, kind):
    if kind == "no folder":
        folder.write_text("", encoding="utf-8")
    elif kind == "in the way":
        for name in ("intents.npz", "embeddings.npz"):
            (folder / name / "deep").mkdir(parents=True)
    else:
        folder.mkdir()
        folder.chmod(0o500)
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")


@pytest.mark.parametrize("kind", ["no folder", "in the way", "read-only"])
def test_a_model_that_cannot_be_kept_works_from_memory(tmp_path, data, kind):
    models = tmp_path / "models"
    _unwritable(models, kind)
    with capture_logs() as logs:
        model = load_or_train(models, [data], LexicalEncoder(), str)
    assert model.labels == ("stop", "track")
    told = {entry["event"]: entry for entry in logs if entry["log_level"] == "warning"}
    assert told.keys() == {"vectors_not_kept", "model_not_kept"}
    assert told["model_not_kept"]["file"] == str(models / "intents.npz")
    assert told["model_not_kept"]["reason"]
    if kind == "in the way":
        assert {path.name for path in models.iterdir()} == {"intents.npz", "embeddings.npz"}
    assert not is_kept(models, [], LexicalEncoder())
