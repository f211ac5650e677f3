"""`tresen alexa model`: an interaction model for Alexa, made of the skill files.

Amazon gives a skill no free speech. So a wish that can begin without its words is an intent named
after its skill; all others come in slots, and what stands before a slot stands in the intent's
name: `say_wo_ist` brings what followed "wo ist", `tell_…` brings words alone (channels/alexa.py).
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bot.alexa_rules import MAX_VALUE_CHARS, invocation_problem, sample_of
from bot.flow_files import load_flows
from bot.flows import Act, Flow, FlowSet, Variation
from bot.messages import Json
from bot.understanding.examples import Example, load_examples
from bot.yaml_source import Problem, SourceError

if TYPE_CHECKING:
    from bot.settings import Settings

LOCALES = ("de-DE", "en-US", "en-GB", "en-AU", "en-CA", "en-IN")
MAX_WISH_WORDS = 8
BUILT_IN = (
    "AMAZON.YesIntent", "AMAZON.NoIntent", "AMAZON.StopIntent", "AMAZON.CancelIntent",
    "AMAZON.HelpIntent", "AMAZON.RepeatIntent", "AMAZON.StartOverIntent",
    "AMAZON.FallbackIntent", "AMAZON.NavigateHomeIntent",
)  # fmt: skip
#: What may stand before anything, and belongs to what is meant.
CARRIERS = {
    "de": (
        "ich möchte", "ich will", "ich brauche", "ich habe", "ich bin", "ich suche", "ich heiße",
        "mein name ist", "mein", "meine", "meinen", "es ist", "es geht um", "das ist", "wo ist",
        "wo sind", "wo bleibt", "wann kommt", "wann kommen", "wann", "wie", "was", "warum",
        "welche", "welcher", "welches", "kann ich", "können sie", "gibt es", "habt ihr",
        "haben sie", "bestellung", "bestellnummer", "nummer", "postleitzahl", "größe", "farbe",
        "der", "die", "das", "den", "in", "an", "für", "mit", "bitte", "ja", "nein", "aber",
    ),
    "en": (
        "i want to", "i want", "i would like to", "i would like", "i need", "i have", "i am",
        "i am looking for", "my name is", "my", "it is", "it is about", "this is", "where is",
        "where are", "when will", "when does", "when", "how", "what", "why", "which", "can i",
        "can you", "could you", "do you have", "is there", "are there", "order", "order number",
        "number", "postcode", "zip code", "size", "colour", "color", "the", "a", "in", "to",
        "for", "with", "please", "yes", "no", "but",
    ),
}  # fmt: skip
#: What may stand before anything, and means nothing.
OPENERS = {
    "de": ("sage", "ich sage", "ich meine", "frage", "ich frage", "sag dem shop"),
    "en": ("say", "i say", "i mean", "ask", "i ask", "tell the shop"),
}
_SERVICE = {"de": "kundenservice", "en": "customer service"}
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NAME = re.compile(r"[a-z_]+")


def model_of(
    flows: FlowSet, examples: Iterable[Example], locale: str, invocation: str
) -> dict[str, Json]:
    """Return the interaction model as the JSON that Amazon's console takes.

    Args:
        flows: all skills.
        examples: all examples of all languages.
        locale: one of LOCALES.
        invocation: what customers call the skill.

    Raises:
        SourceError: if a skill's name or the invocation name is one that Amazon refuses.
    """
    language = locale[:2]
    _refuse(flows, invocation, language)
    own = [example for example in examples if example.language == language]
    wishes, questions = _sorted_out(flows, own)
    intents = [{"name": name, "samples": []} for name in BUILT_IN]
    intents += list(starmap(_intent, sorted(wishes.items())))
    intents += _spoken_intents(language)
    types = []
    for name, values in (("question", questions), ("answer", _answers(flows, language))):
        if values:
            intents.append(_intent(f"tell_{name}", [f"{{{name}}}"], (name, name.title())))
            types.append({"name": name.title(), "values": [_value(text) for text in values]})
    body = {"invocationName": invocation, "intents": intents, "types": types}
    return {"interactionModel": {"languageModel": body}}


def _refuse(flows: FlowSet, invocation: str, language: str) -> None:
    problems = []
    if problem := invocation_problem(invocation, language):
        problems.append(Problem("alexa", 1, f"invocation name '{invocation}': {problem}"))
    for flow in _listed(flows):
        if not _NAME.fullmatch(flow.id) or flow.id.startswith(("say_", "tell_")):
            text = f"the skill '{flow.id}' cannot be an intent of Alexa"
            cure = "use a to z and underscores, and begin with neither say_ nor tell_"
            problems.append(Problem(flow.path, 1, text, cure))
    if problems:
        raise SourceError(problems)


def _listed(flows: FlowSet) -> list[Flow]:
    return [flow for flow in flows.flows.values() if flow.listed and not _is_pattern(flow)]


def _is_pattern(flow: Flow) -> bool:
    return flow.id.startswith("pattern_")


def _sorted_out(
    flows: FlowSet, examples: Iterable[Example]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the samples by skill, and what has to be heard word by word.

    No text occurs twice, also not under two skills.
    """
    alone = {flow.id: _begins_without_words(flow) for flow in _listed(flows)}
    seen: set[str] = set()
    wishes: dict[str, list[str]] = {}
    questions: list[str] = []
    for example in examples:
        text = sample_of(example.text)
        if not text or text in seen or example.intent not in alone:
            continue
        if not alone[example.intent]:
            if len(text) <= MAX_VALUE_CHARS:
                seen.add(text)
                questions.append(text)
        elif len(text.split()) <= MAX_WISH_WORDS:
            seen.add(text)
            wishes.setdefault(example.intent, []).append(text)
    return wishes, questions


