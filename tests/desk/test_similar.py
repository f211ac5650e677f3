"""Answers of solved cases: what is kept of them, who finds them, and what takes them away."""

from datetime import timedelta

import numpy as np
import pytest

from bot import events as ev
from bot.desk_similar import masks
from bot.redaction import Wanted as Redact
from bot.redaction import redact
from desk.records import Operator
from desk.similar import NONE_AFTER, Embedding, SimilarCases, Wanted
from desk.similar_book import SolvedBook, SolvedRecords
from desk.similar_texts import changes, gaps, has_gap, is_answer, timeless, with_words
from tests.desk.house import DeskHouse

ANNA = Operator("anna", "anna@shop.example", "Anna Weber")
WORDS = ("parcel", "zip", "voucher", "invoice")


def embed(texts):
    """Compare texts by four words."""
    rows = np.array([[word in text.lower() for word in WORDS] for text in texts], dtype=np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path)
    house.book = SolvedBook(house.database)
    masked = masks(r"TR-\d{6}")
    house.similar = SimilarCases(
        house.store.events, house.parts.cases, house.book, masked, Embedding("test", embed, 0.9)
    )
    house.feed.on_case(house.similar.follow)
    yield house
    await house.close()


def operator_says(text, name="Anna Weber"):
    return ev.BotUttered(text, metadata={"operator": "anna", "name": name})


async def solved(house, who, asked, *answers, reason="solved", team="", language="en"):
    """Have a customer ask, an operator answer, and the case closed."""
    conversation_id = f"webchat:{who}"
    await house.happens(
        conversation_id,
        ev.SlotSet("language", language),
        ev.UserUttered(asked, f"m-{who}", "webchat"),
        ev.HandoffChanged("waiting_for_operator", "asked", team=team),
        ev.HandoffChanged("with_operator", "taken", operator="anna", operator_name="Anna Weber"),
        *map(operator_says, answers),
        ev.HandoffChanged("closed", reason, operator="anna"),
    )
    await house.similar.flush()
    return f"{conversation_id}#1"


async def find(house, said, operator=ANNA, later=timedelta()):
    case_id = await house.waits(f"now-{house.clock().timestamp()}", said, language="en")
    wanted = Wanted(said, await house.case(case_id), operator, house.clock() + later)
    return await house.similar.find(wanted)


PARCEL = "My parcel says delivered but I have nothing"
ANSWER = "I have started a search with the carrier. Please ask your neighbours as well."


async def test_an_answer_of_a_solved_case_is_found_for_what_is_alike(house):
    case_id = await solved(house, "lena", PARCEL, "Let me check.", ANSWER)
    (found,) = await find(house, "The parcel never came")
    assert (found.case_id, found.asked, found.answered) == (case_id, PARCEL, ANSWER)
    assert await find(house, "The zip is broken") == []
    assert await find(house, "") == []


async def test_only_what_was_solved_counts(house):
    await solved(house, "a", PARCEL, ANSWER, reason="no_answer")
    await solved(house, "b", PARCEL, "What is your order number?", "One moment, I'll check that.")
    unhappy = await solved(house, "c", PARCEL, ANSWER)
    assert len(await find(house, PARCEL)) == 1
    rated = {"kind": "csat", "score": 1}
    await house.happens(unhappy.partition("#")[0], ev.SlotSet("case_feedback", rated))
    assert await find(house, PARCEL) == []


async def test_what_was_asked_before_the_wish_for_a_person_counts(house):
    wish = {"intent": {"name": "talk_to_human", "confidence": 1.0}}
    await house.happens(
        "webchat:lena",
        ev.UserUttered("My voucher is refused", "m1", "webchat"),
        ev.BotUttered("I do not know."),
        ev.UserUttered("let me talk to somebody", "m2", "webchat", parse_data=wish),
        ev.HandoffChanged("waiting_for_operator", "asked"),
        ev.HandoffChanged("with_operator", "taken", operator="anna", operator_name="Anna Weber"),
        operator_says("Hello, this is Anna Weber. It was for full prices only, I lifted that."),
        ev.UserUttered("and the invoice shows the wrong company", "m3", "webchat"),
        operator_says("Hi, I have written the invoice anew.\n\nKind regards\nAnna Weber"),
        ev.HandoffChanged("closed", "solved", operator="anna"),
    )
    await house.similar.flush()
    (voucher,) = await find(house, "voucher does not work")
    assert voucher.asked == "My voucher is refused"
    assert voucher.answered == "It was for full prices only, I lifted that."
    (invoice,) = await find(house, "invoice for my firm")
    assert invoice.answered == "I have written the invoice anew."


