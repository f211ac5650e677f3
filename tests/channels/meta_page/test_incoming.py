import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.messages import Attachment, InboundMessage, Note, Receipt
from channels.base import BadRequest
from tests.channels.meta_page.pages import posted
from tests.channels.meta_page.strategies import bodies
from tests.platforms.messenger import APP_ID, OTHER_APP_ID


def test_every_event_of_every_entry_comes_in_order(page):
    fake = page.fake()
    said = [fake.says("anna" if n % 2 else "ben", f"Nachricht {n}") for n in range(45)]
    requests = fake.webhook(*said)
    assert len(requests) == 3
    heard = [item for request in requests for item in page.channel().parse(request)]
    assert [(m.sender_id, m.message_id, m.text) for m in heard] == [
        (s.sender_id, s.message_id, s.text) for s in said
    ]
    sequences = [m.sequence for m in heard]
    assert sequences == sorted(set(sequences))
    assert heard[0].metadata["sent_at"].startswith("2026-11-21T12:00:00")


def test_a_redelivery_is_recognisable(page):
    fake = page.fake()
    said = [fake.says("anna", "eins"), fake.says("anna", "zwei")]
    assert fake.webhook(*said) == fake.webhook(*said)


def test_a_strange_event_costs_no_other(page):
    fake = page.fake()
    good = fake.event("anna", fake.new_mid(), message={"text": "Hallo"})
    strange = [7, None, {}, {"sender": 3, "message": {}}, {"sender": {"id": "a\x00"}}]
    heard = page.read(*([*strange, good] * 2))
    assert [m.text for m in heard if isinstance(m, InboundMessage)] == ["Hallo"] * 2
    assert len(heard) == 12


def test_another_account_is_noted_and_not_answered(page):
    fake = page.fake()
    entry = fake.entry(fake.event("anna", fake.new_mid(), message={"text": "Hallo"}))
    request = fake.signed([{**entry, "id": "666"}, entry])
    foreign, ours = page.channel().parse(request)
    assert foreign == Note(page.channel().name, "foreign_account")
    assert ours.text == "Hallo"


def test_another_object_is_noted(page):
    fake = page.fake()
    (note,) = page.channel().parse(fake.signed([fake.entry()], object_name="permissions"))
    assert note.kind == "foreign_object"


@pytest.mark.parametrize("body", [{"object": "page"}, {"object": 3, "entry": []}, {"entry": []}])
def test_an_undocumented_outer_shape_is_refused(page, body):
    with pytest.raises(BadRequest):
        page.channel().parse(posted(page, body))


def test_a_pressed_quick_reply_says_its_payload(page):
    message = page.heard(message={"text": "Ja, bitte", "quick_reply": {"payload": "/affirm"}})
    assert message.text == "/affirm"
    assert message.metadata["title"] == "Ja, bitte"


def test_a_postback_says_its_payload_and_where_it_came_from(page):
    referral = {"ref": "summer", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "77"}
    message = page.heard(
        postback={"mid": "m_1", "title": "Los", "payload": "/greet", "referral": referral}
    )
    assert (message.message_id, message.text) == ("m_1", "/greet")
    assert message.metadata["title"] == "Los"
    assert message.metadata["referral"] == {
        "source": "ADS",
        "type": "OPEN_THREAD",
        "id": "77",
        "ref": "summer",
    }


def test_a_postback_without_an_id_has_a_lasting_one(page):
    fake = page.fake()
    event = fake.event("anna", fake.new_mid(), postback={"title": "Los", "payload": "/greet"})
    later = {**event, "timestamp": event["timestamp"] + 1}
    first, again, other = page.read(event, event, later)
    assert first.message_id == again.message_id != other.message_id


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_a_file_is_named_for_fetching(page, kind):
    url = f"https://scontent.xx.fbcdn.net/v/{kind}.bin?oh=1"
    message = page.heard(message={"attachments": [{"type": kind, "payload": {"url": url}}]})
    assert message.attachments == (Attachment(kind, f"media:{url}"),)
    assert not message.signal


def test_several_files_come_with_the_words(page):
    files = [{"type": "image", "payload": {"url": f"https://x.fbcdn.net/{n}"}} for n in "abc"]
    message = page.heard(message={"text": "kaputt", "attachments": files})
    assert message.text == "kaputt"
    assert len(message.attachments) == 3


@pytest.mark.parametrize("kind", ["hologram", "", None, 7])
def test_an_unknown_attachment_is_answered_politely(page, kind):
    message = page.heard(message={"attachments": [{"type": kind, "payload": {}}]})
    assert message.signal == "unsupported"
    assert message.metadata["kind"]


def test_an_unknown_event_is_answered_politely(page):
    assert page.heard(hologram={"x": 1}).signal == "unsupported"
    assert page.heard(hologram={"x": 1}).metadata["kind"] == "hologram"


