"""The telephone through Twilio Voice: a live relay, or turn by turn, and a person on request.

An incoming call is answered with instructions (TwiML). ConversationRelay holds the conversation
over a socket; where it is not wanted or breaks, `<Gather>` asks and listens once per request.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from bot.messages import Button, InboundMessage, OutboundMessage
from channels.base import (
    BadRequest,
    Exchange,
    ExchangeChannel,
    Payload,
    Reply,
    TooLarge,
    WebhookRequest,
)
from channels.push import ChannelContext, SettingsInvalid, read_settings
from channels.telephony.call import Call, CallSettings, handover_of, is_goodbye, tokens
from channels.telephony.relay import CALL_SID, Switchboard, caller_of, milliseconds
from channels.telephony.twiml import Script, Voice
from channels.telephony.words import heard_text, keyed_text, offered
from channels.twilio_signature import check_signature, form_fields
from channels.wire import MAX_MESSAGE_CHARS, clean_text

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+[1-9]\d{6,14}$")]
Hours = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")]
MAX_KEYS = 13
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEFAULT_VOICES = {"de": Voice("de-DE"), "en": Voice("en-US")}


class Operators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where calls go that a person takes over, and when anybody is there.

    `number` is E.164 or a `sip:` address. `hours` by day (`mon` … `sun`); none means always.
    """

    number: Annotated[str, msgspec.Meta(pattern=r"^(\+[1-9]\d{6,14}|sips?:[^\s<>\"]{3,200})$")]
    hours: Mapping[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Hours] = {}
    time_zone: str = "Europe/Berlin"
    ring_s: Annotated[int, msgspec.Meta(ge=5, le=120)] = 25

    def are_there(self, now: datetime) -> bool:
        """Return whether a person can be reached at this moment.

        Args:
            now: aware.
        """
        local = now.astimezone(ZoneInfo(self.time_zone))
        hours = self.hours.get(_DAYS[local.weekday()])  # type: ignore[call-overload]
        if hours is None:
            return not self.hours
        begin, _, end = hours.partition("-")
        return bool(begin <= f"{local:%H:%M}" < end)


class TelephoneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands under `telephone` in endpoints.yml.

    `numbers` are ours, that may be called. `mode` is how a call is held; `gather` needs no
    ConversationRelay. `voices` by language, the first of which answers the telephone.
    """

    auth_token: NonEmpty
    numbers: Annotated[tuple[Number, ...], msgspec.Meta(min_length=1)]
    mode: Literal["relay", "gather"] = "relay"
    voices: Mapping[Literal["de", "en"], Voice] = {}
    greeting: Mapping[Literal["de", "en"], NonEmpty] = {}
    operators: Operators | None = None
    order_number_pattern: str = r"[A-Z]{2}-?\d{6}"
    silence_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 8.0
    digit_pause_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 2.0
    wait_s: Annotated[float, msgspec.Meta(gt=0, le=30)] = 2.5


class Telephone(ExchangeChannel):
    """Calls through Twilio Voice."""

    name = "telephone"
    answer_within_s = 12.0

    def __init__(self, settings: TelephoneSettings, context: ChannelContext) -> None:
        """Set up the channel for a public address."""
        self._settings = settings
        self._context = context
        self._secrets = (settings.auth_token,)
        self._webhook = f"{context.public_url.rstrip('/')}/webhooks/{self.name}/webhook"
        scheme, _, host = context.public_url.rstrip("/").partition("://")
        secure = "ws" if scheme == "http" else "wss"
        self._voices: dict[str, Voice] = {str(la): voice for la, voice in settings.voices.items()}
        if not self._voices:
            known = [language for language in context.languages if language in _DEFAULT_VOICES]
            self._voices = {language: _DEFAULT_VOICES[language] for language in known or ("de",)}
        self._call_settings = CallSettings(
            channel=self.name,
            locales={language: voice.locale for language, voice in self._voices.items()},
            order_number_pattern=settings.order_number_pattern,
            clock=context.clock,
            digit_pause_s=settings.digit_pause_s,
            silence_s=settings.silence_s,
            wait_s=settings.wait_s,
        )
        self._switchboard = Switchboard(
            f"{secure}://{host}/webhooks/{self.name}/relay",
            settings.auth_token,
            settings.numbers,
            self._call_settings,
        )

    def verify(self, request: WebhookRequest) -> None:
        """Check Twilio's signature over our public address and the form.

        Raises:
            Unverified: it is missing or wrong.
        """
        check_signature(request, self._webhook, self._secrets)

    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """Return what was said or keyed in one turn; other requests of a call bring none.

        Raises:
            BadRequest: if the form is not a call's; names the field.
            TooLarge: if more was said than a message holds.
        """
        fields = _fields(request)
        sid = _sid(fields)
        turn = request.query.get("turn", "")
        if request.query.get("step") != "gather" or not self._is_ours(fields):
            return []
        if len(turn) > 20 or not turn.isdecimal():
            raise BadRequest("turn", "must be a number")
        digits, said = fields.get("Digits", ""), fields.get("SpeechResult", "")
        said = said or request.query.get("said", "")
        if len(said) > MAX_MESSAGE_CHARS:
            raise TooLarge("SpeechResult", f"must be at most {MAX_MESSAGE_CHARS} characters")
        if digits.isdecimal() and digits:
            text, metadata = keyed_text(digits[:64], _keys(request)), {"keys": digits[:64]}
        else:
            text, metadata = heard_text(clean_text(said)), {"spoken": "gather"}
        if not text:
            return []
        sender_id = caller_of(fields.get("From", ""), sid)
        metadata |= {"call": sid, "caller": sender_id.partition(":")[0]}
        return [
            InboundMessage(
                channel=self.name,
                sender_id=sender_id,
                message_id=f"{sid}:g{turn}",
                text=text,
                received_at=self._context.clock(),
                metadata={**metadata, "language": self._language(request)},
                sequence=int(turn),
            )
        ]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the frames that speak the message over a relay."""
        language = outbound.language or next(iter(self._voices))
        return tokens([outbound], Call("", recipient, language, 0), self._call_settings)

    def answer(
        self, request: WebhookRequest, said: Sequence[OutboundMessage], *, complete: bool
    ) -> Reply:
        """Return the instructions (TwiML) for what the call does next."""
        fields = _fields(request)
        step = request.query.get("step", "")
        script = self._script(self._language(request), self._next_turn(request))
        if step == "whisper":  # on the operator's own leg, which is no call to us
            return script.whisper(request.query.get("reason", ""))
        if not self._is_ours(fields):
            return script.reject()
        if fields.get("CallStatus") in {"completed", "failed", "busy", "no-answer", "canceled"}:
            self._switchboard.forget(_sid(fields))
            return script.nothing()
        match step:
            case "gather":
                return self._after_turn(request, script, said, complete=complete)
            case "relay":
                return self._after_relay(fields, script)
            case "dial":
                reached = fields.get("DialCallStatus") in {"completed", "answered"}
                return script.hang_up() if reached else script.promise()
            case _ if self._settings.mode == "gather":
                return script.gather_greeting()
            case _:
                ticket = self._switchboard.ticket(_sid(fields), fields.get("From", ""))
                return script.relay(self._switchboard.address, ticket)

    def routes(self, exchange: Exchange) -> Sequence[BaseRoute]:
        """Return the socket over which ConversationRelay holds a call."""

        async def relay(socket: WebSocket) -> None:
            await self._switchboard.serve(socket, exchange)

        return [WebSocketRoute(f"/webhooks/{self.name}/relay", relay)]

    async def close(self) -> None:
        """Let what was said in open calls be handled."""
        await self._switchboard.close()

    def _script(self, language: str, turn: int) -> Script:
        operators = self._settings.operators
        open_now = operators is not None and operators.are_there(self._context.clock())
        return Script(
            webhook=self._webhook,
            voices=self._voices,
            language=language,
            turn=turn,
            greeting={str(la): text for la, text in self._settings.greeting.items()},
            order_number_pattern=self._settings.order_number_pattern,
            operator=operators.number if operators is not None and open_now else "",
            ring_s=operators.ring_s if operators is not None else 0,
        )

    def _after_turn(
        self,
        request: WebhookRequest,
        script: Script,
        said: Sequence[OutboundMessage],
        *,
        complete: bool,
    ) -> Reply:
        heard = self.parse(request)
        if not heard:
            return script.ask_again(_small(request.query.get("quiet", "")), _keys(request))
        if not complete:
            waits = _small(request.query.get("waits", ""))
            return script.wait(heard[0].text, request.query.get("turn", "0"), waits)
        if "said" in request.query:  # answers that came late are told again with the repeated turn
            half = len(said) // 2
            said = said[:half] if half and said[:half] == said[half:] else said
        script.language = self._spoken_last(said, script.language)
        if reason := handover_of(said):
            return script.hand_over(said, reason)
        if is_goodbye(said):
            return script.hang_up(said)
        return script.gather(said, offered(said))

    def _after_relay(self, fields: Mapping[str, str], script: Script) -> Reply:
        """Go on after a session: to a person, to the end, or turn by turn if it broke."""
        call = self._switchboard.find(_sid(fields))
        if call is not None:
            script.language = call.language
        data = _handoff(fields.get("HandoffData", ""))
        if data is not None:
            if data.language in self._voices:
                script.language = data.language
            words = [OutboundMessage(voice=text, language=script.language) for text in data.say]
            return script.hand_over(words, data.reason) if data.reason else script.hang_up(words)
        unsaid = call.unsaid if call is not None else []
        if call is not None:
            call.unsaid = []
        reason = handover_of(unsaid) if unsaid else ""
        if reason:
            return script.hand_over(unsaid, reason)
        broken = fields.get("SessionStatus") == "failed" or bool(fields.get("ErrorCode"))
        if not broken and not unsaid:
            return script.hang_up()
        script.turn = milliseconds(self._context.clock())
        return script.gather(unsaid, offered(unsaid), broken=True)

    def _is_ours(self, fields: Mapping[str, str]) -> bool:
        called = {fields.get("To", ""), fields.get("Called", "")}
        return not called.isdisjoint(self._settings.numbers)

    def _language(self, request: WebhookRequest) -> str:
        language = request.query.get("lang", "")
        return language if language in self._voices else next(iter(self._voices))

    def _spoken_last(self, said: Sequence[OutboundMessage], language: str) -> str:
        spoken = [m.language for m in said if m.language in self._voices]
        return spoken[-1] if spoken else language

    def _next_turn(self, request: WebhookRequest) -> int:
        turn = request.query.get("turn", "")
        return int(turn[:20]) + 1 if turn[:20].isdecimal() else 1