def _begins_without_words(flow: Flow) -> bool:
    """Return whether a skill begins by asking or telling something.

    One that begins with an action may look there for what was said.
    """
    return not isinstance(flow.nodes[flow.start], Act)


def _wordings(flows: FlowSet, language: str = "") -> Iterator[Variation]:
    every = [flows.responses, *(flow.responses for flow in flows.flows.values())]
    for responses in every:
        for by_language in responses.values():
            for spoken, wordings in by_language.items():
                if language in {"", spoken}:
                    yield from wordings


def _answers(flows: FlowSet, language: str) -> list[str]:
    """Return what the bot offers to choose from: titles of buttons and options."""
    titles = [button.title for wording in _wordings(flows, language) for button in wording.buttons]
    for flow in flows.flows.values():
        for slot in flow.slots.values():
            titles += [option.title.get(language, "") for option in slot.options]
            titles += [word for option in slot.options for word in option.words.get(language, ())]
    found = {sample_of(title): title.strip() for title in reversed(titles) if "{" not in title}
    return sorted(text for text in found if text and len(text) <= MAX_VALUE_CHARS)


def _spoken_intents(language: str) -> Iterator[dict[str, Json]]:
    """Yield the intents that bring free words, and bare numbers."""
    query = ("words", "AMAZON.SearchQuery")
    yield _intent("tell_words", [f"{opener} {{words}}" for opener in OPENERS[language]], query)
    yield _intent("tell_number", ["{number}"], ("number", "AMAZON.NUMBER"))
    for carrier in CARRIERS[language]:
        name = f"say_{carrier.translate(_ASCII).replace(' ', '_')}"
        yield _intent(name, [f"{carrier} {{words}}"], query)


def _intent(name: str, samples: list[str], slot: tuple[str, str] | None = None) -> dict[str, Json]:
    slots = [{"name": slot[0], "type": slot[1]}] if slot else []
    return {"name": name, "slots": slots, "samples": samples}


def _value(text: str) -> dict[str, Json]:
    return {"name": {"value": text}}


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    command.add_argument("--locale", choices=LOCALES, default=LOCALES[0])
    command.add_argument(
        "--invocation", default="", metavar="NAME",
        help="what customers call the skill (default: made of the shop's name)",
    )  # fmt: skip
    command.add_argument("--out", type=Path, metavar="FILE", help="write it there")


def show_model(settings: "Settings", options: argparse.Namespace) -> int:
    """Print or write the interaction model, and return the exit status."""
    data = settings.root / "data"
    invocation = options.invocation or _invocation(settings.shop_dir, options.locale[:2])
    model = model_of(load_flows(data), load_examples([data]), options.locale, invocation)
    shown = msgspec.json.format(msgspec.json.encode(model), indent=2).decode() + "\n"
    if options.out is None:
        sys.stdout.write(shown)
        return 0
    options.out.write_text(shown, encoding="utf-8")
    intents = len(model["interactionModel"]["languageModel"]["intents"])
    sys.stdout.write(f"{intents} intents for {options.locale} → {options.out}\n")
    return 0


def _invocation(shop_dir: Path, language: str) -> str:
    """Return an invocation name of the shop's name, which has one word too few by itself."""
    shop = msgspec.json.decode((shop_dir / "shop.json").read_bytes())
    return f"{sample_of(str(shop['name']))} {_SERVICE[language]}".strip()
