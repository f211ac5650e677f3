"""Text → ParseResult: every part of understanding that looks at the text alone."""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from bot.messages import utc_now
from bot.understanding.address import read_address
from bot.understanding.clauses import Clause, ClauseSplitter
from bot.understanding.entities import EntityExtractor
from bot.understanding.intents import IntentClassifier
from bot.understanding.language import LanguageDetector
from bot.understanding.normalise import clean, mask, squeeze
from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent, ParseResult, Sentiment
from bot.understanding.sentiment import SentimentScorer
from bot.understanding.small_talk import blanked, small_talk
from bot.understanding.spelling import Spelling

_NO_WISH = frozenset({OUT_OF_SCOPE, "greet", "goodbye", "thanks", "chitchat", "insult", "cancel"})
_QUESTIONS = frozenset({"store_faq", "product_question"})
_SIDE_TALK = frozenset({"insult", "thanks", "greet", "goodbye", "cancel"})
_REFUSED = "cancel"
_LEAST_CONFIDENCE = 0.4
_LEAST_UNSURE = 0.15
_CLEARLY = 0.5
_SEVERAL = 2
_GRIEVANCES = frozenset({"complaint_damaged", "complaint_missing_item", "complaint_wrong_item"})
_IDENTIFIES = "identify_customer"
_NUMBER = "order_number"
_CONTACT = frozenset({"email", "phone", "name", "postcode"})
_NAMES_GOODS = frozenset({
    "cart_add",
    "check_stock",
    "compare_products",
    "find_product",
    "product_question",
})
"""Wishes that read a product's name out of all their words."""
_PIECE = re.compile(r"(?:[^,;!?.\n]|\.(?=\S))+[!?]?")


class Reading(msgspec.Struct, frozen=True):
    """What is known of a text before its intent.

    `told` is the text without small talk and contact details, `cleaned` what wishes are looked
    for in; both are as long as `text`.
    """

    text: str
    told: str
    cleaned: str
    language: str
    language_score: float
    entities: tuple[Entity, ...]
    sentiment: Sentiment


