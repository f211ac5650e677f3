"""The customer's time zone: what tells it, how long it is kept, and what is made of it."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from bot.flow_files import load_flows
from bot.messages import InboundMessage
from bot.responses import Renderer
from bot.time_zones import COUNTRY, TOLD, customer_zone, zone_named, zone_of_country
from bot.utterances import uttered
from tests.bot.kit import PIZZA, ScriptedParser, SmallBot, write_flows

LATE = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
WHEN = """
skill: when
title: {en: When, de: Wann}
anything_else: false
steps: [{say: utter_when}]
responses:
  utter_when:
    en: "until {{ '2026-01-15T13:00:00+00:00' | moment }}, {{ '2026-01-15T01:30:00+00:00' | day }}"
"""


class Clocked(ScriptedParser):
    """Remembers the clock that each message was read by."""

    def __init__(self, intents):
        super().__init__(intents)
        self.clocks = []

    def parse(self, text, hint_language=None, now=None, expected=()):
        self.clocks.append(now)
        return super().parse(text, hint_language, now, expected)


@pytest.fixture
def bot(tmp_path, monkeypatch):
    flows = load_flows(write_flows(tmp_path, PIZZA, WHEN))
    bot = SmallBot(flows, intents={"until when": "when"})
    bot.parser = Clocked({"until when": "when"})
    monkeypatch.setattr(bot.router, "_parser", bot.parser)
    return bot


async def says(bot, text, zone="", sender="ann"):
    message = bot.message(text, sender)
    told = msgspec.structs.replace(message, time_zone=zone, received_at=LATE)
    entries = await bot.dispatcher.answer(told)
    return [entry.message.text for entry in entries or ()]


async def test_a_zone_that_was_told_is_kept_for_the_conversation(bot):
    here = ["until 15 Jan, 05:00 (Los Angeles), Thursday 15 January"]
    assert await says(bot, "until when", "America/Los_Angeles") == here
    assert await says(bot, "until when") == here
    assert await says(bot, "until when", sender="ben") == [
        "until 15 Jan, 14:00, Thursday 15 January"
    ]
    clocks = [(now.isoformat(), str(now.tzinfo)) for now in bot.parser.clocks]
    there = ("2026-11-18T14:30:00-08:00", "America/Los_Angeles")
    assert clocks == [there, there, ("2026-11-18T22:30:00+00:00", "UTC")]
    conversation = await bot.conversation()
    assert conversation.slots[TOLD] == "America/Los_Angeles"
    told = [event.value for event in await bot.events("slot") if event.name == TOLD]
    assert told == ["America/Los_Angeles"]


async def test_who_travels_takes_their_clock_along(bot):
    await says(bot, "until when", "America/Los_Angeles")
    assert await says(bot, "until when", "Asia/Tokyo") == [
        "until 15 Jan, 22:00 (Tokyo), Thursday 15 January"
    ]
    assert (await bot.conversation()).slots[TOLD] == "Asia/Tokyo"


FORGED = [
    "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "localtime", "posixrules",
    "posix/Europe/Berlin", "right/Europe/Berlin", "Factory", "UTC", "Etc/UTC", "Etc/Unknown",
    "Zulu", "America/" + "A" * 60, "Europe/Berlin\n", "Europe\x00/Berlin", "europe / berlin",
    "zone.tab", "Ευρώπη/Αθήνα", "America/../Europe/Berlin",
]  # fmt: skip


@pytest.mark.parametrize("name", [*FORGED, "", None, 7, True, ["Europe/Berlin"], {"a": 1}])
def test_what_is_no_zone_of_a_place_is_not_one(name):
    assert zone_named(name) is None


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_zone_changes_nothing(bot, name):
    assert await says(bot, "until when", name) == ["until 15 Jan, 14:00, Thursday 15 January"]
    assert TOLD not in (await bot.conversation()).slots


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "Etc/GMT+8",
             "America/Port-au-Prince", "EST5EDT"],
)  # fmt: skip
def test_what_browsers_tell_is_a_zone(name):
    assert zone_named(name).key == name


@pytest.mark.parametrize(
    ("country", "zone"),
    [("DE", "Europe/Berlin"), ("at", "Europe/Vienna"), ("JP", "Asia/Tokyo"),
     ("GB", "Europe/London"), ("US", None), ("NZ", None), ("ES", None), ("BR", None),
     ("XX", None), ("Germany", None),
     ("", None), (None, None), (49, None)],
)  # fmt: skip
def test_a_country_tells_the_zone_if_its_clocks_agree(country, zone):
    found = zone_of_country(country)
    assert (found.key if found else None) == zone


def test_the_device_comes_before_the_country_and_the_country_before_the_shop():
    assert customer_zone({TOLD: "Asia/Tokyo", COUNTRY: "GB"}).key == "Asia/Tokyo"
    assert customer_zone({TOLD: "Not/There", COUNTRY: "GB"}).key == "Europe/London"
    assert customer_zone({TOLD: None, COUNTRY: "US"}) is None
    assert customer_zone({}) is None


@pytest.fixture
def render(tmp_path):
    flows = load_flows(write_flows(tmp_path, PIZZA, WHEN))
    renderer = Renderer(flows, ("en", "de"), "Europe/Berlin")
    return lambda at, language, zone: renderer.moment(at, language, zone_named(zone))


@pytest.mark.parametrize(
    ("at", "language", "zone", "said"),
    [
        ("2026-07-01T16:00:00+00:00", "en", "Europe/Berlin", "1 Jul, 18:00"),
        ("2026-07-01T16:00:00+00:00", "de", "Europe/Paris", "1. Juli, 18:00"),
        ("2026-07-01T16:00:00+00:00", "en", "Europe/London", "1 Jul, 17:00 (London)"),
        ("2026-07-01T23:30:00+00:00", "de", "Pacific/Auckland", "2. Juli, 11:30 (Auckland)"),
        ("2026-03-10T12:00:00+00:00", "de", "America/New_York", "10. März, 08:00 (New York)"),
        ("2026-07-01", "en", "America/New_York", "1 Jul, 00:00"),
        ("2026-07-01T16:00:00", "en", "America/New_York", "1 Jul, 16:00"),
    ],
)
def test_clock_times_are_the_customers_and_name_the_place_where_they_differ(
    render, at, language, zone, said
):
    assert render(at, language, zone) == said


def test_a_zone_is_stored_with_a_message_and_left_out_without():
    message = InboundMessage("rest", "ann", "1", "hi", LATE, time_zone="Asia/Tokyo")
    wire = msgspec.json.encode(message)
    assert msgspec.json.decode(wire, type=InboundMessage) == message
    plain = msgspec.structs.replace(message, time_zone="")
    assert "time_zone" not in json.loads(msgspec.json.encode(plain))
    assert uttered(message, {}).metadata == {}
