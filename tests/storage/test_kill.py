"""A bot killed in the middle of its commits loses nothing it acknowledged, and repeats nothing."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.storage.open import open_store
from bot.storage.verification import verify

ROOT = Path(__file__).resolve().parents[2]
LIVES = 5
FEWEST_TURNS = 5


def live_and_die(
    url: str,
    life: int,
    seconds: float,
    program: str = "tests.storage.crashing",
    turn_word: str = "handled",
) -> list[str]:
    """Start the bot, kill it with SIGKILL, and return the lines it wrote."""
    command = [sys.executable, "-m", program, url, str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        first = process.stdout.readline()
        assert first == "ready\n"
        killer = subprocess.Popen(["sleep", str(seconds)])  # noqa: S607 - found on every Unix
        lines: list[str] = []
        while killer.poll() is None or sum(turn_word in line for line in lines) < FEWEST_TURNS:
            line = process.stdout.readline()
            assert line, "the bot ended by itself"
            lines.append(line)
        process.kill()
        lines += process.stdout.readlines()
    return [line for line in lines if line.endswith("\n")]


async def check(url: str, acknowledged: list[str]) -> int:
    """Assert that everything acknowledged is there once and whole; return the turns found."""
    store = await open_store(url)
    known, handled, replied, events = Counter(), Counter(), Counter(), Counter()
    for info in await store.events.conversations():
        key = info.conversation_id
        loaded, version = await store.events.load(key)
        assert verify(await store.chains.read(key)).state == "intact"
        assert [e.seq for e in loaded] == list(range(1, version + 1))
        events.update(e.data["message_id"] for e in loaded)
        outbox = await store.outbox.after(key, limit=10**6)
        assert [e.seq for e in outbox] == list(range(1, len(outbox) + 1))
        replied.update(e.message.text for e in outbox)
        for entry in await store.inbox.history(key, limit=10**6):
            known[entry.message.message_id] += 1
            handled[entry.message.message_id] += entry.handled_at is not None
        answered = [e.data["message_id"] for e in loaded if e.type == "user"]
        arrived = [e.message.message_id for e in await store.inbox.history(key, limit=10**6)]
        assert answered == arrived[: len(answered)]
    await store.close()
    said = [line.split() for line in acknowledged]
    accepted = {message_id for word, message_id in said if word == "accepted"}
    assert accepted <= known.keys()
    assert {message_id for word, message_id in said if word == "handled"} <= (+handled).keys()
    assert set(known.values()) == {1}
    assert replied == +handled
    assert events == Counter(dict.fromkeys(+handled, 2))
    return len(replied)


async def test_kill_9_loses_and_repeats_nothing_on_sqlite(tmp_path):
    await lives(f"sqlite:///{tmp_path}/tresen.sqlite3")


@pytest.mark.postgres
async def test_kill_9_loses_and_repeats_nothing_on_postgres(postgres_url):
    await truncated(postgres_url)
    await lives(postgres_url)


async def truncated(url: str) -> None:
    """Empty a database's tables."""
    import asyncpg

    await (await open_store(url)).close()
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE conversations, conversation_events, inbox, outbox, effects")
    await connection.close()


async def lives(url: str) -> None:
    """Run the bot for several short lives on one store."""
    chance, lines, turns = random.Random(7), [], 0
    for life in range(LIVES):
        lines += live_and_die(url, life, 0.2 + chance.random() * 0.4)
        time.sleep(0.2)  # noqa: ASYNC251 - PostgreSQL ends the dead client's sessions
        found = await check(url, lines)
        assert found > turns, "a life without a single turn shows nothing"
        turns = found
