"""Arbitrary bodies of a page's webhook, and arbitrary messages to be rendered."""

import json

from hypothesis import strategies as st

from bot.messages import Attachment, Button, Card, OutboundMessage

_NAMES = [
    *("message", "postback", "reaction", "read", "delivery", "referral", "optin", "message_edit"),
    *("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"),
    *("policy_enforcement", "account_linking", "messaging_feedback", "mid", "text", "payload"),
    *("attachments", "type", "url", "title", "is_echo", "is_deleted", "app_id", "metadata", "mids"),
    *("quick_reply", "sticker_id", "coordinates", "lat", "long", "reply_to", "story", "product"),
    *("elements", "watermark", "timestamp", "emoji", "action", "num_edit", "feedback_screens"),
    *("questions", "follow_up", "new_owner_app_id", "ads_context_data", "status", "sender", "id"),
]
_TEXTS = st.sampled_from(["", "Hallo", "image", "location", "template", "fallback", "csat", "\x00"])
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.sampled_from([369239263222822, 1_763_726_400_000, 1e308]),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS,
    st.text(max_size=20),
    st.just("https://x.fbcdn.net/a.jpg"),
)
VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    ),
    max_leaves=6,
)


def _events(account_id):
    parties = st.one_of(st.sampled_from([{"id": account_id}, {"id": "anna"}]), VALUES)
    ends = st.fixed_dictionaries({"sender": parties, "recipient": parties, "timestamp": VALUES})
    told = st.dictionaries(
        st.sampled_from(_NAMES[:15]),
        st.dictionaries(st.sampled_from(_NAMES), VALUES, max_size=5),
        max_size=2,
    )
    whole = st.builds(lambda envelope, content: {**envelope, **content}, ends, told)
    return st.one_of(whole, whole, whole, VALUES)


@st.composite
def bodies(draw, object_name, account_id):
    """Draw a body: noise, JSON of any shape, or a batch whose events hold anything."""
    kind = draw(st.integers(min_value=0, max_value=9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    if kind == 1:
        return json.dumps(draw(VALUES)).encode()
    events = _events(account_id)
    entries = st.fixed_dictionaries(
        {"id": st.just(account_id)},
        optional=dict.fromkeys(("messaging", "standby", "changes"), st.lists(events, max_size=2)),
    )
    batch = {"object": object_name, "entry": draw(st.lists(entries, max_size=2))}
    body = json.dumps(batch).encode()
    if kind == 2 and len(body) > 2:
        place = draw(st.integers(min_value=0, max_value=len(body) - 1))
        return body[:place] + draw(st.binary(max_size=3)) + body[place + 1 :]
    return body


_WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from([
        "👩‍👩‍👧‍👦" * 30,
        "a" * 3_000,
        "مرحبا " * 500,
        "Satz. " * 900,
        "\ud800",
        " ",
        "x" * 90,
    ]),
)
_URLS = st.sampled_from(["", "/a.png", "/a.svg", "https://x.example/a.jpg", "http://x/a", "ftp:"])
_PAYLOADS = st.sampled_from(["", "/a", "/" + "ä" * 1_100, "https://pay.example/1", "\ud800"])
_BUTTONS = st.lists(st.builds(Button, title=_WORDS, payload=_PAYLOADS), max_size=15).map(tuple)
_CARDS = st.builds(
    Card, title=_WORDS, subtitle=_WORDS, price=_WORDS, image_url=_URLS, url=_URLS,
    buttons=st.lists(st.builds(Button, title=_WORDS, payload=_PAYLOADS), max_size=5).map(tuple),
)  # fmt: skip
_KINDS = st.sampled_from(["image", "audio", "video", "file", "location"])


def outbounds():
    """Return a strategy for any message that a bot may want to show."""
    return st.builds(
        OutboundMessage,
        text=_WORDS,
        buttons=_BUTTONS,
        cards=st.lists(_CARDS, max_size=12).map(tuple),
        image_url=_URLS,
        attachments=st.lists(
            st.builds(Attachment, kind=_KINDS, url=_URLS, name=_WORDS), max_size=3
        ).map(tuple),
        custom=st.one_of(st.just({}), st.builds(dict, receipt=VALUES, human=st.booleans())),
    )
