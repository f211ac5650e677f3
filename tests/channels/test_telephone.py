import contextlib
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.messages import Button, Card, OutboundMessage
from channels.base import BadRequest, ChannelError
from channels.push import ChannelContext, SettingsInvalid
from channels.telephony.relay import caller_of
from channels.telephony.words import heard_text, key_order, keyed_text
from tests.channels.telephone_line import (
    HANDOFF,
    NO,
    PLAN,
    SID,
    YES,
    gathered,
    instructions,
    telephone,
)
from tests.contracts.channel import RICH, ChannelContract
from tests.platforms.twilio_voice import (
    CALLER,
    OPERATOR,
    PATH,
    PUBLIC,
    TOKEN,
    call_fields,
    query_of,
    request,
)


class TestContract(ChannelContract):
    reads_json = False

    def channel(self):
        return telephone()

    def request(self, text):
        return gathered(text)

    def forged(self):
        good = self.request("x")
        right = good.headers["x-twilio-signature"]
        others = [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": right[:-2] + "A="}]
        swapped = msgspec.structs.replace(good, query={**good.query, "turn": "7"})
        changed = msgspec.structs.replace(good, body=good.body + b"&Digits=1")
        wrong_secret = request(call_fields(SID), good.query, secret="another")
        return [
            *(msgspec.structs.replace(good, headers=headers) for headers in others),
            *(swapped, changed, wrong_secret),
        ]

    @pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"SpeechResult=x", b"CallSid=a b", b"{"])
    def test_broken_bodies_are_refused_by_name(self, body):
        with pytest.raises(BadRequest) as raised:
            self.channel().parse(self.with_body(body))
        assert raised.value.field in {"body", "CallSid"}

    def test_render_loses_nothing_and_is_json(self):
        frames = self.channel().render(RICH, "someone")
        spoken = json.dumps(frames, ensure_ascii=False)
        for words in ("Diese zwei passen", "Parka", "89 Euro", "Ja, bitte", "129 Euro 90"):
            assert words in spoken
        assert frames == self.channel().render(RICH, "someone")


def test_the_signature_is_the_one_that_twilios_sdk_makes():
    good = gathered("hallo")
    fields = call_fields(SID, SpeechResult="hallo")
    url = f"{PUBLIC}{PATH}?step=gather&turn=1&lang=de&quiet=0"
    assert RequestValidator(TOKEN).validate(url, fields, good.headers["x-twilio-signature"])
    telephone().verify(good)


def test_an_incoming_call_is_connected_to_our_socket():
    channel = telephone(voices={"de": {"locale": "de-DE", "voice": "x"}, "en": {"locale": "en-GB"}})
    ringing = request(call_fields(SID, CallStatus="ringing"))
    assert channel.parse(ringing) == []
    (connected,) = instructions(channel.answer(ringing, (), complete=True))
    (relay,) = connected
    assert query_of(connected.get("action")) == {"step": "relay"}
    assert relay.get("url") == "wss://bot.example/webhooks/telephone/relay"
    assert (relay.get("language"), relay.get("voice")) == ("de-DE", "x")
    assert (relay.get("dtmfDetection"), relay.get("interruptible")) == ("true", "any")
    assert relay.get("reportInputDuringAgentSpeech") == "none"
    assert "For English, press 9." in relay.get("welcomeGreeting")
    assert [item.get("code") for item in relay.findall("Language")] == ["de-DE", "en-GB"]


def test_a_call_to_a_number_that_is_not_ours_is_rejected():
    channel = telephone()
    fields = call_fields(SID, To="+49301", Called="+49301", SpeechResult="hallo")
    asked = request(fields, {"step": "gather", "turn": "1"})
    assert channel.parse(asked) == []
    (verb,) = instructions(channel.answer(asked, (), complete=True))
    assert verb.tag == "Reject"


def test_a_repeated_webhook_is_the_same_message():
    first, again = (telephone().parse(gathered("storniere es", turn=3)) for _ in range(2))
    assert first == again
    assert first[0].message_id == f"{SID}:g3"
    assert first[0].sender_id == f"{CALLER}:{SID}"
    assert first[0].metadata["caller"] == CALLER
    assert telephone().parse(gathered("storniere es", turn=4))[0].message_id == f"{SID}:g4"


