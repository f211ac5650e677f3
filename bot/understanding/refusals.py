"""What a clause says is not wanted: "I don't want to cancel", "it isn't broken"."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise

from bot.understanding.normalise import fold

_INSTEAD = re.compile(r"\b(?:instead\s+of|rather\s+than|anstelle\s+von|anstatt)\b", re.IGNORECASE)
_GIVE_BACK = re.compile(
    r"\b(?:send|sending|give|giving)\s+(?:(?:it|them|this|that|these|anything|(?:the|my)\s+\w+)\s+)?back\b",
    re.IGNORECASE,
)
_ZURUECK = re.compile(r"\bzur(?:ü|ue)ck\s+(?=(?:schick|geb|send)\w*)", re.IGNORECASE)
_HAVE_TO = re.compile(r"\b(do(?:n['’]?t|\s+not)|doesn['’]?t)\s+have\s+to\b", re.IGNORECASE)
_STATT = "statt"
_TURNING = frozenset({"statt", "anstatt", "anstelle", "instead", "rather"})
_COMMA_OR_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?|,")
_ADDRESS = re.compile(r"\S+@\S+|\b(?:https?://|www\.)\S+")
_MAX_CHARS = 1_000
_PHRASE_CHARS = 200
_MOST_BETWEEN = 2
_MOST_OF_PHRASE = 6
_SPEAKERS = frozenset({"ich", "wir", "i", "we"})
_NOT = frozenset({"nicht", "nich", "garnicht", "net", "ned"})
TURNS_UP = frozenset({"but", "aber"})
_POLITE = frozenset({"please", "bitte", "thanks", "danke", "thank", "you"})


class Refusals:
    """Knows the words that refuse an operation.

    Args:
        lexicon: `negators`, what is `dropping` ("forget the return"), `operations`, `fillers`
            between the two, `wished` nouns and `refused_people` that are refused only beside a
            word that is `wishing` ("I don't want a refund", but not "I got no refund"),
            `refused_infinitives`, `denials` ("I never said that I want to cancel") with what
            negates only these, `denied`, `faults`, `no_refusal` and what `fails` ("stornieren
            geht nicht").
    """

    def __init__(self, lexicon: Mapping[str, Sequence[str]]) -> None:
        def listed(*names: str) -> frozenset[str]:
            return frozenset(fold(word) for name in names for word in lexicon.get(name, ()))

        self._dropping = listed("dropping")
        self._negators = listed("negators", "dropping")
        self._operations = listed("operations", "refused_infinitives")
        self._wished = listed("wished", "refused_people")
        self._wishing = listed("wishing")
        self._fillers = listed("fillers")
        self._denials = listed("denials")
        self._saying = listed("denials", "saying")
        self._faults = listed("faults")
        self._no_refusal = listed("no_refusal")
        self._deniers = listed("negators", "denied")
        self._fails = listed("fails")

    def refuses(self, text: str) -> bool:
        """Tell whether a clause names an operation only to say that it is not wanted.

        "I don't want to cancel" refuses; "why can't I cancel" and "not the red one" do not.
        """
        told = text.strip(" ,;.!\n")
        if told and self.turns_from(told) == len(told):
            return True
        tokens = _tokens(text)
        if self._dropping.intersection(tokens) and len(self._negators.intersection(tokens)) > 1:
            return False  # "don't forget to cancel it"
        operations = self._operations
        denies = self._denies(tokens)
        if denies or self._wishing.intersection(tokens):
            operations |= self._wished
        named = [place for place, token in enumerate(tokens) if token in operations]
        if not named or "?" in text:
            return False
        fillers = self._fillers
        if denies:
            fillers |= self._saying
        elif self._no_refusal.intersection(tokens[tokens[0] in TURNS_UP :]):
            return False
        negators = self._deniers if denies else self._negators
        return all(self._is_refused(tokens, place, fillers, negators) for place in named)

    def names(self, text: str) -> bool:
        """Tell whether a clause names something that a shop does, wanted or not."""
        return bool((self._operations | self._wished).intersection(_tokens(text)))

    def may_refuse(self, word: str) -> bool:
        """Return whether there is no refusal without this word or another such."""
        return word in self._negators or word in _TURNING

    def affirmed(self, text: str) -> str:
        """Return a refusal as the wish that it refuses: "I want to cancel"."""
        dropped = self._negators | {_STATT, "instead", "rather", "than", "of"}
        return " ".join(token for token in _tokens(text) if token not in dropped)

    def rejects(self, text: str, following: str) -> bool:
        """Tell whether a few words only say what is not wanted, for the next clause to say what is.

        "no refund" before "exchange it please" does; before "where is it?" it is a complaint.
        """
        tokens = _tokens(text)
        operations = self._operations | self._wished
        known = operations | self._fillers | self._negators | _POLITE
        bare = bool(tokens) and tokens[0] in self._negators and known.issuperset(tokens)
        if not bare or not operations.intersection(tokens):
            return False
        wanted = _tokens(following)
        return bool(operations.intersection(wanted)) and not self._negators.intersection(wanted)

    def turns_from(self, text: str) -> int:
        """Return where words like "instead of cancelling it," at the start of a text end, else 0.

        Without a comma they end behind the operation.
        """
        whole, text = len(text), text[:_PHRASE_CHARS]
        lead = _INSTEAD.match(text)
        found = _COMMA_OR_WORD.finditer(text, lead.end() if lead else 0)
        tokens = list(islice(found, _MOST_OF_PHRASE))
        if not lead and (not tokens or fold(tokens.pop(0).group()) != _STATT):
            return 0
        comma = next((t.start() for t in tokens if t.group() == ","), None)
        told = [fold(t.group()) for t in tokens]
        first = next((at for at, word in enumerate(told) if word not in self._fillers), None)
        if first is not None and told[first] not in self._operations:
            first = next(  # "statt die Bestellung zu stornieren"
                (
                    at
                    for at, (one, two) in enumerate(pairwise(told), 1)
                    if one == "zu" and two in self._operations and "," not in told[:at]
                ),
                None,
            )
        if first is None:
            return 0
        named = tokens[first]
        rest = text[named.end() :].strip(" .!?")
        short = len(_tokens(rest)) < _MOST_BETWEEN + 1 and comma is None
        return whole if short else comma or named.end()

    def instead(self, text: str) -> list[int]:
        """Return where words like "instead of cancelling it" begin and end within a text."""
        cuts: list[int] = []
        for match in _COMMA_OR_WORD.finditer(text):
            if fold(match.group()).partition("'")[0] not in _TURNING:
                continue
            end = self.turns_from(text[match.start() :])  # a copy, of which little is read
            cuts += [match.start(), match.start() + end] if end else []
        return cuts

    def states_not(self, text: str) -> bool:
        """Tell whether a clause names a fault only to say that there is none."""
        tokens = _tokens(text)
        named = [place for place, token in enumerate(tokens) if token in self._faults]
        return bool(named) and all(
            self._negators.intersection(tokens[max(0, place - _MOST_BETWEEN) : place])
            for place in named
        )

    def _denies(self, tokens: Sequence[str]) -> bool:
        """Return whether somebody has not said a thing: "nie etwas gesagt", "never asked"."""
        return any(
            token in self._denials
            and self._deniers.intersection(tokens[max(0, place - _MOST_OF_PHRASE) : place])
            for place, token in enumerate(tokens)
        )

    def _is_refused(
        self, tokens: Sequence[str], place: int, fillers: frozenset[str], negators: frozenset[str]
    ) -> bool:
        known = fillers | self._operations | self._wished  # "keinen Mitarbeiter sprechen"
        before = place - 1
        while before >= 0 and tokens[before] in known:
            before -= 1
        after = place + 1
        while after < len(tokens) and tokens[after] in fillers | _SPEAKERS:
            after += 1
        follows = tokens[after] if after < len(tokens) else ""
        if (before >= 0 and tokens[before] in negators) or follows in _NOT:
            return True
        rest = tokens[place + 1 :]  # "storniert die Bestellung nicht"
        ends = bool(rest) and rest[-1] in _NOT and not (known - fillers).intersection(rest)
        return ends and not self._fails.intersection(tokens)


def _tokens(text: str) -> list[str]:
    told = _ADDRESS.sub(" ", text[:_MAX_CHARS])  # "…@example.net" does not say "net"
    told = _ZURUECK.sub("zurück", _GIVE_BACK.sub("return", told))
    told = _HAVE_TO.sub(r"\1 need", told)
    return [fold(token) for token in _COMMA_OR_WORD.findall(told)]
