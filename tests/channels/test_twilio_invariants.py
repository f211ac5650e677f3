from tests.contracts.channel_invariants import ChannelInvariants
from tests.platforms.twilio import TwilioFake


class TestTwilio(ChannelInvariants):
    def platform(self):
        return TwilioFake()

    def customer(self, number):
        return f"{'whatsapp:' if number % 2 else ''}+4917000{number:05}"
