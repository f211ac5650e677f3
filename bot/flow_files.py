"""Skills and patterns from YAML: every mistake is reported with file, line and cure."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from bot.conditions import ConditionError, Expression
from bot.flow_steps import StepCompiler
from bot.flows import (
    ButtonTemplate,
    Flow,
    FlowSet,
    PersonDecides,
    Responses,
    Slot,
    SlotOption,
    SlotType,
    Variation,
)
from bot.messages import Json
from bot.mood import TONES
from bot.yaml_source import Problem, SourceError, Where, YamlSource, nearest

_SKILL_KEYS = frozenset({
    "skill",
    "title",
    "description",
    "examples",
    "slots",
    "steps",
    "responses",
    "skip_if",
    "anything_else",
    "listed",
    "yields",
    "each_order",
    "alone",
    "family",
    "without_order",
    "when_clear",
    "during_handoff",
    "asks_again",
    "hand_off",
    "for_operators",
})
_SLOT_KEYS = frozenset({
    "type",
    "options",
    "options_from",
    "current_from",
    "item_from",
    "initial",
    "remember",
    "from_payload",
    "check",
    "invalid",
    "words",
})
_VARIATION_KEYS = frozenset({
    "text",
    "buttons",
    "buttons_from",
    "cards_from",
    "image",
    "custom",
    "voice",
    "tone",
})
#: Beside the languages of a response: the spoken form of the wordings that have none of their own.
VOICE = "voice"
_SLOT_TYPES = frozenset(get_args(SlotType))
PATTERN_KEYS = frozenset({"intents", "session_slots", "patterns", "responses", "hand_off"})


class FlowReader:
    """Reads flows out of sources and gathers what is wrong with them."""

    def __init__(self) -> None:
        """Start with no problems."""
        self.problems: list[Problem] = []

    def skill(self, source: YamlSource) -> Flow | None:
        """Return the skill of a file, or None when it is too broken to run."""
        before = len(self.problems)
        self.problems.extend(source.duplicates)
        data = source.data
        if not isinstance(data, dict) or not data.get("skill"):
            self._add(source, ("skill",), "a skill file starts with 'skill: name'")
            return None
        self._known_keys(source, (), data, _SKILL_KEYS)
        flow = self._flow(source, (), str(data["skill"]), data)
        return flow if len(self.problems) == before else None

    def patterns(self, source: YamlSource) -> tuple[list[Flow], dict[str, Slot], Responses]:
        """Return the patterns, the conversation's slots and the shared responses of a file."""
        self.problems.extend(source.duplicates)
        data = source.data if isinstance(source.data, dict) else {}
        self._known_keys(source, (), data, PATTERN_KEYS)
        flows = []
        for name, body in (data.get("patterns") or {}).items():
            where: Where = ("patterns", name)
            if not name.startswith("pattern_"):
                self._add(source, where, f"'{name}' must begin with 'pattern_'")
            self._known_keys(source, where, body, _SKILL_KEYS)
            defaults = {"title": {"en": name}, "listed": False}
            flows.append(self._flow(source, where, name, {**defaults, **body}))
        slots = self._slots(source, ("session_slots",), data.get("session_slots") or {})
        responses = self._responses(source, ("responses",), data.get("responses") or {})
        return flows, slots, responses

    def _flow(self, source: YamlSource, where: Where, name: str, data: Mapping[str, Any]) -> Flow:
        compiler = StepCompiler(source, self.problems)
        start, nodes = compiler.compile(data.get("steps") or [], (*where, "steps"))
        return Flow(
            id=name,
            title=self._title(source, where, data.get("title")),
            description=str(data.get("description") or ""),
            slots=self._slots(source, (*where, "slots"), data.get("slots") or {}),
            nodes=nodes,
            start=start,
            responses=self._responses(source, (*where, "responses"), data.get("responses") or {}),
            path=source.path,
            skip_if=self._expression(source, (*where, "skip_if"), data.get("skip_if")),
            anything_else=bool(data.get("anything_else", True)),
            listed=bool(data.get("listed", True)),
            yields=bool(data.get("yields", False)),
            each_order=bool(data.get("each_order", False)),
            alone=bool(data.get("alone", False)),
            family=str(data.get("family") or ""),
            without_order=bool(data.get("without_order", False)),
            when_clear=bool(data.get("when_clear", False)),
            during_handoff=bool(data.get("during_handoff", False)),
            asks_again=bool(data.get("asks_again", False)),
            for_operators=bool(data.get("for_operators", False)),
            hand_off=self.hand_off(source, (*where, "hand_off"), data.get("hand_off") or []),
        )

    def hand_off(self, source: YamlSource, where: Where, data: Json) -> tuple[PersonDecides, ...]:
        """Return when a person decides instead of the bot, and why."""
        found = []
        cure = "write '- {when: condition, reason: name}'"
        if not isinstance(data, list):
            self._add(source, where, "'hand_off' must be a list", cure)
            return ()
        for index, item in enumerate(data):
            here = (*where, index)
            if not isinstance(item, dict) or not item.get("when") or not item.get("reason"):
                self._add(source, here, "it needs 'when' and 'reason'", cure)
                continue
            self._known_keys(source, here, item, frozenset({"when", "reason"}))
            condition = self._expression(source, (*here, "when"), item["when"])
            if condition is not None:
                found.append(PersonDecides(condition, str(item["reason"])))
        return tuple(found)

    def _title(self, source: YamlSource, where: Where, title: Json) -> dict[str, str]:
        if isinstance(title, dict) and title and all(isinstance(v, str) for v in title.values()):
            return dict(title)
        cure = "write 'title: {en: …, de: …}'"
        self._add(source, (*where, "title"), "the title must be a text per language", cure)
        return {}

    def _slots(self, source: YamlSource, where: Where, data: Json) -> dict[str, Slot]:
        slots: dict[str, Slot] = {}
        if not isinstance(data, dict):
            self._add(source, where, "slots must be a mapping of names to slots")
            return slots
        for name, given in data.items():
            here = (*where, name)
            body = {"type": given} if isinstance(given, str) else (given or {})
            self._known_keys(source, here, body, _SLOT_KEYS)
            kind = body.get("type", "any")
            if kind not in _SLOT_TYPES:
                cure = nearest(str(kind), _SLOT_TYPES, "slot types")
                self._add(source, (*here, "type"), f"unknown slot type '{kind}'", cure)
                continue
            slots[name] = self._slot(source, here, name, body)
        return slots

    def _slot(self, source: YamlSource, where: Where, name: str, body: dict[str, Any]) -> Slot:
        kind = body.get("type", "any")
        if kind in {"choice", "choices", "variant"} and not body.get("options_from"):
            cure = "name the slot with the options under 'options_from'"
            self._add(source, where, f"slot '{name}' of type {kind} has no options", cure)
        if kind == "category" and not body.get("options"):
            cure = "list them under 'options'"
            self._add(source, where, f"slot '{name}' of type category has no options", cure)
        return Slot(
            name=name,
            type=kind,
            options=self._options(source, (*where, "options"), body.get("options") or []),
            options_from=body.get("options_from", ""),
            current_from=body.get("current_from", ""),
            item_from=body.get("item_from", ""),
            initial=body.get("initial"),
            remember=bool(body.get("remember")),
            from_payload=bool(body.get("from_payload")),
            check=self._expression(source, (*where, "check"), body.get("check")),
            invalid=body.get("invalid", ""),
            words={lang: tuple(words) for lang, words in (body.get("words") or {}).items()},
        )

    def _options(self, source: YamlSource, where: Where, data: Json) -> tuple[SlotOption, ...]:
        options = []
        for index, item in enumerate(data):
            if not isinstance(item, dict) or "value" not in item or "title" not in item:
                cure = "write '- {value: …, title: {en: …, de: …}, words: {en: [], de: []}}'"
                self._add(source, (*where, index), "an option needs 'value' and 'title'", cure)
                continue
            words = {lang: tuple(map(str, w)) for lang, w in (item.get("words") or {}).items()}
            intents = tuple(map(str, item.get("intents") or ()))
            options.append(SlotOption(str(item["value"]), dict(item["title"]), words, intents))
        return tuple(options)

    def _responses(self, source: YamlSource, where: Where, data: Json) -> Responses:
        responses: Responses = {}
        for name, body in data.items():
            here = (*where, name)
            if not str(name).startswith("utter_"):
                cure = f"rename it to 'utter_{name}'"
                self._add(source, here, f"the response '{name}' must begin with 'utter_'", cure)
            if not isinstance(body, dict) or not body:
                self._add(source, here, f"'{name}' must hold a list of wordings per language")
                continue
            voices = self._voices(source, (*here, VOICE), body)
            responses[name] = {
                language: tuple(
                    _with_voice(wording, voices.get(language, ""))
                    for wording in self._variations(source, (*here, language), wordings)
                )
                for language, wordings in body.items()
                if language != VOICE
            }
        return responses

    def _voices(self, source: YamlSource, where: Where, body: Mapping[str, Json]) -> dict[str, str]:
        given = body.get(VOICE) or {}
        if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
            cure = "write 'voice: {en: …, de: …}'"
            self._add(source, where, "the spoken form must be a text per language", cure)
            return {}
        for language in given:
            if language not in body:
                message = f"a spoken form in '{language}', but no wording in it"
                self._add(source, (*where, language), message, "add the wording, or take it out")
        return {language: text.strip() for language, text in given.items()}

    def _variations(self, source: YamlSource, where: Where, data: Json) -> Iterable[Variation]:
        wordings = data if isinstance(data, list) else [data]
        for index, wording in enumerate(wordings):
            here = (*where, index) if isinstance(data, list) else where
            if isinstance(wording, str):
                yield Variation(wording.strip())
                continue
            if not isinstance(wording, dict) or not isinstance(wording.get("text"), str):
                self._add(source, here, "a wording is a text, or a mapping with 'text'")
                continue
            self._known_keys(source, here, wording, _VARIATION_KEYS)
            yield Variation(
                text=wording["text"].strip(),
                buttons=tuple(self._buttons(source, (*here, "buttons"), wording.get("buttons"))),
                buttons_from=wording.get("buttons_from", ""),
                cards_from=wording.get("cards_from", ""),
                image=wording.get("image", ""),
                custom=wording.get("custom") or {},
                voice=str(wording.get("voice") or "").strip(),
                tone=self._tone(source, here, wording.get("tone", "")),
            )

    def _tone(self, source: YamlSource, where: Where, tone: Json) -> str:
        if tone and tone not in TONES:
            cure = nearest(str(tone), TONES, "tones")
            self._add(source, (*where, "tone"), f"there is no tone '{tone}'", cure)
        return str(tone)

    def _buttons(self, source: YamlSource, where: Where, data: Json) -> Iterable[ButtonTemplate]:
        for index, button in enumerate(data or []):
            if not isinstance(button, dict) or not {"title", "payload"} <= set(button):
                cure = "write '- {title: …, payload: …}'"
                self._add(source, (*where, index), "a button needs 'title' and 'payload'", cure)
                continue
            if not isinstance(button["title"], str):
                message = f"YAML reads this button's title as {button['title']}"
                self._add(source, (*where, index), message, 'quote it: title: "No"')
                continue
            yield ButtonTemplate(str(button["title"]), str(button["payload"]))

    def _expression(self, source: YamlSource, where: Where, text: Json) -> Expression | None:
        if text is None:
            return None
        try:
            return Expression(str(text))
        except ConditionError as error:
            self._add(source, where, str(error), "see https://cel.dev for the language")
            return None

    def _known_keys(
        self, source: YamlSource, where: Where, data: Json, known: frozenset[str]
    ) -> None:
        for key in data if isinstance(data, dict) else ():
            if key not in known:
                cure = nearest(str(key), known, "keys")
                self._add(source, (*where, key), f"unknown key '{key}'", cure)

    def _add(self, source: YamlSource, where: Where, message: str, cure: str = "") -> None:
        self.problems.append(source.problem(where, message, cure))


