"""Responses: languages, variations, filters; values never become templates."""

import pytest

from bot.flow_files import load_flows
from bot.responses import Renderer, ResponseError
from tests.bot.kit import write_flows

SKILL = """
skill: talk
title: {en: Talk, de: Reden}
slots: {options: any, name: any}
steps: [{say: utter_price}]
responses:
  utter_price: {en: "{{ price | money }}", de: "{{ price | money }}"}
  utter_when: {en: "{{ at | day }}, {{ at | date }}", de: "{{ at | day }}, {{ at | date }}"}
  utter_list: {en: "{{ names | both }}", de: "{{ names | both }}"}
  utter_name: {en: "Hi {{ name }}"}
  utter_title: {en: "{{ title | tr }}", de: "{{ title | tr }}"}
  utter_many: {en: [one, two, three]}
  utter_choose:
    en: [{text: "?", buttons_from: pick=options, buttons: [{title: "No", payload: /deny}]}]
  utter_hole: {en: "{{ gone.deeper }}."}
  utter_bad: {en: "{{ name | money | day }}"}
"""


@pytest.fixture
def say(tmp_path):
    flows = load_flows(write_flows(tmp_path, SKILL))
    renderer = Renderer(flows, ("en", "de"), "Europe/Berlin")

    def render(response, language="en", seed="s", **values):
        return renderer.render(response, flows.flows["talk"], values, language, seed)

    return render


@pytest.mark.parametrize(("language", "text"), [("en", "€1,234.50"), ("de", "1.234,50\xa0€")])
def test_money_is_written_as_people_write_it(say, language, text):
    price = {"amount_minor": 123450, "currency": "EUR"}
    assert say("utter_price", language, price=price).text == text


def test_dates_are_in_the_shops_time_zone(say):
    late_in_utc = "2026-01-15T23:30:00+00:00"
    assert say("utter_when", "de", at=late_in_utc).text == "Freitag, 16. Januar, 16. Januar 2026"
    assert say("utter_when", at=late_in_utc).text == "Friday 16 January, 16 January 2026"


def test_lists_are_joined_as_in_a_sentence(say):
    assert say("utter_list", "de", names=["a", {"de": "b", "en": "x"}, "c"]).text == "a, b und c"


def test_a_missing_language_falls_back(say):
    assert say("utter_name", "de", name="Jo").text == "Hi Jo"
    assert say("utter_title", "de", title={"en": "only English"}).text == "only English"


@pytest.mark.parametrize("name", ["{{ 7 * 7 }}", "{% for x in y %}", "<b>${a}</b>"])
def test_values_are_never_templates(say, name):
    assert say("utter_name", name=name).text == f"Hi {name}"


def test_the_seed_chooses_the_wording(say):
    seen = {say("utter_many", seed=str(number)).text for number in range(40)}
    assert seen == {"one", "two", "three"}
    assert say("utter_many", seed="7") == say("utter_many", seed="7")


def test_options_become_buttons_before_the_fixed_ones(say):
    first = {"value": 'a"b', "title": {"en": "A"}}
    options = [first, {"value": "c", "title": "C", "payload": "/x"}]
    buttons = say("utter_choose", options=options).buttons
    assert [b.title for b in buttons] == ["A", "C", "No"]
    assert [b.payload for b in buttons] == ['/SetSlots(pick="a\\"b")', "/x", "/deny"]


def test_a_missing_value_leaves_a_gap(say):
    assert say("utter_hole").text == "."


@pytest.mark.parametrize("name", ["utter_nothing", "utter_bad"])
def test_what_cannot_be_rendered_is_an_error(say, name):
    with pytest.raises(ResponseError):
        say(name, name="x")
