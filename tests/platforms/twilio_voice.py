"""Twilio Voice as documented: calls that follow TwiML, ConversationRelay's socket, and callers.

Instructions are checked strictly: verbs, attributes and values that Twilio does not know end the
call. Requests and the socket's handshake are signed. A webhook may be sent again with the same
bytes, as after an answer that got lost.
"""

import asyncio
import itertools
import json
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree  # noqa: S405 - what our own channel answers

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels.base import WebhookRequest
from channels.twilio_signature import signature_of

TOKEN = "tv-auth-token"
ACCOUNT = "ACdeadbeefdeadbeefdeadbeefdeadbeef"
SHOP = "+4930123456"
OPERATOR = "+4930999999"
CALLER = "+4915112345678"
PUBLIC = "https://bot.example"
PATH = "/webhooks/telephone/webhook"
ATTRIBUTES = {
    "Response": set(),
    "Say": {"language", "voice", "loop"},
    "Hangup": set(),
    "Reject": {"reason"},
    "Redirect": {"method"},
    "Connect": {"action", "method"},
    "ConversationRelay": {
        *("url", "language", "ttsProvider", "voice", "transcriptionProvider", "speechModel"),
        *("welcomeGreeting", "interruptible", "dtmfDetection", "applicationReconnect"),
        "reportInputDuringAgentSpeech",
    },
    "Language": {"code", "ttsProvider", "voice", "transcriptionProvider", "speechModel"},
    "Parameter": {"name", "value"},
    "Gather": {
        *("input", "action", "method", "language", "speechTimeout", "timeout", "finishOnKey"),
        "actionOnEmptyResult",
    },
    "Dial": {"action", "method", "timeout", "answerOnBridge"},
    "Number": {"url"},
    "Sip": {"url"},
}
FRAMES = {
    "text": {"type", "token", "last", "lang", "interruptible", "preemptible"},
    "language": {"type", "ttsLanguage", "transcriptionLanguage"},
    "end": {"type", "handoffData"},
}


class BadTwiml(Exception):
    """Twilio would end the call with an application error."""


def request(fields, query=None, secret=TOKEN) -> WebhookRequest:
    """Return a signed webhook about a call."""
    query = query or {}
    url = f"{PUBLIC}{PATH}" + (f"?{urlencode(query)}" if query else "")
    pairs = list(fields.items())
    headers = {
        "x-twilio-signature": signature_of(secret, url, pairs),
        "content-type": "application/x-www-form-urlencoded",
    }
    return WebhookRequest("POST", PATH, query, headers, urlencode(pairs).encode())


def call_fields(sid, caller=CALLER, **more) -> dict[str, str]:
    """Return what Twilio tells about a call with every request."""
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "CallStatus": "in-progress",
        "Called": SHOP,
        "Caller": caller,
        "Direction": "inbound",
        "From": caller,
        "To": SHOP,
        **more,
    }


class TwilioVoice:
    """One number; `server` is where the bot listens on loopback, called by its public name."""

    def __init__(self, server: str, *, retries: int = 0, secret: str = TOKEN):
        self.server = server
        self.retries = retries
        self.secret = secret
        self._count = itertools.count(1)
        self.calls: list[FakeCall] = []
        self.client = httpx.AsyncClient(timeout=30)

    def rings(self, caller: str = CALLER) -> "FakeCall":
        self.calls.append(FakeCall(self, f"CA{next(self._count):032x}", caller))
        return self.calls[-1]

    async def post(self, url: str, fields: dict[str, str]) -> ElementTree.Element:
        """Send a webhook, perhaps more than once; the last answer counts."""
        assert url.startswith(PUBLIC), url
        body = urlencode(fields)
        pairs = parse_qsl(body, keep_blank_values=True)
        headers = {
            "x-twilio-signature": signature_of(self.secret, url, pairs),
            "content-type": "application/x-www-form-urlencoded",
        }
        answers = []
        for _ in range(1 + self.retries):
            found = await self.client.post(
                url.replace(PUBLIC, self.server), content=body, headers=headers
            )
            answers.append(found)
        answer = answers[-1]
        if answer.status_code != 200 or "xml" not in answer.headers["content-type"]:
            raise BadTwiml(f"{answer.status_code}: {answer.text}")
        return checked(answer.text)

    async def close(self) -> None:
        for call in self.calls:
            await call.is_cut_off()
        await self.client.aclose()


