"""From parsed wishes to skills."""

import pytest

from bot.flow_files import load_flows
from bot.understanding.result import Entity, Intent, ParseResult
from bot.understanding.wishes import named_skills
from tests.bot.kit import HOURS, PIZZA, write_flows

SEARCH = """
skill: search
title: {en: Search, de: Suche}
without_order: true
steps: [{say: utter_found}]
responses: {utter_found: {en: "found"}}
"""
ORDER = Entity("order_number", "TR-000001", "TR-000001", 0, 9)


@pytest.fixture
def flows(tmp_path):
    return load_flows(write_flows(tmp_path, PIZZA, HOURS, SEARCH))


def wish(*entities: Entity) -> ParseResult:
    ranking = (Intent("search", 0.8), Intent("out_of_scope", 0.1), Intent("pizza", 0.05))
    return ParseResult("TR-000001 a lamp", "en", ranking[0], ranking, entities)


def test_a_search_that_names_an_order_gives_way_to_the_next_skill(flows):
    assert [start.flow for start in named_skills([wish(ORDER)], flows, 0.5)] == ["pizza"]


def test_a_search_without_an_order_stays_a_search(flows):
    assert [start.flow for start in named_skills([wish()], flows, 0.5)] == ["search"]


def test_what_is_not_sure_enough_names_no_skill(flows):
    assert named_skills([wish(ORDER)], flows, 0.9) == ()
