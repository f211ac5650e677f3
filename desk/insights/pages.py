"""The pages of the insights, for supervisors and administrators."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from desk.database import DeskDatabase
from desk.insights.asked import DAYS, Asked, WrongNumbers, asked_for, numbers_of
from desk.insights.book import FactBook, ShopBook
from desk.insights.costs import ShopNumbers
from desk.insights.facts import ConversationFacts
from desk.insights.figures import Figures, figures
from desk.insights.forecast import MOST_WEEKS, Forecast, forecast
from desk.insights.hold_out import COLUMNS, WrongVisits, compare, read_visits
from desk.insights.sheets import Sheets, as_csv
from desk.insights.showing import Table, Writer, major
from desk.insights.texts import MEANINGS, WORDS
from desk.insights.tiles import Tiles
from desk.insights.worth import worth_of
from desk.web import words
from desk.web.guard import Visit, refusal
from desk.web.room import Room

HOME = "/insights"
Counting = Callable[[], Awaitable[object]]
"""Brings the figures up to date with the conversations."""


async def nothing_to_count() -> None:
    """Leave the figures as they are."""


class Found(msgspec.Struct, frozen=True):
    """Everything that a page shows; `names` are what can be chosen."""

    asked: Asked
    now: Figures
    before: Figures
    ahead: Forecast
    numbers: ShopNumbers
    names: dict[str, list[str]]


class InsightPages:
    """Serves them."""

    def __init__(self, room: Room, database: DeskDatabase, count: Counting) -> None:
        """Show figures.

        Args:
            room: what all pages share.
            database: with the facts.
            count: brings them up to date.
        """
        self._room = room
        self._facts = FactBook(database)
        self._shop = ShopBook(database)
        self._count = count
        self._zone = room.zone if isinstance(room.zone, ZoneInfo) else ZoneInfo("UTC")

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        return [
            Route(HOME, lets(self.show, "supervisor"), methods=["GET"]),
            Route(f"{HOME}/{{name}}.csv", lets(self.table, "supervisor"), methods=["GET"]),
            Route(f"{HOME}/numbers", lets(self.keep_numbers, "admin"), methods=["POST"]),
            Route(f"{HOME}/visits", lets(self.keep_visits, "admin"), methods=["POST"]),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the figures of a period."""
        return await self._page(visit)

    async def table(self, visit: Visit) -> Response:
        """Give a table out as CSV."""
        found = await self._found(visit)
        tables = self._tables(visit, found)
        table = tables.get(visit.request.path_params["name"])
        if table is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        period = found.asked.period
        name = f"tresen-{table.name}-{period.first}-{period.last}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        text = f"\N{ZERO WIDTH NO-BREAK SPACE}{as_csv(table)}"  # spreadsheets ask for the mark
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    async def keep_numbers(self, visit: Visit) -> Response:
        """Keep the shop's own numbers."""
        try:
            numbers = numbers_of(visit.form)
        except WrongNumbers:
            return await self._page(visit, 422, problem=WORDS[visit.language]["bad_numbers"])
        await self._shop.keep(numbers)
        await self._room.audit.add(visit.operator.id, "insight_numbers")
        return RedirectResponse(f"{HOME}?saved", 303)

    async def keep_visits(self, visit: Visit) -> Response:
        """Keep what the shop's visitors did."""
        try:
            visits = read_visits(visit.form.get("visits", ""))
        except WrongVisits as error:
            told = WORDS[visit.language]["bad_visits"].format(problem=error)
            return await self._page(visit, 422, problem=told)
        await self._shop.count(visits)
        await self._room.audit.add(visit.operator.id, "insight_visits", days=len(visits))
        return RedirectResponse(f"{HOME}?saved", 303)

    async def _found(self, visit: Visit) -> Found:
        now = self._room.now()
        asked = asked_for(visit.request.query_params, now, self._zone)
        await self._count()
        earliest = min(asked.period.before.begins_at, now - timedelta(weeks=MOST_WEEKS + 1))
        everything = await self._facts.between(earliest, now + timedelta(days=1))
        first = await self._facts.first()
        numbers = await self._shop.numbers()
        of = partial(figures, everything, choice=asked.choice, numbers=numbers, now=now)
        chosen = [facts for facts in everything if asked.choice.takes(facts)]
        return Found(
            asked=asked,
            now=await asyncio.to_thread(of, period=asked.period),
            before=await asyncio.to_thread(of, period=asked.period.before),
            ahead=await asyncio.to_thread(forecast, chosen, first, now, self._zone),
            numbers=numbers,
            names=_names(everything),
        )

    def _tables(self, visit: Visit, found: Found) -> dict[str, Table]:
        language = visit.language
        skill = partial(self._skill, language)
        reason = partial(_called, "reason", language)
        channel = partial(_called, "channel", language)
        step = partial(self._step, language)
        sheets = Sheets(WORDS[language], skill, reason, channel, step)
        return sheets.all(found.now, found.ahead, found.numbers.currency)

    def _skill(self, language: str, name: str) -> str:
        return self._room.outside.titles(name, language)

    def _step(self, language: str, skill: str, step: str) -> str:
        return self._room.outside.steps(skill, step, language)

    async def _page(self, visit: Visit, status: int = 200, problem: str = "") -> Response:
        found = await self._found(visit)
        period, numbers = found.asked.period, found.numbers
        visits = await self._shop.visits(period.first, period.last)
        write = Writer(visit.language)
        said, meanings = WORDS[visit.language], MEANINGS[visit.language]
        currency = numbers.currency
        tiles = Tiles(said, meanings, write, currency, has_costs=numbers.is_told)
        return self._room.pages.show(
            visit,
            "insights.html",
            status,
            here="insights",
            w=said,
            meanings=meanings,
            write=write,
            asked=found.asked,
            found=found.now,
            ahead=found.ahead,
            names=found.names,
            numbers=numbers,
            tiles=tiles.all(found.now, found.before),
            tables=self._tables(visit, found),
            charts=_charts(found, said, write),
            compared=compare(visits, numbers.hold_out_bp, currency),
            worth=worth_of(found.now, numbers),
            major=partial(major, currency=currency),
            channel=partial(_called, "channel", visit.language),
            skill=partial(self._skill, visit.language),
            step=partial(self._step, visit.language),
            presets=DAYS,
            columns=",".join(COLUMNS),
            problem=problem or (said["wrong_period"] if found.asked.is_wrong else ""),
            saved="saved" in visit.request.query_params,
        )


def _called(prefix: str, language: str, name: str) -> str:
    return words.word(prefix, name, language)


def _names(everything: list[ConversationFacts]) -> dict[str, list[str]]:
    """Return the channels, languages and skills that there are."""
    return {
        "channel": sorted({facts.channel for facts in everything}),
        "language": sorted({facts.language for facts in everything} - {""}),
        "skill": sorted({skill for facts in everything for skill in facts.skills}),
    }


def _charts(found: Found, said: Any, write: Writer) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Return what the scripts draw: labels along the axis, and lines."""
    days, hours = found.now.days, found.ahead.hours
    return {
        "days": {
            "head": said["day"],
            "labels": [write.short(each.day) for each in days],
            "lines": [
                [said["conversations"], [each.conversations for each in days]],
                [said["solved"], [each.solved for each in days]],
                [said["out_handed_over"], [each.handed_over for each in days]],
            ],
        },
        "forecast": {
            "head": said["hour"],
            "labels": [f"{write.short(each.day)} {each.hour:02}:00" for each in hours],
            "lines": [
                [said["expected"], [each.expected for each in hours]],
                [said["low"], [each.low for each in hours]],
                [said["high"], [each.high for each in hours]],
            ],
            "band": [2, 1],
        },
    }
