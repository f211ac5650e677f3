"""One call over ConversationRelay: what is heard goes to the bot, and its words are spoken."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from bot.messages import Button, InboundMessage, OutboundMessage
from channels.base import BadRequest, Exchange, Payload
from channels.telephony.words import (
    PHRASES,
    Phrase,
    aloud,
    heard_text,
    is_yes_asked,
    keyed_text,
    offered,
    speaking_s,
)
from channels.wire import MAX_MESSAGE_CHARS, clean_text

HANDOVERS = {"utter_handoff": "asked", "utter_give_up": "not_understood"}
"""Responses after which a person takes over, with the reason that is passed on."""
GOODBYES = frozenset({"utter_goodbye"})
STILL_WITH_OPERATOR = "with_operator"
MAX_FRAME_CHARS = 64 * 1024
OTHER_LANGUAGE_KEY = "9"
_GREETING_S = 6.0
log = structlog.get_logger(__name__)


class CallSettings(msgspec.Struct, frozen=True):
    """What every call of a telephone channel needs.

    `locales` are the tags the platform speaks and hears by our language (`de` → `de-DE`).
    """

    channel: str
    locales: Mapping[str, str]
    order_number_pattern: str
    clock: Callable[[], datetime]
    digit_pause_s: float = 2.0
    silence_s: float = 8.0
    wait_s: float = 2.5


class Call:
    """What is known of one call; outlives its sockets, so that a broken line loses nothing."""

    def __init__(self, sid: str, sender_id: str, language: str, started_ms: int) -> None:
        """Begin a call.

        Args:
            sid: the platform's id of the call.
            sender_id: the caller's number and the call.
            language: the one spoken until the bot changes it.
            started_ms: counts messages from here, so that ids differ after a restart too.
        """
        self.sid = sid
        self.sender_id = sender_id
        self.language = language
        self.buttons: tuple[Button, ...] = ()
        self.unsaid: list[OutboundMessage] = []
        self.interrupted: dict[str, object] = {}
        self._count = started_ms

    def next_number(self) -> int:
        """Return the number of the next message of this call."""
        self._count += 1
        return self._count

    def reply_choices(self, said: Sequence[OutboundMessage]) -> None:
        """Remember what may be chosen now, and the language that is spoken."""
        self.buttons = offered(said)
        self.language = next((m.language for m in reversed(said) if m.language), self.language)


class Line(Protocol):
    """The socket of a call, as far as a call uses it."""

    async def send(self, payload: Payload) -> None:
        """Send a frame; a broken line raises ConnectionError."""


def handover_of(said: Sequence[OutboundMessage]) -> str:
    """Return why a person takes over after these answers; empty if none does.

    A bot that keeps quiet has handed over before.
    """
    if not said:
        return STILL_WITH_OPERATOR
    return next((HANDOVERS[m.response] for m in said if m.response in HANDOVERS), "")


def is_goodbye(said: Sequence[OutboundMessage]) -> bool:
    """Return whether the conversation ends with these answers."""
    return bool(said) and said[-1].response in GOODBYES


def tokens(said: Sequence[OutboundMessage], call: Call, settings: CallSettings) -> list[Payload]:
    """Return the frames that speak the answers: a change of language, then text, the last marked.

    A plan that waits for a yes is spoken to its end: the caller cannot talk over it.
    """
    frames: list[Payload] = []
    spoken = call.language
    for message in said:
        language = message.language or spoken
        text = aloud(message, language, settings.order_number_pattern)
        if not text:
            continue
        if language != spoken and language in settings.locales:
            frames.append(language_frame(settings.locales[language]))
            spoken = language
        frame: Payload = {"type": "text", "token": f"{text} ", "last": False}
        frame["lang"] = settings.locales.get(spoken, spoken)
        if is_yes_asked(message.buttons):
            frame["interruptible"] = False
        frames.append(frame)
    if frames and frames[-1]["type"] == "text":
        frames[-1]["last"] = True
    return frames


def language_frame(locale: str) -> Payload:
    """Return the frame that has the platform speak and understand another language."""
    return {"type": "language", "ttsLanguage": locale, "transcriptionLanguage": locale}


class RelayCall:
    """Serves one socket of a call until it ends; every message is handled once and in order."""

    def __init__(self, call: Call, line: Line, exchange: Exchange, settings: CallSettings) -> None:
        """Speak over `line` what the bot says to what is heard."""
        self._call = call
        self._line: Line | None = line
        self._exchange = exchange
        self._settings = settings
        self._heard: deque[InboundMessage] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._digits = ""
        self._timer: asyncio.Task[None] | None = None
        self._prompted = 0
        self.ended = False

    async def begin(self) -> None:
        """Say what an earlier socket of this call could not say any more."""
        self._wait_for(self._settings.silence_s + _GREETING_S)
        unsaid, self._call.unsaid = self._call.unsaid, []
        await self._speak(unsaid)

    async def take(self, frame: Mapping[str, Any]) -> None:
        """Take one frame of the platform; unknown ones are ignored.

        Raises:
            BadRequest: a field of the frame is not what the platform documents.
        """
        match frame.get("type"):
            case "prompt":
                if frame.get("last", True):
                    self._say_to_bot(heard_text(_text(frame, "voicePrompt")), {"spoken": True})
                else:
                    self._wait_for(self._settings.silence_s)
            case "dtmf":
                await self._press(_text(frame, "digit"))
            case "interrupt":
                self._call.interrupted = {
                    "heard": _text(frame, "utteranceUntilInterrupt"),
                    "after_ms": _whole(frame.get("durationUntilInterruptMs")),
                }
            case "error":
                log.warning("relay_error", channel=self._settings.channel)
            case kind:
                log.info("relay_frame_ignored", known=kind == "setup")

    async def hang_up(self) -> None:
        """Note that nobody listens any more; what was said before is still handled."""
        self._line = None
        self._stop_timer()
        if self._digits:
            self._enter_digits()
        if self._worker is not None:
            await self._worker

    def _say_to_bot(self, text: str, metadata: dict[str, object]) -> None:
        self._stop_timer()
        if not text:
            return
        number = self._call.next_number()
        if self._call.interrupted:
            metadata["interrupted"] = self._call.interrupted
            self._call.interrupted = {}
        self._prompted = 0
        self._heard.append(
            InboundMessage(
                channel=self._settings.channel,
                sender_id=self._call.sender_id,
                message_id=f"{self._call.sid}:{number}",
                text=text,
                received_at=self._settings.clock(),
                metadata={
                    **metadata,
                    "language": self._call.language,
                    "call": self._call.sid,
                    "caller": self._call.sender_id.partition(":")[0],
                },
                sequence=number,
            )
        )
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Give the bot what was heard, one after the other."""
        while self._heard:
            message = self._heard.popleft()
            notice = asyncio.create_task(self._ask_for_patience())
            try:
                said = await self._exchange(message)
            except Exception as error:  # noqa: BLE001 - the caller must hear that it went wrong
                log.warning("relay_turn_failed", error=type(error).__name__)
                await self._phrase("trouble")
                continue
            finally:
                notice.cancel()
            await self._answer(said)

    async def _answer(self, said: Sequence[OutboundMessage]) -> None:
        reason = handover_of(said)
        if reason or is_goodbye(said):
            await self._end(reason, said)
            return
        await self._speak(said)

    async def _speak(self, said: Sequence[OutboundMessage]) -> None:
        """Speak answers; what the line does not carry any more is kept for the next one."""
        frames = tokens(said, self._call, self._settings)
        try:
            for frame in frames:
                await self._send(frame)
        except ConnectionError:
            self._call.unsaid.extend(said)
            return
        if said:
            self._call.reply_choices(said)
        spoken = "".join(str(frame.get("token", "")) for frame in frames)
        if spoken and not self._heard:
            self._wait_for(self._settings.silence_s + speaking_s(spoken))

    async def _end(self, reason: str, said: Sequence[OutboundMessage]) -> None:
        """End the session; the last words are said by the call's next instructions."""
        self._stop_timer()
        self._call.reply_choices(said)
        language, pattern = self._call.language, self._settings.order_number_pattern
        told = {
            "reason": reason,
            "conversation": f"{self._settings.channel}:{self._call.sender_id}",
            "language": language,
            "say": [text for m in said if (text := aloud(m, language, pattern))],
        }
        self.ended = True
        try:
            data = msgspec.json.encode(told).decode()
            await self._send({"type": "end", "handoffData": data})
        except ConnectionError:
            self._call.unsaid.extend(said)

    async def _press(self, digit: str) -> None:
        """Collect keys until `#`, a pause, or an answer that needs no more; `*` starts anew."""
        self._stop_timer()
        if digit == "#":
            self._enter_digits()
        elif digit == "*":
            self._digits = ""
        elif len(digit) == 1 and digit.isdecimal():
            self._digits = (self._digits + digit)[:64]
            if self._digits in {"1", "2"} and is_yes_asked(self._call.buttons):
                self._enter_digits()
            else:
                self._timer = asyncio.create_task(self._enter_later())

    async def _enter_later(self) -> None:
        await asyncio.sleep(self._settings.digit_pause_s)
        self._timer = None
        if self._digits == OTHER_LANGUAGE_KEY and not self._call.buttons:
            self._digits = ""
            await self._switch_language()
            return
        self._enter_digits()

    def _enter_digits(self) -> None:
        digits, self._digits = self._digits, ""
        if digits:
            text = keyed_text(digits, self._call.buttons)
            self._say_to_bot(text, {"keys": digits})

    async def _switch_language(self) -> None:
        """Go on in the next language that this channel speaks."""
        languages = list(self._settings.locales)
        at = languages.index(self._call.language) if self._call.language in languages else -1
        self._call.language = languages[(at + 1) % len(languages)]
        try:
            await self._send(language_frame(self._settings.locales[self._call.language]))
        except ConnectionError:
            return
        await self._phrase("greeting")

    async def _phrase(self, phrase: Phrase, *more: Phrase) -> None:
        """Say something of the telephone's own; it is not worth keeping."""
        known = PHRASES.get(self._call.language, PHRASES["en"])
        token = " ".join(known[name] for name in (phrase, *more))
        locale = self._settings.locales.get(self._call.language, self._call.language)
        try:
            await self._send({"type": "text", "token": token, "last": True, "lang": locale})
        except ConnectionError:
            return
        self._wait_for(self._settings.silence_s + speaking_s(token))

    async def _ask_for_patience(self) -> None:
        await asyncio.sleep(self._settings.wait_s)
        await self._phrase("wait")

    def _wait_for(self, seconds: float) -> None:
        """Ask whether anybody is there after so many seconds of silence."""
        self._stop_timer()
        self._timer = asyncio.create_task(self._ask_again(seconds))

    async def _ask_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._timer = None
        if self._worker is not None and not self._worker.done():
            return
        self._prompted += 1
        if self._prompted > 2:
            bye = PHRASES.get(self._call.language, PHRASES["en"])["bye"]
            await self._end("", [OutboundMessage(text=bye, language=self._call.language)])
        elif is_yes_asked(self._call.buttons):
            await self._phrase("still_there", "keys_yes_no")
        else:
            await self._phrase("still_there")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _send(self, payload: Payload) -> None:
        if self._line is None:
            raise ConnectionResetError
        await self._line.send(payload)


def _text(frame: Mapping[str, Any], field: str) -> str:
    """Return a field's text, cleaned; missing is empty.

    Raises:
        BadRequest: it is no text, or too long.
    """
    value = frame.get(field, "")
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_CHARS:
        raise BadRequest(field, f"must be a text of at most {MAX_MESSAGE_CHARS} characters")
    return clean_text(value).strip()


def _whole(value: object) -> int:
    """Return a number that the platform writes as a number or as text; 0 for anything else."""
    return int(value) if isinstance(value, (int, str)) and str(value).isdecimal() else 0
