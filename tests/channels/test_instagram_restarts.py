"""A bot that loses its memory in the middle of sending: Instagram is asked, nobody reads twice."""

import asyncio
import random
from datetime import timedelta

from bench.channels.stand import Stand
from bot.messages import utc_now
from bot.storage.memory import memory_store
from tests.platforms.messenger import InstagramFake
from tests.platforms.platform import Troubles
from tests.platforms.served import served

LIVES = 5
CUSTOMERS = ("anna", "bert", "cora")


async def killed(stand):
    """Stop everything at once: what was begun is written down nowhere."""
    sender = stand.hub._senders["instagram"]
    work = [*sender._tasks, *sender._busy.values()]
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    await stand.dispatcher.close()
    await stand.hub.close()


async def begun(store):
    """Return the messages of which nobody wrote down what became of them."""
    return await store.outbox.begun("instagram", utc_now() + timedelta(days=1))


async def test_what_was_begun_in_an_earlier_life_is_not_sent_twice(tmp_path):
    dice, store, fake = random.Random(4), memory_store(utc_now), InstagramFake()
    said, doubts = [], 0
    async with served(fake.app, "critical") as fake.url:
        fake.trouble(Troubles(late_s=0.2, lost_answers=0.3))
        for life in range(LIVES + 1):
            stand = Stand(store, "instagram", fake.settings(), tmp_path)
            await stand.start()
            if life == LIVES:
                break
            for _ in range(4):
                # The same words again and again: only time and id tell them apart.
                said.append(fake.says(dice.choice(CUSTOMERS), dice.choice(("ja", "nein"))))
                for request in fake.webhook(said[-1]):
                    await stand.intake.take(request)
            async with asyncio.timeout(120):
                while not await begun(store):  # noqa: ASYNC110 - the store tells nobody
                    await asyncio.sleep(0.01)
            await asyncio.sleep(dice.uniform(0.0, 0.2))
            await killed(stand)
            doubts += len(await begun(store))
        fake.trouble(Troubles())
        await stand.idle(300)
        await stand.close()
    assert doubts, "no life ended in the middle of sending"
    for name in CUSTOMERS:
        expected = [f"echo {item.text}" for item in said if item.sender_id == name]
        assert [shown.text for shown in fake.delivered if shown.recipient == name] == expected