def _with_voice(wording: Variation, voice: str) -> Variation:
    return wording if wording.voice else msgspec.structs.replace(wording, voice=voice)


def load_flows(data_dir: Path) -> FlowSet:
    """Read `patterns.yml` and `skills/*.yml` below a folder.

    Raises:
        SourceError: A file is missing or wrong; carries all problems found.
    """
    from bot.flow_checks import check_flows

    reader = FlowReader()
    paths = sorted((data_dir / "skills").glob("*.yml"))
    flows: dict[str, Flow] = {}
    for path in paths:
        try:
            source = YamlSource.read(path, data_dir.parent)
            flow = reader.skill(source)
        except SourceError as error:
            reader.problems.extend(error.problems)
            continue
        if flow is not None and flow.id in flows:
            message = f"the skill '{flow.id}' is also defined in {flows[flow.id].path}"
            reader.problems.append(source.problem(("skill",), message, "rename one of them"))
        elif flow is not None:
            flows[flow.id] = flow
    patterns = YamlSource.read(data_dir / "patterns.yml", data_dir.parent)
    pattern_flows, session_slots, shared = reader.patterns(patterns)
    flows.update({flow.id: flow for flow in pattern_flows})
    everything: Responses = {}
    for flow in flows.values():
        everything.update(flow.responses)
    everything.update(shared)
    given = patterns.data.get("hand_off") if isinstance(patterns.data, dict) else None
    always = reader.hand_off(patterns, ("hand_off",), given or [])
    flow_set = FlowSet(flows, session_slots, everything, always)
    problems = reader.problems or [p for p in check_flows(flow_set) if not p.warning]
    if problems:
        raise SourceError(problems)
    return flow_set
