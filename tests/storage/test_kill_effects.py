"""A bot killed between a checkpoint and its last commit keeps intents and events together."""

import random
import time
from collections import Counter

import pytest

from bot.storage.effects import EffectQuery
from bot.storage.open import open_store
from tests.storage.test_kill import live_and_die, truncated

LIVES = 6
PROGRAM = "tests.storage.crashing_effects"


async def check(url: str, acknowledged: list[str]) -> Counter:
    """Assert that each turn is there up to one of its commits; return the effects' states."""
    store = await open_store(url)
    agreed, finished, handled, replied = Counter(), Counter(), Counter(), Counter()
    for info in await store.events.conversations():
        key = info.conversation_id
        loaded, version = await store.events.load(key)
        assert [e.seq for e in loaded] == list(range(1, version + 1))
        agreed.update(e.data["key"] for e in loaded if e.type == "agreed")
        finished.update(e.data["key"] for e in loaded if e.type == "finished")
        replied.update(e.message.text for e in await store.outbox.after(key, limit=10**6))
        for entry in await store.inbox.history(key, limit=10**6):
            handled[entry.message.message_id] += entry.handled_at is not None
    effects = {e.key: e for e in await store.effects.find(EffectQuery(limit=10**6))}
    await store.close()
    done = {key for key, effect in effects.items() if effect.state == "done"}
    assert agreed == Counter(dict.fromkeys(effects, 1)), "intent and events: both or neither"
    assert finished == replied == +handled == Counter(dict.fromkeys(done, 1))
    assert all(effects[key].result == {"refund": key} for key in done)
    assert all(effects[key].data == {"items": [key]} for key in effects)
    said = [line.split() for line in acknowledged]
    assert {key for word, key in said if word == "intended"} <= effects.keys()
    assert {key for word, key in said if word == "done"} <= done
    return Counter(effect.state for effect in effects.values())


async def lives(url: str) -> None:
    """Run the bot for several short lives on one store."""
    chance, lines, under_way, done = random.Random(7), [], 0, 0
    for life in range(LIVES):
        seconds = 0.2 + chance.random() * 0.2
        lines += live_and_die(url, life, seconds, PROGRAM, "done")
        time.sleep(0.2)  # noqa: ASYNC251 - PostgreSQL ends the dead client's sessions
        states = await check(url, lines)
        assert states["done"] > done, "a life without a single turn shows nothing"
        done = states["done"]
        under_way += states["intended"] + states["sent"]
    assert under_way > 0, "no life ended between a checkpoint and its last commit"


async def test_kill_9_keeps_intents_and_events_together_on_sqlite(tmp_path):
    await lives(f"sqlite:///{tmp_path}/tresen.sqlite3")


@pytest.mark.postgres
async def test_kill_9_keeps_intents_and_events_together_on_postgres(postgres_url):
    await truncated(postgres_url)
    await lives(postgres_url)