def checked(text: str) -> ElementTree.Element:
    """Return the instructions if Twilio would follow them."""
    root = ElementTree.fromstring(text)  # noqa: S314 - our own channel wrote it
    if root.tag != "Response":
        raise BadTwiml("the root must be Response")
    for element in root.iter():
        unknown = set(element.attrib) - ATTRIBUTES.get(element.tag, {"?"})
        if element.tag not in ATTRIBUTES or unknown:
            raise BadTwiml(f"{element.tag}: {unknown}")
        if element.tag == "Say" and not 0 < len(element.text or "") <= 4_096:
            raise BadTwiml("Say must hold 1 to 4096 characters")
        for value in element.attrib.values():
            if len(value) > 4_000:
                raise BadTwiml(f"{element.tag}: an attribute is too long")
    return root


class FakeCall:
    """One call and its caller; `heard` is what they hear, in order."""

    def __init__(self, platform: TwilioVoice, sid: str, caller: str):
        self.platform = platform
        self.sid = sid
        self.caller = caller
        self.heard: list[str] = []
        self.frames: list[dict] = []
        self.dialled: list[dict[str, str]] = []
        self.whispered: list[str] = []
        self.operator_answers = True
        self.state = "ringing"
        self.language = ""
        self.gather: ElementTree.Element | None = None
        self._relay: ElementTree.Element | None = None
        self._action = ""
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task | None = None

    async def begins(self) -> "FakeCall":
        await self._ask(f"{PUBLIC}{PATH}", CallStatus="ringing")
        return self

    # what a caller does

    async def says(self, text: str, *, last: bool = True) -> None:
        if self._socket is not None:
            for end in range(3, len(text), 9):
                await self._send({"type": "prompt", "voicePrompt": text[:end], "last": False})
            if last:
                frame = {"voicePrompt": text, "lang": self.language, "last": True}
                await self._send({"type": "prompt", **frame})
            return
        await self._gathered(SpeechResult=text, Confidence="0.93")

    async def barges_in(self, text: str, heard: str) -> None:
        """Speak while the bot does."""
        frame = {"utteranceUntilInterrupt": heard, "durationUntilInterruptMs": "460"}
        await self._send({"type": "interrupt", **frame})
        await self.says(text)

    async def presses(self, keys: str) -> None:
        if self._socket is not None:
            for key in keys:
                await self._send({"type": "dtmf", "digit": key})
            return
        await self._gathered(Digits=keys.removesuffix("#"), FinishedOnKey="#")

    async def keeps_silent(self) -> None:
        await self._gathered()

    async def hangs_up(self) -> None:
        self.state = "completed"
        if self._socket is not None:
            await self._socket.close()
            await self._ask(self._action, CallStatus="completed", SessionStatus="completed")

    async def line_drops(self) -> None:
        """Lose the socket without a word; the caller is still there."""
        assert self._socket is not None
        self._socket.transport.abort()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._socket = None

    async def is_cut_off(self) -> None:
        """Close whatever is open, without telling anybody."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def reconnects(self) -> None:
        """Open the socket again, as Twilio does with applicationReconnect."""
        assert self._relay is not None
        assert self._relay.get("applicationReconnect") == "true"
        await self._open()

    async def session_fails(self) -> None:
        """Give the socket up and go on with the action."""
        await self._ask(
            self._action,
            SessionStatus="failed",
            ErrorCode="64102",
            ErrorMessage="Unable to connect to websocket",
        )

    async def hears(self, part: str, within_s: float = 5) -> str:
        """Wait until something is heard and return it."""
        async with asyncio.timeout(within_s):
            while True:
                for text in self.heard:
                    if part in text:
                        return text
                await asyncio.sleep(0.01)

    async def ends(self, within_s: float = 5) -> None:
        async with asyncio.timeout(within_s):
            while self.state not in {"completed", "rejected"}:  # noqa: ASYNC110 - a state, no event
                await asyncio.sleep(0.01)

    # what Twilio does

    async def _gathered(self, **result: str) -> None:
        assert self.gather is not None, self.state
        element, self.gather = self.gather, None
        await self._ask(element.get("action"), **result)

    async def _ask(self, url: str, **more: str) -> None:
        fields = call_fields(self.sid, self.caller, **more)
        await self._follow(await self.platform.post(url, fields))

    async def _follow(self, root: ElementTree.Element) -> None:
        if self.state == "completed":
            return
        self.state = "in-progress"
        for verb in root:
            match verb.tag:
                case "Say":
                    self.heard.append(verb.text)
                case "Reject":
                    self.state = "rejected"
                    return
                case "Hangup":
                    self.state = "completed"
                    return
                case "Redirect":
                    await self._ask(verb.text)
                    return
                case "Gather":
                    self.heard += [say.text for say in verb]
                    self.language, self.gather = verb.get("language"), verb
                    return
                case "Connect":
                    self._action, self._relay = verb.get("action"), verb[0]
                    await self._open()
                    return
                case "Dial":
                    await self._dial(verb)
                    return
        self.state = "completed"

    async def _dial(self, verb: ElementTree.Element) -> None:
        (target,) = verb
        self.dialled.append({"to": target.text, "kind": target.tag, **verb.attrib})
        outcome = "no-answer"
        if self.operator_answers:
            operator_leg = call_fields(f"{self.sid[:-1]}f", To=target.text, Called=target.text)
            whisper = await self.platform.post(target.get("url"), operator_leg)
            self.whispered += [say.text for say in whisper]
            outcome = "completed"
        await self._ask(verb.get("action"), DialCallStatus=outcome)

    async def _open(self) -> None:
        relay = self._relay
        url = relay.get("url")
        assert url.startswith("wss://"), url
        self.language = relay.get("language")
        signature = signature_of(self.platform.secret, url)
        loopback = url.replace(PUBLIC.replace("https", "wss"), self.platform.server)
        try:
            self._socket = await connect(
                loopback.replace("http://", "ws://"),
                additional_headers={"x-twilio-signature": signature},
            )
        except (InvalidStatus, OSError):
            await self._ask(self._action, SessionStatus="failed", ErrorCode="64102")
            return
        if relay.get("welcomeGreeting") and not self.frames:
            self.heard.append(relay.get("welcomeGreeting"))
        parameters = {p.get("name"): p.get("value") for p in relay if p.tag == "Parameter"}
        await self._send(setup(self.sid, self.caller, parameters))
        self._reader = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                unknown = set(frame) - FRAMES.get(frame["type"], set())
                if unknown:
                    await self._send({"type": "error", "description": f"64107 {unknown}"})
                    raise BadTwiml(f"{frame['type']}: {unknown}")
                self.frames.append(frame)
                if frame["type"] == "text":
                    self.heard.append(frame["token"].strip())
                elif frame["type"] == "language":
                    self.language = frame["ttsLanguage"]
                elif frame["type"] == "end":
                    self._socket = None
                    await socket.close()
                    data = frame.get("handoffData", "")
                    await self._ask(self._action, SessionStatus="ended", HandoffData=data)
                    return
        except ConnectionClosed:
            return

    async def _send(self, frame: dict) -> None:
        await self._socket.send(json.dumps(frame))


def setup(sid: str, caller: str, parameters: dict[str, str], to: str = SHOP) -> dict:
    """Return the first frame of a session."""
    return {
        "type": "setup",
        "sessionId": "VX" + sid[2:],
        "accountSid": ACCOUNT,
        "parentCallSid": "",
        "callSid": sid,
        "from": caller,
        "to": to,
        "forwardedFrom": "",
        "callType": "PSTN",
        "callerName": "",
        "direction": "inbound",
        "callStatus": "IN-PROGRESS",
        "customParameters": parameters,
    }


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address in instructions."""
    return dict(parse_qsl(urlsplit(url).query))
