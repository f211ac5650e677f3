import functools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import (
    Attachment,
    InboundMessage,
    Note,
)
from channels.base import ChannelError, TooLarge
from channels.push import (
    ChannelContext,
    SettingsInvalid,
    TryAgain,
    Undeliverable,
)
from channels.telegram import connect
from tests.contracts.channel import NOW, ChannelContract
from tests.platforms.faults import Faults, serve
from tests.platforms.telegram import BOT, PUBLIC, SECRET, TOKEN, TelegramFake, posted

ANNA = "77001"
CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)


@functools.cache
def parser():
    return connect({"token": TOKEN, "secret_token": SECRET}, CONTEXT)


def parsed(body):
    (found,) = parser().parse(posted(body))
    return found


def told(text="", **more):
    fake = TelegramFake()
    said = fake.says(ANNA, text, **more)
    return parsed(fake._bodies[said.message_id])


def update(**content):
    return parsed(TelegramFake().update(**content))


class TestContract(ChannelContract):
    def channel(self):
        return parser()

    def request(self, text):
        fake = TelegramFake()
        (request,) = fake.webhook(fake.says(ANNA, text))
        return request

    def forged(self):
        good = self.request("x")
        return [
            msgspec.structs.replace(good, headers={}),
            posted(good.body, secret=""),
            posted(good.body, secret=SECRET[:-1]),
            posted(good.body, secret=f"{SECRET}\udcff"),
            posted(good.body, secret=TOKEN),
        ]


