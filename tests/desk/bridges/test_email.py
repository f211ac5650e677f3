"""The bridge to a team's mailbox, against a mail server that fails as they do."""

import pytest

from bot import events as ev
from desk.bridges.email import Config, connect
from desk.bridges.html_text import text_of_html
from desk.bridges.mail_text import own_words
from tests.contracts.bridge import BridgeContract
from tests.desk.bridges.bridged import LENA
from tests.desk.bridges.mailbox import Mailbox


class TestEmailBridge(BridgeContract):
    fake = Mailbox

    async def test_it_comes_again_when_asked_to_and_not_before(self, world):
        """Mail servers say later, and never when."""
        remote_id = await world.open()
        world.fake.fails(429)
        await world.says("more 0")
        await world.says("more 1")
        await world.settle()
        assert not [line for line in world.fake.cases[remote_id].said if "more" in line]
        await world.later(30)
        assert world.fake.cases[remote_id].said == ["more 0", "more 1"]

    async def test_only_safe_links_follow(self, world):
        """Files come along and have no address: who wrote is told that they are left out."""
        remote_id = await world.open()
        await world.told(world.fake.replies(remote_id, "Here.", files=("a.pdf", "b.pdf")))
        assert await world.heard() == [("Nora", "Here.")]
        assert any("file was not delivered" in note for note in world.fake.cases[remote_id].notes)

    async def test_a_reply_may_close_too_and_be_html(self, world):
        remote_id = await world.open()
        html = "<style>p{}</style><p>It&#39;s on<br>its <b>way</b>.</p><p>#close</p>"
        html += "<blockquote>Where is my parcel? #bot</blockquote>"
        await world.told(world.fake.mail(remote_id, html, html=True))
        assert await world.heard() == [("Nora", "It's on\nits way.")]
        assert (await world.handoffs())[-1] == "closed"

    async def test_reply_addresses_never_reach_the_customer(self, world):
        remote_id = await world.open()
        address, _ = world.fake.addresses[remote_id]
        await world.told(world.fake.mail(remote_id, f"To: {address.upper()}\nIt is on its way."))
        [(_, text)] = await world.heard()
        assert text == "To: desk@kontor.test\nIt is on its way."

    async def test_a_reply_without_words_of_its_own_is_told_to_who_wrote_it(self, world):
        remote_id = await world.open()
        empty = world.fake.mail(remote_id, "> Where is my parcel?")
        await world.told(empty, empty)
        assert await world.heard() == []
        notes = world.fake.cases[remote_id].notes
        assert len([note for note in notes if "Nothing was delivered" in note]) == 1

    async def test_nothing_of_the_customer_stands_in_a_header(self, world):
        await world.hands_over("Hello\r\nBcc: all@example.org", name="Mika\r\nBcc: all@example.org")
        await world.settle()
        [mail] = world.fake.mails.values()
        headers = " ".join(f"{name}: {value}" for name, value in mail.items())
        for secret in ("Mika", "4915112345678", "Bcc"):
            assert secret not in headers
        assert await world.house.events(f"{LENA}#1", ev.HandoffChanged)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<script>x()</script>a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<html><head><title>x<body>Hi", "Hi"),
        ("</blockquote></p>Hi<blockquote>old", "Hi"),
        ("", ""),
    ],
)
def test_html_becomes_what_a_reader_sees(html, text):
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Hello\n\n-- \nNora\nKontor", "Hello"),
        ("Yes.\n> really?\nNo.", "Yes.\nNo."),
        ("Hallo\n\nAm 22.11.2026 um 10:00 schrieb Tresen <desk@k.test>:\n\n> Wo ist es?", "Hallo"),
        ("Hallo\n\nVon: Tresen <desk@k.test>\nGesendet: Montag\nAn: t\nBetreff: x\n\nalt", "Hallo"),
        ("-- a list\n- b", "-- a list\n- b"),
        ("", ""),
    ],
)
def test_what_was_quoted_stays_behind(reply, text):
    assert own_words(reply) == text


def test_connecting_sends_nothing():
    fake = Mailbox(None)
    config = Config("mail.test", "team@k.test", "desk@k.test", fake.secret, fake.token)
    assert connect(config, fake.context()).name == "email"