def test_a_reply_names_what_it_replies_to(page):
    message = page.heard(message={"text": "das da", "reply_to": {"mid": "m_old"}})
    assert message.metadata["reply_to"] == "m_old"


@pytest.mark.parametrize(("action", "emoji"), [("react", "❤️"), ("unreact", "")])
def test_a_reaction_is_a_signal(page, action, emoji):
    reaction = {"reaction": "love", "emoji": "❤️", "action": action, "mid": "m_old"}
    message = page.heard(reaction=reaction)
    assert message.signal == "reaction"
    assert message.metadata["reply_to"] == "m_old"
    assert message.metadata.get("emoji", "") == emoji
    assert message.metadata.get("removed", False) is (action == "unreact")


def test_an_edit_is_a_message_of_its_own(page):
    fake = page.fake()
    mid = fake.new_mid()
    events = [
        fake.event("anna", mid, message_edit={"mid": mid, "text": text, "num_edit": number})
        for number, text in enumerate(["Größe M", "Größe L"], start=1)
    ]
    first, second = page.read(*events)
    assert (first.text, second.text) == ("Größe M", "Größe L")
    assert first.metadata["edits"] == second.metadata["edits"] == mid
    assert len({mid, first.message_id, second.message_id}) == 3


def test_a_link_with_a_referral_opens_the_conversation(page):
    message = page.heard(referral={"ref": "qr", "source": "SHORTLINK", "type": "OPEN_THREAD"})
    assert message.signal == "opened"
    assert message.metadata["referral"]["ref"] == "qr"


def test_an_ad_is_told_with_the_first_words(page):
    ad = {"ad_title": "Regenjacken", "post_id": "4"}
    referral = {"source": "ADS", "ad_id": "9", "ads_context_data": ad}
    message = page.heard(message={"text": "Hallo", "referral": referral})
    assert message.metadata["referral"]["headline"] == "Regenjacken"
    assert message.metadata["referral"]["id"] == "9"


@pytest.mark.parametrize(
    ("status", "signal"),
    [("STOP_NOTIFICATIONS", "opt_out"), ("RESUME_NOTIFICATIONS", "opt_in"), (None, "opt_in")],
)
def test_consent_is_a_signal(page, status, signal):
    optin = {"type": "notification_messages", "notification_messages_status": status}
    assert page.heard(optin=optin).signal == signal


@pytest.mark.parametrize("kind", ["pass_thread_control", "take_thread_control"])
@pytest.mark.parametrize(
    ("owner", "signal"),
    [
        (APP_ID, "handed_back"),
        (int(APP_ID), "handed_back"),
        (OTHER_APP_ID, "handed_over"),
        (None, "handed_back"),
    ],
)
def test_the_conversation_changes_hands(page, kind, owner, signal):
    control = {"new_owner_app_id": owner, "previous_owner_app_id": "1", "metadata": ""}
    message = page.heard(**{kind: control})
    assert (message.sender_id, message.signal) == ("anna", signal)


def test_a_request_for_the_conversation_is_noted(page):
    note = page.heard(request_thread_control={"requested_owner_app_id": OTHER_APP_ID})
    assert note == Note(page.channel().name, "request_thread_control", OTHER_APP_ID)


def test_what_is_said_to_another_app_is_kept_and_not_answered(page):
    fake = page.fake()
    said = fake.event("anna", fake.new_mid(), message={"text": "Danke, Frau Kurz!"})
    pressed = fake.event("anna", fake.new_mid(), postback={"title": "Ja"})
    first, second = page.read(said, pressed, standby=True)
    assert {first.signal, second.signal} == {"handed_over"}
    assert not first.text + second.text
    assert (first.metadata["said"], second.metadata["said"]) == ("Danke, Frau Kurz!", "Ja")


def test_another_app_that_writes_does_not_silence_the_bot(page):
    fake = page.fake()
    echo = {"text": "10 %!", "is_echo": True, "app_id": int(OTHER_APP_ID)}
    (note,) = page.read(fake.event("anna", fake.new_mid(), from_page=True, message=echo))
    assert note == Note(page.channel().name, "other_app_wrote", OTHER_APP_ID)


def test_the_page_itself_is_never_answered(page):
    fake = page.fake()
    mid = fake.new_mid()
    events = [
        fake.event("anna", mid, from_page=True, message={"text": "ohne Kennzeichen"}),
        fake.event("anna", mid, from_page=True, postback={"payload": "/x", "title": "x"}),
        fake.event("anna", mid, from_page=True, reaction={"mid": "m", "emoji": "x"}),
        fake.event("anna", mid, from_page=True, read={"watermark": 1, "mid": "m"}),
        fake.event("anna", mid, from_page=True, hologram={}),
        fake.event(fake.account_id, mid, message={"text": "an mich", "is_self": True}),
    ]
    heard = page.read(*events)
    assert len(heard) == len(events)
    assert [m for m in heard if isinstance(m, InboundMessage) and not m.signal] == []


