"""Responses: `utter_*` names become messages, with variation, language, money and dates.

Templates are Jinja2, sandboxed; values are inserted as they are and never read as templates.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from babel.dates import format_date, format_datetime, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_currency, get_currency_precision
from jinja2.sandbox import SandboxedEnvironment
from semantic_text_splitter import TextSplitter

from bot.flows import Flow, FlowSet, Variation
from bot.help_lines import HelpLines
from bot.messages import Button, Card, Json, OutboundMessage
from bot.time_zones import COUNTRY, TOLD, customer_zone

_LOCALES = {"de": "de_DE", "en": "en_GB"}
_MONEY = {"de": "de_DE", "en": "en_US"}
MAX_BUTTONS = 13
SPOKEN_CHOICES = 5
"""How many things to choose among are read out; an ear keeps no more."""
_BRIEF_CHARS = 220
_MARKS = re.compile(r"[*_`#>]|^\s*(?:[-•]|\d+\.)\s+|\s*\(?https?://\S+", re.MULTILINE)
_RANGE = re.compile(r"(?<=\d) ?[–-] ?(?=\d{1,3}\b(?!-))")
MESSAGE_FIELDS = frozenset((
    "text",
    "buttons",
    "elements",
    "custom",
    "template",
    "response",
    "image",
    "attachment",
))
"""What a message of an action is made of, in rasa-sdk's words; all else is handed over with it."""
_PIECES = {"de": "{} Stück {}", "en": "{} pieces of {}"}


class ResponseError(ValueError):
    """A response is missing or its template cannot be filled."""