class TestParse:
    def test_message(self):
        fake = TelegramFake()
        first, second = fake.says(ANNA, "Hallo"), fake.says(ANNA, "Noch da?")
        found = [parsed(fake._bodies[said.message_id]) for said in (first, second)]
        assert [m.message_id for m in found] == [first.message_id, second.message_id]
        assert found[0].sender_id == ANNA
        assert found[0].sequence < found[1].sequence
        assert found[0].metadata["profile_name"] == "Anna Probst"
        assert found[0].metadata["language"] == "de"
        assert found[0].metadata["sent_at"].endswith("+00:00")

    def test_edited_message_is_a_message_of_its_own(self):
        fake = TelegramFake()
        message = {**fake.message(ANNA), "text": "TR-104712", "edit_date": 1_790_000_000}
        edited = parsed(fake.update(edited_message=message))
        old = f"{ANNA}:{message['message_id']}"
        assert edited.text == "TR-104712"
        assert edited.metadata["edits"] == old
        assert edited.message_id != old

    def test_pressed_button(self):
        fake = TelegramFake()
        keyboard = [[{"text": "Ja", "callback_data": "/affirm"}]]
        said = fake.press(ANNA, "/affirm", keyboard)
        message = parsed(fake._bodies[said.message_id])
        assert (message.text, message.metadata["title"]) == ("/affirm", "Ja")
        assert message.message_id == said.message_id
        assert message.metadata["reply_to"].startswith(f"{ANNA}:")

    def test_press_below_a_message_that_is_too_old(self):
        fake = TelegramFake()
        chat = {"id": int(ANNA), "type": "private"}
        query = {
            "id": "9",
            "from": fake.person(ANNA),
            "message": {"chat": chat, "message_id": 3, "date": 0},
            "chat_instance": "1",
            "data": "/deny",
        }
        assert parsed(fake.update(callback_query=query)).text == "/deny"

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            (
                {
                    "photo": [
                        {"file_id": "s", "file_unique_id": "s", "width": 90, "height": 60},
                        {
                            "file_id": "big",
                            "file_unique_id": "b",
                            "width": 900,
                            "height": 600,
                            "file_size": 5,
                        },
                    ],
                    "caption": "So kam es an",
                },
                Attachment("image", "media:big", "", "image/jpeg", 5),
            ),
            (
                {
                    "document": {
                        "file_id": "d",
                        "file_unique_id": "d",
                        "file_name": "r.pdf",
                        "mime_type": "application/pdf",
                    }
                },
                Attachment("file", "media:d", "r.pdf", "application/pdf"),
            ),
            (
                {
                    "voice": {
                        "file_id": "v",
                        "file_unique_id": "v",
                        "duration": 3,
                        "mime_type": "audio/ogg",
                    }
                },
                Attachment("audio", "media:v", "", "audio/ogg"),
            ),
            (
                {
                    "video_note": {
                        "file_id": "n",
                        "file_unique_id": "n",
                        "length": 9,
                        "duration": 3,
                    }
                },
                Attachment("video", "media:n"),
            ),
            (
                {"location": {"latitude": 52.52, "longitude": 13.4}},
                Attachment("location", "geo:52.52,13.4"),
            ),
        ],
        ids=["photo", "document", "voice", "video_note", "location"],
    )
    def test_files_and_places(self, fields, expected):
        message = told("", **fields)
        assert message.attachments == (expected,)
        assert message.text == fields.get("caption", "")
        assert not message.signal

    def test_sticker_and_contact_say_something(self):
        sticker = {
            "file_id": "st",
            "file_unique_id": "st",
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": True,
            "is_video": False,
            "emoji": "👍",
        }
        message = told("", sticker=sticker)
        assert (message.text, message.attachments[0].kind) == ("👍", "file")
        contact = {"phone_number": "+4915112345678", "first_name": "Anna"}
        message = told("", contact=contact)
        assert message.text == "+4915112345678"
        assert message.metadata["contact"]["name"] == "Anna"

    def test_start_opens(self):
        assert told("/start").signal == "opened"
        linked = told("/start summer_sale-7")
        assert (linked.signal, linked.text) == ("opened", "")
        assert linked.metadata["referral"] == {"source": "deep_link", "id": "summer_sale-7"}
        assert told("/starting over").text == "/starting over"

    def test_reply_forward_and_album(self):
        fake = TelegramFake()
        origin = {"type": "hidden_user", "sender_user_name": "Bo", "date": 1_790_000_000}
        message = told(
            "dazu",
            reply_to_message={**fake.message(ANNA), "message_id": 41, "text": "?"},
            forward_origin=origin,
            media_group_id="g1",
        )
        assert message.metadata["reply_to"] == f"{ANNA}:41"
        assert message.metadata["forwarded"] is True
        assert message.metadata["album"] == "g1"

    def test_reaction(self):
        fake = TelegramFake()
        reaction = {
            "chat": {"id": int(ANNA), "type": "private"},
            "message_id": 5,
            "user": fake.person(ANNA),
            "date": 1_790_000_000,
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "❤"}],
        }
        found = update(message_reaction=reaction)
        assert found.signal == "reaction"
        assert (found.metadata["emoji"], found.metadata["reply_to"]) == ("❤", f"{ANNA}:5")
        gone = update(message_reaction={**reaction, "new_reaction": []})
        assert (gone.signal, gone.metadata["emoji"]) == ("reaction", "")

    @pytest.mark.parametrize(
        ("before", "after", "signal"),
        [("member", "kicked", "opt_out"), ("kicked", "member", "opt_in")],
    )
    def test_blocking_is_opting_out(self, before, after, signal):
        fake = TelegramFake()

        def member(status):
            more = {"until_date": 0} if status == "kicked" else {}
            return {"user": BOT, "status": status, **more}

        change = {
            "chat": {"id": int(ANNA), "type": "private"},
            "from": fake.person(ANNA),
            "date": 1_790_000_000,
            "old_chat_member": member(before),
            "new_chat_member": member(after),
        }
        assert update(my_chat_member=change).signal == signal

    @pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
    def test_groups_and_channels_are_left_alone(self, kind):
        chat = {"id": -100, "title": "Laden", "type": kind}
        name = "channel" if kind == "channel" else "group"
        assert told("Hallo zusammen", chat=chat) == Note("telegram", name)
        fake = TelegramFake()
        post = {"message_id": 1, "date": 1, "chat": chat, "text": "x"}
        assert parsed(fake.update(channel_post=post)) == Note("telegram", "channel")
        query = {
            "id": "9",
            "from": fake.person(ANNA),
            "message": post,
            "chat_instance": "1",
            "data": "/deny",
        }
        assert parsed(fake.update(callback_query=query)) == Note("telegram", name)

    def test_what_is_new_is_kept(self):
        dice = told("", dice={"emoji": "🎲", "value": 3})
        assert (dice.signal, dice.metadata["kind"]) == ("unsupported", "dice")
        hologram = told("", hologram={"x": 1})
        assert (hologram.signal, hologram.metadata["kind"]) == ("unsupported", "empty")
        broken = told("", photo={"not": "a list"})
        assert broken.signal == "unsupported"
        assert update(time_travel={"to": 1}) == Note("telegram", "update", "time_travel")
        assert update(poll={"odd": 1}) == Note("telegram", "unreadable", "poll")
        pinned = {**TelegramFake().message(ANNA), "text": "x"}
        assert told("", pinned_message=pinned) == Note("telegram", "service", "pinned_message")
        assert told("x", **{"from": BOT}) == Note("telegram", "bot")

    def test_too_long_is_refused_by_name(self):
        with pytest.raises(TooLarge, match="text"):
            told("x" * 10_001)

    @given(st.binary(max_size=300))
    def test_no_bytes_break_it(self, body):
        self._never_breaks(body)

    values = st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**70), 2**70),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=8),
            st.sampled_from([int(ANNA), "private", "kicked", "/start"]),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["id", "type", "chat", "text", "status", "user", "file_id"]),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=8,
    )

    @given(
        st.sampled_from([
            *("message", "edited_message", "callback_query", "message_reaction"),
            *("my_chat_member", "channel_post", "poll", "inline_query"),
        ]),
        st.dictionaries(
            st.sampled_from([
                *("message_id", "from", "chat", "date", "text", "caption", "photo", "sticker"),
                *("document", "location", "venue", "contact", "data", "id", "message", "user"),
                *("new_reaction", "old_chat_member", "new_chat_member", "reply_to_message"),
                *("forward_origin", "entities", "media_group_id", "reply_markup", "voice"),
            ]),
            values,
            max_size=6,
        ),
        st.booleans(),
    )
    def test_no_update_breaks_it(self, kind, content, whole):
        fake = TelegramFake()
        start = fake.message(ANNA) if whole else {}
        if kind == "callback_query" and whole:
            start = {"id": "9", "from": start["from"], "message": start, "chat_instance": "1"}
        self._never_breaks(fake.update(**{kind: {**start, **content}}))

    def _never_breaks(self, body):
        try:
            found = parsed(body)
        except ChannelError:
            return
        assert isinstance(found, InboundMessage | Note)
        msgspec.json.encode(found)
        if isinstance(found, InboundMessage):
            assert isinstance(found.text, str)
            assert found.text or found.attachments or found.signal


