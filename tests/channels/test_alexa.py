"""Alexa: what is heard, and what is said, shown and asked again."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Button, Card, OutboundMessage
from channels.alexa import connect
from channels.alexa_signature import CertificateUnavailable, NotFromAlexa
from channels.base import BadRequest, ChannelError, WebhookRequest
from channels.push import ChannelContext, SettingsInvalid
from tests.channels.alexa_skill import (
    LAUNCH,
    PLATFORM,
    QUESTION,
    answered,
    channel,
    fresh,
    heard,
    prepared,
)
from tests.contracts.channel import NOW, ChannelContract
from tests.platforms.alexa import CHAIN_URL, LINKED_TOKEN, check_answer
from tests.platforms.platform import Troubles

LINKING = {"userinfo_url": "https://id.shop.example/userinfo"}


class TestContract(ChannelContract):
    def channel(self):
        return prepared(self.request("x"))

    def request(self, text):
        said = PLATFORM.says("amzn1.ask.account.CONTRACT", text)
        (request,) = PLATFORM.webhook(
            msgspec.structs.replace(said, message_id=f"id-{len(text)}-{text[:9]!r}")
        )
        return request

    def forged(self):
        good = self.request("x")
        headers = dict(good.headers)
        return [
            msgspec.structs.replace(good, body=good.body + b" "),
            msgspec.structs.replace(good, body=b""),
            msgspec.structs.replace(good, headers={}),
            *(
                msgspec.structs.replace(good, headers={**headers, **wrong})
                for wrong in (
                    {"signature-256": ""},
                    {"signature-256": "Zm9v"},
                    {"signature-256": "ä no base64"},
                    {"signature-256": headers["signature"]},
                    {"signaturecertchainurl": ""},
                    {"signaturecertchainurl": CHAIN_URL.replace("15", "16")},
                )
            ),
        ]


def test_replay_is_the_same_message():
    said = PLATFORM.says("amzn1.ask.account.A", "Hallo")
    first, again = PLATFORM.webhook(said, said)
    assert first == again
    assert channel().parse(first) == channel().parse(again)


def test_launch_greets_in_the_customers_language():
    message = heard(LAUNCH, is_new=True)
    assert (message.text, message.signal, message.metadata["language"]) == ("", "opened", "de")
    assert message.metadata["session_new"] is True
    assert heard({**LAUNCH, "locale": "en-US"}).metadata["language"] == "en"
    assert heard({**LAUNCH, "locale": "fr-FR"}).metadata["language"] == "en"


@pytest.mark.parametrize(
    ("name", "slots", "text"),
    [
        ("tell_words", {"words": "wo ist mein Paket"}, "wo ist mein Paket"),
        ("tell_words", {"words": "t. r. 104 711"}, "TR104711"),
        ("say_wo_ist", {"words": "meine Bestellung"}, "wo ist meine Bestellung"),
        ("say_i_want_to", {"words": "return it"}, "i want to return it"),
        ("tell_number", {"number": "104711"}, "104711"),
        ("track_order", {}, "/track_order"),
        ("AMAZON.YesIntent", {}, "/affirm"),
        ("AMAZON.NoIntent", {}, "/deny"),
        ("AMAZON.CancelIntent", {}, "/cancel"),
        ("AMAZON.RepeatIntent", {}, "/repeat"),
        ("AMAZON.HelpIntent", {}, "Was kannst du?"),
    ],
)
def test_intents_become_words_or_payloads(name, slots, text):
    message = heard(PLATFORM.intent(name, **slots))
    assert message.text == text
    assert message.metadata["intent"] == name


def test_matched_value_of_our_model_goes_before_what_was_heard():
    request = PLATFORM.intent("tell_answer", answer="neuer code bitte")
    match = {"status": {"code": "ER_SUCCESS_MATCH"}, "values": [{"value": {"name": "Neuen Code"}}]}
    miss = {"status": {"code": "ER_SUCCESS_NO_MATCH"}}
    slot = request["intent"]["slots"]["answer"]
    slot["resolutions"] = {"resolutionsPerAuthority": [miss, match]}
    assert heard(request).text == "Neuen Code"
    request["intent"]["name"] = "tell_question"
    assert heard(request).text == "neuer code bitte"
    request["intent"]["name"] = "tell_answer"
    slot["resolutions"] = {"resolutionsPerAuthority": [miss, {"values": "odd"}, None]}
    assert heard(request).text == "neuer code bitte"


@pytest.mark.parametrize(
    "request_",
    [
        PLATFORM.intent("AMAZON.FallbackIntent"),
        PLATFORM.intent("AMAZON.StopIntent"),
        PLATFORM.intent("AMAZON.NavigateHomeIntent"),
        PLATFORM.intent("tell_words"),
        PLATFORM.intent("tell_number", number="?"),
        {"type": "SessionEndedRequest", "reason": "EXCEEDED_MAX_REPROMPTS"},
        {"type": "System.ExceptionEncountered", "error": {"type": "INVALID_RESPONSE"}},
        {"type": "AudioPlayer.PlaybackStarted", "token": "x"},
        {"type": "PlaybackController.NextCommandIssued"},
        {"type": "Connections.Response", "status": {"code": "200"}},
        {"type": "CanFulfillIntentRequest", "intent": {"name": "track_order"}},
        {"type": "AlexaSkillEvent.SkillDisabled"},
        {"type": "Some.Future.Request", "news": [1]},
    ],
    ids=lambda request: request.get("intent", request).get("name", request["type"]),
)
def test_requests_without_words_are_answered_validly(request_):
    assert heard(request_) is None
    response = answered(request_)
    kind = request_["type"]
    if kind == "CanFulfillIntentRequest":
        assert response == {"canFulfillIntent": {"canFulfill": "NO"}}
    elif kind != "IntentRequest":
        assert response == {}
    else:
        leaves = request_["intent"]["name"] in {"AMAZON.StopIntent", "AMAZON.NavigateHomeIntent"}
        assert response["shouldEndSession"] is leaves
        assert response["outputSpeech"]["ssml"]
        assert "card" not in response


def test_token_of_a_linked_account_is_never_kept():
    message = heard(LAUNCH, is_linked=True)
    assert LINKED_TOKEN not in msgspec.json.encode(message).decode()


def test_question_keeps_the_session_open_and_is_asked_again():
    response = answered(PLATFORM.intent("track_order"), QUESTION)
    speech = response["outputSpeech"]["ssml"]
    assert '<say-as interpret-as="characters">TR</say-as>' in speech
    assert "49 Euro 90" in speech
    assert response["shouldEndSession"] is False
    assert response["reprompt"]["outputSpeech"]["ssml"] == "<speak>Stornieren?</speak>"
    assert response["card"] == {"type": "Simple", "title": "", "content": QUESTION.text}


def test_statement_ends_the_session():
    response = answered(PLATFORM.intent("track_order"), OutboundMessage(text="Es ist storniert."))
    assert response["shouldEndSession"] is True
    assert "reprompt" not in response


def test_asking_without_a_question_mark_keeps_the_session_open():
    asked = OutboundMessage(text="Bitte nennen Sie die Nummer.", response="utter_ask_number")
    response = answered(PLATFORM.intent("track_order"), asked)
    assert response["shouldEndSession"] is False
    assert "Was möchten Sie tun" in response["reprompt"]["outputSpeech"]["ssml"]


def test_voice_is_said_and_text_is_shown():
    said = OutboundMessage(
        text="Ausführlich: https://shop.example/p/1",
        voice="Kurz gesagt.",
        cards=(Card(title="Parka", price="89,00 €", image_url="https://shop.example/p.png"),),
    )
    response = answered(PLATFORM.intent("find_product"), said, card_title="Kontor")
    assert "Kurz gesagt." in response["outputSpeech"]["ssml"]
    assert "Den Link finden Sie in der Alexa-App." in response["outputSpeech"]["ssml"]
    card = response["card"]
    assert (card["type"], card["title"]) == ("Standard", "Kontor")
    assert card["image"]["smallImageUrl"] == "https://shop.example/p.png"
    assert "https://shop.example/p/1" in card["text"]
    assert "1. Parka – 89,00 €" in card["text"]


def test_same_words_are_said_once():
    response = answered(PLATFORM.intent("track_order"), QUESTION, QUESTION)
    assert response["outputSpeech"]["ssml"].count("Stornieren?") == 1


@pytest.mark.parametrize(("locale", "words"), [("de-DE", "wiederholen"), ("en-GB", "repeat")])
def test_late_answer_is_promised(locale, words):
    response = answered({**PLATFORM.intent("track_order"), "locale": locale}, complete=False)
    assert words in response["outputSpeech"]["ssml"]
    assert response["shouldEndSession"] is False


def test_account_is_linked_only_where_identity_is_asked_for():
    asked = OutboundMessage(text="Wer sind Sie?", response="utter_ask_identity")
    request = PLATFORM.intent("track_order")
    response = answered(request, asked, account_linking=LINKING)
    assert response["card"] == {"type": "LinkAccount"}
    assert "verknüpfen" in response["outputSpeech"]["ssml"]
    assert answered(request, asked)["card"]["type"] == "Simple"
    assert (
        answered(request, asked, account_linking=LINKING, is_linked=True)["card"]["type"]
        == "Simple"
    )
    assert answered(request, QUESTION, account_linking=LINKING)["card"]["type"] == "Simple"
    wanted = OutboundMessage(text="Wer?", custom={"link_account": True})
    assert answered(request, wanted, account_linking=LINKING)["card"] == {"type": "LinkAccount"}


async def test_progress_is_told_over_the_directive_service():
    PLATFORM.progress.clear()
    await channel().progress(PLATFORM.signed(PLATFORM.body(PLATFORM.intent("track_order"))))
    assert PLATFORM.progress == ["Einen Moment, ich sehe nach."]
    await channel().progress(PLATFORM.signed(PLATFORM.body({"type": "SessionEndedRequest"})))
    await channel().progress(PLATFORM.signed(b"no json"))
    PLATFORM.trouble(Troubles(refused=1.0))
    try:
        await channel().progress(PLATFORM.signed(PLATFORM.body(LAUNCH)))
    finally:
        PLATFORM.trouble(Troubles())
    assert len(PLATFORM.progress) == 1


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1", "https://api.eu.amazonalexa.com.evil.example", "", 7, None]
)
async def test_tokens_go_to_amazon_only(endpoint):
    body = PLATFORM.body(LAUNCH)
    body["context"]["System"]["apiEndpoint"] = endpoint
    PLATFORM.progress.clear()
    await channel(api_url="").progress(PLATFORM.signed(body))
    assert PLATFORM.progress == []
    body["context"]["System"]["apiEndpoint"] = "https://api.eu.amazonalexa.com"
    await channel(api_url="").progress(PLATFORM.signed(body))
    assert len(PLATFORM.progress) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "skill_id"),
        ({"skill_id": ""}, "skill_id"),
        ({"skill_id": "x", "surprise": 1}, "surprise"),
        ({"skill_id": "x", "order_number_pattern": "("}, "channels.alexa"),
        ({"skill_id": "x", "trusted_roots": "/nowhere.pem"}, "nowhere"),
        ({"skill_id": "x", "trusted_roots": __file__}, "no certificate"),
    ],
)
def test_wrong_settings_are_named(settings, problem):
    with pytest.raises(SettingsInvalid, match=problem):
        connect(settings, ChannelContext("https://shop.example"))


async def test_connect_talks_to_a_platform_that_is_served(tmp_path):
    platform = fresh()
    platform.folder, platform.url = tmp_path, "http://127.0.0.1:9"
    found = connect(platform.settings(), ChannelContext("https://shop.example", clock=lambda: NOW))
    with pytest.raises(CertificateUnavailable):
        await found.prepare(PLATFORM.signed(PLATFORM.body(LAUNCH)))
    await found.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def mutated(body, path, value):
    """Return the body with one place changed to something else."""
    whole = json.loads(json.dumps(body))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return whole


def paths_in(value, path=()):
    for key, inner in value.items():
        yield (*path, key)
        if isinstance(inner, dict):
            yield from paths_in(inner, (*path, key))


WHOLE = PLATFORM.body(PLATFORM.intent("say_wo_ist", words="mein Paket"))


@settings(deadline=None)
@given(path=st.sampled_from(list(paths_in(WHOLE))), value=json_values)
def test_mutated_bodies_raise_nothing_but_channel_errors(path, value):
    request = PLATFORM.signed(mutated(WHOLE, path, value))
    found = channel()
    try:
        found.parse(request)
    except BadRequest:
        return
    check_answer(found.answer(request, (QUESTION,), complete=True).body)
    check_answer(found.answer(request, (), complete=True).body)


@settings(deadline=None)
@given(body=st.binary(max_size=300) | json_values.map(lambda v: json.dumps(v).encode()))
def test_arbitrary_bodies_raise_nothing_but_channel_errors(body):
    request = WebhookRequest("POST", "/", headers={"signaturecertchainurl": CHAIN_URL}, body=body)
    with pytest.raises(ChannelError):
        channel().parse(request)
    with pytest.raises(NotFromAlexa):
        channel().verify(request)


words = st.text(st.characters(exclude_categories=[]), max_size=80)
outbounds = st.builds(
    OutboundMessage,
    text=words | st.sampled_from(["Ein Satz. " * 1_000, "€" * 10_000, "TR-104711 " * 900]),
    voice=st.just("") | words,
    buttons=st.lists(st.builds(Button, title=words, payload=words), max_size=13).map(tuple),
    cards=st.lists(
        st.builds(Card, title=words, subtitle=words, price=words, image_url=words, url=words),
        max_size=12,
    ).map(tuple),
    image_url=st.sampled_from(["", "https://shop.example/a.png", "http://a/b.png"]),
    response=st.sampled_from(["", "utter_ask_identity"]),
)


@settings(deadline=None)
@given(said=st.lists(outbounds, max_size=4), complete=st.booleans())
def test_every_answer_is_one_that_alexa_takes(said, complete):
    request = PLATFORM.signed(PLATFORM.body(PLATFORM.intent("track_order")))
    said = [_sendable(message) for message in said]
    reply = channel(account_linking=LINKING, card_title="K" * 300).answer(
        request, said if complete else (), complete=complete
    )
    check_answer(reply.body)


def _sendable(message):
    """Return the message as the outbox keeps it: JSON, so without lone surrogates."""
    raw = json.dumps(msgspec.to_builtins(message)).encode("utf-8")
    whole = json.loads(raw)
    clean = json.loads(json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace"))
    return msgspec.convert(clean, OutboundMessage)
