"""Encoding for many threads: order, batches without waiting, errors, and the cache."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bot.understanding.batching import BATCH_TEXTS, BatchedEncoder
from bot.understanding.encoder import Encoder


class Counting(Encoder):
    """An encoder that remembers its batches, waits when told to, and breaks on one text."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self._at_work = 0
        self.most_at_work = 0

    @property
    def name(self):
        return "counting"

    @property
    def dim(self):
        return 2

    def encode(self, texts):
        self._at_work += 1
        self.most_at_work = max(self.most_at_work, self._at_work)
        self.batches.append(list(texts))
        self.entered.release()
        assert self.gate.wait(10)
        self._at_work -= 1
        if "break" in texts:
            raise ValueError("break")
        return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32)

    def encode_passages(self, texts):
        return -self.encode(texts)


class Apart(Counting):
    """An encoder that has another vector for a text it searches with."""

    searches_apart = True

    def encode_queries(self, texts):
        return 10 * self.encode(texts)


def _row(text):
    return [len(text), ord(text[0])]


def _wait_until(pending, count):
    deadline = time.monotonic() + 10
    while len(pending._pending) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def inner():
    return Counting()


def test_an_idle_encoder_is_used_at_once(inner):
    encoder = BatchedEncoder(inner)
    assert encoder.encode(["a", "bb", "a"]).tolist() == [_row("a"), _row("bb"), _row("a")]
    assert inner.batches == [["a", "bb"]]
    assert encoder.encode([]).shape == (0, 2)


def test_what_comes_in_while_it_works_is_encoded_together_and_reaches_its_caller(inner):
    encoder = BatchedEncoder(inner)
    inner.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(encoder.encode, ["first"])
        assert inner.entered.acquire(timeout=10)
        others = [pool.submit(encoder.encode, [f"{n}", "same"]) for n in range(8)]
        _wait_until(encoder, 8)
        inner.gate.set()
        assert first.result(10).tolist() == [_row("first")]
        for number, other in enumerate(others):
            assert other.result(10).tolist() == [_row(f"{number}"), _row("same")]
    assert len(inner.batches) == 2
    assert sorted(inner.batches[1]) == sorted([*map(str, range(8)), "same"])


def test_queries_and_passages_do_not_mix(inner):
    encoder = BatchedEncoder(inner)
    inner.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(encoder.encode, ["first"])
        assert inner.entered.acquire(timeout=10)
        asked = pool.submit(encoder.encode, ["text"])
        searched = pool.submit(encoder.encode_passages, ["text"])
        _wait_until(encoder, 2)
        inner.gate.set()
        assert first.result(10).tolist() == [_row("first")]
        assert asked.result(10).tolist() == [_row("text")]
        assert searched.result(10).tolist() == [[-value for value in _row("text")]]


def test_an_error_hurts_only_the_caller_whose_text_it_is(inner):
    encoder = BatchedEncoder(inner)
    inner.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(encoder.encode, ["first"])
        assert inner.entered.acquire(timeout=10)
        good = [pool.submit(encoder.encode, [text]) for text in ("one", "two")]
        bad = pool.submit(encoder.encode, ["break"])
        _wait_until(encoder, 3)
        inner.gate.set()
        assert first.result(10).tolist() == [_row("first")]
        assert [f.result(10).tolist() for f in good] == [[_row("one")], [_row("two")]]
        with pytest.raises(ValueError, match="break"):
            bad.result(10)
    assert encoder.encode(["after"]).tolist() == [_row("after")]


def test_a_text_seen_before_does_not_wait_for_the_encoder(inner):
    encoder = BatchedEncoder(inner)
    encoder.encode(["known"])
    inner.entered.acquire()
    inner.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(encoder.encode, ["slow"])
        assert inner.entered.acquire(timeout=10)
        assert encoder.encode(["known"]).tolist() == [_row("known")]
        inner.gate.set()
        slow.result(10)


def test_a_large_request_goes_alone_and_batches_stay_small(inner):
    encoder = BatchedEncoder(inner)
    inner.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(encoder.encode, ["first"])]
        assert inner.entered.acquire(timeout=10)
        waiting += [pool.submit(encoder.encode, [f"{n} {i}" for i in range(20)]) for n in range(4)]
        _wait_until(encoder, 4)
        inner.gate.set()
        assert all(len(future.result(10)) in {1, 20} for future in waiting)
    assert all(len(batch) <= BATCH_TEXTS for batch in inner.batches)
    assert len(encoder.encode([f"x{i}" for i in range(100)])) == 100


@pytest.mark.parametrize(("size", "calls"), [(0, 3), (1, 3), (2, 2)])
def test_the_size_of_the_cache_counts(inner, size, calls):
    encoder = BatchedEncoder(inner, size)
    for text in ("a", "b", "a"):
        encoder.encode([text])
    assert len(inner.batches) == calls


def test_many_threads_all_get_their_own_rows(inner):
    encoder = BatchedEncoder(inner, 5)
    texts = [[f"{n % 7}{'x' * (n % 5)}", f"{n}"] for n in range(400)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(encoder.encode, texts))
    assert [rows.tolist() for rows in found] == [[_row(a), _row(b)] for a, b in texts]
    assert inner.most_at_work == 1


def test_a_text_has_a_vector_for_each_of_three_purposes_and_the_cache_tells_them_apart():
    inner = Apart()
    encoder = BatchedEncoder(inner)
    assert encoder.searches_apart
    for _ in range(2):  # the second time from the cache
        assert encoder.encode(["text"]).tolist() == [_row("text")]
        assert encoder.encode_queries(["text"]).tolist() == [[10 * n for n in _row("text")]]
        assert encoder.encode_passages(["text"]).tolist() == [[-n for n in _row("text")]]
    assert inner.batches == [["text"]] * 3
    known = encoder.known("text")
    assert known is not None
    assert known.tolist() == _row("text")


def test_what_was_only_searched_with_is_not_known_as_what_is_meant():
    encoder = BatchedEncoder(Apart())
    encoder.encode_queries(["text"])
    encoder.encode_passages(["text"])
    assert encoder.known("text") is None


def test_where_search_takes_the_same_vector_it_is_computed_once(inner):
    encoder = BatchedEncoder(inner)
    assert not encoder.searches_apart
    meant = encoder.encode(["text"]).tolist()
    assert encoder.encode_queries(["text"]).tolist() == meant
    assert inner.batches == [["text"]]


def test_three_purposes_at_once_do_not_mix():
    inner = Apart()
    encoder = BatchedEncoder(inner)
    inner.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(encoder.encode, ["first"])
        assert inner.entered.acquire(timeout=10)
        sides = {1: encoder.encode, 10: encoder.encode_queries, -1: encoder.encode_passages}
        waiting = [
            (factor, pool.submit(side, ["text"])) for factor, side in sides.items() for _ in (1, 2)
        ]
        _wait_until(encoder, 6)
        inner.gate.set()
        assert first.result(10).tolist() == [_row("first")]
        for factor, future in waiting:
            assert future.result(10).tolist() == [[factor * value for value in _row("text")]]
    assert all(batch in (["first"], ["text"]) for batch in inner.batches)
