from channels.push import ChannelContext
from channels.telephone import connect
from tests.contracts.exchange_invariants import ExchangeInvariants
from tests.platforms.twilio_voice import PUBLIC, SHOP, TOKEN, call_fields, request


class TestTelephone(ExchangeInvariants):
    has_sequence = True

    async def connected(self, tmp_path):
        settings = {"auth_token": TOKEN, "numbers": [SHOP], "mode": "gather"}
        return connect(settings, ChannelContext(PUBLIC))

    def request(self, customer, number, text):
        fields = call_fields(f"CA{customer:032x}", self.caller(customer), SpeechResult=text)
        return request(fields, {"step": "gather", "turn": str(number + 1), "lang": "de"})

    def caller(self, customer):
        return f"+4917000{customer:05}"

    def conversation(self, customer):
        return f"telephone:{self.caller(customer)}:CA{customer:032x}"
