"""Answers of solved cases on a case's page: who is offered what, gaps, and marks."""

import html
import json
import re

import pytest

from bot import events as ev
from bot.desk_similar import masks
from desk.similar import Embedding, SimilarCases
from desk.similar_book import SolvedBook
from desk.web.pages import case_path, key_of
from desk.web.ports import Outside
from tests.desk.house import DeskHouse
from tests.desk.test_similar import ANSWER, PARCEL, embed, operator_says


def outside(house):
    book, embedding = SolvedBook(house.database), Embedding("test", embed, 0.9)
    masked = masks(r"TR-\d{6}")
    house.similar = SimilarCases(house.store.events, house.parts.cases, book, masked, embedding)
    house.feed.on_case(house.similar.follow)
    return Outside(similar=house.similar)


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path, outside)
    yield house
    await house.close()


async def solved(house, answer, team=""):
    await house.happens(
        "webchat:lena",
        ev.UserUttered(PARCEL, "m-lena", "webchat"),
        ev.HandoffChanged("waiting_for_operator", "asked", team=team),
        ev.HandoffChanged("with_operator", "taken", operator="o", operator_name="Otto"),
        operator_says(answer, "Otto"),
        ev.HandoffChanged("closed", "solved", operator="o"),
    )
    await house.similar.flush()
    return "webchat:lena#1"


def told(answer):
    return json.loads(answer.headers["hx-trigger"])["desk:told"]


async def test_it_is_offered_with_its_day_and_a_link_to_its_case(house):
    source = await solved(house, ANSWER)
    case_id = await house.waits("mara", PARCEL)
    anna = await house.at_desk()
    shown = (await anna.case(case_id, "/similar")).text
    assert ANSWER in shown
    assert "from a solved case, 22 Nov 2026" in shown
    assert f'href="{case_path(source)}"' in shown
    assert (await anna.get(case_path(source))).status_code == 200
    assert "⚠" not in shown
    page = (await anna.case(case_id)).text
    assert f"/desk/c/{key_of(case_id)}/similar" in page
    assert not (await anna.case(source, "/similar")).text, "nothing is offered for what is over"


async def test_a_text_with_a_gap_is_not_sent_until_it_is_filled(house):
    await solved(house, "Hello Mara, order TR-104711 comes on 3 December, we refund 12.50 EUR.")
    case_id = await house.waits("mara", PARCEL)
    anna = await house.at_desk()
    await anna.act(case_id, "take")
    shown = html.unescape((await anna.case(case_id, "/similar")).text)
    text = re.search(r'data-text="([^"]*)"', shown)[1]
    assert text == "Order «… order number» comes on «… date», we refund «… amount»."
    assert "fill the gaps" in shown
    assert "price, date or stock" in shown
    assert await anna.says(case_id, text) == (422, "gap")
    answer = await anna.act(case_id, "say", text=text, act="act-00000009")
    assert "still has a gap" in answer.json()["text"]
    assert (await anna.act(case_id, "note", text=text, act="note-00001")).status_code == 200
    filled = re.sub(r"«[^»]*»", "X", text)
    assert await anna.says(case_id, filled, "act-00000002") == (200, "")
    assert [e.text for e in await house.events(case_id, ev.BotUttered)] == [filled]


async def test_nobody_sees_or_marks_what_is_outside_their_areas(house):
    source = await solved(house, ANSWER, team="finance")
    case_id = await house.waits("mara", PARCEL)
    ben = await house.at_desk("Ben", areas=("returns",))
    assert ANSWER not in (await ben.case(case_id, "/similar")).text
    assert "webchat:lena" not in (await ben.case(case_id, "/similar")).text
    wrong = {"of": key_of(source), "seq": "4"}
    assert (await ben.act(case_id, "similar/wrong", **wrong)).status_code == 404
    assert "outside_area" in await house.audited()
    assert not await house.events(source, ev.OperatorActed)
    eva = await house.at_desk("Eva", areas=("finance",))
    assert ANSWER in (await eva.case(case_id, "/similar")).text


async def test_a_mark_takes_it_away_for_everybody(house):
    source = await solved(house, ANSWER)
    case_id = await house.waits("mara", PARCEL)
    anna = await house.at_desk()
    shown = (await anna.case(case_id, "/similar")).text
    of, seq = re.search(r'"of": "([\w-]+)", "seq": "(\d+)"', shown).groups()
    answer = await anna.act(case_id, "similar/wrong", of=of, seq=seq)
    assert ANSWER not in answer.text
    assert told(answer)["kind"] == "good"
    (acted,) = await house.events(source, ev.OperatorActed)
    assert (acted.act, acted.data["verdict"], acted.data["seq"]) == ("marked", "wrong", int(seq))
    assert "marked" in await house.audited()
    for bad in ({}, {"of": of, "seq": "x"}, {"of": "%%%", "seq": seq}):
        assert (await anna.act(case_id, "similar/wrong", **bad)).status_code == 404


async def test_hostile_text_stays_text(house):
    evil = 'See "><img src=x onerror=alert(1)> and {{ t.desk }} for all of it'
    await solved(house, evil)
    case_id = await house.waits("mara", PARCEL)
    anna = await house.at_desk()
    shown = (await anna.case(case_id, "/similar")).text
    assert "<img" not in shown
    assert "{{ t.desk }}" in html.unescape(shown)


async def test_a_search_that_breaks_leaves_the_page_usable(house):
    case_id = await house.waits("mara", PARCEL)
    anna = await house.at_desk()
    house.database.close()
    house.similar._book = None
    answer = await anna.case(case_id, "/similar")
    assert (answer.status_code, answer.text.strip()) == (200, "")
