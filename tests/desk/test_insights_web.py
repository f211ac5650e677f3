"""The insights over HTTP: who may see them, what they say, and what a spreadsheet gets."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import events as ev
from desk.insights.asked import WrongNumbers, numbers_of
from desk.insights.book import FactBook, ShopBook
from desk.insights.feed import FactsFeed
from desk.insights.hold_out import COLUMNS
from desk.insights.sheets import as_csv
from desk.insights.showing import Amount, Column, Table, Writer
from desk.insights.texts import MEANINGS, WORDS
from tests.desk.house import DeskHouse
from tests.desk.insights_month import fill, october

OCTOBER = "first=2026-10-01&last=2026-10-31"
FORM = {
    "currency": "eur",
    "hour_minor": "33,50",
    "month_minor": "499",
    "at_once": "3",
    "minutes": "9",
    "margin_bp": "35",
    "credited_bp": "12.5",
    "hold_out_bp": "10",
    "channel_whatsapp": "7.5",
}


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path)
    house.clock.now = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
    yield house
    await house.close()


async def counted(house):
    await fill(house.store, october(3, 60))
    await FactsFeed(house.store.events, FactBook(house.database)).catch_up()


async def test_only_supervisors_see_figures_and_only_administrators_change_numbers(house):
    anna, clara = await house.at_desk("Anna"), await house.at_desk("Clara", "supervisor")
    for path in ("/insights", "/insights/days.csv"):
        assert (await anna.get(path)).status_code == 403
        assert (await clara.get(path)).status_code == 200
        assert (await house.browser().get(path)).status_code == 303
    for path in ("/insights/numbers", "/insights/visits"):
        assert (await clara.post(path, FORM)).status_code == 403
    assert "/insights" in (await clara.look()).text
    assert "/insights" not in (await anna.look()).text


async def test_nothing_is_made_up(house):
    clara = await house.at_desk("Clara", "supervisor")
    page = (await clara.get("/insights")).text
    for key in ("no_hold_out", "no_costs"):
        assert WORDS["en"][key] in page
    assert WORDS["en"]["too_little"].format(weeks=0) in page
    assert not {"{", "}"} & set(page.partition('<div class="insights">')[2].split("data-chart")[0])


async def test_numbers_and_visitors_are_kept(house):
    boss = await house.at_desk("Boss", "admin")
    assert (await boss.post("/insights/numbers", FORM)).status_code == 303
    numbers = await ShopBook(house.database).numbers()
    assert (numbers.hour_minor, numbers.credited_bp, numbers.message_minor) == (
        3350,
        1250,
        {"whatsapp": 750},
    )
    day = "2026-11-01,{},1000,{},{},500000,EUR"
    lines = [",".join(COLUMNS), day.format("chat", 50, 50), day.format("hold_out", 20, 20)]
    assert (await boss.post("/insights/visits", {"visits": "\n".join(lines)})).status_code == 303
    assert "With chat 2.50 times" in (await boss.get("/insights")).text
    wrong = await boss.post("/insights/visits", {"visits": "<script>"})
    assert wrong.status_code == 422
    assert "<script>" not in wrong.text.partition('<div class="insights">')[2]
    assert (await boss.post("/insights/numbers", FORM | {"at_once": "0"})).status_code == 422


@pytest.mark.parametrize(
    ("name", "value"),
    [("at_once", "0"), ("hour_minor", "1.001"), ("margin_bp", "101"), ("minutes", "-1"),
     ("hour_minor", "NaN"), ("hour_minor", "1e99"), ("currency", "Euro"), ("hold_out_bp", "51")],
)  # fmt: skip
def test_a_number_out_of_range_is_refused(name, value):
    with pytest.raises(WrongNumbers):
        numbers_of(FORM | {name: value})


async def test_every_table_comes_as_csv_with_the_same_choice(house):
    await counted(house)
    clara = await house.at_desk("Clara", "supervisor")
    page = (await clara.get(f"/insights?{OCTOBER}&channel=webchat")).text
    names = {part.partition(".csv")[0] for part in page.split('href="/insights/')[1:]}
    assert {"days", "outcomes", "channels", "skills", "funnel", "steps", "forecast"} <= names
    for name in names:
        answer = await clara.get(f"/insights/{name}.csv?{OCTOBER}&channel=webchat")
        head, *rows = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert rows
        assert {len(row) for row in rows} == {len(head)}
    answer = await clara.get(f"/insights/channels.csv?{OCTOBER}&channel=webchat")
    assert [row.split(",")[0] for row in answer.text.split("\r\n")[1:-1]] == ["Web chat"]
    assert (await clara.get("/insights/nothing.csv")).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "first=2026-10-31&last=2026-10-01",
        "first=x&last=y",
        "first=1&last=",
        "first=0001-01-01&last=9999-12-31",
    ],
)
async def test_a_period_that_cannot_be_is_told(house, query):
    clara = await house.at_desk("Clara", "supervisor")
    answer = await clara.get(f"/insights?{query}")
    assert answer.status_code == 200
    assert WORDS["en"]["wrong_period"] in answer.text


async def test_hostile_names_stay_names(house):
    evil = '"><img src=x onerror=alert(1)>'
    told = ev.UserUttered("Hi", "m", evil)
    await house.happens("webchat:a", told, ev.HandoffChanged("waiting_for_operator", f"=1+1{evil}"))
    await FactsFeed(house.store.events, FactBook(house.database)).catch_up()
    clara = await house.at_desk("Clara", "supervisor")
    assert "<img src=x" not in (await clara.get("/insights")).text
    sheet = (await clara.get("/insights/reasons.csv")).text
    assert "'=1+1" in sheet


def test_a_spreadsheet_takes_no_text_for_a_formula():
    columns = (Column("reason", "Reason", "text"), Column("sum", "Sum", "money", "EUR"))
    risky = ("=1+1", "+1", "-1", "@a", "\tx", "\rx")
    rows = tuple((text, -150) for text in risky)
    _, *lines = csv.reader(io.StringIO(as_csv(Table("t", "T", columns, rows)), newline=""))
    assert [line[0] for line in lines] == [f"'{text}" for text in risky]
    assert {line[1] for line in lines} == {"-1.50"}


def test_figures_are_written_as_people_of_the_language_do():
    german, english = Writer("de"), Writer("en")
    cell = Amount(123_456, "EUR"), Column("x", "x", "money")
    assert german.cell(*cell) == "1.234,56\N{NO-BREAK SPACE}€"
    assert english.cell(*cell) == "€1,234.56"
    assert german.per_mille(1234) == "123,4\N{NO-BREAK SPACE}%"
    assert [english.seconds(each) for each in (0, 59, 60, 3661, 90_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]


def test_every_word_and_definition_is_there_in_both_languages():
    assert set(WORDS["de"]) == set(WORDS["en"])
    assert set(MEANINGS["de"]) == set(MEANINGS["en"])
    assert all({**WORDS["de"], **WORDS["en"]}.values())


def test_the_documentation_says_what_the_page_says():
    told = (Path(__file__).parents[2] / "docs" / "insights.md").read_text(encoding="utf-8")
    for name, meaning in MEANINGS["en"].items():
        title = WORDS["en"].get(f"tile_{name}", WORDS["en"][name])
        assert f"| {title} | {meaning} |" in told
