"""One conversation: begun in the web chat, continued on WhatsApp, finished on the telephone."""

import asyncio
import re

import pytest

from docs.record_channels import PAGE, play

CODE = re.compile(r"\d{4} \d{4}")


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return asyncio.run(play(tmp_path_factory.mktemp("across")))


def said(held, channel, *, by_customer=False):
    lines = [line for line in held.lines if line.channel == channel]
    return [line.text for line in lines if line.is_customer is by_customer]


def test_all_three_channels_took_part_in_one_conversation(held):
    assert list(dict.fromkeys(line.channel for line in held.lines)) == [
        "webchat",
        "whatsapp",
        "telephone",
    ]
    assert {effect.conversation_id.partition(":")[0] for effect in held.effects} == {"webchat"}


def test_nothing_is_asked_twice(held):
    assert sum("Postleitzahl" in text for text in said(held, "webchat")) == 1
    asked_later = " ".join(said(held, "whatsapp") + said(held, "telephone"))
    assert not re.search(r"Postleitzahl|E-Mail-Adresse|Bestellnummer|Name", asked_later)
    assert "Warum möchten Sie" in " ".join(said(held, "whatsapp"))  # asked, but not yet answered
    assert "Warum möchten Sie" not in " ".join(said(held, "telephone"))
    answers = [line.text for line in held.lines if line.is_customer]
    assert len([text for text in answers if text in {"10115", "[Versehentlich bestellt]"}]) == 2


def test_the_plan_is_read_out_again_before_the_yes_counts(held):
    spoken = said(held, "telephone")
    plan = next(number for number, text in enumerate(spoken) if "Soll ich das tun?" in text)
    assert "219 Euro 80" in spoken[plan]
    assert "Erledigt" in spoken[plan + 1]
    before = [text for text in said(held, "webchat") + said(held, "whatsapp") if "Erledigt" in text]
    assert before == []


def test_who_presents_a_code_is_asked_and_who_made_it_is_told(held):
    for channel, line in (("whatsapp", "WhatsApp"), ("telephone", "Telefon")):
        texts = said(held, channel)
        asked = next(n for n, text in enumerate(texts) if "Soll ich Sie verbinden?" in text)
        assert texts[asked + 1] == "Verbunden."
        assert [f"({line})" in text for text in said(held, "webchat")].count(True) == 1


def test_the_shop_changed_exactly_once(held):
    assert (held.before.status, held.after.status) == ("pending", "cancelled")
    assert held.after.revision == held.before.revision + 1
    refunds = [payment for payment in held.after.payments if payment.kind == "refund"]
    assert [payment.amount_minor for payment in refunds] == [21_980]
    assert sorted((effect.step, effect.state) for effect in held.effects) == [
        ("mail", "done"),
        ("write", "done"),
    ]


def test_each_channel_shows_what_it_can(held):
    choices = {line.channel: line.choices for line in held.lines if line.choices}
    assert choices == {"webchat": choices["webchat"], "whatsapp": ("Ja, stornieren", "Nein")}
    assert "Versehentlich bestellt" in choices["webchat"]


def test_the_page_shows_this_conversation(held):
    page = CODE.sub("…", PAGE.read_text(encoding="utf-8"))
    for line in held.lines:
        if line.is_customer:
            assert f"**Kunde**: {CODE.sub('…', line.text)}\n" in page
