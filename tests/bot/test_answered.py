"""Which questions count as answered, and what of a customer is masked."""

from datetime import UTC, datetime
from itertools import starmap

import pytest

from bot import events as ev
from bot.answered import answered_questions, marked, personal_mask, said_in_slots, without
from bot.cli import main
from bot.storage.open import open_store
from bot.storage.ports import NewEvent, StoredEvent, TurnCommit
from tests.bot.kit import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ANSWER = "Ja, nach Österreich liefern wir für 9 Euro."
SOURCE = "\nQuelle: Versand (/shop/help), Stand: 1. Mai"


def said(text, *after, **more):
    parsed = {"language": "de"}
    return [ev.UserUttered(text, parse_data=parsed, **more), *after]


def flow(name):
    return ev.FlowStarted(name, f"f-{name}")


def stored(events):
    return [
        StoredEvent(n, "x", ev.to_wire(event), NOW) for n, event in enumerate(events, 1)
    ]  # fmt: skip


QUESTION = said("Liefert ihr nach Österreich?", flow("store_faq"), ev.BotUttered(ANSWER + SOURCE))
THANKS = said("danke!", flow("thanks"), ev.BotUttered("Gern."))
OPERATOR = ev.BotUttered("Das klappt, ich habe es geprüft.", metadata={"operator": "kim"})


@pytest.mark.parametrize(
    ("events", "answers"),
    [
        (QUESTION, []),
        (QUESTION + THANKS, [("customer", ANSWER)]),
        (QUESTION + said("und teuer?", flow("chitchat")) + THANKS, []),
        (said("Wo ist mein Paket?", flow("track_order"), ev.BotUttered("Da.")) + THANKS, []),
        (QUESTION + said("5 Sterne", ev.SlotSet("rating", 5)), [("customer", ANSWER)]),
        (QUESTION + said("1 Stern", ev.SlotSet("rating", 1)), []),
        (said("Geht das auch ohne Karte?", ev.NotUnderstood(), OPERATOR),
         [("operator", "Das klappt, ich habe es geprüft.")]),
        (said("Geht das auch ohne Karte?") + said("/talk_to_human", OPERATOR),
         [("operator", "Das klappt, ich habe es geprüft.")]),
    ],
)  # fmt: skip
def test_who_marks_an_answer(events, answers):
    assert [(item.marked_by, item.answer) for item in marked(stored(events), "en")] == answers


def test_personal_data_is_masked():
    mask = personal_mask(r"[A-Z]{2}-?\d{6}")
    text = (
        "Ich bin Anna Schmidt, anna@example.org, Tel. 0171 2345678, Hauptstraße 5, Bestellung "
        "TR-104711, IBAN DE89 3704 0044 0532 0130 00: liefert ihr für 9 Euro in 30 Tagen?"
    )
    masked = mask(text)
    for secret in ("Anna", "Schmidt", "example.org", "2345678", "Hauptstraße", "104711", "0532"):
        assert secret not in masked
    assert "liefert ihr für 9 Euro in 30 Tagen?" in masked
    slots = {"first_name": "Zaphira", "product_name": "Mantel"}
    told = [*QUESTION, *starmap(ev.SlotSet, slots.items())]
    told += said("Hat Zaphira einen Mantel?", flow("store_faq"), ev.BotUttered(ANSWER)) + THANKS
    (item,) = marked(stored(told), "de")
    assert item.question == "Hat PERSON einen Mantel?"


def test_what_slots_know_is_cut_however_it_is_written():
    address = {"street": "Am Kamp", "city": "Ulm", "kind": "Lager"}
    slots = {"customer_name": "Zaphira Quist", "new_address": address}
    told = stored([*starmap(ev.SlotSet, slots.items())])
    text = "zaphira quist aus ULM, AM KAMP 3: Kulmbacher Lager?"
    assert without(text, said_in_slots(told)) == "PERSON aus PERSON, PERSON 3: Kulmbacher Lager?"


async def test_all_conversations_are_read():
    store = await open_store("memory://")
    for name in ("rest:a", "rest:b"):
        events = [NewEvent("x", ev.to_wire(event), NOW) for event in QUESTION + THANKS]
        await store.turns.commit(TurnCommit(name, 0, events=tuple(events)))
    found = [item async for item in answered_questions(store.events, "en")]
    await store.close()
    assert [(item.question, item.language) for item in found] == [
        ("Liefert ihr nach Österreich?", "de")
    ] * 2


def test_without_conversations_the_command_says_so(tmp_path, capsys):
    command = ["ingest", "suggestions", "--root", str(ROOT), "--data-dir", str(tmp_path)]
    assert main(command) == 1
    assert "has the bot run here?" in capsys.readouterr().err
    assert main([*command[:2], "approve", *command[2:]]) == 1
    assert main([*command[:2], "reject", "nothing", *command[2:]]) == 1
    assert "no open suggestion 'nothing'" in capsys.readouterr().err