def test_a_delivery_is_told_for_each_message(page):
    delivery = {"mids": ["m_1", "m_2"], "watermark": 1_763_726_400_000}
    heard = page.read({
        "sender": {"id": "anna"},
        "recipient": {"id": page.fake().account_id},
        "delivery": delivery,
    })
    assert [(r.receipt_id, r.state, r.sender_id) for r in heard] == [
        ("m_1", "delivered", "anna"),
        ("m_2", "delivered", "anna"),
    ]
    assert heard[0].at.isoformat() == "2025-11-21T12:00:00+00:00"


def test_a_delivery_without_ids_claims_nothing(page):
    assert page.heard(delivery={"watermark": 1}).kind == "delivered_up_to"


@pytest.mark.parametrize(
    ("event", "kind", "detail"),
    [
        (
            {"policy_enforcement": {"action": "warning", "reason": "spam"}},
            "policy_enforcement",
            "warning: spam",
        ),
        (
            {"account_linking": {"status": "linked", "authorization_code": "s3cret"}},
            "account_linking",
            "linked",
        ),
        ({"app_roles": {"1": ["primary_receiver"]}}, "app_roles", "1 apps"),
        ({"reaction": {"mid": "m"}}, "no_sender", "reaction"),
    ],
)
def test_what_concerns_nobody_is_noted(page, event, kind, detail):
    (note,) = page.read({"recipient": {"id": page.fake().account_id}, "timestamp": 1, **event})
    assert note == Note(page.channel().name, kind, detail)


def test_feedback_is_what_the_customer_said(page):
    answer = {"type": "csat", "payload": "2", "follow_up": {"payload": "zu langsam"}}
    screens = [{"screen_id": 0, "questions": {"q1": answer}}]
    message = page.heard(messaging_feedback={"feedback_screens": screens})
    assert message.text == "rating: 2\nzu langsam"


@pytest.mark.parametrize("mid", [None, 7, "", "a\x00b", "m" * 300, "\ud800"])
def test_a_message_without_a_usable_id_is_still_heard_once(page, mid):
    ours = page.fake().account_id
    event = {
        "sender": {"id": "anna"}, "recipient": {"id": ours}, "timestamp": 5,
        "message": {"mid": mid, "text": "Hallo"},
    }  # fmt: skip
    body = {
        "object": page.fake().object_name,
        "entry": [{"id": ours, "messaging": [event] * 2}],
    }
    first, again = page.channel().parse(posted(page, body))
    assert first == again
    assert first.text == "Hallo"
    assert 10 < len(first.message_id) <= 255


@pytest.mark.parametrize("at", [None, True, -5, "x", 10**30, 1.5, [], "1763726400000"])
def test_a_strange_time_costs_nothing(page, at):
    fake = page.fake()
    event = fake.event("anna", fake.new_mid(), message={"text": "Hallo"})
    (message,) = page.read({**event, "timestamp": at})
    assert message.text == "Hallo"
    assert message.sequence == (1763726400000 if at == "1763726400000" else 0)


@pytest.mark.parametrize("depth", [10, 300, 700, 900, 960, 985, 2_000, 100_000])
@pytest.mark.parametrize("field", ["message", "message_edit", "reaction", "postback", "optin"])
def test_deeply_nested_fields_break_nothing(page, field, depth):
    deep = "[" * depth + "]" * depth
    ours = page.fake().account_id
    content = f'{{"mid":{deep},"text":{deep},"num_edit":{deep},"attachments":{deep},"type":{deep}}}'
    ends = f'"sender":{{"id":"anna"}},"recipient":{{"id":"{ours}"}},"timestamp":{deep}'
    entry = f'{{"id":"{ours}","messaging":[{{{ends},"{field}":{content}}}]}}'
    body = f'{{"object":"{page.fake().object_name}","entry":[{entry}]}}'.encode()
    try:
        heard = page.channel().parse(page.fake().with_body(body))
    except BadRequest:
        assert depth > 500
    else:
        assert len(heard) == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_signed_body_breaks_it(page, data):
    fake = page.fake()
    body = data.draw(bodies(fake.object_name, fake.account_id))
    request = fake.with_body(body)
    channel = page.channel()
    channel.verify(request)
    try:
        heard = channel.parse(request)
    except BadRequest:
        return
    for item in heard:
        assert isinstance(item, (InboundMessage, Receipt, Note))
        msgspec.json.encode(item)
        if isinstance(item, InboundMessage):
            assert item.sender_id not in {"", fake.account_id}
            assert 0 < len(item.message_id) <= 255
            assert 0 <= item.sequence < 2**63
            assert not (item.signal and item.text)
    json.dumps(msgspec.to_builtins(heard), ensure_ascii=False).encode()
