"""What no channel may do whose platform waits for the answer. Subclass with its requests.

Behind the channel stand the real endpoint, exchange, dispatcher and SQLite; the bot only repeats
what it hears. Customers are impatient: every request comes again and again, also at the same time.
"""

import asyncio
import random
import string

import pytest

from bot.messages import utc_now
from bot.storage.open import open_store
from channels.base import ExchangeChannel, Reply, WebhookRequest
from tests.contracts.channel_invariants import forgeries
from tests.contracts.mounted import Mounted

CUSTOMERS = 40
MESSAGES_EACH = 10
REQUESTS = 10_000
AT_ONCE = 10


class ExchangeInvariants:
    """Subclass per channel."""

    #: Whether the platform gives up waiting, so that answers can come too late.
    gives_up = True
    #: Whether of two messages that wait at the same time the platform's own order decides.
    has_sequence = False

    async def connected(self, tmp_path) -> ExchangeChannel | None:
        """Return the channel; None for one that is not in endpoints.yml."""
        raise NotImplementedError

    def request(self, customer: int, number: int, text: str) -> WebhookRequest:
        """Return a new, good request; `number` counts the customer's."""
        raise NotImplementedError

    def conversation(self, customer: int) -> str:
        """Return the id of a customer's conversation."""
        raise NotImplementedError

    def heard(self, reply: Reply) -> str:
        """Return what the customer hears or reads of an answer."""
        return reply.body.decode()

    def told(self, reply: Reply) -> list[str]:
        """Return the names of the questions whose answers an answer brings, in order."""
        assert reply.status == 200
        return [part[:1] for part in self.heard(reply).split("echo frage ")[1:]]

    @pytest.fixture
    async def mounted(self, tmp_path):
        store = await open_store(f"sqlite:///{tmp_path / 'tresen.sqlite3'}", utc_now)
        mounted = Mounted(store, tmp_path, await self.connected(tmp_path))
        yield mounted
        await mounted.close()

    async def test_ten_thousand_requests(self, mounted):
        counts = []
        said = {}
        for start in range(0, CUSTOMERS, AT_ONCE):
            group = range(start, start + AT_ONCE)
            counts += await asyncio.gather(*(self._talk(mounted, one, said) for one in group))
        assert sum(counts) >= REQUESTS
        handled, arrived = await mounted.handled(), await mounted.arrived()
        assert set(handled) == set(said)
        for name, texts in said.items():
            assert sorted(handled[name]) == sorted(texts)
            assert self.has_sequence or handled[name] == arrived[name]
            waves = [texts.index(text) // 2 for text in handled[name]]
            assert waves == sorted(waves)

    async def _talk(self, mounted, customer, said) -> int:
        """Say two things at a time, each often, while older requests come again."""
        dice = random.Random(customer)
        texts = said.setdefault(self.conversation(customer), [])
        asked, answers, count = {}, {}, 0
        for number in range(0, MESSAGES_EACH, 2):
            both = [words(dice), words(dice)]
            texts += both
            for place, text in enumerate(both):
                asked[text] = self.request(customer, number + place, text)
            wave = both * dice.choice((4, 5, 6)) + dice.choices(texts, k=44)
            dice.shuffle(wave)
            replies = await asyncio.gather(*(mounted.brought(asked[text]) for text in wave))
            for text, reply in zip(wave, replies, strict=True):
                assert reply.status == 200
                assert self.heard(reply).count(f"echo {text}") == 1
                assert answers.setdefault(text, reply.body) == reply.body
            count += len(wave)
        return count

    async def test_forged_requests_change_nothing(self, mounted):
        for bad in forgeries(self.request(0, 0, "forged words")):
            reply = await mounted.brought(bad)
            assert 400 <= reply.status < 500
            assert b"echo" not in reply.body
        assert not await mounted.handled()

    async def test_late_answers_are_told_with_the_next_ones(self, mounted):
        if not self.gives_up:
            pytest.skip("its callers wait as long as it takes")
        usual_s = mounted.channel.answer_within_s
        asked = [self.request(0, number, f"frage {name}") for number, name in enumerate("abcdef")]
        mounted.turns.gate.clear()
        mounted.channel.answer_within_s = 1.7
        for request in (asked[0], asked[1], asked[1]):
            reply = await mounted.brought(request)
            assert reply.status == 200
            assert b"echo" not in reply.body
        mounted.channel.answer_within_s = usual_s
        mounted.turns.gate.set()
        third = await mounted.brought(asked[2])
        assert self.told(third) == ["a", "b", "c"]
        assert (await mounted.brought(asked[2])).body == third.body
        assert self.told(await mounted.brought(asked[3])) == ["d"]

    async def test_a_late_answer_that_was_asked_for_again_is_told_once(self, mounted):
        if not self.gives_up:
            pytest.skip("its callers wait as long as it takes")
        usual_s = mounted.channel.answer_within_s
        asked = [self.request(0, number, f"frage {name}") for number, name in enumerate("ab")]
        mounted.turns.gate.clear()
        mounted.channel.answer_within_s = 1.7
        assert self.told(await mounted.brought(asked[0])) == []
        mounted.channel.answer_within_s = usual_s
        mounted.turns.gate.set()
        assert self.told(await mounted.brought(asked[0])) == ["a"]
        assert self.told(await mounted.brought(asked[1])) == ["b"]

    async def test_what_failed_is_told_once_the_bot_can_answer(self, mounted):
        """The turn breaks, the bot tries it again by itself, and nobody may lose the answer."""
        if not self.gives_up:
            pytest.skip("its callers are told to try again")
        asked = [self.request(0, number, f"frage {name}") for number, name in enumerate("abcdef")]
        mounted.turns.broken = 1
        assert self.told(await mounted.brought(asked[0])) == []
        heard = []
        for request in asked[1:]:
            heard += self.told(await mounted.brought(request))
            await asyncio.sleep(0.05)
        assert sorted(heard) == ["a", "b", "c", "d", "e", "f"]


def words(dice: random.Random) -> str:
    return f"frage {''.join(dice.choices(string.ascii_lowercase, k=10))}"
