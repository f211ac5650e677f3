"""What Telegram tells: messages, presses, reactions, and who blocked the bot. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from telegram import (
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Message,
    MessageReactionUpdated,
    ReactionTypeEmoji,
    Update,
    User,
)
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError
from telegram.helpers import effective_message_type

from bot.messages import Attachment, InboundMessage, Incoming, Note, Signal
from channels.base import BadRequest, TooLarge, WebhookRequest
from channels.wire import MAX_MESSAGE_CHARS, clean_text, decode_object, kind_of

MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_TOLD_CHARS = 2_000
_START = re.compile(r"/start(?:@\w+)?(?:\s+(\S{1,64}))?\s*")
_NAME = re.compile(r"[a-z_]{1,40}")
#: What de_json and its results raise where a field is not what the Bot API documents.
_UNREADABLE = (
    *(TypeError, KeyError, AttributeError, ValueError, IndexError, OverflowError),
    *(OSError, RecursionError, TelegramError),
)
_MediaKind = Literal["image", "audio", "video", "file"]
_FILES: dict[str, _MediaKind] = {
    "photo": "image",
    "document": "file",
    "voice": "audio",
    "audio": "audio",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "image",
}
#: What Telegram says about the chat itself; nobody waits for an answer to it.
_SERVICE = {
    *("pinned_message", "message_auto_delete_timer_changed", "chat_background_set", "boost_added"),
    *("write_access_allowed", "connected_website", "proximity_alert_triggered", "chat_shared"),
    *("new_chat_title", "new_chat_photo", "delete_chat_photo", "users_shared"),
}


def incoming(request: WebhookRequest, channel: str, now: datetime) -> Incoming:
    """Return what one update tells; what cannot be read is kept as `unsupported`.

    Raises:
        BadRequest: if the body is no update.
        TooLarge: if its text is longer than the bot takes.
    """
    fields = decode_object(request.body, MAX_BODY_BYTES)
    number = fields.get("update_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        problem = "is missing" if number is None else f"must be a number, got {kind_of(number)}"
        raise BadRequest("update_id", problem)
    reader = _Reader(channel, number, now)
    try:
        update = Update.de_json(fields, None)
        return reader.read(update, fields)
    except _UNREADABLE:
        return reader.unreadable(fields)


class _Reader:
    """Reads one update."""

    def __init__(self, channel: str, number: int, now: datetime) -> None:
        self._channel = channel
        self._number = number
        self._now = now

    def read(self, update: Update, fields: Mapping[str, object]) -> Incoming:
        """Return what the update tells.

        Raises:
            TooLarge: if its text is longer than the bot takes.
        """
        message = update.message or update.edited_message
        if message is not None:
            return self._message(message, edited=update.message is None)
        if update.callback_query is not None:
            return self._press(update.callback_query)
        if update.message_reaction is not None:
            return self._reaction(update.message_reaction)
        if update.my_chat_member is not None:
            return self._membership(update.my_chat_member)
        if update.channel_post is not None or update.edited_channel_post is not None:
            return self._note("channel")
        return self._note("update", _kind(fields))

    def unreadable(self, fields: Mapping[str, object]) -> Incoming:
        """Return a message that says no more than that somebody sent one, if somebody did."""
        kind = _kind(fields)
        inner = fields.get(kind)
        if kind == "callback_query" and isinstance(inner, dict):
            inner = inner.get("message")
        chat = inner.get("chat") if isinstance(inner, dict) else None
        if not isinstance(chat, dict) or chat.get("type") != ChatType.PRIVATE.value:
            return self._note("unreadable", kind)
        chat_id = chat.get("id")
        if not isinstance(chat_id, int) or isinstance(chat_id, bool):
            return self._note("unreadable", kind)
        return self._inbound(chat_id, "", "", {"kind": kind or "unreadable"}, signal="unsupported")

    def _message(self, message: Message, *, edited: bool) -> Incoming:
        """Return a message of a private chat.

        Raises:
            TooLarge: if its text is longer than the bot takes.
        """
        if problem := self._elsewhere(message.chat, message.from_user):
            return problem
        own_id = _id_of(message.chat, message.message_id)
        metadata = self._around(message)
        if edited:
            metadata["edits"] = own_id
            own_id = f"edit:{self._number}"
        kind = str(effective_message_type(message) or "empty")
        if kind in _SERVICE:
            return self._note("service", kind)
        text = _said(message, metadata)
        attachments = (*_files(message, kind), *_place(message))
        signal: Signal = ""
        if started := _START.fullmatch(text):
            signal = "opened"
            if started[1]:
                metadata["referral"] = {"source": "deep_link", "id": started[1]}
        elif not text.strip() and not attachments:
            signal = "unsupported"
            metadata["kind"] = kind
        shown = "" if signal else text
        return self._inbound(message.chat.id, own_id, shown, metadata, attachments, signal)

    def _around(self, message: Message) -> dict[str, object]:
        """Return who sent a message, when, and in reply to what."""
        metadata = _person(message.from_user)
        metadata["sent_at"] = message.date.isoformat()
        if message.reply_to_message is not None:
            metadata["reply_to"] = _id_of(message.chat, message.reply_to_message.message_id)
        if message.forward_origin is not None:
            metadata["forwarded"] = True
        if message.media_group_id:
            metadata["album"] = _words(message.media_group_id)
        return metadata

    def _press(self, query: CallbackQuery) -> Incoming:
        """Return a pressed button: its payload is the text."""
        message = query.message
        if message is None:
            return self._note("update", "inline_callback_query")
        if problem := self._elsewhere(message.chat, query.from_user):
            return problem
        metadata = _person(query.from_user)
        metadata["reply_to"] = _id_of(message.chat, message.message_id)
        own_id = f"callback:{_words(query.id)}"
        if not query.data:
            metadata["kind"] = "game"
            return self._inbound(message.chat.id, own_id, "", metadata, signal="unsupported")
        data = _words(query.data)
        keyboard = message.reply_markup if isinstance(message, Message) else None
        rows = keyboard.inline_keyboard if keyboard else ()
        titles = [key.text for row in rows for key in row if key.callback_data == query.data]
        if titles:
            metadata["title"] = _words(titles[0])
        return self._inbound(message.chat.id, own_id, data, metadata)

    def _reaction(self, reaction: MessageReactionUpdated) -> Incoming:
        """Return a reaction; one that was taken back has no emoji."""
        if problem := self._elsewhere(reaction.chat, reaction.user):
            return problem
        emojis = [r.emoji for r in reaction.new_reaction if isinstance(r, ReactionTypeEmoji)]
        metadata = _person(reaction.user)
        metadata["emoji"] = _words(emojis[0]) if emojis else ""
        metadata["reply_to"] = _id_of(reaction.chat, reaction.message_id)
        return self._inbound(reaction.chat.id, "", "", metadata, signal="reaction")

    def _membership(self, change: ChatMemberUpdated) -> Incoming:
        """Return that the customer blocked the bot, or let it in again."""
        if problem := self._elsewhere(change.chat, change.from_user):
            return problem
        before, after = change.old_chat_member.status, change.new_chat_member.status
        blocked = ChatMemberStatus.BANNED
        if after == blocked:
            return self._inbound(
                change.chat.id, "", "", _person(change.from_user), signal="opt_out"
            )
        if before == blocked:
            return self._inbound(change.chat.id, "", "", _person(change.from_user), signal="opt_in")
        return self._note("service", "my_chat_member")

    def _elsewhere(self, chat: Chat, user: User | None) -> Note | None:
        """Return a note for what was not said by a person to the bot alone.

        Raises:
            TypeError: if the chat's id is no number.
        """
        if type(chat.id) is not int:
            problem = "a chat's id must be a number"
            raise TypeError(problem)
        if chat.type != ChatType.PRIVATE:
            return self._note("channel" if chat.type == ChatType.CHANNEL else "group")
        return self._note("bot") if user is not None and user.is_bot else None

    def _inbound(
        self,
        chat_id: int,
        own_id: str,
        text: str,
        metadata: dict[str, object],
        attachments: tuple[Attachment, ...] = (),
        signal: Signal = "",
    ) -> InboundMessage:
        return InboundMessage(
            channel=self._channel,
            sender_id=str(chat_id),
            message_id=own_id or f"update:{self._number}",
            text=text,
            received_at=self._now,
            attachments=attachments,
            metadata=metadata,
            sequence=self._number,
            signal=signal,
        )

    def _note(self, kind: str, detail: str = "") -> Note:
        return Note(self._channel, kind, detail)


def _said(message: Message, metadata: dict[str, object]) -> str:
    """Return the words of a message: its text or caption, a sticker's emoji, a contact's number.

    Raises:
        TooLarge: if there are more of them than the bot takes.
    """
    text = message.text or message.caption or ""
    if len(text) > MAX_MESSAGE_CHARS:
        raise TooLarge("text", f"must be at most {MAX_MESSAGE_CHARS} characters, got {len(text)}")
    if message.sticker is not None:
        metadata["sticker"] = True
        text = message.sticker.emoji or ""
    if message.contact is not None:
        contact = message.contact
        name = " ".join(filter(None, (contact.first_name, contact.last_name)))
        metadata["contact"] = {"name": _words(name), "phone": _words(contact.phone_number)}
        text = contact.phone_number
    return clean_text(text)


def _files(message: Message, kind: str) -> list[Attachment]:
    """Return the file of a message; of a photo the largest size."""
    if kind not in _FILES:
        return []
    file = getattr(message, kind)
    if kind == "photo":
        file = max(message.photo, key=lambda size: size.width * size.height)
    mime_type = _words(getattr(file, "mime_type", None) or "").lower()
    shown = _FILES[kind]
    if kind == "sticker":
        shown = "file" if file.is_animated else "video" if file.is_video else shown
    elif kind == "document" and mime_type.startswith("image/"):
        shown = "image"
    size = file.file_size or 0
    return [
        Attachment(
            shown,
            f"media:{_words(file.file_id)}",
            name=_words(getattr(file, "file_name", None) or ""),
            mime_type=mime_type or ("image/jpeg" if kind == "photo" else ""),
            size_bytes=size if isinstance(size, int) and 0 <= size < 2**53 else 0,
        )
    ]


def _place(message: Message) -> list[Attachment]:
    """Return the place that was shared, by name where it has one."""
    place = message.venue.location if message.venue else message.location
    if place is None:
        return []
    latitude, longitude = float(place.latitude), float(place.longitude)
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return []
    name = f"{message.venue.title}, {message.venue.address}" if message.venue else ""
    return [Attachment("location", f"geo:{latitude},{longitude}", _words(name))]


def _person(user: User | None) -> dict[str, object]:
    """Return what Telegram says of a person."""
    if user is None:
        return {}
    told: dict[str, object] = {"profile_name": _words(user.full_name)}
    if user.language_code and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", user.language_code):
        told["language"] = user.language_code
    return told


def _id_of(chat: Chat, message_id: int) -> str:
    """Return a message's id, which Telegram counts per chat.

    Raises:
        TypeError: if it is no number.
    """
    if type(message_id) is not int:
        problem = "a message's id must be a number"
        raise TypeError(problem)
    return f"{chat.id}:{message_id}"


def _kind(fields: Mapping[str, object]) -> str:
    """Return the name of what an update holds, if it looks like one."""
    names = [name for name in fields if name != "update_id" and _NAME.fullmatch(name)]
    return names[0] if names else ""


def _words(text: str) -> str:
    return clean_text(text)[:_MAX_TOLD_CHARS]
