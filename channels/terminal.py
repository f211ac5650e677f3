"""The terminal channel: one customer at the keyboard, or lines piped in."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TextIO
from uuid import uuid4

from rich.console import Console
from rich.text import Text

from bot.messages import Button, InboundMessage, OutboundMessage, utc_now
from channels.base import Channel, Payload, TooLarge, WebhookRequest
from channels.wire import MAX_MESSAGE_CHARS, cards_as_text, clean_text

_STYLES = {"text": "", "cards": "cyan", "link": "blue", "button": "bold magenta"}
_LEAVE = ("/quit", "/exit")


class TerminalChannel(Channel):
    """A terminal: a line is a message, buttons are numbered choices."""

    name = "terminal"

    def __init__(
        self,
        sender_id: str = "",
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        """Set up the channel.

        Args:
            sender_id: whose conversation it is; the user of this machine if empty.
            clock: returns the present moment, aware UTC.
            new_id: makes message ids.
        """
        self.sender_id = sender_id or getpass.getuser()
        self._clock = clock
        self._new_id = new_id

    def verify(self, request: WebhookRequest) -> None:
        """Accept everything: whoever sits at the keyboard is the customer."""

    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """Return the line as a message.

        Raises:
            TooLarge: if the line is too long.
        """
        text = clean_text(request.body.decode("utf-8", "replace")).rstrip("\n")
        if len(text) > MAX_MESSAGE_CHARS:
            raise TooLarge("line", f"must be at most {MAX_MESSAGE_CHARS} characters")
        message_id = request.headers.get("message-id") or self._new_id()
        return [
            InboundMessage(
                channel=self.name,
                sender_id=self.sender_id,
                message_id=message_id,
                text=text,
                received_at=self._clock(),
            )
        ]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the lines to print, each with its kind; buttons are numbered from 1."""
        del recipient
        lines: list[Payload] = []
        if outbound.text:
            lines.append({"kind": "text", "text": outbound.text})
        if outbound.cards:
            lines.append({"kind": "cards", "text": cards_as_text(outbound.cards)})
        addresses = [outbound.image_url, *(file.url for file in outbound.attachments)]
        lines += [{"kind": "link", "text": address} for address in addresses if address]
        for number, button in enumerate(all_buttons(outbound), start=1):
            lines.append({"kind": "button", "text": f"[{number}] {button.title}"})
        return lines


def all_buttons(outbound: OutboundMessage) -> list[Button]:
    """Return the buttons of the message's cards and then its own, as they are numbered.

    A card's button names its card, since several cards have the same buttons.
    """
    buttons = [
        Button(f"{button.title}: {card.title}", button.payload)
        for card in outbound.cards
        for button in card.buttons
    ]
    return [*buttons, *outbound.buttons]


class TerminalChat:
    """A conversation in the terminal, until end of input or /quit."""

    def __init__(
        self,
        channel: TerminalChannel,
        exchange: Callable[[InboundMessage], Awaitable[Sequence[OutboundMessage]]],
        source: TextIO = sys.stdin,
        target: TextIO = sys.stdout,
    ) -> None:
        """Set up the chat.

        Args:
            channel: reads lines and writes answers.
            exchange: gives a message to the bot and returns its answers.
            source: where lines come from; piped lines are shown with the answers.
            target: where answers go.
        """
        self._channel = channel
        self._exchange = exchange
        self._source = source
        self._console = Console(file=target, highlight=False, emoji=False, soft_wrap=True)
        self._choices: list[Button] = []
        self._typed = source.isatty()

    async def run(self) -> None:
        """Take lines and print answers until there are no more lines.

        Raises:
            UnicodeDecodeError: if the input is not text.
        """
        if self._typed:
            self._console.print(
                "Tresen · /quit ends the chat · a number picks a choice\n", style="dim"
            )
        while True:
            line = await self._next_line()
            if not line or line.strip() in _LEAVE:
                return
            await self._answer(line.rstrip("\r\n"))

    async def _next_line(self) -> str:
        """Return the next line with its line break, or nothing at the end of the input."""
        if self._typed:
            self._console.print("› ", style="bold green", end="")
        line = await asyncio.to_thread(self._source.readline)
        if line and not self._typed:
            self._console.print(Text(f"› {clean_text(line.rstrip())}"), style="green")
        return line

    async def _answer(self, line: str) -> None:
        """Give one line to the bot and print what it says."""
        body = self._picked(line).encode("utf-8", "replace")
        try:
            (message,) = self._channel.parse(WebhookRequest("LINE", "", body=body))
        except TooLarge as error:
            self._console.print(Text(str(error)), style="red")
            return
        answers = await self._exchange(message)
        choices: list[Button] = []
        for outbound in answers:
            self._show(outbound, first_number=len(choices) + 1)
            choices += all_buttons(outbound)
        self._choices = choices
        self._console.print()

    def _picked(self, line: str) -> str:
        """Return the payload of a typed choice, or the line itself."""
        number = line.strip().strip("[].")
        if number.isascii() and number.isdigit() and 1 <= int(number[:6]) <= len(self._choices):
            return self._choices[int(number) - 1].payload
        return line

    def _show(self, outbound: OutboundMessage, first_number: int) -> None:
        """Print one answer; its choices count on from those already shown."""
        number = first_number
        for payload in self._channel.render(outbound, self._channel.sender_id):
            kind, text = str(payload["kind"]), clean_text(str(payload["text"]))
            if kind == "button":
                text = f"  [{number}] {text.split('] ', 1)[1]}"
                number += 1
            self._console.print(Text(text, style=_STYLES[kind]))
