"""A Chroma server: what one process writes, another one sees."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import StoreUnreachable
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.store import (
    ChromaStore,
    VectorRecord,
    VectorTable,
    chroma_server,
    replaced,
    to_table,
)
from tests.knowledge.conftest import VOCABULARY
from tests.knowledge.test_ingest import StoreContract

chromadb = pytest.importorskip("chromadb")


def a_record(key, number):
    vector = np.full(3, number, dtype=np.float32)
    return VectorRecord(key, key.upper(), "de", f"h{number}", vector)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    home, port = tmp_path_factory.mktemp("chroma"), free_port()
    command = [
        str(Path(sys.executable).parent / "chroma"), "run", "--path", str(home / "db"),
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=home, start_new_session=True,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )  # fmt: skip
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            assert server.poll() is None, (home / "log").read_text(encoding="utf-8")
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(10)


@pytest.mark.slow
class TestChromaServer(StoreContract):
    @pytest.fixture(autouse=True)
    def _server(self, url):
        self.url = url
        store = ChromaStore(Path(), url)
        store.drop("texts")

    def open(self, path):
        return ChromaStore(path, self.url)

    def test_a_second_process_finds_every_vector_there(self, tmp_path, dirs):
        texts = []

        def encode(batch):
            texts.extend(batch)
            rows = np.ones((len(batch), 4), dtype=np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

        def opened(name):
            encoders = Encoders(encode, encode)
            return Library(
                dirs, tmp_path / name, VOCABULARY, encoders, opener=chroma_server(self.url)
            )

        first = opened("one").ingest()
        assert first.added > 0
        texts.clear()
        second = opened("two").ingest()
        assert (second.added, second.unchanged) == (0, first.added)
        assert len(texts) < 5  # probes of the encoder


def test_a_server_that_is_away_is_named():
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1 does not answer"):
        ChromaStore(Path(), "http://127.0.0.1:1")


def test_a_table_with_rows_replaced_is_what_a_store_would_load():
    old = to_table([a_record("a", 1), a_record("b", 2), a_record("c", 3)])
    new = replaced(old, {"a", "b", "d"}, [a_record("b", 9), a_record("d", 4)])
    assert dict(zip(new.ids, new.hashes, strict=True)) == {"a": "h1", "b": "h9", "d": "h4"}
    rows = dict(zip(new.ids, new.matrix.tolist(), strict=True))
    assert rows["a"] == old.matrix[0].tolist()
    assert rows["b"] == a_record("b", 9).vector.tolist()
    assert replaced(old, set(), []).ids == ()
    assert replaced(VectorTable(), {"a"}, [a_record("a", 1)]).ids == ("a",)
