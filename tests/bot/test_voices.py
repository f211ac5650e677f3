"""Spoken forms: read from skill files, rendered, checked, kept in the log, hidden from screens."""

import msgspec
import pytest

from bot.events import BotUttered
from bot.flow_files import load_flows
from bot.messages import OutboundMessage
from bot.responses import Renderer
from bot.utterances import as_message
from bot.voice_checks import MAX_VOICE_CHARS, check_voices, problems_of
from bot.yaml_source import SourceError
from channels.rest import RestChannel
from channels.webchat.channel import WebChat
from channels.webchat.tokens import Signer
from tests.bot.kit import write_flows

SIGNER = Signer(b"0123456789abcdef")
SKILL = """
skill: talk
title: {en: Talk, de: Reden}
slots: {options: any, name: any}
steps: [{say: utter_found}]
responses:
  utter_found:
    en: ["Found:\\n• {{ name }}", {text: "These:\\n• {{ name }}", voice: "Own: {{ name }}."}]
    de: "Gefunden:\\n• {{ name }}"
    voice:
      en: "I found {{ name }}. Is it that?"
      de: "Gefunden: {{ name }}. Ist es das?"
  utter_plain: {en: "Hello.", de: "Hallo."}
  utter_choice:
    {en: "?", de: "?", voice: {en: "{{ options | either }}", de: "{{ options | either }}"}}
  utter_pieces: {en: "?", de: "?", voice: {en: "{{ items | pieces }}", de: "{{ items | pieces }}"}}
  utter_brief: {en: "?", de: "?", voice: {en: "{{ said | brief }}", de: "{{ said | brief }}"}}
"""


@pytest.fixture
def say(tmp_path):
    flows = load_flows(write_flows(tmp_path, SKILL))
    renderer = Renderer(flows, ("en", "de"), "Europe/Berlin")

    def render(response, language="en", seed="s", **values):
        return renderer.render(response, flows.flows["talk"], values, language, seed)

    return render


def test_a_response_is_written_and_spoken(say):
    found = say("utter_found", "de", name="Parka")
    assert (found.text, found.voice) == ("Gefunden:\n• Parka", "Gefunden: Parka. Ist es das?")
    assert not say("utter_plain").voice


def test_a_wording_may_have_its_own_voice(say):
    said = {say("utter_found", seed=str(seed), name="x").voice for seed in range(20)}
    assert said == {"I found x. Is it that?", "Own: x."}


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Coat, Cap, or Scarf"), ("de", "Mantel, Mütze oder Schal")]
)
def test_choices_are_joined_by_or(say, language, said):
    options = [
        {"value": "1", "title": {"en": "Coat", "de": "Mantel"}},
        {"value": "2", "title": {"en": "?", "de": "?"}, "label": {"en": "Cap", "de": "Mütze"}},
        {"title": {"en": "Scarf", "de": "Schal"}},
    ]
    assert say("utter_choice", language, options=options).voice.replace(", or", " or") in {
        said,
        said.replace(", or", " or"),
    }
    assert say("utter_choice", language, options=[str(n) for n in range(9)]).voice.count(",") <= 4
    assert not say("utter_choice", language, options=None).voice


def test_pieces_are_counted_when_there_are_several(say):
    items = [{"title": {"de": "Parka", "en": "Parka"}, "quantity": 2}, {"title": "Lampe"}]
    assert say("utter_pieces", "de", items=items).voice == "2 Stück Parka und Lampe"
    assert say("utter_pieces", "en", items=items).voice == "2 pieces of Parka and Lampe"


def test_a_long_answer_is_cut_to_its_first_sentences(say):
    text = "**Delivery** takes 2–4 days. See https://shop.example/help.\n- one\n- two"
    assert say("utter_brief", said=text).voice == "Delivery takes 2 to 4 days. See"
    long = "Das ist ein Satz über Lieferungen. " * 20
    said = say("utter_brief", "de", said=long).voice
    assert len(said) <= 220
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("voice", "problem"),
    [
        ("Look at https://shop.example", "an address"),
        ("Go to www.shop.example", "an address"),
        ("This is **bold**", "markdown"),
        ("[here](x)", "markdown"),
        ("- one thing", "list marks"),
        ("1. one thing", "list marks"),
        ("one\ntwo", "a line break"),
        ("A • B", "a sign"),
        ("Your link: {{ receipt.url }}", "reads out an address"),
        ("{% if url %}x", "no template"),
        ("x" * (MAX_VOICE_CHARS + 1), "at most 350"),
        ("{% if a %}" + "x" * 340 + "{% else %}y{% endif %} and some more", "at most 350"),
    ],
)
def test_what_no_caller_wants_to_hear_is_named(voice, problem):
    assert any(problem in found for found in problems_of(voice)), problems_of(voice)


@pytest.mark.parametrize(
    "voice",
    [
        "I would cancel order {{ number }}. Shall I?",
        "{% if url %}It came by e-mail.{% endif %}",
        "{% if a %}" + "x" * 200 + "{% else %}" + "y" * 200 + "{% endif %}",
        "Von 1 bis 5, am 3. Mai.",
    ],
)
def test_what_can_be_heard_passes(voice):
    assert problems_of(voice) == []


def test_a_problem_is_shown_with_its_line(tmp_path):
    bad = SKILL.replace("Ist es das?", "Siehe https://shop.example")
    folder = write_flows(tmp_path, bad)
    (problem,) = check_voices(folder, tmp_path)
    line = (tmp_path / problem.path).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert "https://shop.example" in line


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('voice: "one text"', "must be a text per language"),
        ("voice: {fr: Bonjour}", "no wording in it"),
    ],
)
def test_a_voice_that_fits_no_wording_is_named(tmp_path, given, said):
    bad = SKILL.replace('utter_plain: {en: "Hello.",', f'utter_plain: {{{given}, en: "Hello.",')
    with pytest.raises(SourceError, match=said):
        load_flows(write_flows(tmp_path, bad))


def test_the_log_keeps_what_was_spoken():
    said = OutboundMessage(text="Long.", voice="Short.", language="en", response="utter_x")
    data = {k: v for k, v in msgspec.to_builtins(said).items() if k not in {"text", "response"}}
    assert as_message(BotUttered("Long.", data, {"utter_action": "utter_x"})) == said


def test_screens_are_not_shown_what_is_spoken():
    said = OutboundMessage(text="Long.", voice="Short.", language="en")
    assert RestChannel().render(said, "a") == [{"recipient_id": "a", "text": "Long."}]
    (frame,) = WebChat(SIGNER).render(said, "a")
    assert "voice" not in frame
    assert WebChat(SIGNER).render(OutboundMessage(voice="x", language="en"), "a") == []
