"""The command line exports, verifies and redacts transcripts."""

import asyncio
import sqlite3
from contextlib import closing

import msgspec
import pytest

from bot.cli import main
from bot.storage.open import open_store
from bot.transcript_cli import KEY
from tests.desk.stories import ANNA, NOTE, WISH, tell


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(KEY, "a secret")
    asyncio.run(told(tmp_path))

    def run(*words):
        status = main(["transcript", *map(str, words), "--data-dir", str(tmp_path)])
        return status, "".join(capsys.readouterr())

    return run


async def told(folder):
    store = await open_store(f"sqlite:///{folder / 'tresen.sqlite3'}")
    await tell(store)
    await store.close()


def spoil(folder, sql):
    with closing(sqlite3.connect(folder / "tresen.sqlite3")) as file:
        file.execute(sql)
        file.commit()


def test_a_transcript_is_exported_and_verified(run, tmp_path):
    out = tmp_path / "a.json"
    assert run("verify", ANNA) == (0, f"{ANNA}: intact, 22 events\n")
    assert run("export", ANNA, "--out", out)[0] == 0
    told = msgspec.json.decode(out.read_bytes())
    assert told["transcript"]["messages"][0]["text"] == WISH
    assert NOTE not in out.read_text()
    status, said = run("verify", "--file", out)
    assert (status, "the seal is right" in said, "notes withheld: 1" in said) == (0, True, True)
    assert NOTE in run("export", ANNA, "--notes")[1]


def test_what_was_changed_in_the_database_is_told(run, tmp_path):
    out = tmp_path / "a.json"
    run("export", ANNA, "--out", out)
    status, said = run("verify", "--all", "--against", out)
    assert (status, "1 conversations, 0 not" in said, "still so" in said) == (0, True, True)
    spoil(tmp_path, "UPDATE conversation_events SET at_us = at_us + 1 WHERE seq = 3")
    status, said = run("verify", "--all")
    assert (status, f"{ANNA}: BROKEN at event 3" in said) == (1, True)
    spoil(tmp_path, "DELETE FROM conversation_events WHERE seq > 2")
    status, said = run("verify", ANNA)
    assert (status, "CUT OFF from event 3 on: 20 at the end are missing" in said) == (1, True)
    spoil(tmp_path, "DELETE FROM conversation_events")
    assert run("verify", ANNA)[0] == 1


def test_personal_content_is_taken_out_and_told(run, tmp_path):
    out = tmp_path / "a.json"
    run("export", ANNA, "--out", out)
    status, said = run("redact", ANNA, "--event", 2, "--by", "lea", "--reason", "asked for")
    assert (status, said) == (0, "redacted event 2; copies: 1 that came in, 0 that went out\n")
    status, said = run("verify", ANNA, "--against", out)
    assert (status, "intact, 23 events, 1 redacted" in said, "still so" in said) == (0, True, True)
    assert "by lea: asked for (text, parse_data)" in said
    assert WISH not in run("export", ANNA)[1]
    words = ("--text", "TR-104711", "--everywhere", "--by", "lea", "--reason", "number")
    status, said = run("redact", ANNA, *words)
    assert (status, "nothing of it is there" in said) == (1, True)


def test_what_cannot_be_is_said(run, tmp_path):
    (tmp_path / "letter").write_text("Dear shop")
    for words in (
        ("verify", "web:nobody"),
        ("export", "web:nobody"),
        ("verify", "--file", tmp_path / "letter"),
        ("verify", "--file", tmp_path / "nothing"),
        ("redact", "web:nobody", "--event", 1, "--by", "lea", "--reason", "why"),
    ):
        status, said = run(*words)
        assert (status, bool(said.strip())) == (1, True), words


def test_a_pdf_is_written(run, tmp_path):
    pytest.importorskip("fpdf", reason="needs the extra `transcripts`")
    out = tmp_path / "a.pdf"
    status, said = run("export", ANNA, "--format", "pdf", "--language", "de", "--out", out)
    if "DejaVu" in said:
        pytest.skip(said)
    assert (status, out.read_bytes()[:5]) == (0, b"%PDF-")
