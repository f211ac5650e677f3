"""What a message tells beside its mood: threats, hard situations, haste, insults, irony.

Phrases of `data/lexicons/sentiment.signals.yml`; no network, no model.
"""

from collections.abc import Mapping

import msgspec

from bot.understanding.sentiment_phrases import Found, Kind, PhraseFinder, compiled, replaced

_THREAT, _VULNERABLE = "threat:", "vulnerable:"


class Idioms(msgspec.Struct, frozen=True):
    """Phrases that mean something else than their words.

    Args:
        stems: parts of words by spaces, one of which occurs in every such phrase.
        phrases: the word they are read as, "" for nothing → phrases.
    """

    stems: str
    phrases: dict[str, tuple[str, ...]]


class Irony(msgspec.Struct, frozen=True):
    """Praise that is none.

    Args:
        stems: parts of words by spaces, one of which occurs in every such phrase.
        always: phrases that are never meant.
        opening: phrases that are not meant at the beginning of a message that tells trouble.
        beside_trouble: phrases that are not meant anywhere in such a message.
        trouble: the words that tell trouble.
    """

    stems: str
    always: tuple[str, ...]
    opening: tuple[str, ...]
    beside_trouble: tuple[str, ...]
    trouble: str


class SignalLexicon(msgspec.Struct, frozen=True):
    """The phrases of all signals.

    Args:
        shorthands: names that phrases may use → what they stand for.
        idioms: harmless phrases that sound grave.
        threats: kind of threat → phrases; the first kind that fits counts.
        vulnerable: kind of hard situation → phrases; the first kind that fits counts.
        urgency: phrases of haste.
        insult: phrases of abuse.
        irony: praise that is none.
        mishaps: what goes wrong with goods and deliveries, told without a word of mood.
    """

    shorthands: dict[str, str]
    idioms: Idioms
    threats: dict[str, Kind]
    vulnerable: dict[str, Kind]
    urgency: Kind
    insult: Kind
    irony: Irony
    mishaps: Kind


class Signals(msgspec.Struct, frozen=True):
    """What was found in one text; `plain` is the folded text with its `idioms` read."""

    plain: str
    idioms: tuple[Found, ...] = ()
    threat: str = ""
    vulnerable: str = ""
    urgency: bool = False
    insult: bool = False
    sarcasm: bool = False
    mishaps: int = 0


class SignalReader:
    """Finds the signals of a text, in all languages at once."""

    def __init__(self, lexicon: SignalLexicon) -> None:
        """Compile the phrases of `lexicon`.

        Raises:
            PhraseError: a phrase cannot be read.
        """
        short, idioms = lexicon.shorthands, lexicon.idioms
        readings = {word: Kind(idioms.stems, told) for word, told in idioms.phrases.items()}
        self._idioms = PhraseFinder(readings, short)
        self._threats = tuple(lexicon.threats)
        self._vulnerable = tuple(lexicon.vulnerable)
        self._finder = PhraseFinder(_kinds(lexicon), short)
        self._trouble = compiled(lexicon.irony.trouble, short)

    def read(self, folded: str) -> Signals:
        """Return what a folded text tells beside its mood."""
        idioms = self._idioms.find(folded)
        plain = replaced(folded, idioms) if idioms else folded
        found = self._finder.find(plain)
        kinds = {one.kind for one in found}
        opening = any(one.kind == "opening" and not one.start for one in found)
        praise = opening or "beside_trouble" in kinds
        return Signals(
            plain=plain,
            idioms=tuple(idioms),
            threat=next((kind for kind in self._threats if _THREAT + kind in kinds), ""),
            vulnerable=next((k for k in self._vulnerable if _VULNERABLE + k in kinds), ""),
            urgency="urgency" in kinds,
            insult="insult" in kinds,
            sarcasm="always" in kinds or (praise and self._tells_trouble(plain)),
            mishaps=sum(one.kind == "mishaps" for one in found),
        )

    def _tells_trouble(self, plain: str) -> bool:
        words = plain.split()
        return any(self._trouble.match(" ".join(words[place:])) for place in range(len(words)))


def _kinds(lexicon: SignalLexicon) -> Mapping[str, Kind]:
    irony = lexicon.irony
    return {
        **{_THREAT + name: kind for name, kind in lexicon.threats.items()},
        **{_VULNERABLE + name: kind for name, kind in lexicon.vulnerable.items()},
        "urgency": lexicon.urgency,
        "insult": lexicon.insult,
        "mishaps": lexicon.mishaps,
        "always": Kind(irony.stems, irony.always),
        "opening": Kind(irony.stems, irony.opening),
        "beside_trouble": Kind(irony.stems, irony.beside_trouble),
    }
