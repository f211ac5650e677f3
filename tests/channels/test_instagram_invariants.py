from tests.contracts.channel_invariants import ChannelInvariants
from tests.platforms.messenger import InstagramFake


class TestInstagram(ChannelInvariants):
    has_sequence = True

    def platform(self):
        return InstagramFake()
