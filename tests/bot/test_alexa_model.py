"""Interaction models: every rule that Amazon documents, and that the channel hears them all."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alexa_model import BUILT_IN, CARRIERS, OPENERS, model_of
from bot.alexa_rules import MAX_SAMPLE_CHARS, invocation_problem, sample_of
from bot.cli import ROOT, main
from bot.flow_files import load_flows
from bot.understanding.examples import load_examples
from bot.yaml_source import SourceError
from channels.alexa_parse import words_of

FLOWS = load_flows(ROOT / "data")
EXAMPLES = load_examples([ROOT / "data"])
NAMES = {"de": "kontor kundenservice", "en": "kontor customer service"}
MODELS = {
    locale: model_of(FLOWS, EXAMPLES, locale, NAMES[locale[:2]])["interactionModel"][
        "languageModel"
    ]
    for locale in ("de-DE", "en-US")
}
SAMPLE = re.compile(r"(?:[^\W\d_]|[ '-]|\{[A-Za-z_]+\})+")
SLOT = re.compile(r"\{([A-Za-z_]+)\}")
LIST_TYPES = {"AMAZON.NUMBER"}
PHRASE_TYPES = {"AMAZON.SearchQuery"}


@pytest.fixture(params=MODELS)
def locale(request):
    return request.param


@pytest.fixture
def model(locale):
    return MODELS[locale]


def samples(model):
    return [(intent, text) for intent in model["intents"] for text in intent["samples"]]


def test_shape_is_what_the_console_takes(model):
    assert set(model) == {"invocationName", "intents", "types"}
    for intent in model["intents"]:
        assert set(intent) <= {"name", "slots", "samples"}
    for kind in model["types"]:
        assert set(kind) == {"name", "values"}
        assert all(set(value) == {"name"} for value in kind["values"])
    assert len(json.dumps(model).encode()) < 1_500_000
    assert len(model["intents"]) <= 250


def test_invocation_name_is_taken(model, locale):
    assert not invocation_problem(model["invocationName"], locale[:2])


def test_names_are_letters_and_underscores_and_one_of_a_kind(model):
    own = [intent["name"] for intent in model["intents"] if intent["name"] not in BUILT_IN]
    types = [kind["name"] for kind in model["types"]]
    slots = [slot["name"] for intent in model["intents"] for slot in intent.get("slots", ())]
    for name in [*own, *types, *slots]:
        assert re.fullmatch(r"[A-Za-z_]+", name), name
    assert len({name.lower() for name in [*own, *types]}) == len(own) + len(types)
    assert {name for name, times in Counter(own).items() if times > 1} == set()


def test_built_in_intents_are_there_and_have_no_samples(model):
    found = {intent["name"]: intent for intent in model["intents"]}
    for name in BUILT_IN:
        assert found[name]["samples"] == []
    assert {"AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.HelpIntent"} <= set(found)


def test_samples_are_of_characters_that_are_taken(model):
    for _, text in samples(model):
        assert SAMPLE.fullmatch(text), text
        assert text == text.strip().lower()
        assert "  " not in text
        assert len(text) <= MAX_SAMPLE_CHARS


def test_samples_occur_once(model):
    counted = Counter(text for _, text in samples(model))
    assert {text for text, times in counted.items() if times > 1} == set()


def test_slots_are_declared_and_used(model):
    types = {kind["name"] for kind in model["types"]}
    for intent in model["intents"]:
        declared = {slot["name"]: slot["type"] for slot in intent.get("slots", ())}
        used = {name for text in intent["samples"] for name in SLOT.findall(text)}
        assert used == set(declared)
        assert set(declared.values()) <= types | LIST_TYPES | PHRASE_TYPES


def test_phrase_slots_stand_alone_behind_a_carrier_phrase(model):
    for intent, text in samples(model):
        declared = {slot["name"]: slot["type"] for slot in intent.get("slots", ())}
        used = SLOT.findall(text)
        if any(declared[name] in PHRASE_TYPES for name in used):
            assert len(used) == 1
            assert SLOT.sub("", text).strip()
            assert len(declared) == 1


def test_values_of_own_types_are_taken(model):
    for kind in model["types"]:
        values = [value["name"]["value"] for value in kind["values"]]
        assert values
        assert len(set(values)) == len(values)
        assert all(0 < len(value) <= 140 and sample_of(value) == value for value in values)


def test_every_intent_of_its_own_has_samples(model):
    for intent in model["intents"]:
        assert intent["samples"] or intent["name"] in BUILT_IN


def test_skills_that_ask_are_intents_and_others_are_heard(model):
    names = {intent["name"] for intent in model["intents"]}
    assert {"track_order", "return_items", "cancel_order", "reorder"} <= names
    assert not {"store_faq", "product_question", "find_product", "choose_order"} & names


def test_channel_hears_every_intent(model, locale):
    for intent in model["intents"]:
        slots = {slot["name"]: {"value": "die blaue"} for slot in intent.get("slots", ())}
        asked = {"intent": {"name": intent["name"], "slots": slots}}
        heard = words_of(asked, locale[:2])
        if intent["name"] in {
            "AMAZON.StopIntent",
            "AMAZON.FallbackIntent",
            "AMAZON.NavigateHomeIntent",
        }:
            assert not heard
        elif slots:
            assert heard.endswith("die blaue")
        else:
            assert heard


def test_carriers_come_back_as_words(locale):
    if locale == "en-US":
        heard = {
            intent["name"]: words_of(
                {"intent": {"name": intent["name"], "slots": {"words": {"value": "x"}}}}, "en"
            )
            for intent in MODELS[locale]["intents"]
            if intent["name"].startswith("say_")
        }
        assert sorted(heard.values()) == sorted(f"{carrier} x" for carrier in CARRIERS["en"])


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("Wo ist meine Bestellung?", "wo ist meine bestellung"),
        ("what's the status of my order", "what's the status of my order"),
        ("What’s up 👋", "what's up"),
        ("track order TR-104711", ""),
        ("hab vor 3 tagen bestellt", ""),
        ("E-Mail-Adresse ändern…", "e-mail-adresse ändern"),
        ("ja, bitte - danke", "ja bitte danke"),
        ("mail@shop.example", ""),
        ("{{ order }}", ""),
        ("⭐⭐", ""),
        ("x " * 150, ""),
    ],
)
def test_texts_become_samples_or_nothing(text, sample):
    assert sample_of(text) == sample


@settings(deadline=None)
@given(st.text())
def test_samples_are_always_taken(text):
    sample = sample_of(text)
    assert not sample or (SAMPLE.fullmatch(sample) and sample_of(sample) == sample)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "k",
        "x" * 51,
        "Kontor Shop",
        "shop 24",
        "alexa shop",
        "open shop",
        "kontor app",
        "the shop",
    ],
)
def test_invocation_names_that_amazon_refuses(name):
    assert invocation_problem(name, "en")
    with pytest.raises(SourceError, match="invocation name"):
        model_of(FLOWS, EXAMPLES, "en-US", name)


@pytest.mark.parametrize("skill", ["say_hello", "tell_me", "skill_2", "größe"])
def test_skills_that_cannot_be_intents_are_named(skill, tmp_path):
    folder = tmp_path / "data" / "skills"
    folder.mkdir(parents=True)
    (tmp_path / "data" / "patterns.yml").write_text((ROOT / "data" / "patterns.yml").read_text())
    for path in (ROOT / "data" / "skills").glob("*.yml"):
        text = path.read_text()
        if path.stem == "thanks":
            text = text.replace("skill: thanks", f"skill: {skill}")
        (folder / path.name).write_text(text)
    flows = load_flows(tmp_path / "data")
    with pytest.raises(SourceError, match=skill):
        model_of(flows, EXAMPLES, "de-DE", NAMES["de"])


@pytest.mark.parametrize("locale_", ["de-DE", "en-GB"])
def test_command_writes_the_model(locale_, tmp_path, capsys):
    path = tmp_path / "model.json"
    assert main(["alexa", "model", "--locale", locale_, "--out", str(path)]) == 0
    assert "intents" in capsys.readouterr().out
    written = json.loads(path.read_text())["interactionModel"]["languageModel"]
    assert written["invocationName"] == NAMES[locale_[:2]]


def test_command_prints_the_model_and_refuses_a_wrong_name(capsys):
    assert main(["alexa", "model"]) == 0
    assert json.loads(capsys.readouterr().out)["interactionModel"]
    assert main(["alexa", "model", "--invocation", "Alexa"]) == 1
    assert "invocation name 'Alexa'" in capsys.readouterr().err


def test_openers_and_carriers_do_not_meet():
    for language, openers in OPENERS.items():
        assert not set(openers) & set(CARRIERS[language])