async def test_nobody_gets_text_from_outside_their_areas(house):
    await solved(house, "lena", PARCEL, ANSWER, team="finance")
    returns = Operator("ben", "b@shop.example", "Ben", areas=("returns",))
    finance = Operator("eva", "e@shop.example", "Eva", areas=("finance",))
    assert await find(house, PARCEL, returns) == []
    assert len(await find(house, PARCEL, finance)) == 1
    assert len(await find(house, PARCEL, Operator("c", "c@shop.example", "C", "admin"))) == 1
    other = ANSWER.replace("neighbours", "neighbors")
    await solved(house, "mara", PARCEL, other)
    assert [each.answered for each in await find(house, PARCEL, returns)] == [other]


async def test_a_case_that_moves_to_another_team_takes_its_answers_along(house):
    case_id = await solved(house, "lena", PARCEL, ANSWER, team="returns")
    returns = Operator("ben", "b@shop.example", "Ben", areas=("returns",))
    assert len(await find(house, PARCEL, returns)) == 1
    case = await house.case(case_id)
    moved = type(case)(**{f: getattr(case, f) for f in case.__struct_fields__} | {"team": "money"})
    await house.parts.cases.put(case.conversation_id, case.version + 99, [moved])
    assert await find(house, PARCEL, returns) == [], "the case as it is now decides"


async def test_erasing_a_conversation_erases_what_came_from_it(house):
    await solved(house, "lena", PARCEL, ANSWER)
    records = SolvedRecords(house.book)
    assert len((await records.find("webchat:lena"))["desk_solved"]) == 1
    await find(house, PARCEL)  # it is in memory by now
    assert await records.erase("webchat:lena") == {"desk_solved": 1}
    await house.store.events.erase("webchat:lena")
    await house.parts.cases.erase("webchat:lena")
    assert await find(house, PARCEL) == []
    await house.similar.catch_up()
    assert await house.book.seen() == {}


async def test_what_is_erased_behind_its_back_is_not_told(house):
    await solved(house, "lena", PARCEL, ANSWER)
    await house.store.events.erase("webchat:lena")
    assert await find(house, PARCEL) == []


async def test_a_mark_wrong_takes_an_answer_away_and_right_brings_it_back(house):
    await solved(house, "lena", PARCEL, ANSWER)
    (found,) = await find(house, PARCEL)
    for verdict, count in (("wrong", 0), ("right", 1)):
        data = {"seq": found.seqs[-1], "verdict": verdict}
        await house.happens(
            "webchat:lena", ev.OperatorActed("marked", "anna", f"x-{verdict}", "", data)
        )
        if verdict == "right":  # as it does by itself a moment later
            await house.similar.flush()
        assert len(await find(house, PARCEL)) == count


async def test_copies_of_a_wrong_answer_go_with_it(house):
    await solved(house, "lena", PARCEL, "Order TR-104711 is with the carrier, they look for it.")
    await solved(house, "mara", PARCEL, "Order TR-200002 is with the carrier, they look for it.")
    (found,) = await find(house, PARCEL)
    data = {"seq": found.seqs[-1], "verdict": "wrong"}
    marked = found.case_id.partition("#")[0]
    await house.happens(marked, ev.OperatorActed("marked", "anna", "x", "", data))
    await house.similar.renew(marked)
    assert await find(house, PARCEL) == []


async def test_what_is_redacted_is_gone_at_once(house):
    await solved(house, "lena", PARCEL, ANSWER)
    await find(house, PARCEL)
    stored, _ = await house.store.events.load("webchat:lena")
    seq = next(item.seq for item in stored if item.type == "bot")
    await redact(
        house.store, "webchat:lena", Redact("boss", "asked for", seqs=(seq,)), house.clock()
    )
    assert await find(house, PARCEL) == []


async def test_everything_is_made_anew_from_the_events(house):
    await solved(house, "lena", PARCEL, ANSWER)
    await solved(house, "mara", "The zip broke", "We replace the jacket free of charge.")
    before = {row.vector for row in await house.book.vectors(0, "1:test", 99)}
    await house.book.erase(["webchat:lena", "webchat:mara"])
    assert await house.similar.catch_up() == 2
    assert {row.vector for row in await house.book.vectors(0, "1:test", 99)} == before
    assert await house.similar.catch_up() == 0, "what did not grow is not read again"


