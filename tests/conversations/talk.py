"""A customer's side of a conversation with the whole bot, over any shop folder."""

import asyncio
import itertools
import shutil
from pathlib import Path

import msgspec

from actions.commerce.seeds import export_shop
from bot.app import Bot, build_bot
from bot.messages import Attachment, InboundMessage, OutboundMessage, utc_now
from bot.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)


class Talk:
    """One bot on its own event loop; every `customer` is a new conversation."""

    def __init__(self, folder: Path, shop_dir: Path | None = None) -> None:
        """Build the bot with its data in `folder`; the demo shop unless `shop_dir` is given."""
        settings = load_settings(ROOT, folder / "data", shop_dir)
        endpoints = msgspec.structs.replace(settings.endpoints, store="memory://")
        settings = msgspec.structs.replace(settings, endpoints=endpoints)
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self.bot: Bot = self._loop.run_until_complete(self._start(settings))

    async def _start(self, settings) -> Bot:
        bot = await build_bot(settings)
        await bot.dispatcher.start()
        return bot

    def customer(self) -> "Customer":
        """Return a customer who has not said anything yet."""
        return Customer(self, f"customer-{next(_NUMBERS)}")

    def say(self, sender: str, text: str, *pictures: str) -> list[OutboundMessage]:
        """Send a message, with the URLs of pictures, and return the answers."""
        files = tuple(Attachment("image", url) for url in pictures)
        number = f"m{next(_NUMBERS)}"
        message = InboundMessage("rest", sender, number, text, utc_now(), attachments=files)
        return list(self._loop.run_until_complete(self.bot.exchange(message)))

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

    def says(self, text: str, *pictures: str) -> str:
        """Say something; return the bot's answers as one text."""
        self.heard = self._talk.say(self._sender, text, *pictures)
        self.transcript.append(f"> {text}")
        self.transcript += [f"< [{message.response}] {message.text}" for message in self.heard]
        return "\n".join(message.text for message in self.heard)

    @property
    def buttons(self) -> dict[str, str]:
        """Return title → payload of the buttons in the last answers."""
        return {b.title: b.payload for message in self.heard for b in message.buttons}

    def asked(self, *responses: str) -> bool:
        """Return whether one of the responses was among the last answers."""
        return any(message.response in responses for message in self.heard)
