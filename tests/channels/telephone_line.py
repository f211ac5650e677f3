"""A telephone line to a scripted bot, and the requests of its platform."""

import asyncio
import contextlib

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.messages import Button, OutboundMessage
from channels.base import ChannelError
from channels.push import ChannelContext
from channels.telephone import connect
from tests.contracts.channel import NOW
from tests.platforms.served import served
from tests.platforms.twilio_voice import (
    CALLER,
    PATH,
    PUBLIC,
    SHOP,
    TOKEN,
    TwilioVoice,
    call_fields,
    checked,
    request,
)

CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)
SID = "CA00000000000000000000000000000042"
YES = Button("Ja, stornieren", '/affirm{"plan": "abc123"}')
NO = Button("Nein", "/deny")
PLAN = OutboundMessage(
    text="Ich würde TR-104711 stornieren:\n• Parka – 129,00 €\nSoll ich das tun?",
    voice="Ich würde die Bestellung TR-104711 stornieren: Parka, 129,00 €. Soll ich das tun?",
    buttons=(YES, NO),
    language="de",
)
HANDOFF = OutboundMessage(voice="Ich übergebe Sie.", language="de", response="utter_handoff")


def telephone(context=CONTEXT, **more):
    return connect({"auth_token": TOKEN, "numbers": [SHOP], **more}, context)


def gathered(text, turn=1, caller=CALLER, query=None, **more):
    asked = {"step": "gather", "turn": str(turn), "lang": "de", "quiet": "0", **(query or {})}
    return request(call_fields(SID, caller, SpeechResult=text, **more), asked)


def instructions(reply):
    assert (reply.status, reply.content_type) == (200, "application/xml; charset=utf-8")
    return checked(reply.body.decode())


class Bot:
    """Answers with what stands in `script`; keeps what it was told, each message once."""

    def __init__(self, **script):
        self.script = script
        self.told = []
        self.given = {}
        self.slow_s = 0.0
        self.breaks = 0
        self._heard = asyncio.Event()

    async def is_told(self):
        await asyncio.wait_for(self._heard.wait(), 5)

    async def exchange(self, message):
        if message.message_id in self.given:
            return self.given[message.message_id]
        self.told.append(message)
        self._heard.set()
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError
        await asyncio.sleep(self.slow_s)
        default = [OutboundMessage(text=f"Verstanden: {message.text}.", language="de")]
        self.given[message.message_id] = self.script.get(message.text, default)
        return self.given[message.message_id]

    @property
    def texts(self):
        return [message.text for message in self.told]


@contextlib.asynccontextmanager
async def line(bot, *, retries=0, secret=TOKEN, context=CONTEXT, **own):
    """Yield a telephone line to the bot, with short waits."""
    channel = telephone(context, **{"digit_pause_s": 0.1, "silence_s": 30, "wait_s": 0.3, **own})

    async def webhook(http):
        asked = await _received(http)
        try:
            channel.verify(asked)
            messages = channel.parse(asked)
            said = [answer for message in messages for answer in await bot.exchange(message)]
            reply = channel.answer(asked, said, complete=True)
        except ChannelError as error:
            return JSONResponse(error.as_payload(), error.status)
        return Response(reply.body, reply.status, media_type=reply.content_type)

    routes = [Route(PATH, webhook, methods=["POST"]), *channel.routes(bot.exchange)]
    async with served(Starlette(routes=routes)) as address:
        platform = TwilioVoice(address, retries=retries, secret=secret)
        try:
            yield platform
        finally:
            await platform.close()
            await channel.close()


async def _received(http):
    good = request({}, dict(http.query_params))
    headers = {name.lower(): value for name, value in http.headers.items()}
    return msgspec.structs.replace(good, headers=headers, body=await http.body())
