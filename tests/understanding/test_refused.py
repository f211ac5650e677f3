"""What is refused in the same breath as something else is wanted: only the wish begins."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import commands as cm
from bot.brain_setup import build_brain_only
from bot.conversation import Conversation
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]
REFUSED = [
    ("Please don't cancel anything, I just moved and need a different delivery address",
     "change_address"),
    ("I'm not trying to send it back, I'd only like it in another size", "exchange_items"),
    ("not a return, an exchange please", "exchange_items"),
    ("don't exchange the shirt, I'd rather send it back", "return_items"),
    ("I do not want to talk to anyone, just tell me where my parcel is", "track_order"),
    ("I don't need an exchange, I need my money back for the jacket",
     "refund_status|return_items"),
    ("no cancellation please, simply show me the invoice", "show_receipt|store_faq"),
    ("I never wanted to buy it, only put it in my basket", "cart_add"),
    ("rather than cancelling the order, could you change the delivery address", "change_address"),
    ("Exchange it instead of returning it please", "exchange_items"),
    ("Bitte nichts stornieren, ich brauche nur eine andere Lieferadresse", "change_address"),
    ("ich möchte nichts zurückschicken, bloß gegen eine andere Größe tauschen", "exchange_items"),
    ("keine Erstattung bitte, lieber umtauschen", "exchange_items"),
    ("kein Umtausch, ich schicke es lieber zurück", "return_items"),
    ("Nicht tauschen! Einfach die Jacke zurücknehmen und Geld zurück", "return_items"),
    ("ich will keinen Mitarbeiter sprechen, sagen Sie mir nur, wo mein Paket bleibt",
     "track_order"),
    ("Statt zu stornieren würde ich lieber die Lieferadresse ändern", "change_address"),
    ("eine Stornierung will ich nicht, ich brauche nur die Rechnung", "show_receipt|store_faq"),
    ("Bitte nicht bestellen, sondern nur in den Warenkorb legen", "cart_add"),
    ("ich hab nicht vor zu reklamieren, ich wollte bloß wissen wann die Lieferung kommt",
     "track_order"),
]  # fmt: skip


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    settings = load_settings(ROOT, data_dir=tmp_path_factory.mktemp("data"))
    return asyncio.run(build_brain_only(settings))


@pytest.mark.parametrize(("text", "wanted"), REFUSED, ids=[text[:40] for text, _ in REFUSED])
def test_only_what_is_wanted_begins(brain, text, wanted):
    found = brain.router.understand(text, Conversation("refused"), datetime.now(UTC))
    started = [command.flow for command in found.commands if isinstance(command, cm.StartFlow)]
    assert len(started) == len(found.commands) == 1
    assert started[0] in wanted.split("|")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no refund, exchange it please", ["exchange it please"]),
        ("no refund, where is it?", ["no refund", "where is it?"]),
        ("forget the return, where is it?", ["where is it?"]),
        ("don't forget to cancel my order", ["don't forget to cancel my order"]),
        ("Can I exchange it rather than returning it?", ["Can I exchange it"]),
        ("lieber umtauschen statt zurückgeben", ["lieber umtauschen"]),
        ("die 43 statt der 42", ["die 43 statt der 42"]),
        ("not the red one, the blue one", ["not the red one, the blue one"]),
        ("why can't I send it back", ["why can't I send it back"]),
        ("mein Geld ist immer noch nicht zurück", ["mein Geld ist immer noch nicht zurück"]),
    ],
)
def test_what_is_refused_is_left_out(parser, text, wanted):
    clauses = parser._clauses.split(text)
    assert [clause.text for clause in parser._clauses.wanted(clauses)] == wanted


@pytest.mark.parametrize(
    "text", ["meine Lieferadresse ist falsch", "die Rechnungsadresse ändern", "wo hat er das Paket"]
)
def test_an_address_and_a_german_verb_name_no_goods(brain, text):
    found = brain.router.understand(text, Conversation("goods"), datetime.now(UTC))
    assert all(entity.type != "product" for entity in found.parse.entities)