@pytest.mark.parametrize(
    "number", ["", "anonymous", "+266696687", "+7378742833", "Restricted", "sip:a@b", "+12\n34567"]
)
def test_a_withheld_number_is_nobody_elses_conversation(number):
    assert caller_of(number, "CA1") == "call:CA1"
    assert caller_of(number, "CA2") == "call:CA2"


def test_each_call_from_a_number_is_a_conversation_of_its_own():
    assert caller_of(CALLER, "CA1") == f"{CALLER}:CA1"
    assert caller_of(CALLER, "CA1") != caller_of(CALLER, "CA2")


def test_a_plan_is_read_to_its_end_and_the_keys_answer_it():
    channel = telephone(mode="gather")
    verbs = instructions(channel.answer(gathered("storniere"), [PLAN], complete=True))
    said, gather = verbs
    assert said.tag == "Say"
    assert "T R, 1 0 4, 7 1 1" in said.text
    assert "129 Euro" in said.text
    assert [say.text for say in gather] == ["Für Ja drücken Sie die 1, für Nein die 2."]
    query = query_of(gather.get("action"))
    assert (query["turn"], query["k1"], query["k2"]) == ("2", YES.payload, NO.payload)
    pressed = request(call_fields(SID, Digits="1"), query)
    (message,) = channel.parse(pressed)
    assert message.text == YES.payload
    assert message.metadata["keys"] == "1"
    channel.verify(pressed)


def test_silence_is_asked_about_and_then_ends_the_call():
    channel = telephone(mode="gather")
    asked = request(call_fields(SID), {"step": "gather", "turn": "1", "k1": YES.payload})
    for _ in range(2):
        (gather,) = instructions(channel.answer(asked, (), complete=True))
        assert "Sind Sie noch da?" in gather[0].text
        assert "Für Ja" in gather[0].text
        asked = request(call_fields(SID), query_of(gather.get("action")))
        assert channel.parse(asked) == []
    said, hangup = instructions(channel.answer(asked, (), complete=True))
    assert (said.tag, hangup.tag) == ("Say", "Hangup")


def test_a_slow_turn_is_waited_for_and_told_once():
    channel = telephone(mode="gather")
    slow = gathered("wo ist mein Paket", turn=5)
    waiting = slow
    for _ in range(3):
        _, redirect = instructions(channel.answer(waiting, (), complete=False))
        waiting = request(call_fields(SID), query_of(redirect.text))
    (given_up,) = instructions(channel.answer(waiting, (), complete=False))
    assert "schiefgegangen" in given_up[0].text
    say, redirect = instructions(channel.answer(slow, (), complete=False))
    assert say.text == "Einen Moment bitte."
    again = request(call_fields(SID), query_of(redirect.text))
    assert channel.parse(again) == channel.parse(slow)
    late = OutboundMessage(text="Es kommt morgen. Noch etwas?", language="de")
    (gather,) = instructions(channel.answer(again, [late, late], complete=True))
    assert [item.text for item in gather] == ["Es kommt morgen. Noch etwas?"]


def test_the_language_of_the_answer_is_spoken_and_listened_for():
    channel = telephone(mode="gather")
    said = OutboundMessage(text="Which order?", language="en")
    (gather,) = instructions(channel.answer(gathered("where is it"), [said], complete=True))
    assert gather.get("language") == gather[0].get("language") == "en-US"
    assert query_of(gather.get("action"))["lang"] == "en"


def test_a_report_after_the_call_gets_no_instructions():
    channel = telephone()
    over = request(call_fields(SID, CallStatus="completed"), {"step": "relay"})
    assert list(instructions(channel.answer(over, (), complete=True))) == []