class _Handoff(msgspec.Struct, frozen=True):
    """What a session passed on when it ended."""

    reason: str = ""
    language: str = ""
    say: tuple[str, ...] = ()


def _fields(request: WebhookRequest) -> dict[str, str]:
    """Return the form of a request.

    Raises:
        BadRequest: it was not posted, or is no form.
    """
    if request.method != "POST":
        raise BadRequest("method", "must be POST")
    return dict(form_fields(request.body))


def _sid(fields: Mapping[str, str]) -> str:
    """Return the id of a call.

    Raises:
        BadRequest: there is none, or it is not like Twilio's.
    """
    sid = fields.get("CallSid", "")
    if not CALL_SID.fullmatch(sid):
        raise BadRequest("CallSid", "must be the id of a call")
    return sid


def _keys(request: WebhookRequest) -> list[Button]:
    """Return the choices that were offered with the last question, in the order of the keys."""
    names = [f"k{number}" for number in range(1, MAX_KEYS + 1)]
    return [Button("", request.query[name]) for name in names if name in request.query]


def _small(text: str) -> int:
    """Return a count that we wrote into an address; 9 if somebody else did."""
    return int(text or "0") if text in {"", "0", "1", "2", "3"} else 9


def _handoff(text: str) -> _Handoff | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=_Handoff)
    except msgspec.DecodeError:
        return None


def connect(settings: Mapping[str, Any], context: ChannelContext) -> Telephone:
    """Return the channel that the settings describe.

    Raises:
        SettingsInvalid: a setting is missing or wrong.
    """
    own = read_settings(Telephone.name, settings, TelephoneSettings)
    if not context.public_url.startswith(("http://", "https://")):
        message = "channels.telephone: needs the address of this server, `public_url`"
        raise SettingsInvalid(message)
    return Telephone(own, context)
