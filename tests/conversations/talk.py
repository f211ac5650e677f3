"""A customer's side of a conversation with the whole bot, over any shop folder."""

import asyncio
import itertools
import shutil
from collections.abc import Awaitable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from actions.commerce.seeds import export_shop
from actions.commerce.shop import Shop
from bot.app import build_bot
from bot.assembly import Bot
from bot.messages import Attachment, InboundMessage, OutboundMessage, Trigger, utc_now
from bot.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)
T = TypeVar("T")


class Watch:
    """The time, and as much later as a test has waited."""

    def __init__(self):
        self._waited = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self._waited

    def wait(self, time: timedelta) -> None:
        self._waited += time


class Talk:
    """One bot on its own event loop; every `customer` is a new conversation."""

    def __init__(self, folder: Path, shop_dir: Path | None = None) -> None:
        """Build the bot with its data in `folder`; the demo shop unless `shop_dir` is given."""
        settings = load_settings(ROOT, folder / "data", shop_dir)
        endpoints = msgspec.structs.replace(settings.endpoints, store="memory://")
        settings = msgspec.structs.replace(settings, endpoints=endpoints)
        self._folder = folder
        self.watch = Watch()
        self._loop = asyncio.new_event_loop()
        self.bot: Bot = self._loop.run_until_complete(self._start(settings))

    async def _start(self, settings) -> Bot:
        bot = await build_bot(settings, clock=self.watch)
        await bot.dispatcher.start()
        return bot

    def customer(self) -> "Customer":
        """Return a customer who has not said anything yet."""
        return Customer(self, f"customer-{next(_NUMBERS)}")

    def say(self, sender: str, text: str, *pictures: str) -> list[OutboundMessage]:
        """Send a message, with the URLs of pictures, and return the answers."""
        files = tuple(Attachment("image", url) for url in pictures)
        number = f"m{next(_NUMBERS)}"
        message = InboundMessage("rest", sender, number, text, self.watch(), attachments=files)
        return list(self.wait_for(self.bot.exchange(message)))

    def trigger(self, sender: str, flow: str, slots: dict[str, object]) -> list[OutboundMessage]:
        """Let something happen outside the conversation, and return what the bot says."""
        number, trigger = f"m{next(_NUMBERS)}", Trigger(flow, slots)
        message = InboundMessage("rest", sender, number, "", self.watch(), trigger=trigger)
        return list(self.wait_for(self.bot.exchange(message)))

    def wait_for(self, work: Awaitable[T]) -> T:
        """Run something on the bot's event loop."""
        return self._loop.run_until_complete(work)

    def idle(self) -> None:
        """Wait until every accepted message is handled."""
        self.wait_for(self.bot.dispatcher.close())

    def replace_shop(self, shop: Shop) -> None:
        """Have the bot use other ports from now on."""
        services = self.bot.services
        msgspec.structs.force_setattr(services, "shop", shop)
        services.planner.shop = shop

    def export(self) -> Path:
        """Write the shop's present state and return the folder."""
        target = self._folder / "export"
        shutil.rmtree(target, ignore_errors=True)
        export_shop(self.bot.database, target)
        return target

    def close(self) -> None:
        """Stop the bot."""
        self._loop.run_until_complete(self.bot.close())
        self.bot.database.close()
        self._loop.close()


class Customer:
    """One conversation; keeps what was said for the error message of a failing test."""

    def __init__(self, talk: Talk, sender: str) -> None:
        """Talk as `sender`."""
        self._talk = talk
        self._sender = sender
        self.heard: list[OutboundMessage] = []
        self.transcript: list[str] = []

    @property
    def conversation_id(self) -> str:
        """Return what the bot knows the conversation by."""
        return f"rest:{self._sender}"

    def says(self, text: str, *pictures: str) -> str:
        """Say something; return the bot's answers as one text."""
        self.heard = self._talk.say(self._sender, text, *pictures)
        self.transcript.append(f"> {text}")
        self.transcript += [f"< [{message.response}] {message.text}" for message in self.heard]
        return "\n".join(message.text for message in self.heard)

    def told(self, flow: str, **slots: object) -> str:
        """Let something happen outside; return what the bot says about it by itself."""
        self.heard = self._talk.trigger(self._sender, flow, slots)
        self.transcript.append(f"! {flow}")
        self.transcript += [f"< [{message.response}] {message.text}" for message in self.heard]
        return "\n".join(message.text for message in self.heard)

    @property
    def buttons(self) -> dict[str, str]:
        """Return title → payload of the buttons in the last answers."""
        return {b.title: b.payload for message in self.heard for b in message.buttons}

    def asked(self, *responses: str) -> bool:
        """Return whether one of the responses was among the last answers."""
        return any(message.response in responses for message in self.heard)
