"""The section `desk:`: what it takes, what it refuses, and what follows from it."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.desk_setup import DeskRules
from bot.settings import load_settings
from bot.yaml_source import SourceError
from desk.hours_offices import Offices
from desk.routing_priority import Signs, judge, rank_target_s, targets_of
from desk.settings import DeskSettings, PriorityRules, WrongDeskSettings, read_settings
from desk.sla import Targets

ROOT = Path(__file__).resolve().parents[2]
BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN = """
hours:
  default:
    country: DE
    region: BY
    week: {mon: ["09:00-12:00", "13:00-18:00"], sat: ["10:00-14:00"], fri: ["22:00-06:00"]}
    special: {12-24: ["09:00-12:00"], 2026-12-28: ["10:00-11:00"]}
  calls: {time_zone: Europe/Vienna, week: {mon: ["08:00-20:00"]}}
  swiss: {time_zone: Europe/Zurich, country: CH, week: {mon: ["07:00-19:00"]}}
channel_hours: {telephone: calls}
country_hours: {CH: swiss}
teams:
  sales: {name: {de: Verkauf, en: Sales}, hours: swiss}
service_levels:
  - {team: [sales], priority: [urgent], first_reply_minutes: 1}
  - {channel: [email], first_reply_minutes: 240, resolution_minutes: 1440}
"""


def test_hours_are_those_of_the_team_else_of_the_channel_else_of_the_country() -> None:
    offices = Offices(read_settings(yaml.safe_load(WRITTEN)), "Europe/Berlin")
    seven = datetime(2026, 11, 23, 7, 30, tzinfo=BERLIN)
    assert offices.of("sales", "telephone").is_open(seven)
    assert not offices.of("", "telephone", "CH").is_open(seven)
    assert offices.of("", "webchat", "CH").is_open(seven)
    assert offices.of().next_opening(seven) == datetime(2026, 11, 23, 9, tzinfo=BERLIN)
    assert not offices.of().is_open(datetime(2026, 11, 23, 12, 30, tzinfo=BERLIN))
    assert offices.of().is_open(datetime(2026, 11, 28, 5, 59, tzinfo=BERLIN))  # Friday's night
    assert offices.of().is_open(datetime(2027, 12, 24, 9, tzinfo=BERLIN))
    assert not offices.of().is_open(datetime(2026, 12, 28, 9, 30, tzinfo=BERLIN))


def test_without_a_section_it_is_open_round_the_clock() -> None:
    offices = Offices(read_settings(None), "Europe/Berlin")
    assert offices.of("any", "thing").is_open(datetime(2026, 12, 25, 3, tzinfo=BERLIN))
    assert read_settings({}) == DeskSettings()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("hourz: {}", "desk: Object contains unknown field `hourz`"),
        ("routing: {sticky: 3}", "desk.routing: Object contains unknown field `sticky`"),
        (
            "hours: {default: {week: {mon: ['9-18']}}}",
            "desk.hours.default.week.0: are no times",
        ),
        ("hours: {default: {week: {monday: ['09:00-18:00']}}}", "desk.hours.default.week: Invalid"),
        (
            "hours: {default: {special: {Christmas: []}}}",
            "desk.hours.default.special: is no date",
        ),
        ("channel_hours: {telephone: calls}", "desk.channel_hours.telephone: there are no office"),
        ("teams: {a: {hours: b}}", "desk.teams.a.hours: there are no office hours 'b'"),
        ("service_levels: [{team: [a]}]", "desk.service_levels.0.team: there is no team 'a'"),
        (
            "service_levels: [{first_reply_minutes: 0}]",
            "desk.service_levels.0.first_reply_minutes: E",
        ),
        ("priority: {high: 5, urgent: 4}", "desk.priority.urgent: must not be less than high"),
        ("priority: {points: {vip: many}}", "desk.priority.points"),
        ("hours: {a: {time_zone: Mars/Base}}", "desk.hours.a.time_zone: there is no time zone"),
        ("hours: {a: {country: XX}}", "desk.hours.a.country: no public holidays are known"),
        ("hours: {a: {country: DE, region: XX}}", "desk.hours.a.region: no public holidays"),
        ("hours: {a: {region: BY}}", "desk.hours.a.region: a region needs its country"),
        ("hours: {a: {special: {02-30: []}}}", "desk.hours.a.special.02-30: there is no day"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(written, message) -> None:
    with pytest.raises(WrongDeskSettings) as error:
        Offices(read_settings(yaml.safe_load(written)), "Europe/Berlin")
    assert str(error.value).startswith(message)


def test_the_check_names_the_line(tmp_path) -> None:
    for name in ("config.yml", "endpoints.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = tmp_path / "config.yml"
    path.write_text(
        "languages: [de]\ndesk:\n  hours:\n    default:\n      week:\n"
        "        mon: ['09:00-12:00']\n        tue: ['9-18']\n",
        encoding="utf-8",
    )
    with pytest.raises(SourceError) as error:
        DeskRules(load_settings(tmp_path), "UTC")
    (problem,) = error.value.problems
    assert problem.line >= 5
    assert "desk.hours.default.week" in problem.message
    assert problem.cure == "write from and until, such as 09:00-18:00"


def test_the_first_service_level_that_fits_counts() -> None:
    settings = read_settings(yaml.safe_load(WRITTEN))
    assert targets_of(settings, "urgent", "email", "sales") == Targets(60)
    assert targets_of(settings, "low", "email", "sales") == Targets(14_400, None, 86_400)
    none = targets_of(settings, "low", "webchat", "")
    assert none == Targets()
    assert rank_target_s(none, "low", is_answered=False) == 3600
    assert rank_target_s(Targets(60, 90), "low", is_answered=True) == 90


@pytest.mark.parametrize(
    ("signs", "priority", "because"),
    [
        (Signs(), "normal", ()),
        (Signs(anger=0.6), "high", ("anger",)),
        (Signs(is_vip=True, anger=0.9), "urgent", ("vip", "anger")),
        (Signs(vulnerable="crisis"), "urgent", ("vulnerable",)),
        (Signs(reason="effect_in_doubt: refund"), "high", ("reason",)),
        (Signs(topic="careers"), "low", ("topic",)),
        (Signs(value_minor=50_000), "normal", ("value",)),
    ],
)
def test_signs_make_a_case_pressing_and_are_told(signs, priority, because) -> None:
    points = {"vip": 2, "anger": 2, "vulnerable": 4, "reason": 3, "topic": -1, "value": 1}
    rules = PriorityRules(value_minor=50_000, topics=("careers",), points=points)
    found = judge(signs, rules)
    assert (found.priority, found.because) == (priority, because)


def test_the_sample_in_the_docs_is_one() -> None:
    text = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
    samples = [yaml.safe_load(part.partition("```")[0]) for part in text.split("```yaml\n")[1:]]
    sections = [sample["desk"] for sample in samples if "routing" in sample.get("desk", {})]
    assert sections
    for section in sections:
        Offices(read_settings(section), "Europe/Berlin")
