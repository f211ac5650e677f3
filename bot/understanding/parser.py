"""Text → ParseResult: every part of understanding that looks at the text alone."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from bot.messages import utc_now
from bot.understanding.candidates import level_of
from bot.understanding.clauses import Clause, ClauseSplitter
from bot.understanding.entities_people import is_bare_name
from bot.understanding.exclusions import outside
from bot.understanding.fast_path import is_certain
from bot.understanding.normalise import Plain, mask, seen, squeeze
from bot.understanding.ports import (
    EntityExtractor,
    IntentClassifier,
    LanguageDetector,
    Normaliser,
    SentimentScorer,
)
from bot.understanding.rankings import Rankings
from bot.understanding.readings import (
    CONTACT,
    NAMES_GOODS,
    Reading,
    beside_contact,
    placed,
    result_of,
    values,
    within,
)
from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent, ParseResult
from bot.understanding.said_names import says_no_name
from bot.understanding.several import Piece, is_wish, merged, piece_of, separated
from bot.understanding.small_talk import blanked, small_talk
from bot.understanding.wish_cuts import bare, is_added, is_apart, pieces
from bot.understanding.wish_lists import is_one, items

_SIDE_TALK = frozenset({"insult", "thanks", "greet", "goodbye", "cancel", "hurry"})
_REFUSED = "cancel"
_YES_OR_NO = frozenset({"affirm", "deny"})
_CLEARLY = 0.5
_CLEAR = 0.75
_PLAINLY = 0.9
_SEVERAL = 2
_STORY_CHARS = 160
_STORY_CLAUSES = 3
_GRIEVANCES = frozenset({"complaint_damaged", "complaint_missing_item", "complaint_wrong_item"})
_PRAISES = "give_feedback"
_IDENTIFIES = "identify_customer"
_NUMBER = "order_number"


class Parser:
    """Reads a text on its own, without the conversation. Thread-safe; accepts any string.

    Args:
        language: detects the language.
        intents: ranks the intents.
        entities: finds values.
        sentiment: scores the mood.
        clauses: splits messages with several wishes.
        normaliser: cleans texts, and puts mistyped words right before an intent is read.
    """

    def __init__(
        self,
        language: LanguageDetector,
        intents: IntentClassifier,
        entities: EntityExtractor,
        sentiment: SentimentScorer,
        clauses: ClauseSplitter,
        normaliser: Normaliser = Plain(),  # noqa: B008 - holds nothing
    ) -> None:
        self._language = language
        self._intents = intents
        self._entities = entities
        self._sentiment = sentiment
        self._clauses = clauses
        self._normaliser = normaliser

    @property
    def clarify_level(self) -> float:
        """Return the least confidence of an intent that may be meant, in [0, 1]."""
        return level_of(self._intents)

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
        return self._felt(reading, [self._as_one(reading)])[0]

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
        return self._felt(reading, self._wishes(reading))

    def _wishes(self, said: Reading) -> list[ParseResult]:
        reading = self._without_refused(said)
        groups = self._clauses.requests(reading.cleaned)
        wanted = self._clauses.wanted(groups)
        found = wanted
        ranked: list[tuple[Intent, ...]] = []
        if len(wanted) > 1:
            numbers = [values(reading, group, _NUMBER) for group in wanted]
            found, ranked = merged(wanted, self._rank(reading, wanted), reading.cleaned, numbers)
        found, ranked = self._parted(reading, found, ranked)
        if len(found) > 1:
            pairs = zip(found, ranked, strict=True)
            return [result_of(reading, group, ranking) for group, ranking in pairs]
        return self._grievances(reading) or [self._as_one(said)]

    def _without_refused(self, reading: Reading) -> Reading:
        """Return a reading without the clauses that only say what is not wanted, if others do."""
        clauses = self._clauses.split(reading.cleaned)
        wanted = self._clauses.wanted(clauses)
        unwanted = [clause for clause in clauses if clause not in wanted]
        if not unwanted or not wanted:
            return reading
        told = blanked(reading.cleaned, unwanted)
        kept = tuple(filter(outside(unwanted), reading.entities))
        return msgspec.structs.replace(reading, cleaned=told, entities=kept)

    def _parted(
        self, reading: Reading, groups: Sequence[Clause], ranked: Sequence[tuple[Intent, ...]]
    ) -> tuple[list[Clause], list[tuple[Intent, ...]]]:
        """Part wishes in which another one hides: "where is it can I still cancel"."""
        found: list[Clause] = []
        rankings: list[tuple[Intent, ...]] = []
        for place, group in enumerate(groups):
            parts = self._clauses.wanted(pieces(group, self._clauses.ends_wish))
            clauses, own = self._listed(reading, group)
            one = is_one(group, self._clauses.names_service)
            if len(clauses) < _SEVERAL and len(parts) > 1 and not one:
                clauses, own = separated(self._pieces(reading, parts), reading.cleaned)
            if len(clauses) > 1:
                found, rankings = [*found, *clauses], [*rankings, *own]
            else:
                found.append(group)
                rankings.append(ranked[place] if ranked else self._rank(reading, [group])[0])
        return found, rankings

    def _listed(
        self, reading: Reading, group: Clause
    ) -> tuple[list[Clause], list[tuple[Intent, ...]]]:
        """Read wishes under one verb: "I'd like to cancel, exchange and get an invoice"."""
        found = items(group, self._clauses.names_service)
        if not found or any(self._clauses.refuses(item.said) for item in found):
            return [], []
        if len(self._clauses.wanted([item.clause for item in found])) < len(found):
            return [], []
        masked = [
            mask(item.said, within(reading.entities, item.clause), item.clause.start - item.start)
            for item in found
        ]
        ranked = zip(found, reading.rankings.of(masked), strict=True)
        told = [piece_of(reading, item.clause, ranking, asks=True) for item, ranking in ranked]
        return separated(told, reading.cleaned)

    def _pieces(self, reading: Reading, parts: Sequence[Clause]) -> list[Piece]:
        bared = [bare(part) for part in parts]
        return [
            piece_of(
                reading,
                clause,
                ranking,
                asks=self._clauses.asks(clause.text),
                apart=is_apart(part.text),
                added=is_added(part.text),
            )
            for part, clause, ranking in zip(parts, bared, self._rank(reading, bared), strict=True)
        ]

    def _felt(self, reading: Reading, found: Sequence[ParseResult]) -> list[ParseResult]:
        """Add the mood, last of all: by then the encoder may have made the text's vector."""
        cleaned = self._normaliser.clean(reading.text)
        kept = [e for e in reading.entities if reading.cleaned[e.start : e.end].strip()]
        ranked = reading.rankings.seen(mask(reading.cleaned, kept))
        said = blanked(cleaned, self._clauses.courtesies(cleaned))
        masked = squeeze(mask(said, [e for e in reading.entities if said[e.start : e.end].strip()]))
        told = ("", "") if is_certain(self._intents, ranked) else (masked, ranked)
        mood = self._sentiment.score(cleaned, reading.language, told)
        felt = (msgspec.structs.replace(result, sentiment=mood) for result in found)
        return [placed(result, reading) for result in felt]

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
            elif is_wish(ranking) and name != _IDENTIFIES:
                return []
        if len({ranking[0].name for _, ranking in found}) < max(_SEVERAL, len(found)):
            return []
        starts = [0, *(clause.start for clause, _ in found[1:]), len(reading.cleaned)]
        return [
            result_of(reading, Clause(reading.cleaned[start:end], start, end), ranking)
            for start, end, (_, ranking) in zip(starts[:-1], starts[1:], found, strict=True)
        ]

    def _as_one(self, reading: Reading) -> ParseResult:
        """Read the text as one wish, leaving out what the customer does not want."""
        whole = Clause(reading.cleaned, 0, len(reading.text))
        clauses = self._clauses.split(reading.cleaned)
        wanted = self._clauses.wanted(clauses)
        wanted = [c for c in wanted if not self._clauses.states_not(c.text)] or wanted
        if len(wanted) == len(clauses):
            if len(clauses) >= _STORY_CLAUSES and len(squeeze(whole.text)) > _STORY_CHARS:
                return result_of(reading, whole, self._told(reading, clauses))
            ranking = self._rank(reading, [whole])[0]
            if len(clauses) > 1 and ranking[0].name in _SIDE_TALK:
                ranking = self._beside(reading, clauses, ranking)
            return result_of(reading, whole, self._beneath(reading, whole, ranking))
        if not any(map(is_wish, self._rank(reading, wanted))):
            ranking = self._rank(reading, [whole])[0]
            refused = (Intent(_REFUSED, ranking[0].confidence),)
            said = result_of(reading, whole, refused)
            return msgspec.structs.replace(said, refused=self._refused(reading, clauses))
        strongest = self._beside(reading, wanted, self._rank(reading, wanted)[0])
        unwanted = [clause for clause in clauses if clause not in wanted]
        kept = tuple(filter(outside(unwanted), reading.entities))
        if all(entity.type != _NUMBER for entity in kept):  # "don't cancel 4711, where is it"
            orders = (entity for entity in reading.entities if entity.type == _NUMBER)
            kept = tuple(sorted((*kept, *orders), key=lambda entity: entity.start))
        found = result_of(msgspec.structs.replace(reading, entities=kept), whole, strongest)
        return msgspec.structs.replace(found, refused=self._refused(reading, unwanted))

    def _beneath(
        self, reading: Reading, whole: Clause, ranking: tuple[Intent, ...]
    ) -> tuple[Intent, ...]:
        """Return the wish beside talk that blurs it, or the fault beside praise, often ironic."""
        best = ranking[0]
        unheard = best.name == OUT_OF_SCOPE and best.confidence >= _CLEARLY
        if unheard or best.name in _SIDE_TALK or best.confidence >= _CLEAR:
            return ranking
        told = self._pieces(reading, pieces(whole, self._clauses.ends_wish))
        if best.name == _PRAISES:
            told = [piece for piece in told if piece.ranking[0].name in _GRIEVANCES]
        _, found = separated(told, reading.cleaned)
        least = _CLEARLY if best.name == _PRAISES else _PLAINLY
        clear = [r for r in found if is_wish(r) and r[0].confidence >= least]
        return clear[0] if len(clear) == 1 else ranking

    def _refused(self, reading: Reading, clauses: Sequence[Clause]) -> tuple[str, ...]:
        """Return the wishes that clauses name only to say that they are not wanted."""
        texts = [self._clauses.affirmed(clause.text) for clause in clauses]
        ranked = [r for r in reading.rankings.of(texts) if is_wish(r) or r[0].name == _REFUSED]
        meant = (next((i for i in r if i.name != _REFUSED), r[0]) for r in ranked)
        return tuple(intent.name for intent in meant)  # "to cancel" alone may stop, or cancel it

    def _told(self, reading: Reading, clauses: Sequence[Clause]) -> tuple[Intent, ...]:
        """Return the wish in a long story: of the clauses that ask, else of the surest one."""
        ranked = self._rank(reading, clauses)
        sure = [(c, r) for c, r in zip(clauses, ranked, strict=True) if is_wish(r)]
        clear = [(c, r) for c, r in sure if r[0].confidence >= _CLEARLY]
        asking = [r for c, r in clear if self._clauses.asks(c.text)]
        wishes = asking or [r for _, r in clear]
        best = max(wishes, key=lambda found: found[0].confidence, default=None)
        return best or (Intent(OUT_OF_SCOPE, _CLEARLY), *ranked[0][1:])

    def _beside(
        self, reading: Reading, clauses: Sequence[Clause], ranking: tuple[Intent, ...]
    ) -> tuple[Intent, ...]:
        """Return the surest wish among the clauses, a yes or no last, else the given ranking."""
        wishes = [found for found in self._rank(reading, clauses) if is_wish(found)]
        wishes = [found for found in wishes if found[0].name not in _YES_OR_NO] or wishes
        return max(wishes, key=lambda found: found[0].confidence, default=ranking)

    def _read(
        self, text: str, hint: str | None, now: datetime | None, expected: Sequence[str]
    ) -> Reading:
        source, (text, places) = text, seen(text)
        cleaned = self._normaliser.clean(text)
        language, language_score = self._language.detect(cleaned, hint)
        entities = self._entities.extract(cleaned, language, now or utc_now(), expected)
        rankings = Rankings(self._intents, self._normaliser)
        if any(map(is_bare_name, entities)):
            entities = _named(cleaned, entities, rankings)
        polite = self._clauses.courtesies(cleaned)
        talk, blurs, untold = self._beside_wishes(blanked(cleaned, polite), entities, rankings)
        return Reading(
            text=text,
            told=blanked(text, polite if expected else [*polite, *untold]),
            cleaned=blanked(cleaned, [*polite, *talk, *(() if expected else blurs)]),
            language=language,
            language_score=language_score,
            entities=tuple(
                msgspec.structs.replace(entity, text=text[entity.start : entity.end])
                for entity in entities
            ),
            source=source,
            places=places,
            rankings=rankings,
        )

    def _beside_wishes(
        self, cleaned: str, entities: Sequence[Entity], rankings: Rankings
    ) -> tuple[list[Clause], list[Clause], list[Clause]]:
        """Return small talk, other clauses that blur the wish, and those that name no goods."""
        clauses = self._clauses.split(cleaned)
        if len(clauses) < _SEVERAL:
            return [], [], []
        facts = [clause for clause in clauses if self._only_facts(clause, entities)]
        numbered = [c for c in clauses if any(e.type == _NUMBER for e in within(entities, c))]
        if len(numbered) > 1:  # "where is 4711? and 4712?"
            facts = [clause for clause in facts if clause not in numbered]
        masked = [mask(c.text, within(entities, c), c.start) for c in clauses]
        pairs = list(zip(clauses, rankings.of(masked), strict=True))
        rest = [pair for pair in pairs if pair[0] not in facts]
        if not any(is_wish(ranking) for _, ranking in rest):
            facts, rest = [], pairs
        talk, beside = small_talk(rest, entities, is_wish)
        named = any(
            ranking[0].name in NAMES_GOODS
            and any(e.type == "product" for e in within(entities, clause))
            for clause, ranking in rest
        )  # without a name in the wish itself, "Blanko looks nice" may hold it
        return talk, [*beside, *facts], [*talk, *facts, *(beside if named else ())]

    def _only_facts(self, clause: Clause, entities: Sequence[Entity]) -> bool:
        """Return whether a clause only says who is writing, or which order it is about."""
        told = within(entities, clause)
        if not told or not {entity.type for entity in told} <= {*CONTACT, _NUMBER}:
            return False
        spans = [Clause(entity.text, entity.start, entity.end) for entity in told]
        return self._clauses.only_facts(blanked(clause.text, spans, clause.start))

    def _rank(self, reading: Reading, parts: Sequence[Clause]) -> list[tuple[Intent, ...]]:
        nothing = (Intent(OUT_OF_SCOPE, 1.0),)
        spoken = [part for part in parts if part.text.strip()]
        kept = [e for e in reading.entities if reading.cleaned[e.start : e.end].strip()]
        masked = [
            mask(reading.cleaned[part.start : part.end], within(kept, part), part.start)
            for part in spoken
        ]
        places = ((part.start, part.end) for part in spoken)
        ranked = dict(zip(places, reading.rankings.of(masked), strict=True))
        found = [ranked.get((part.start, part.end), nothing) for part in parts]
        pairs = zip(parts, found, strict=True)
        return [self._past_contact(reading, part, ranking) for part, ranking in pairs]

    def _past_contact(
        self, reading: Reading, part: Clause, ranking: tuple[Intent, ...]
    ) -> tuple[Intent, ...]:
        """Read past contact details: "cancel it, my e-mail is …" is a cancellation."""
        if ranking[0].name != _IDENTIFIES:
            return ranking
        rest = beside_contact(reading, part)
        again = reading.rankings.of([rest])[0] if rest else ranking
        return again if is_wish(again) else ranking


def _named(cleaned: str, entities: tuple[Entity, ...], rankings: Rankings) -> tuple[Entity, ...]:
    """Leave out a bare name whose words surely say something else: "never mind"."""
    others = tuple(entity for entity in entities if not is_bare_name(entity))
    ranking = rankings.of([mask(cleaned, others)])[0]
    return others if says_no_name(cleaned, ranking) else entities
