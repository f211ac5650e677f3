"""Measure commits of turns per second and their latency, on SQLite and PostgreSQL.

Each sender accepts a message, loads its conversation and commits a turn of two events and one
answer, over and over. Run: python -m bench.storage [--seconds 2] [--senders 1 16 256]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg

from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.storage.open import open_store
from bot.storage.ports import NewEvent, NewOutbound, Store, TurnCommit
from tests.postgres import PostgresMissing, running_postgres

ANSWER = OutboundMessage(text="Ihr Paket kommt morgen zwischen 10 und 12 Uhr an.")
WINDOW = 20
"""Turns after which a sender goes on in a new conversation, so that loading stays as long."""


async def one_turn(store: Store, sender: str, version: int) -> float:
    """Take one message from arrival to commit; return the seconds the commit took."""
    now = utc_now()
    message = InboundMessage("web", sender, f"{sender}/{version}", "Wo ist mein Paket?", now)
    [accepted] = await store.inbox.accept([message])
    _, version = await store.events.load(message.conversation_id)
    started = time.perf_counter()
    await store.turns.commit(
        TurnCommit(
            message.conversation_id,
            version,
            [NewEvent("user", {"text": message.text}, now), NewEvent("bot", {"n": version}, now)],
            [NewOutbound("web", sender, ANSWER)],
            accepted.inbox_id,
        )
    )
    return time.perf_counter() - started


async def converse(store: Store, sender: str, until: float) -> list[tuple[float, float]]:
    """Take turns until a moment; return the seconds of each whole turn and of its commit."""
    seconds, number = [], 0
    while (started := time.perf_counter()) < until:
        conversation = f"{sender}-{number // WINDOW}"
        commit_s = await one_turn(store, conversation, number)
        seconds.append((time.perf_counter() - started, commit_s))
        number += 1
    return seconds


async def measure(name: str, url: str, senders: int, seconds: float) -> None:
    """Print one line of figures for one store and number of senders."""
    store = await open_store(url)
    started = time.perf_counter()
    until = started + seconds
    tag = time.time_ns()
    results = await asyncio.gather(*(converse(store, f"{tag}-{n}", until) for n in range(senders)))
    took_s = time.perf_counter() - started
    await store.close()
    turns = [turn for result in results for turn in result]
    whole, commit = (statistics.quantiles([1000 * t[i] for t in turns], n=100) for i in (0, 1))
    print(
        f"{name:10} {senders:4} senders {len(turns) / took_s:7.0f} turns/s   "
        f"commit p50 {commit[49]:6.2f} ms p99 {commit[98]:7.2f} ms   "
        f"accept+load+commit p50 {whole[49]:6.2f} ms p99 {whole[98]:7.2f} ms"
    )


def main() -> None:
    """Measure every store that this machine has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.5, help="per line")
    parser.add_argument("--senders", type=int, nargs="+", default=[1, 16, 128])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_all("sqlite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}", options)
    try:
        with running_postgres() as url:
            asyncio.run(make_durable(url))
            measure_all("postgresql", url, options)
    except PostgresMissing as missing:
        print(missing)


def measure_all(name: str, url: str, options: argparse.Namespace) -> None:
    """Measure one store with each number of senders."""
    for senders in options.senders:
        asyncio.run(measure(name, url, senders, options.seconds))


async def make_durable(url: str) -> None:
    """Switch on the syncing that the tests' server runs without."""
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER SYSTEM SET fsync = on")
    await connection.execute("ALTER SYSTEM SET full_page_writes = on")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


if __name__ == "__main__":
    main()
