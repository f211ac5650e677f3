"""Calls from the first ring to the last word, over real sockets."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.messages import OutboundMessage
from channels.twilio_signature import signature_of
from tests.channels.telephone_line import HANDOFF, PLAN, SID, YES, Bot, line, telephone
from tests.platforms.twilio_voice import CALLER, OPERATOR, TOKEN, setup


@pytest.mark.parametrize("mode", ["relay", "gather"])
async def test_a_call_is_greeted_heard_and_answered_in_order(mode):
    bot = Bot()
    async with line(bot, mode=mode) as platform:
        call = await platform.rings().begins()
        await call.hears("Was kann ich für Sie tun?")
        for text in ("wo ist mein Paket", "T R 1 0 4 7 1 1", "danke"):
            await call.says(text)
            await call.hears("Verstanden: T R, 1 0 4" if "T R" in text else f"Verstanden: {text}")
        await call.hears("Verstanden: danke.")
        await call.hangs_up()
    assert bot.texts == ["wo ist mein Paket", "TR104711", "danke"]
    assert len({message.message_id for message in bot.told}) == 3
    assert [m.sequence for m in bot.told] == sorted(m.sequence for m in bot.told)
    assert {message.sender_id for message in bot.told} == {f"{CALLER}:{call.sid}"}
    assert {message.metadata["caller"] for message in bot.told} == {CALLER}


async def test_retried_webhooks_are_handled_once():
    bot = Bot()
    async with line(bot, mode="gather", retries=2) as platform:
        call = await platform.rings().begins()
        for number in range(5):
            await call.says(f"frage {number}")
        assert call.heard[-1] == "Verstanden: frage 4."
    assert bot.texts == [f"frage {number}" for number in range(5)]


async def test_an_interruption_is_noted_with_what_was_heard():
    bot = Bot()
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("wo ist mein Paket")
        await call.hears("Verstanden: wo")
        await call.barges_in("nein, das andere", heard="Verstanden: wo ist")
        await call.hears("Verstanden: nein")
        await call.says("ja")
        await call.hears("Verstanden: ja")
        await call.hangs_up()
    assert bot.told[1].metadata["interrupted"] == {"heard": "Verstanden: wo ist", "after_ms": 460}
    assert "interrupted" not in bot.told[2].metadata


async def test_a_plan_cannot_be_talked_over_and_a_key_agrees_to_it_alone():
    bot = Bot(storniere=[OutboundMessage(text="Gern.", language="de"), PLAN])
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("storniere")
        await call.hears("Soll ich das tun?")
        gern, plan = (frame for frame in call.frames if frame["type"] == "text")
        assert (gern["last"], plan["last"]) == (False, True)
        assert "interruptible" not in gern
        assert plan["interruptible"] is False
        await call.presses("1")
        await call.hears("Verstanden: /affirm")
        await call.hangs_up()
    assert bot.texts == ["storniere", YES.payload]


async def test_keys_become_a_number_at_hash_or_a_pause():
    bot = Bot()
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.presses("99*104711#")
        await call.hears("Verstanden: 104711")
        await call.presses("10115")
        await asyncio.sleep(0.4)
        await call.presses("0")
        await asyncio.sleep(0.4)
        await call.presses("42")
        await call.hangs_up()
    assert bot.texts == ["104711", "10115", "/talk_to_human", "42"]


async def test_the_nine_changes_the_language_before_anything_is_said():
    bot = Bot()
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.presses("9")
        await call.hears("Hello, this is a bot speaking.")
        assert call.language == "en-US"
        await call.says("where is my parcel")
        await call.hears("Verstanden")
        assert call.language == "de-DE"  # the bot answered in German
        await call.hangs_up()
    assert bot.texts == ["where is my parcel"]
    assert bot.told[0].metadata["language"] == "en"


async def test_a_person_takes_over_and_hears_why():
    bot = Bot(mensch=[HANDOFF])
    async with line(bot, operators={"number": OPERATOR}) as platform:
        call = await platform.rings().begins()
        await call.says("mensch")
        await call.ends()
        ended = call.frames[-1]
        data = json.loads(ended["handoffData"])
        assert data["conversation"] == f"telephone:{CALLER}:{call.sid}"
        assert data["reason"] == "asked"
        assert call.heard[-1] == "Ich übergebe Sie."
        assert [item["to"] for item in call.dialled] == [OPERATOR]
        assert call.whispered == ["Anruf vom Bot. Der Anrufer möchte mit einem Menschen sprechen."]


async def test_nobody_answers_and_the_bot_goes_on():
    bot = Bot(mensch=[HANDOFF], still=[])
    async with line(bot, operators={"number": OPERATOR}) as platform:
        call = platform.rings()
        call.operator_answers = False
        await call.begins()
        await call.says("mensch")
        await call.hears("meldet sich bei Ihnen")
        await call.hears("zurück zum Bot")
        await call.says("zurück zum Bot")
        assert call.heard[-1] == "Verstanden: zurück zum Bot."
        await call.says("still")  # with an operator the bot keeps quiet: the call goes there
        assert len(call.dialled) == 2


async def test_a_goodbye_ends_the_call():
    bye = OutboundMessage(text="Auf Wiederhören!", language="de", response="utter_goodbye")
    async with line(Bot(tschüss=[bye])) as platform:
        call = await platform.rings().begins()
        await call.says("tschüss")
        await call.ends()
        assert call.heard[-1] == "Auf Wiederhören!"


async def test_silence_is_asked_about_and_then_ends_a_relayed_call():
    async with line(Bot(), silence_s=0.05) as platform:
        call = await platform.rings().begins()
        await call.says("hm")
        await call.ends(within_s=20)
        assert call.heard[-3:] == [
            "Sind Sie noch da?",
            "Sind Sie noch da?",
            "Ich höre Sie nicht mehr. Rufen Sie gern wieder an. Auf Wiederhören.",
        ]


async def test_a_slow_turn_is_announced_and_what_is_said_meanwhile_waits():
    bot = Bot()
    bot.slow_s = 0.5
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("eins")
        await call.says("zwei")
        await call.hears("Verstanden: zwei.")
        await call.hangs_up()
    assert call.heard.index("Einen Moment bitte.") < call.heard.index("Verstanden: eins.")
    assert bot.texts == ["eins", "zwei"]


async def test_a_turn_that_breaks_is_told_and_the_call_goes_on():
    bot = Bot()
    bot.breaks = 1
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("eins")
        await call.hears("Das ist gerade schiefgegangen.")
        await call.says("zwei")
        await call.hears("Verstanden: zwei.")
        await call.hangs_up()


async def test_a_hang_up_in_the_middle_of_a_turn_loses_nothing():
    bot = Bot()
    bot.slow_s = 0.3
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("eins")
        await call.says("zwei")
        await call.presses("12")
        await call.hangs_up()
    assert bot.texts == ["eins", "zwei", "12"]
    assert len(bot.given) == 3


async def test_after_a_broken_line_the_answer_is_told_and_nothing_is_handled_twice():
    bot = Bot()
    bot.slow_s = 0.4
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("eins")
        await bot.is_told()
        await call.line_drops()
        await asyncio.sleep(0.6)
        await call.reconnects()
        await call.hears("Verstanden: eins.")
        await call.says("zwei")
        await call.hears("Verstanden: zwei.")
        await call.hangs_up()
    assert bot.texts == ["eins", "zwei"]
    assert len({message.message_id for message in bot.told}) == 2


async def test_a_session_that_fails_goes_on_turn_by_turn_with_the_answer():
    bot = Bot(storniere=[PLAN])
    bot.slow_s = 0.2
    async with line(bot) as platform:
        call = await platform.rings().begins()
        await call.says("storniere")
        await bot.is_told()
        await call.line_drops()
        await asyncio.sleep(0.4)
        await call.session_fails()
        assert "Verbindung hat gehakt" in call.heard[-3]
        assert "Soll ich das tun?" in call.heard[-2]
        await call.presses("1#")
        assert bot.texts == ["storniere", YES.payload]
        assert call.heard[-1].startswith("Verstanden: /affirm")


async def test_a_socket_that_cannot_be_opened_falls_back_to_gather():
    bot = Bot()
    async with line(bot) as platform:
        platform.secret = TOKEN
        call = platform.rings()
        call.platform = _Refused(platform)
        await call.begins()
        await call.hears("Verbindung hat gehakt")
        await call.says("hallo")
        assert call.heard[-1] == "Verstanden: hallo."


class _Refused:
    """A platform whose handshakes are signed with another secret than its webhooks."""

    def __init__(self, platform):
        self._platform = platform
        self.secret = "another"

    def __getattr__(self, name):
        return getattr(self._platform, name)


async def test_only_our_own_calls_get_through_to_the_socket():
    bot = Bot()
    channel = telephone()
    async with line(bot) as platform:
        url = platform.server.replace("http", "ws") + "/webhooks/telephone/relay"
        public = "wss://bot.example/webhooks/telephone/relay"
        for signature in ("", "forged", signature_of("another", public)):
            with pytest.raises(InvalidStatus):
                await open_socket(url, additional_headers={"x-twilio-signature": signature})
        ticket = channel._switchboard.ticket(SID, CALLER)
        first = [
            {"type": "prompt", "voicePrompt": "hallo", "last": True},
            setup(SID, CALLER, {}),
            setup(SID, CALLER, {"ticket": "0" * 64}),
            setup(SID, "+4917000000000", {"ticket": ticket}),
            setup(SID, CALLER, {"ticket": ticket}, to="+4930777777"),
            {"type": "setup", "callSid": 7},
            [],
        ]
        for frame in first:
            good = {"x-twilio-signature": signature_of(TOKEN, public)}
            async with open_socket(url, additional_headers=good) as socket:
                await socket.send(json.dumps(frame))
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(socket.recv(), 5)
    assert bot.told == []


async def test_broken_frames_do_not_end_a_call():
    bot = Bot()
    async with line(bot) as platform:
        call = await platform.rings().begins()
        for broken in ("{", "[]", '{"type":7}', '{"type":"prompt","voicePrompt":7}', "x" * 70_000):
            await call._socket.send(broken)
        await call._socket.send(b"\x00\xff")
        await call._socket.send('{"type":"novelty","x":1}')
        await call._socket.send('{"type":"error","description":"64107"}')
        await call._socket.send('{"type":"interrupt","durationUntilInterruptMs":null}')
        await call.says("noch da?")
        await call.hears("Verstanden: noch da")
        await call.hangs_up()
    assert bot.texts == ["noch da?"]