class Renderer:
    """Fills responses; pure, the same input gives the same words."""

    def __init__(
        self,
        flows: FlowSet,
        languages: Sequence[str],
        time_zone: str,
        help_lines: HelpLines | None = None,
    ) -> None:
        """Render in `languages`, the first of which is the fallback; dates in `time_zone`.

        The days of orders and deadlines are the shop's; clock times are the customer's. Who is in
        need is told of `help_lines`.
        """
        self._flows = flows
        self._languages = tuple(languages)
        self._zone = ZoneInfo(time_zone)
        self._templates: dict[str, jinja2.Template] = {}
        self._environment = SandboxedEnvironment(
            undefined=jinja2.ChainableUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters.update(
            money=_by_language(self.money),
            date=_by_language(self.date),
            day=_by_language(self.day),
            moment=_on_own_clock(self.moment),
            both=_by_language(self.joined),
            tr=_by_language(self.translated),
            either=_by_language(self.either),
            pieces=_by_language(self.pieces),
            brief=_by_language(self.brief),
            help_lines=_for_country(help_lines or HelpLines(), time_zone),
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that the bot speaks, the fallback first."""
        return self._languages

    def render(
        self, name: str, flow: Flow | None, values: Mapping[str, Any], language: str, seed: str
    ) -> OutboundMessage:
        """Return the message for a response; `seed` picks the wording among the variations.

        Raises:
            ResponseError: No such response, or a template that cannot be filled.
        """
        wordings = self._flows.response(name, flow)
        if not wordings:
            raise ResponseError(f"there is no response '{name}'")
        spoken = next((la for la in (language, *self._languages) if la in wordings), None)
        spoken = spoken or next(iter(wordings))
        fitting = _in_tone(wordings[spoken], str(values.get("tone") or ""))
        variation = _pick(fitting, f"{seed}:{name}")
        context = {**values, "language": spoken}
        return OutboundMessage(
            text=self._fill(variation.text, context),
            buttons=self._buttons(variation, context),
            cards=self._cards(variation, context),
            image_url=self._fill(variation.image, context),
            custom=dict(variation.custom),
            language=spoken,
            response=name,
            voice=self._fill(variation.voice, context),
        )

    def from_action(
        self,
        raw: Mapping[str, Any],
        flow: Flow | None,
        values: Mapping[str, Any],
        language: str,
        seed: str,
    ) -> OutboundMessage:
        """Return the message that an action uttered (rasa-sdk's `utter_message` fields).

        Raises:
            ResponseError: The action named a response that cannot be rendered.
        """
        name = raw.get("response") or raw.get("template")
        if name:
            extra = {key: value for key, value in raw.items() if key not in MESSAGE_FIELDS}
            return self.render(name, flow, {**values, **extra}, language, seed)
        custom = dict(raw.get("custom") or {})
        cards = custom.pop("cards", None) or raw.get("elements") or ()
        return OutboundMessage(
            text=str(raw.get("text") or ""),
            buttons=tuple(
                Button(str(b["title"]), str(b["payload"])) for b in raw.get("buttons") or ()
            ),
            cards=tuple(self._card(card, language) for card in cards),
            image_url=str(raw.get("image") or ""),
            custom=custom,
            language=language,
        )

    def money(self, value: Json, language: str) -> str:
        """Return `{"amount_minor", "currency"}` as people write it."""
        if not isinstance(value, Mapping):
            return str(value)
        digits = get_currency_precision(value["currency"])
        amount = Decimal(value["amount_minor"]).scaleb(-digits)
        return format_currency(amount, value["currency"], locale=_MONEY.get(language, language))

    def date(self, value: Json, language: str) -> str:
        """Return an ISO date or timestamp as a long date in the shop's time zone."""
        return format_date(self._local(value), "long", locale=_LOCALES.get(language, language))

    def day(self, value: Json, language: str) -> str:
        """Return an ISO date or timestamp as weekday, day and month."""
        pattern = "EEEE, d. MMMM" if language == "de" else "EEEE d MMMM"
        return format_date(self._local(value), pattern, locale=_LOCALES.get(language, language))

    def moment(self, value: Json, language: str, zone: ZoneInfo | None = None) -> str:
        """Return an ISO timestamp as date and time on the customer's clock, else the shop's.

        Where the two differ then, the place of the customer's clock is told with it.
        """
        local, place = self._local(value), ""
        if zone and isinstance(local, dt.datetime) and local.tzinfo is not None:
            own = local.astimezone(zone)
            locale = _LOCALES.get(language, language)
            if own.utcoffset() != local.utcoffset():
                place = f" ({get_timezone_location(zone, locale=locale, return_city=True)})"
            local = own
        said = format_datetime(
            local,
            "d. MMM, HH:mm" if language == "de" else "d MMM, HH:mm",
            locale=_LOCALES.get(language, language),
        )
        return f"{said}{place}"

    def joined(self, values: Json, language: str) -> str:
        """Return a list of texts joined as in a sentence: `a, b and c`."""
        texts = [self.translated(value, language) for value in values or ()]
        return format_list(texts, locale=_LOCALES.get(language, language)) if texts else ""

    def either(self, values: Json, language: str) -> str:
        """Return what may be chosen as a caller hears it: `a, b or c`, at most five of them.

        Args:
            values: options (with `label` or `title`), cards, or texts.
            language: that of the sentence.
        """
        titles = [
            self.translated(value.get("label") or value["title"], language)
            if isinstance(value, Mapping) and "title" in value
            else self.translated(value, language)
            for value in values or ()
        ]
        few = titles[:SPOKEN_CHOICES]
        locale = _LOCALES.get(language, language)
        return format_list(few, style="or", locale=locale) if few else ""

    def pieces(self, items: Json, language: str) -> str:
        """Return items with their numbers as a caller hears them: `2 pieces of a and b`."""
        told = _PIECES.get(language, _PIECES["en"])
        titles = [
            (self.translated(i["title"], language), i.get("quantity", 1)) for i in items or ()
        ]
        return self.joined(
            [told.format(n, title) if n > 1 else title for title, n in titles], language
        )

    def brief(self, value: Json, language: str) -> str:
        """Return the first one or two sentences of a text, without marks and addresses."""
        paragraphs = [line for line in self.translated(value, language).split("\n") if line.strip()]
        plain = _MARKS.sub("", paragraphs[0]).strip() if paragraphs else ""
        plain = _RANGE.sub(" bis " if language == "de" else " to ", plain)
        return next(iter(TextSplitter(_BRIEF_CHARS).chunks(plain)), "").strip()

    def translated(self, value: Json, language: str) -> str:
        """Return the text of a value that holds one text per language."""
        if isinstance(value, Mapping):
            for candidate in (language, *self._languages):
                if value.get(candidate):
                    return str(value[candidate])
            return str(next((v for v in value.values() if v), ""))
        return "" if value is None else str(value)

    def _local(self, value: Json) -> dt.datetime | dt.date:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
            return moment.astimezone(self._zone)
        return moment

    def _fill(self, source: str, context: Mapping[str, Any]) -> str:
        if "{" not in source:
            return source
        try:
            if source not in self._templates:
                self._templates[source] = self._environment.from_string(source)
            return self._templates[source].render(context).strip()
        except (jinja2.TemplateError, TypeError, ValueError, KeyError) as error:
            raise ResponseError(f"'{source[:60]}' cannot be filled: {error}") from error

    def _buttons(self, variation: Variation, context: Mapping[str, Any]) -> tuple[Button, ...]:
        fixed = [
            Button(self._fill(b.title, context), self._fill(b.payload, context))
            for b in variation.buttons
        ]
        language = str(context["language"])
        made = []
        slot, _, options = variation.buttons_from.partition("=")
        for option in context.get(options or slot) or ():
            if not option.get("button", True):
                continue
            value = msgspec.json.encode(str(option["value"])).decode()
            payload = option.get("payload") or f"/SetSlots({slot}={value})"
            made.append(
                Button(self.translated(option.get("label") or option["title"], language), payload)
            )
        return tuple(made[:MAX_BUTTONS] + fixed)

    def _cards(self, variation: Variation, context: Mapping[str, Any]) -> tuple[Card, ...]:
        cards = context.get(variation.cards_from) if variation.cards_from else ()
        return tuple(self._card(card, str(context["language"])) for card in cards or ())

    def _card(self, card: Mapping[str, Any], language: str) -> Card:
        price = card.get("price") or ""
        return Card(
            title=self.translated(card.get("title"), language),
            subtitle=self.translated(card.get("subtitle"), language),
            price=self.money(price, language) if price else "",
            image_url=str(card.get("image_url") or ""),
            url=str(card.get("url") or ""),
            buttons=tuple(
                Button(self.translated(b["title"], language), str(b["payload"]))
                for b in card.get("buttons") or ()
            ),
        )


def _by_language(render: Json) -> Json:
    @jinja2.pass_context
    def in_context(context: jinja2.runtime.Context, value: Json) -> str:
        return str(render(value, str(context.get("language") or "en")))

    return in_context


def _on_own_clock(render: Json) -> Json:
    @jinja2.pass_context
    def in_context(context: jinja2.runtime.Context, value: Json) -> str:
        language = str(context.get("language") or "en")
        told = {slot: context.get(slot) for slot in (TOLD, COUNTRY)}
        return str(render(value, language, customer_zone(told)))

    return in_context


def _for_country(lines: HelpLines, home: str) -> Json:
    @jinja2.pass_context
    def in_context(context: jinja2.runtime.Context, kind: Json) -> str:
        told = {slot: context.get(slot) for slot in (TOLD, COUNTRY)}
        return lines.told(str(kind), str(context.get("language") or "en"), told, home)

    return in_context


def _in_tone(wordings: Sequence[Variation], tone: str) -> Sequence[Variation]:
    """Return the wordings for a customer in a mood: those made for it, else those for everybody."""
    made = [wording for wording in wordings if tone and wording.tone == tone]
    return made or [wording for wording in wordings if not wording.tone] or wordings


def _pick(variations: Sequence[Variation], seed: str) -> Variation:
    digest = hashlib.blake2s(seed.encode("utf-8", "replace")).digest()
    return variations[int.from_bytes(digest[:4], "big") % len(variations)]
