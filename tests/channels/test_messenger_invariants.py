import asyncio
import random

from tests.contracts.channel_invariants import PATIENT, ChannelInvariants
from tests.platforms.messenger import MessengerFake


class TestMessenger(ChannelInvariants):
    has_sequence = True

    def platform(self):
        return MessengerFake()

    async def test_messages_that_overtake_each_other_are_put_in_order(self, platform_and_stand):
        platform, stand = platform_and_stand
        stand.dispatcher._patience = PATIENT
        dice = random.Random(7)
        said = [self._say(platform, dice, number) for number in range(120)]
        requests = [request for item in said for request in platform.webhook(item)]
        dice.shuffle(requests)
        await asyncio.gather(*(stand.intake.take(request) for request in [*requests, *requests]))
        await stand.idle(60)
        await self._check(platform, stand, said)
