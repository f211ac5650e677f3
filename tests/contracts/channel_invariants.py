"""What no channel may ever do: lose, double or reorder a message. Subclass with its platform.

Behind the channel stand the real intake, SQLite, dispatcher and sender; the bot only repeats what
it hears. Before it stands the fake platform, which delivers as badly as the real one may.
"""

import asyncio
import operator
import random
from collections import defaultdict

import msgspec
import pytest

from bench.channels.stand import QUICK, Stand
from bot.dispatcher import Patience
from bot.messages import utc_now
from bot.storage.open import open_store
from channels.base import ChannelError, WebhookRequest
from tests.platforms.platform import FakePlatform, Said, Troubles
from tests.platforms.served import served

CUSTOMERS = 40
MESSAGES = 700
DELIVERIES = 10_000
WAVE = 60
PATIENT = Patience(quiet_s=3.0, longest_s=120.0)
"""So that messages that overtake each other meet however busy the machine is."""


class ChannelInvariants:
    """Subclass per channel."""

    #: Whether the platform numbers or dates its messages finely enough to put them in order.
    has_sequence = False
    #: Whether doubt about a payload can be settled, by receipts or by asking.
    settles_doubt = True

    def platform(self) -> FakePlatform:
        """Return a new platform."""
        raise NotImplementedError

    def customer(self, number: int) -> str:
        """Return the sender id of a customer."""
        return f"4917000{number:05}"

    @pytest.fixture
    async def platform_and_stand(self, tmp_path):
        platform = self.platform()
        if hasattr(platform, "per_second"):  # the vendor's own rate is tested with the channel
            platform.per_second = 100_000
        async with served(platform.app) as url:
            platform.url = url
            store = await open_store(f"sqlite:///{tmp_path / 'tresen.sqlite3'}", utc_now)
            stand = Stand(store, platform.channel, platform.settings(), tmp_path / "files")
            await stand.start()
            try:
                yield platform, stand
            finally:
                await stand.close()

    async def test_ten_thousand_deliveries(self, platform_and_stand):
        platform, stand = platform_and_stand
        if self.has_sequence:
            stand.dispatcher._patience = PATIENT
        dice = random.Random(20261122)
        said = [self._say(platform, dice, number) for number in range(MESSAGES)]
        requests = deliveries(platform, said, dice, shuffled=self.has_sequence)
        assert sum(count for _, count in requests) >= DELIVERIES
        for start in range(0, len(requests), WAVE):
            wave = [request for request, _ in requests[start : start + WAVE]]
            replies = await asyncio.gather(*(stand.intake.take(request) for request in wave))
            assert {reply.status for reply in replies} == {200}
        await stand.idle(120)
        await self._check(platform, stand, said)

    async def test_acknowledged_before_it_is_handled(self, platform_and_stand):
        platform, stand = platform_and_stand
        stand.turns.gate.clear()
        dice = random.Random(1)
        said = [self._say(platform, dice, number) for number in range(50)]
        async with asyncio.timeout(10):
            for item in said:
                for request in platform.webhook(item):
                    assert (await stand.intake.take(request)).status == 200
        assert not any((await stand.handled()).values())
        stand.turns.gate.set()
        await stand.idle(60)
        await self._check(platform, stand, said)

    async def test_a_platform_that_refuses_gets_it_later(self, platform_and_stand):
        platform, stand = platform_and_stand
        platform.trouble(Troubles(refused=0.3, late_s=0.02))
        dice = random.Random(2)
        said = [self._say(platform, dice, number) for number in range(100)]
        for item in said:
            for request in platform.webhook(item):
                await stand.intake.take(request)
        await stand.idle(120)
        await self._check(platform, stand, said)

    async def test_an_answer_that_got_lost_is_not_sent_twice(self, platform_and_stand):
        platform, stand = platform_and_stand
        if not self.settles_doubt:
            pytest.skip("the platform tells nobody what became of a message without an answer")
        platform.trouble(Troubles(lost_answers=0.2))
        dice = random.Random(3)
        said = [self._say(platform, dice, number) for number in range(60)]
        for item in said:
            for request in platform.webhook(item):
                await stand.intake.take(request)
        teller = asyncio.create_task(self._tell(platform, stand))
        try:
            await stand.idle(120)
        finally:
            teller.cancel()
        await self._check(platform, stand, said)

    async def test_receipts_in_any_order_do_no_harm(self, platform_and_stand):
        platform, stand = platform_and_stand
        dice = random.Random(4)
        said = [self._say(platform, dice, number) for number in range(40)]
        for item in said:
            for request in platform.webhook(item):
                await stand.intake.take(request)
        await stand.idle(60)
        receipts = [r for item in platform.delivered for r in platform.receipts(item)] * 2
        dice.shuffle(receipts)
        for request in receipts:
            assert (await stand.intake.take(request)).status == 200
        await stand.idle(60)
        await self._check(platform, stand, said)

    async def test_forged_requests_change_nothing(self, platform_and_stand):
        platform, stand = platform_and_stand
        item = self._say(platform, random.Random(5), 0)
        for request in platform.webhook(item):
            for bad in forgeries(request):
                with pytest.raises(ChannelError) as refused:
                    await stand.intake.take(bad)
                assert 400 <= refused.value.status < 500
        assert not any((await stand.handled()).values())

    def _say(self, platform: FakePlatform, dice: random.Random, number: int) -> Said:
        sender = self.customer(dice.randrange(CUSTOMERS))
        return platform.says(sender, f"Nr. {number}: Größe 42, bitte 🙂 {dice.random():.6f}")

    async def _tell(self, platform: FakePlatform, stand: Stand) -> None:
        """Bring receipts, late, for as long as the test runs."""
        told = 0
        while True:
            await asyncio.sleep(QUICK.doubt_s / 3)
            delivered = platform.delivered[told:]
            told += len(delivered)
            for item in delivered:
                for request in platform.receipts(item):
                    await stand.intake.take(request)

    async def _check(self, platform: FakePlatform, stand: Stand, said: list[Said]) -> None:
        """Compare what was said with what was handled, and with what customers saw."""
        expected: defaultdict[str, list[str]] = defaultdict(list)
        for item in said:
            expected[item.sender_id].append(item.text)
        handled = await stand.handled()
        seen: defaultdict[str, list[str]] = defaultdict(list)
        for shown in platform.delivered:
            seen[shown.recipient].append(shown.text)
        for sender, texts in expected.items():
            assert handled[f"{platform.channel}:{sender}"] == texts
            assert seen[sender] == [f"echo {text}" for text in texts]
        assert set(seen) == set(expected)


