import io

from bot.messages import Button, Card, OutboundMessage
from channels.base import WebhookRequest
from channels.terminal import TerminalChannel, TerminalChat
from tests.contracts.channel import NOW, RICH, ChannelContract


class TestContract(ChannelContract):
    is_open = True
    reads_json = False

    def channel(self):
        return TerminalChannel("me", clock=lambda: NOW, new_id=lambda: "fixed")

    def request(self, text):
        return WebhookRequest("LINE", "", body=text.encode())


async def chat(lines: str, *answers: OutboundMessage) -> tuple[list[str], str]:
    said: list[str] = []
    waiting = list(answers)

    async def exchange(message):
        said.append(message.text)
        return [waiting.pop(0)] if waiting else []

    target = io.StringIO()
    channel = TerminalChannel("me")
    await TerminalChat(channel, exchange, io.StringIO(lines), target).run()
    return said, target.getvalue()


async def test_a_number_picks_the_choice():
    said, shown = await chat("hello\n2\n", RICH)
    assert said == ["hello", "/deny"]
    assert "[1] Ja, bitte" in shown
    assert "[2] Nein" in shown
    assert "› hello" in shown


async def test_a_number_without_choice_is_a_message():
    said, _ = await chat("7\n3\n1\n", OutboundMessage(text="no buttons"), RICH)
    assert said == ["7", "3", "/affirm"]


async def test_choices_are_good_only_once():
    said, _ = await chat("x\n1\n1\n", RICH, OutboundMessage(text="done"))
    assert said == ["x", "/affirm", "1"]


async def test_buttons_of_cards_are_choices_too():
    card = Card(title="Parka", buttons=(Button("In den Warenkorb", "/cart_add"),))
    said, shown = await chat("x\n1\n", OutboundMessage(cards=(card,), buttons=(Button("N", "/n"),)))
    assert said == ["x", "/cart_add"]
    assert "[1] In den Warenkorb: Parka" in shown
    assert "[2] N" in shown


async def test_quit_ends_and_escape_codes_are_not_printed():
    said, shown = await chat("a\n/quit\nb\n", OutboundMessage(text="x\x1b[2Jy [bold]z[/bold]"))
    assert said == ["a"]
    assert "\x1b[2J" not in shown
    assert "[bold]z[/bold]" in shown


async def test_too_long_line_is_told_and_chat_goes_on():
    said, shown = await chat("x" * 10_001 + "\nshort\n")
    assert said == ["short"]
    assert "at most 10000 characters" in shown