@pytest.mark.parametrize(
    ("now", "open_now"),
    [
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), True),  # Monday 9:00 in Berlin
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), False),  # Sunday
    ],
)
def test_a_person_is_called_in_office_hours_only(now, open_now):
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00")
    operators = {"number": OPERATOR, "hours": hours}
    context = ChannelContext(PUBLIC, clock=lambda: now)
    channel = telephone(context, mode="gather", operators=operators)
    verbs = instructions(channel.answer(gathered("Mensch"), [HANDOFF], complete=True))
    assert verbs[0].text == "Ich übergebe Sie."
    if open_now:
        assert verbs[1].tag == "Dial"
        assert verbs[1][0].text == OPERATOR
        assert query_of(verbs[1][0].get("url"))["reason"] == "asked"
    else:
        assert "niemand zu erreichen" in verbs[1].text
        assert "zurück zum Bot" in verbs[2][0].text


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"auth_token": ""}, "auth_token"),
        ({"numbers": []}, "numbers"),
        ({"numbers": ["030 12"]}, "numbers"),
        ({"mode": "fax"}, "mode"),
        ({"surprise": 1}, "surprise"),
        ({"operators": {"number": "tel"}}, "operators.number"),
        ({"operators": {"number": OPERATOR, "hours": {"mon": "9-17"}}}, "hours"),
    ],
)
def test_wrong_settings_are_named(wrong, named):
    with pytest.raises(SettingsInvalid, match=rf"channels\.telephone.*{named}"):
        telephone(**wrong)


@pytest.mark.parametrize(
    ("transcript", "text"),
    [
        ("T R 1 0 4 7 1 1", "TR104711"),
        ("meine Nummer ist T-R-1-0-4-7-1-1 bitte", "meine Nummer ist TR104711 bitte"),
        ("anna Punkt müller ät example Punkt de", "anna.müller@example.de"),
        ("it is anna dot smith at mail minus box dot example dot com", None),
        ("a b c d", "a b c d"),
        ("ich nehme 2 Stück", "ich nehme 2 Stück"),
    ],
)
def test_what_was_spelled_is_put_together(transcript, text):
    heard = heard_text(transcript)
    assert heard == (text or "it is anna.smith@mail-box.example.com")


def test_keys_choose_what_was_offered():
    other = Button("Andere Adresse", '/SetSlots(destination="other")')
    assert key_order((YES, other, NO)) == [YES, NO, other]
    assert keyed_text("2", (YES, other, NO)) == "/deny"
    assert keyed_text("3", (YES, other, NO)) == other.payload
    assert keyed_text("2", (other, YES)) == other.payload
    assert keyed_text("104711", (YES, NO)) == "104711"
    assert keyed_text("0", (YES, NO)) == "/talk_to_human"
    assert keyed_text("4", (YES, NO)) == "4"


@given(
    st.binary(max_size=300),
    st.dictionaries(
        st.sampled_from(["step", "turn", "lang", "quiet", "said", "reason", "k1"]), st.text()
    ),
    st.sampled_from(["GET", "POST", "PUT"]),
)
def test_no_bytes_break_it(body, query, method):
    channel = telephone()
    broken = msgspec.structs.replace(gathered("x"), body=body, query=query, method=method)
    for work in (channel.verify, channel.parse):
        with contextlib.suppress(ChannelError):
            work(broken)
    with contextlib.suppress(ChannelError):
        channel.answer(broken, (), complete=True)


FIELDS = st.sampled_from([
    *("SpeechResult", "Digits", "From", "HandoffData", "SessionStatus", "ErrorCode"),
    *("DialCallStatus", "CallStatus", "Confidence", "NewInTwenty30"),
])


@given(st.dictionaries(FIELDS, st.text(max_size=80)), st.sampled_from(["gather", "relay", "dial"]))
def test_signed_requests_with_any_values_are_answered(fields, step):
    channel = telephone(mode="gather", operators={"number": OPERATOR})
    asked = request(call_fields(SID) | fields, {"step": step, "turn": "1"})
    channel.verify(asked)
    said = [PLAN] if channel.parse(asked) else []
    instructions(channel.answer(asked, said, complete=True))


MESSAGES = st.builds(
    OutboundMessage,
    text=st.text(max_size=6_000),
    voice=st.text(max_size=400),
    buttons=st.lists(st.builds(Button, st.text(max_size=30), st.text(max_size=900)), max_size=13)
    .map(tuple),
    cards=st.lists(st.builds(Card, title=st.text(max_size=30)), max_size=5).map(tuple),
    language=st.sampled_from(["", "de", "en", "fr"]),
    response=st.sampled_from(["", "utter_handoff", "utter_goodbye"]),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=3))
def test_any_answer_becomes_instructions_that_twilio_follows(said):
    channel = telephone(mode="gather")
    instructions(channel.answer(gathered("hallo"), said, complete=True))
    for message in said:
        for frame in channel.render(message, CALLER):
            assert frame["type"] in {"text", "language"}
            json.dumps(frame, ensure_ascii=False).encode()
