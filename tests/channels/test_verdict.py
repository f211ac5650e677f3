"""What channels say of messages that were taken and then reported as failed."""

import pytest

from channels.push import ChannelContext
from channels.twilio import connect as connect_twilio
from tests.bot.scripted_channel import Scripted
from tests.channels.whatsapp_webhooks import channel as whatsapp

TWILIO = {"account_sid": "AC1", "auth_token": "secret", "whatsapp_from": "whatsapp:+4930123"}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("131047", "hold"), ("131000", "retry"), ("131056", "retry"), ("131026", "give_up")],
)
def test_whatsapp(code, verdict):
    assert whatsapp().verdict(code) == verdict


@pytest.mark.parametrize(
    ("code", "verdict"), [("63016", "hold"), ("30008", "give_up"), ("", "give_up")]
)
def test_twilio(code, verdict):
    own = connect_twilio(TWILIO, ChannelContext("https://bot.example"))
    assert own.verdict(code) == verdict


def test_whoever_says_nothing_gives_up():
    assert super(Scripted, Scripted()).verdict("1") == "give_up"