@pytest.fixture
def fake():
    fake = TelegramFake()
    fake.faults = Faults(fake.app)
    with serve(fake.faults) as url:
        fake.url = url
        yield fake


@pytest.fixture
async def channel(fake):
    channel = connect(fake.settings(), CONTEXT)
    yield channel
    await channel.close()


class TestSettings:
    async def test_telegram_is_told_where_to_deliver(self, fake, channel):
        url = f"{PUBLIC}/webhooks/telegram/webhook"
        assert await channel.register(url, dry_run=True) == [
            f"to do: Telegram delivers to {url}, until now nowhere"
        ]
        assert [method for method, _ in fake.calls] == ["getWebhookInfo"]
        assert await channel.register(url) == [
            f"done: Telegram delivers to {url}, until now nowhere"
        ]
        method, form = fake.calls[-1]
        assert (method, form["url"], form["secret_token"]) == ("setWebhook", url, SECRET)
        assert "message_reaction" in form["allowed_updates"]
        fake.hook["last_error_message"] = "Connection refused"
        assert await channel.register(url) == [
            f"done: Telegram delivers to {url}",
            "Telegram's last delivery failed: Connection refused",
        ]

    async def test_what_telegram_refuses_is_told(self, fake, channel):
        with pytest.raises(Undeliverable):
            await channel.register("http://bot.example/webhook")
        other = connect({**fake.settings(), "token": "1:other"}, CONTEXT)
        with pytest.raises(TryAgain, match="token"):
            await other.register(f"{PUBLIC}/webhooks/telegram/webhook")
        await other.close()

    def test_few_messages_are_on_their_way_where_doubt_stays(self, channel):
        assert channel.limits.in_flight == 3

    @pytest.mark.parametrize(
        "wrong",
        [{"token": ""}, {"secret_token": "short"}, {"secret_token": "ä" * 20}, {"surprise": 1}],
    )
    def test_wrong_ones_are_named(self, wrong):
        with pytest.raises(SettingsInvalid, match=r"channels\.telegram"):
            connect({"token": TOKEN, "secret_token": SECRET, **wrong}, CONTEXT)
