"""Splits a message into the clauses that may each be a wish."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec

from bot.understanding.courtesies import Courtesies
from bot.understanding.normalise import fold, words
from bot.understanding.refusals import TURNS_UP, Refusals

_STRONG = re.compile(r"(?<=[?!;\n])|(?<=[a-zäöüß\d)\s]\.)(?=\s+\S)|(?<=[A-ZÄÖÜ]{3}\.)(?=\s+\S)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_MIN_LETTERS = 2
_MAX_CLAUSES = 20
_OPENING_WORDS = 3
_ASKING_WORDS = 6
_ORDER_WORDS = 9
_NO_VERB = frozenset({"order"})
"""Beside an order number: "it's order 4711" asks for nothing."""
_LISTS_ON = re.compile(r"(?:\S+\s+){1,3}(?:or|oder|noch|nor)\b", re.IGNORECASE)
_SELF = frozenset({"ich", "wir", "i", "we"})
_PLEASE = frozenset({"please", "bitte"})
_ORDER_NUMBER = re.compile(r"#?\b[A-Z]{0,3}-?\d{5,}\b")
_MAX_CHARS = 2_000
_SPLITS_KEPT = 64
_BESIDE_CHARS = 200
_EMAIL_DOT = re.compile(r"(?<!\d\d\d)\d\.$")
_ABBREVIATION = re.compile(
    r"(?:\b(?:nr|no|max|min|ca|bzw|str|dr|hr|fr|gr|inkl|zzgl|evtl|st|mr|mrs|ms)\.|str\.)$",
    re.IGNORECASE,
)


class Clause(msgspec.Struct, frozen=True):
    """A part of a text with its offsets in characters."""

    text: str
    start: int
    end: int


class _Beside(msgspec.Struct, frozen=True):
    """A place between two words, with what is said before and behind it in its sentence.

    Args:
        text: the whole text.
        end: where the word before ends.
        start: where the word behind begins.
        ends: where sentences end.
    """

    text: str
    end: int
    start: int
    ends: Sequence[int]

    @property
    def has_comma(self) -> bool:
        """Return whether a comma stands between the words."""
        return "," in self.text[self.end : self.start]

    def before(self) -> str:
        """Return the sentence up to here, or as much of it as may refuse something."""
        at = bisect_left(self.ends, self.end)
        first = self.ends[at - 1] if at else 0
        return self.text[max(first, self.end - _BESIDE_CHARS) : self.end]

    def rest(self) -> str:
        """Return the sentence from here on, or its beginning."""
        at = bisect_right(self.ends, self.start)
        last = self.ends[at] if at < len(self.ends) else len(self.text)
        return self.text[self.start : min(last, self.start + _BESIDE_CHARS)]


class ClauseSplitter:
    """Cuts at sentence ends, and at "and" or a comma where a new wish begins.

    "the blue shirt and the jeans" stays whole, because "the" begins no wish.

    Args:
        lexicon: `joints` (and, und, …), `starters` (where, cancel, ich, …), `requests`, the
            words that make a clause a request, `with_number`, those that do so beside an order
            number, `asking` words that with one of the `subjects` behind them only continue a
            sentence ("you won't believe, what a week"), `facts`, the words around contact
            details, `last_verbs` that end a German wish which begins with one of the `articles`
            ("… stornieren und das Hemd umtauschen"), `speakers` that begin wishes as well as
            statements, `services` that one verb may list, `rather` before what is wanted instead,
            and what `Refusals` needs.
        courtesies: finds the fixed phrases around a wish.
    """

    def __init__(
        self,
        lexicon: Mapping[str, Sequence[str]],
        courtesies: Courtesies = Courtesies(),  # noqa: B008 - knows no phrase
    ) -> None:
        self._courtesies = courtesies
        self._split = lru_cache(_SPLITS_KEPT)(self._cut)  # a message is asked for several times
        self._joints = frozenset(fold(word) for word in lexicon.get("joints", ()))
        self._starters = frozenset(fold(word) for word in lexicon.get("starters", ()))
        self._requests = frozenset(fold(word) for word in lexicon.get("requests", ()))
        self._with_number = frozenset(fold(word) for word in lexicon.get("with_number", ()))
        self._asking = frozenset(fold(word) for word in lexicon.get("asking", ()))
        self._subjects = frozenset(fold(word) for word in lexicon.get("subjects", ()))
        self._facts = frozenset(fold(word) for word in lexicon.get("facts", ()))
        self._last_verbs = frozenset(fold(word) for word in lexicon.get("last_verbs", ()))
        self._articles = frozenset(fold(word) for word in lexicon.get("articles", ()))
        self._rather = frozenset(fold(word) for word in lexicon.get("rather", ()))
        self._refusals = Refusals(lexicon)
        self._services = frozenset(fold(word) for word in lexicon.get("services", ()))
        self._speakers = frozenset(fold(word) for word in lexicon.get("speakers", ()))
        self._inverted = frozenset(fold(word) for word in lexicon.get("inverted", ()))

    def split(self, text: str) -> list[Clause]:
        """Return the clauses of a cleaned text; one when there is nothing to split."""
        return list(self._split(text)) if len(text) <= _MAX_CHARS else [Clause(text, 0, len(text))]

    def _cut(self, text: str) -> list[Clause]:
        cuts = sorted({0, len(text), *self._sentence_ends(text), *self._joined(text)})
        clauses = [self._bare(_trimmed(text, start, end)) for start, end in pairwise(cuts)]
        clauses = [
            clause
            for clause in clauses
            if sum(char.isalnum() for char in clause.text) >= _MIN_LETTERS
        ]
        if len(clauses) <= 1:
            return [Clause(text, 0, len(text))]
        if len(clauses) > _MAX_CLAUSES:
            rest = clauses[_MAX_CLAUSES - 1].start
            clauses = [*clauses[: _MAX_CLAUSES - 1], _trimmed(text, rest, clauses[-1].end)]
        return clauses

    def courtesies(self, text: str) -> list[Clause]:
        """Return the fixed phrases before and behind the wish of a cleaned text."""
        return [Clause(text[a:b], a, b) for a, b in self._courtesies.spans(text)]

    def requests(self, text: str) -> list[Clause]:
        """Return one clause per request; statements go with the request after them, or before.

        A text with fewer than two requests comes back whole.
        """
        clauses = self.split(text)
        wanted = [clause for clause in clauses if self._is_request(clause.text)]
        if len(wanted) < 2:
            return [Clause(text, 0, len(text))]
        groups: list[Clause] = []
        start: int | None = None
        for clause in clauses:
            if start is None and groups and clause not in wanted and _completes(clause, groups[-1]):
                first = groups[-1].start
                groups[-1] = Clause(text[first : clause.end], first, clause.end)
                continue
            start = clause.start if start is None else start
            if clause in wanted:
                groups.append(Clause(text[start : clause.end], start, clause.end))
                start = None
        if start is not None:
            last = groups[-1]
            groups[-1] = Clause(text[last.start : clauses[-1].end], last.start, clauses[-1].end)
        return groups

    def only_facts(self, text: str) -> bool:
        """Return whether a clause without its contact details says no more: "my e-mail is"."""
        return all(fold(word).split("'")[0] in self._facts for word, _, _ in words(text))

    def joined(self, text: str, clause: Clause) -> bool:
        """Return whether a clause of a text begins with "and", "then" or the like."""
        beside = [*words(text[: clause.start])[-1:], *words(clause.text)[:1]]
        return any(fold(word) in self._joints for word, _, _ in beside)

    def refuses(self, text: str) -> bool:
        """Tell whether a clause names an operation only to say that it is not wanted.

        "I don't want to cancel" refuses; "why can't I cancel" and "not the red one" do not.
        """
        return self._refusals.refuses(text)

    def wanted(self, clauses: Sequence[Clause]) -> list[Clause]:
        """Return the clauses of a text but those that only say what is not wanted."""
        return [
            clause
            for clause, following in zip(clauses, [*clauses[1:], None], strict=True)
            if not self.refuses(clause.text)
            and not (following and self._refusals.rejects(clause.text, following.text))
        ]

    def affirmed(self, text: str) -> str:
        """Return a clause that refuses a wish as that wish."""
        return self._refusals.affirmed(text)

    def states_not(self, text: str) -> bool:
        """Tell whether a clause names a fault only to say that there is none."""
        return self._refusals.states_not(text)

    def asks(self, text: str) -> bool:
        """Return whether a piece asks for something by its form: a question, a command."""
        tokens = [fold(word).split("'")[0] for word, _, _ in words(text)]
        wanted = self._starters | self._requests
        opening = wanted.intersection(tokens[:_ASKING_WORDS]) - self._speakers
        if len(tokens) > 1 and tokens[0] in self._inverted and tokens[1] in self._subjects:
            return True  # "is the parka still there"
        return bool(opening) or self._is_request(text) or any(map(self.ends_wish, tokens[-3:]))

    def ends_wish(self, word: str) -> bool:
        """Return whether a word is a verb that a German wish ends with."""
        return fold(word) in self._last_verbs

    def names_service(self, word: str) -> bool:
        """Return whether a folded word names something that a shop does: "invoice", "cancel"."""
        return word in self._services

    def _is_request(self, text: str) -> bool:
        tokens = [fold(word) for word, _, _ in words(text)]
        tokens = [token for token in tokens if token not in self._joints]
        opening, wanted = tokens[:_OPENING_WORDS], self._requests
        if _ORDER_NUMBER.search(text):  # "After that, in order 4711 I'd like …"
            opening = tokens[:_ORDER_WORDS]
            wanted = (self._requests | self._with_number) - _NO_VERB
        return (
            "?" in text
            or any(token in wanted or token.split("'")[0] in wanted for token in opening)
            or self._says_last(text)
            or bool(_PLEASE.intersection(tokens[:_ORDER_WORDS]))  # "we moved, so please put …"
        )

    def _bare(self, clause: Clause) -> Clause:
        """Drop a leading "and"."""
        first, _, rest = clause.text.partition(" ")
        joint = fold(first) in self._joints and rest.strip()
        if not joint or self._refusals.turns_from(clause.text):
            return clause
        start = clause.end - len(rest.lstrip())
        return Clause(rest.lstrip(), start, clause.end)

    def _sentence_ends(self, text: str) -> list[int]:
        ends = []
        for match in _STRONG.finditer(text):
            before = text[max(0, match.start() - 6) : match.start()]
            if not _EMAIL_DOT.search(before) and not _ABBREVIATION.search(before):
                ends.append(match.start())
        return ends

    def _joined(self, text: str) -> list[int]:
        """Return where wishes begin within sentences; the work grows with the text's length."""
        cuts = self._refusals.instead(text)
        tokens = [(fold(word), start, end) for word, start, end in words(text)]
        ends = [match.start() for match in _STRONG.finditer(text)]
        cuts += self._last_verb_cuts(tokens, ends)
        turning = [end for word, _, end in tokens if self._refusals.may_refuse(word)]
        for (_, _, end), (following, start, _) in pairwise(tokens):
            at = bisect_right(turning, end)
            if not at or turning[at - 1] < end - _BESIDE_CHARS:
                continue
            if self._turns(_Beside(text, end, start, ends), following):
                cuts.append(start)
        for (word, start, end), (following, next_start, _) in pairwise(tokens):
            if following.split("'")[0] not in self._starters or start == 0:
                continue
            gap = text[end:next_start]
            if "," in gap and self._tells(text, next_start):
                continue
            if word in self._joints or ("," in gap and self._begins_wish(text, next_start)):
                cuts.append(start if word in self._joints else next_start)
        return cuts

    def _last_verb_cuts(
        self, tokens: Sequence[tuple[str, int, int]], ends: Sequence[int]
    ) -> list[int]:
        """Cut "die Tasse stornieren und das Hemd umtauschen": German says what to do last.

        Args:
            tokens: folded words with their places.
            ends: where sentences end.
        """
        starts = [start for _, start, _ in tokens]
        cuts = []
        for at, (word, start, end) in enumerate(tokens[1:-1], start=1):
            if word not in self._joints:
                continue
            sentence = bisect_right(ends, end)
            stop = ends[sentence] if sentence < len(ends) else starts[-1] + 1
            first, last = at + 1, bisect_left(starts, stop) - 1
            ending = tokens[last][0]
            before = tokens[at - 1][0]
            ends_so = first < last and tokens[first][0] in self._articles
            if ends_so and {ending, before} <= self._last_verbs and ending != before:
                cuts.append(start)
        return cuts

    def _turns(self, beside: "_Beside", following: str) -> bool:
        """Return whether "…, just change it" says what is wanted instead of what is refused."""
        comma, opens = beside.has_comma, following in self._rather | self._asking | _SELF
        if not comma and not opens and following not in self._subjects:
            return False
        before, rest = beside.before(), beside.rest()
        if (comma or following in self._subjects) and self.states_not(before):
            return self._begins_wish(beside.text, beside.start)
        if comma and self._refusals.rejects(before, rest):
            return True
        if not comma and (not opens or self._tells(beside.text, beside.start)):
            return False
        if comma and following in TURNS_UP and self.refuses(rest.partition(",")[0]):
            return True  # "they don't fit, but I don't want to return them, have you got …"
        listed = comma and _LISTS_ON.match(rest)
        goes_on = comma and (
            self._refusals.names(rest) or self._begins_wish(beside.text, beside.start)
        )
        if listed or not (self.asks(rest) or goes_on):
            return False
        last = before.rpartition(",")[2]
        return self.refuses(last) or (comma and self.refuses(before))

    def _says_last(self, text: str) -> bool:
        """Return whether a piece ends its first sentence with what to do: "das Hemd umtauschen"."""
        tokens = [fold(word) for word, _, _ in words(_STRONG.split(text, maxsplit=1)[0])]
        return len(tokens) > 1 and tokens[0] in self._articles and tokens[-1] in self._last_verbs

    def _tells(self, text: str, start: int) -> bool:
        """Return whether "what a week that was" goes on after "you won't believe,"."""
        first, following = (
            [fold(word) for word, _, _ in words(text[start : start + 60])[:2]] + ["", ""]
        )[:2]
        return first in self._asking and following in self._subjects

    def _begins_wish(self, text: str, start: int) -> bool:
        """Tell whether a comma is followed by a clause of at least three words."""
        following = _WORD.findall(text[start : start + 60])
        return len(following) >= 3


def _completes(clause: Clause, request: Clause) -> bool:
    """Return whether a statement names the order of the request before it: "It's order 4711"."""
    return bool(_ORDER_NUMBER.search(clause.text)) and not _ORDER_NUMBER.search(request.text)


def _trimmed(text: str, start: int, end: int) -> Clause:
    part = text[start:end]
    lead = len(part) - len(part.lstrip(" ,;\n\t"))
    part = part.strip(" ,;\n\t")
    return Clause(part, start + lead, start + lead + len(part))