class Parser:
    """Reads a text on its own, without the conversation. Thread-safe; accepts any string.

    Args:
        language: detects the language.
        intents: ranks the intents.
        entities: finds values.
        sentiment: scores the mood.
        clauses: splits messages with several wishes.
        spelling: puts mistyped words right before an intent is read; without it nothing is.
    """

    def __init__(
        self,
        language: LanguageDetector,
        intents: IntentClassifier,
        entities: EntityExtractor,
        sentiment: SentimentScorer,
        clauses: ClauseSplitter,
        spelling: Spelling | None = None,
    ) -> None:
        self._language = language
        self._intents = intents
        self._entities = entities
        self._sentiment = sentiment
        self._clauses = clauses
        self._spelling = spelling

    def parse(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> ParseResult:
        """Return what the whole text says.

        Args:
            text: what the customer wrote, of any length.
            hint_language: language of the conversation; kept when the text does not tell.
            now: aware moment the text was written, for dates; the present when missing.
            expected: entity types the bot has just asked for; they need less context.
        """
        reading = self._read(text, hint_language, now, expected)
        return self._as_one(reading)

    def parse_wishes(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> list[ParseResult]:
        """Return what each wish in the text says, in their order; at least one.

        A statement belongs to the request next to it. Offsets are those of the whole text;
        `text` of a result is the wish's own part.

        Args:
            text: what the customer wrote, of any length.
            hint_language: language of the conversation.
            now: aware moment the text was written.
            expected: entity types the bot has just asked for.
        """
        reading = self._read(text, hint_language, now, expected)
        groups = self._clauses.requests(reading.cleaned)
        wanted = [group for group in groups if not self._clauses.refuses(group.text)]
        if len(wanted) > 1:
            numbers = [_numbers(reading, group) for group in wanted]
            found, ranked = _merged(wanted, self._rank(reading, wanted), reading.cleaned, numbers)
            if len(found) > 1:
                return [
                    _result(reading, group, ranking)
                    for group, ranking in zip(found, ranked, strict=True)
                ]
        return self._grievances(reading) or [self._as_one(reading)]

    def _grievances(self, reading: Reading) -> list[ParseResult]:
        """Read statements of different faults as a complaint each: "X broke. And Y is missing"."""
        clauses = self._clauses.split(reading.cleaned)
        rankings = self._rank(reading, clauses) if len(clauses) >= _SEVERAL else []
        found: list[tuple[Clause, tuple[Intent, ...]]] = []
        for clause, ranking in zip(clauses, rankings, strict=bool(rankings)):
            name, sure = ranking[0].name, ranking[0].confidence
            if name in _GRIEVANCES and sure >= _CLEARLY:
                if found and not self._clauses.joined(reading.cleaned, clause):
                    return []  # one parcel may be torn and lack something
                found.append((clause, ranking))
            elif _is_wish(ranking) and name != _IDENTIFIES:
                return []
        if len({ranking[0].name for _, ranking in found}) < max(_SEVERAL, len(found)):
            return []
        starts = [0, *(clause.start for clause, _ in found[1:]), len(reading.cleaned)]
        return [
            _result(reading, Clause(reading.cleaned[start:end], start, end), ranking)
            for start, end, (_, ranking) in zip(starts[:-1], starts[1:], found, strict=True)
        ]

    def _as_one(self, reading: Reading) -> ParseResult:
        """Read the text as one wish, leaving out what the customer does not want."""
        whole = Clause(reading.cleaned, 0, len(reading.text))
        clauses = self._clauses.split(reading.cleaned)
        wanted = [clause for clause in clauses if not self._clauses.refuses(clause.text)]
        if len(wanted) == len(clauses):
            ranking = self._rank(reading, [whole])[0]
            if len(clauses) > 1 and ranking[0].name in _SIDE_TALK:
                ranking = self._beside(reading, clauses, ranking)
            return _result(reading, whole, ranking)
        if not wanted:
            ranking = self._rank(reading, [whole])[0]
            refused = (Intent(_REFUSED, ranking[0].confidence),)
            return _result(reading, whole, refused)
        strongest = self._beside(reading, wanted, self._rank(reading, wanted)[0])
        unwanted = [clause for clause in clauses if clause not in wanted]
        kept = tuple(
            entity
            for entity in reading.entities
            if not any(clause.start <= entity.start < clause.end for clause in unwanted)
        )
        return _result(msgspec.structs.replace(reading, entities=kept), whole, strongest)

    def _beside(
        self, reading: Reading, clauses: Sequence[Clause], ranking: tuple[Intent, ...]
    ) -> tuple[Intent, ...]:
        """Return the surest wish among the clauses, else the given ranking."""
        wishes = [found for found in self._rank(reading, clauses) if _is_wish(found)]
        return max(wishes, key=lambda found: found[0].confidence, default=ranking)

    def _read(
        self, text: str, hint: str | None, now: datetime | None, expected: Sequence[str]
    ) -> Reading:
        cleaned = clean(text)
        language, language_score = self._language.detect(cleaned, hint)
        entities = self._entities.extract(cleaned, language, now or utc_now(), expected)
        talk, blurs, untold = self._beside_wishes(cleaned, entities)
        return Reading(
            text=text,
            told=text if expected else blanked(text, untold),
            cleaned=blanked(cleaned, talk if expected else [*talk, *blurs]),
            language=language,
            language_score=language_score,
            entities=tuple(
                msgspec.structs.replace(entity, text=text[entity.start : entity.end])
                for entity in entities
            ),
            sentiment=self._sentiment.score(cleaned, language),
        )

    def _beside_wishes(
        self, cleaned: str, entities: Sequence[Entity]
    ) -> tuple[list[Clause], list[Clause], list[Clause]]:
        """Return small talk, other clauses that blur the wish, and those that name no goods."""
        clauses = self._clauses.split(cleaned)
        if len(clauses) < _SEVERAL:
            return [], [], []
        facts = [clause for clause in clauses if self._only_facts(clause, entities)]
        masked = [mask(c.text, _within(entities, c), c.start) for c in clauses]
        pairs = list(zip(clauses, self._ranked(masked), strict=True))
        rest = [pair for pair in pairs if pair[0] not in facts]
        if not any(_is_wish(ranking) for _, ranking in rest):
            facts, rest = [], pairs
        talk, beside = small_talk(rest, entities, _is_wish)
        named = any(
            ranking[0].name in _NAMES_GOODS
            and any(e.type == "product" for e in _within(entities, clause))
            for clause, ranking in rest
        )  # without a name in the wish itself, "Blanko looks nice" may hold it
        return talk, [*beside, *facts], [*talk, *facts, *(beside if named else ())]

    def _only_facts(self, clause: Clause, entities: Sequence[Entity]) -> bool:
        """Return whether a clause only says who is writing, or which order it is about."""
        told = _within(entities, clause)
        if not told or not {entity.type for entity in told} <= {*_CONTACT, _NUMBER}:
            return False
        spans = [Clause(entity.text, entity.start, entity.end) for entity in told]
        return self._clauses.only_facts(blanked(clause.text, spans, clause.start))

    def _rank(self, reading: Reading, parts: Sequence[Clause]) -> list[tuple[Intent, ...]]:
        nothing = (Intent(OUT_OF_SCOPE, 1.0),)
        spoken = [part for part in parts if part.text.strip()]
        kept = [e for e in reading.entities if reading.cleaned[e.start : e.end].strip()]
        masked = [
            mask(reading.cleaned[part.start : part.end], _within(kept, part), part.start)
            for part in spoken
        ]
        places = ((part.start, part.end) for part in spoken)
        ranked = dict(zip(places, self._ranked(masked), strict=True))
        found = [ranked.get((part.start, part.end), nothing) for part in parts]
        pairs = zip(parts, found, strict=True)
        return [self._past_contact(reading, part, ranking) for part, ranking in pairs]

    def _past_contact(
        self, reading: Reading, part: Clause, ranking: tuple[Intent, ...]
    ) -> tuple[Intent, ...]:
        """Read past contact details: "cancel it, my e-mail is …" is a cancellation."""
        if ranking[0].name != _IDENTIFIES:
            return ranking
        rest = _beside_contact(reading, part)
        again = self._ranked([rest])[0] if rest else ranking
        return again if _is_wish(again) else ranking

    def _ranked(self, texts: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return the intents of masked texts, read as their writers meant to spell them."""
        if self._spelling is not None:
            texts = [self._spelling.corrected(text) for text in texts]
        return self._intents.rank([squeeze(text) for text in texts])


def _within(entities: Sequence[Entity], part: Clause) -> tuple[Entity, ...]:
    return tuple(
        entity for entity in entities if part.start <= entity.start and entity.end <= part.end
    )


def _beside_contact(reading: Reading, part: Clause) -> str:
    """Return a clause without the pieces that hold contact details, masked; "" without any."""
    told = [e for e in _within(reading.entities, part) if e.type in _CONTACT]
    if not told:
        return ""
    pieces = []
    for match in _PIECE.finditer(reading.cleaned, part.start, part.end):
        piece = Clause(match.group(), match.start(), match.end())
        if any(e.start < piece.end and piece.start < e.end for e in told):
            continue
        pieces.append(mask(piece.text, _within(reading.entities, piece), piece.start).strip())
    return ", ".join(piece for piece in pieces if piece)


def _result(reading: Reading, part: Clause, ranking: tuple[Intent, ...]) -> ParseResult:
    named = ranking[0].name in _NAMES_GOODS
    return ParseResult(
        text=(reading.told if named else reading.text)[part.start : part.end],
        language=reading.language,
        intent=ranking[0],
        ranking=ranking,
        entities=_within(reading.entities, part),
        sentiment=reading.sentiment,
        language_score=reading.language_score,
    )


def _numbers(reading: Reading, part: Clause) -> frozenset[str]:
    """Return the order numbers in a part."""
    return frozenset(e.value for e in _within(reading.entities, part) if e.type == _NUMBER)


def _merged(
    groups: Sequence[Clause],
    rankings: Sequence[tuple[Intent, ...]],
    text: str,
    numbers: Sequence[frozenset[str]],
) -> tuple[list[Clause], list[tuple[Intent, ...]]]:
    """Join neighbours that want the same of one order, and those that want nothing themselves."""
    kept: list[Clause] = []
    ranked: list[tuple[Intent, ...]] = []
    about: frozenset[str] = frozenset()
    place: object = None
    for group, ranking, told in zip(groups, rankings, numbers, strict=True):
        elsewhere = read_address(group.text, asked=False)
        other = bool(about and told) and not about & told
        other = other or bool(place and elsewhere and place != elsewhere)
        place = elsewhere or place
        same = ranking[0].name == ranked[-1][0].name if ranked else False
        about = told if other or not kept else about | told
        again = same and not other and ranking[0].name not in _QUESTIONS
        unclear = not _is_wish(ranking) and not (other and _may_be_wish(ranking))
        if kept and (again or unclear or not _is_wish(ranked[-1])):
            start = kept[-1].start
            kept[-1] = Clause(text[start : group.end], start, group.end)
            ranked[-1] = _stronger(ranked[-1], ranking)
        else:
            kept.append(group)
            ranked.append(ranking)
    return kept, ranked


def _is_wish(ranking: tuple[Intent, ...]) -> bool:
    return ranking[0].name not in _NO_WISH and ranking[0].confidence >= _LEAST_CONFIDENCE


def _may_be_wish(ranking: tuple[Intent, ...]) -> bool:
    """Return whether words about another order may ask for something, though none is sure what."""
    return ranking[0].name not in _NO_WISH and ranking[0].confidence >= _LEAST_UNSURE


def _stronger(first: tuple[Intent, ...], second: tuple[Intent, ...]) -> tuple[Intent, ...]:
    if _is_wish(first) != _is_wish(second):
        return first if _is_wish(first) else second
    return first if first[0].confidence >= second[0].confidence else second