async def test_other_vectors_are_made_for_another_encoder(house):
    await solved(house, "lena", PARCEL, ANSWER)
    other = Embedding("other", lambda texts: embed(texts)[:, ::-1], 0.9)
    masked = masks(r"TR-\d{6}")
    similar = SimilarCases(house.store.events, house.parts.cases, house.book, masked, other)
    house.similar, old = similar, house.similar
    assert await find(house, PARCEL) == [], "old vectors are not compared with new ones"
    assert await similar.catch_up() == 1
    assert len(await find(house, PARCEL)) == 1
    del old


async def test_what_is_too_old_is_left_out(house):
    await solved(house, "lena", PARCEL, ANSWER)
    assert len(await find(house, PARCEL, later=NONE_AFTER - timedelta(days=1))) == 1
    assert await find(house, PARCEL, later=NONE_AFTER + timedelta(days=1)) == []


async def test_the_own_conversation_and_other_languages_are_left_out(house):
    await solved(house, "lena", PARCEL, ANSWER)
    await solved(house, "max", "Mein parcel ist weg", "Wir suchen danach für Sie.", language="de")
    await house.happens(
        "webchat:lena",
        ev.UserUttered(PARCEL, "again", "webchat"),
        ev.HandoffChanged("waiting_for_operator", "asked"),
    )
    own = Wanted(PARCEL, await house.case("webchat:lena#2"), ANNA, house.clock())
    assert await house.similar.find(own) == []
    assert [each.answered for each in await find(house, PARCEL)] == [ANSWER]


async def test_a_conversation_that_cannot_be_read_does_not_hold_up_the_others(house):
    await solved(house, "lena", PARCEL, ANSWER)
    broken = house.similar._masks  # what is personal cannot be told for one of them

    def masked(stored):
        if any("zip" in str(item.data) for item in stored):
            raise ValueError
        return broken(stored)

    house.similar._masks = masked
    await solved(house, "mara", "The zip broke", "We replace the jacket free of charge.")
    assert len(await house.book.vectors(0, "1:test", 99)) == 1


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Guten Tag Frau Weber,\n\ndas Paket ist unterwegs.\n\nViele Grüße\nAnna",
         "Das Paket ist unterwegs."),
        ("Hallo Lena, die Ware kostet 12,90 € und kommt am 3. Dezember.",
         "Die Ware kostet «…amount» und kommt am «…date»."),
        ("Dear Mr. Smith, it is 5 EUR until 2026-12-24. Kind regards, Anna",
         "It is «…amount» until «…date»."),
        ("Hello your parcel is lost", "Hello your parcel is lost"),
        ("Sie haben 30 Tage Zeit.", "Sie haben 30 Tage Zeit."),
        ("Die €1,204.50 sind am 24.12. da.", "Die «…amount» sind am «…date» da."),
    ],
)  # fmt: skip
def test_greetings_go_and_amounts_and_dates_become_gaps(said, kept):
    assert timeless(said) == kept


def test_what_changes_is_told():
    priced = timeless("Es kostet 5 €.")
    for text in ("Es ist wieder auf Lager.", "It is sold out.", "Es kommt morgen.",
                 "10 % auf alles", "until Monday at the latest", priced):  # fmt: skip
        assert changes(text), text
    assert not changes("Please send us a photo of the damage.")


def test_what_is_no_answer():
    for text in ("Einen Moment bitte, ich schaue nach.", "Was ist Ihre Bestellnummer?",
                 "Gern geschehen!", "Hallo Lena, Let me check that for you.", ""):  # fmt: skip
        assert not is_answer(text), text
    assert is_answer("Das Etikett ist unterwegs. Haben Sie noch Fragen?")


def test_gaps_are_seen_whatever_they_are_called():
    text = "Ihre Bestellung «…order_number» kostet «…amount»."
    assert gaps(text) == ["order_number", "amount"]
    shown = with_words(text, {"order_number": "Bestellnummer", "amount": "Betrag"})
    assert shown == "Ihre Bestellung «… Bestellnummer» kostet «… Betrag»."
    assert has_gap(shown)
    assert not has_gap("Füllen Sie das Feld «Name» aus … danke »so«.")
