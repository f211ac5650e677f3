"""Two processes that ingest into one folder: one after the other, and never at once."""

import subprocess
import sys

import pytest

from knowledge.errors import IngestBusy
from knowledge.ingest_lock import ingest_lock
from knowledge.library import Library
from tests.knowledge.conftest import VOCABULARY

HOLD = """
import pathlib, sys
from knowledge.ingest_lock import ingest_lock
with ingest_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of `tmp_path` until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_ingest_says_who_is_at_it(tmp_path, other):
    with (
        pytest.raises(IngestBusy, match=f"process {other.pid} on .+ since"),
        ingest_lock(tmp_path, wait_s=0.2),
    ):
        raise AssertionError


@pytest.mark.parametrize("ending", ["ends", "is killed"])
def test_the_lock_is_free_when_its_holder_is_gone(tmp_path, other, ending):
    if ending == "ends":
        other.stdin.close()
    else:
        other.kill()
    with ingest_lock(tmp_path, wait_s=20):
        assert "process" in (tmp_path / "ingest.holder").read_text()
    assert not (tmp_path / "ingest.holder").exists()


def test_an_ingest_that_waits_takes_over_what_the_other_indexed(dirs, tmp_path):
    one, two = (Library(dirs, tmp_path / "data", VOCABULARY, None) for _ in range(2))
    one.ingest()
    two.ingest()
    again = Library(dirs, tmp_path / "data", VOCABULARY, None)
    assert not again.needs_ingest
    assert again.search_products(again.read_query("Zelt", "de")).total == 2