def deliveries(
    platform: FakePlatform, said: list[Said], dice: random.Random, *, shuffled: bool
) -> list[tuple[WebhookRequest, int]]:
    """Return requests in the order in which they arrive, each with how many messages it brings.

    Batched, repeated up to eighteen times and, where the platform's messages have an order of their
    own, overtaking each other.
    """
    first: list[tuple[float, WebhookRequest, int]] = []
    again: list[tuple[float, WebhookRequest, int]] = []
    place = 0
    while place < len(said):
        batch = said[place : place + dice.randint(1, 6)]
        place += len(batch)
        for request in platform.webhook(*batch):
            at = place + (dice.uniform(0, 5) if shuffled else 0)
            count = len(batch) / len(platform.webhook(*batch))
            first.append((at, request, round(count)))
            repeats = dice.choice((10, 13, 14, 16, 18))
            again.extend(
                (at + dice.expovariate(1 / 200), request, round(count)) for _ in range(repeats)
            )
    ordered = sorted([*first, *again], key=operator.itemgetter(0))
    return [(request, count) for _, request, count in ordered]


def forgeries(request: WebhookRequest) -> list[WebhookRequest]:
    """Return the request with its proof missing, wrong, or made for another body."""

    plain = {"content-type", "content-length", "host", "user-agent"}
    bare = {name: value for name, value in request.headers.items() if name in plain}
    wrong = {
        name: value if name in plain else value[:-4] + ("0000" if value[-4:] != "0000" else "1111")
        for name, value in request.headers.items()
    }
    return [
        msgspec.structs.replace(request, headers=bare),
        msgspec.structs.replace(request, headers=wrong),
    ]
