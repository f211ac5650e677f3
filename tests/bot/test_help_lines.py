"""Whom a customer in need can call, by what is known of their country."""

import datetime as dt
from pathlib import Path

import pytest

from bot.help_lines import HelpLines, load_help_lines

LINES = load_help_lines(Path(__file__).parents[2] / "data" / "help_lines.yml")
HOME = "Europe/Berlin"


@pytest.mark.parametrize(
    ("slots", "language", "there", "missing"),
    [
        ({"customer_country": "AT"}, "de", ["Österreich: 142"], ["Deutschland", "Schweiz"]),
        ({"customer_country": "ch"}, "en", ["Switzerland: 143"], ["Germany"]),
        ({"time_zone": "America/New_York"}, "en", ["USA: 988"], ["UK"]),
        ({"time_zone": "Europe/London"}, "de", ["116 123"], ["Deutschland"]),
        ({"customer_country": "FR"}, "de", ["findahelpline.com"], ["Deutschland"]),
        ({}, "de", ["Deutschland: 0800 111 0 111 oder 116 123", "142", "143"], ["USA"]),
        ({}, "en", ["Germany", "UK: 116 123", "USA: 988", "findahelpline.com"], ["Austria"]),
    ],
)
def test_the_line_of_the_customers_country_is_told(slots, language, there, missing):
    said = LINES.told("crisis", language, slots, HOME)
    assert all(part in said for part in there), said
    assert not any(part in said for part in missing), said


def test_where_the_country_is_not_known_the_shops_own_comes_first():
    assert LINES.told("crisis", "de", {}, "Europe/Vienna").startswith("Österreich")


def test_in_danger_the_number_is_the_customers():
    assert LINES.told("emergency", "en", {"time_zone": "America/Toronto"}, HOME) == "911"
    assert LINES.told("emergency", "de", {}, HOME) == "112"


def test_every_line_says_where_and_when_it_was_checked():
    for country in LINES.countries.values():
        for line in (*country.crisis, *country.abuse):
            assert line.source.startswith("https://")
            assert dt.date(2026, 1, 1) <= line.checked_at


def test_without_lines_nothing_is_told():
    assert not HelpLines().told("crisis", "en", {}, HOME)
    assert load_help_lines(Path("nowhere.yml")) == HelpLines()
