"""Our own everyday wishes to an assistant, line by line in English and German."""

import random
import re
from pathlib import Path

import msgspec
import yaml

WISHES = Path(__file__).with_name("assistant_wishes.yml")
_FILLINGS = 8
_KIND = re.compile(r"\{(\w+)\}")

Pair = tuple[str, str]


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content; every pair is an English text and the German one.

    Args:
        words: what may stand for `{kind}`, by kind.
        wishes: the texts, by what is wanted.
    """

    words: dict[str, list[Pair]]
    wishes: dict[str, list[Pair]]


def load_wishes(path: Path = WISHES) -> dict[str, list[list[Pair]]]:
    """Return by wish, for each of its texts, that text with some of the words filled in.

    Raises:
        OSError: the file cannot be read.
        ValidationError: it is of another form.
    """
    stored = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Wishes)
    numbers = random.Random(1)
    return {
        wish: [_fillings(pair, stored.words, numbers) for pair in pairs]
        for wish, pairs in stored.wishes.items()
    }


def _fillings(pair: Pair, words: dict[str, list[Pair]], numbers: random.Random) -> list[Pair]:
    kinds = dict.fromkeys(_KIND.findall(pair[0]))
    if not kinds:
        return [pair]
    found = []
    for _ in range(_FILLINGS):
        chosen = {kind: numbers.choice(words[kind]) for kind in kinds}
        english = pair[0].format_map({kind: word[0] for kind, word in chosen.items()})
        german = pair[1].format_map({kind: word[1] for kind, word in chosen.items()})
        found.append((english, german))
    return found
