"""Customers, the bot, two operators and transfers in any order; bench/desk adds the kills."""

import msgspec
import pytest

from bench.desk.interleavings import Broken, broken, check, conversation_of, live_all, story
from bot.storage.open import open_store

SEEDS = range(25)


@pytest.mark.slow
async def test_every_order_of_events_keeps_the_story_whole(tmp_path):
    await live_all(tmp_path, SEEDS)
    await live_all(tmp_path, SEEDS)  # nobody got an answer: all is sent once more
    found, events = await broken(tmp_path, SEEDS)
    assert not found
    assert events > 500
    store = await open_store(f"sqlite:///{tmp_path / 'tresen.sqlite3'}")
    stories = {conversation_of(seed): story(seed) for seed in SEEDS}
    name = next(name for name, steps in stories.items() if len(steps) > 8)
    stored, _ = await store.events.load(name)
    await store.close()
    said = next(item for item in stored if item.type == "user")
    with pytest.raises(Broken):
        check(name, [item for item in stored if item is not said], stories[name])
    twice = msgspec.structs.replace(said, seq=len(stored) + 1)
    with pytest.raises(Broken):
        check(name, [*stored, twice], stories[name])
