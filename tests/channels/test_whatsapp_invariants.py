from tests.contracts.channel_invariants import ChannelInvariants
from tests.platforms.meta import WhatsAppFake


class TestWhatsApp(ChannelInvariants):
    def platform(self):
        return WhatsAppFake()
