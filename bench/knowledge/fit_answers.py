"""Fits the weights of knowledge/answer_scores.py: `python -m bench.knowledge.fit_answers`.

Every wording of data/faq, and every question of data/faq/unanswered, is asked while neither it nor
the wording of the same number in the other language is there. The paraphrases have no part in it.
What holds where no unanswered questions are known is fitted with a fifth of the wordings, as a new
shop has them.
"""

import argparse
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.knowledge.answers import shop_encoders
from bench.knowledge.sides import ROOT, VOCABULARY
from knowledge.answer_scores import Likeness, Weights
from knowledge.answer_vectors import usual_questions
from knowledge.answers import AnswerFinder, Asker
from knowledge.documents import Passage
from knowledge.ingest import Encoders, passage_entries, passage_units, unit_vectors
from knowledge.lexical import LexicalIndex
from knowledge.lexicon import read_word_files
from knowledge.sources import SourceDirs, read_shop
from knowledge.store import VectorRecord, VectorTable, to_table

FOLDS = 5
_MAY_REFUSE, _MAY_REFUSE_ALONE = 0.033, 0.08
"""The share of right answers that may be refused: the most that refuses no more than 5 % of
paraphrases.yml; and that where no unanswered questions are known:
there a wrong answer is likelier, and it is worse than none."""
_PENALTY = 1e-3
Parts = NDArray[np.float64]


class Asked(msgspec.Struct, frozen=True):
    """A question that was left out, its topic ("" for none), and how alike each topic is."""

    topic: str
    topics: tuple[str, ...]
    parts: Parts


def passages() -> tuple[Passage, ...]:
    """Return the help texts of the demo shop, without those for the owners of a product."""
    data = ROOT / "data"
    dirs = SourceDirs(data / "demo_shop", data / "faq", data / "policies" / "texts")
    return tuple(p for p in read_shop(dirs)[0].passages if not p.product_ids)


def without(passage: Passage, fold: int, *, few: bool = False) -> Passage:
    """Return a passage without each wording of a fold; with `few`, with those of the next only."""
    kept = tuple(
        text
        for n, text in enumerate(passage.variants)
        if n % FOLDS != fold and (not few or n % FOLDS == (fold + 1) % FOLDS)
    )
    return msgspec.structs.replace(passage, variants=kept)


def vectors_of(texts: Sequence[Passage], encoders: Encoders) -> VectorTable:
    """Return the vectors that an ingest would store."""
    tuned = encoders.meanings is not None
    records = []
    units = list(passage_units(texts, usual_questions(VOCABULARY), tuned=tuned))
    for role, encode in encoders.by_role():
        mine = [unit for unit in units if unit.role == role]
        rows = unit_vectors(mine, encode) if mine else ()
        records += [
            VectorRecord(unit.id, unit.owner_id, unit.language, unit.hash, row)
            for unit, row in zip(mine, rows, strict=True)
        ]
    return to_table(records)


def left_out(texts: Sequence[Passage], encoders: Encoders, *, few: bool = False) -> Iterator[Asked]:
    """Yield every wording, asked while it is not there; with `few`, like in a new shop's FAQ."""
    stop_words = read_word_files(VOCABULARY).stop_words
    for fold in range(FOLDS):
        kept = [without(passage, fold, few=few) for passage in texts]
        words = LexicalIndex(":memory:", stop_words)
        words.build(passage_entries(kept))
        finder = AnswerFinder(kept, words, vectors_of(kept, encoders), encoders)
        for passage in texts:
            topic = "" if passage.is_unanswered else passage.topic_id
            for n, text in enumerate(passage.variants):
                if n % FOLDS == fold:
                    found = finder.likenesses(text, Asker(passage.language))
                    parts = np.array([one.parts() for one in found.values()])
                    yield Asked(topic, tuple(found), parts)


def fit(asked: Sequence[Asked]) -> Weights:
    """Return what ranks the right topic first, and what tells whether it is right."""
    rank = _fit_rank([one for one in asked if one.topic])
    best = [int(np.argmax(one.parts @ rank)) for one in asked]
    features = np.array([one.parts[row] for one, row in zip(asked, best, strict=True)])
    right = np.array([one.topics[row] == one.topic for one, row in zip(asked, best, strict=True)])
    answerable = np.array([bool(one.topic) for one in asked])
    used = right | ~answerable  # a wrong topic may answer as well: it says nothing
    support, bias = _fit_support(features[used], right[used])
    share = _MAY_REFUSE if features[:, -1].any() else _MAY_REFUSE_ALONE
    bias -= float(np.quantile(features[right] @ support + bias, share))
    rank[-1] = 0.0
    return Weights(tuple(rank.round(2).tolist()), tuple(support.round(2).tolist()), round(bias, 2))


def _fit_rank(asked: Sequence[Asked]) -> Parts:
    """Return the weights under which the right topic is likeliest (softmax over topics)."""
    rows = [(one.parts, one.topics.index(one.topic)) for one in asked if one.topic in one.topics]
    scale = np.concatenate([parts for parts, _ in rows]).std(axis=0) + 1e-9
    most = max(len(parts) for parts, _ in rows)
    cube = np.zeros((len(rows), most, len(scale)))
    there = np.zeros((len(rows), most), dtype=bool)
    for n, (parts, _) in enumerate(rows):
        cube[n, : len(parts)], there[n, : len(parts)] = parts / scale, True
    cube[..., -1] = 0.0  # the same for all topics
    each, right = np.arange(len(rows)), np.array([row for _, row in rows])

    def loss(weights: Parts) -> tuple[float, Parts]:
        scores = np.where(there, cube @ weights, -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        likely /= likely.sum(axis=1, keepdims=True)
        value = -np.log(likely[each, right] + 1e-12).mean() + _PENALTY * weights @ weights
        pull = np.einsum("nt,ntf->f", likely, cube) - cube[each, right].sum(axis=0)
        return float(value), pull / len(rows) + 2 * _PENALTY * weights

    return np.asarray(minimize(loss, np.ones(len(scale)), jac=True).x / scale)


def _fit_support(features: Parts, right: NDArray[np.bool_]) -> tuple[Parts, float]:
    """Return a logistic regression's weights and bias; both classes count the same."""
    share = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())
    signs = np.where(right, 1.0, -1.0)
    scale = features.std(axis=0) + 1e-9
    rows = np.hstack([features / scale, np.ones((len(features), 1))])
    penalty = np.append(np.full(len(scale), _PENALTY), 0.0)

    def loss(weights: Parts) -> tuple[float, Parts]:
        margins = signs * (rows @ weights)
        value = share @ np.logaddexp(0.0, -margins) + penalty @ weights**2
        pull = -share * signs / (1.0 + np.exp(np.clip(margins, -30, 30)))
        return float(value), rows.T @ pull + 2 * penalty * weights

    bounds = [(0.0, None)] * len(scale) + [(None, None)]  # more likeness never speaks against it
    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, bounds=bounds).x
    return np.asarray(found[:-1] / scale), float(found[-1])


def report(asked: Sequence[Asked], weights: Weights) -> str:
    """Return what the weights make of the questions that they were fitted on."""
    first = refused = kept = 0
    total = sum(bool(one.topic) for one in asked)
    for one in asked:
        order = [weights.ranked(Likeness(*_opened(row))) for row in one.parts]
        row = int(np.argmax(order))
        said = weights.supported(Likeness(*_opened(one.parts[row]))) >= 0.5
        first += bool(one.topic) and one.topics[row] == one.topic
        refused += bool(one.topic) and not said
        kept += not one.topic and not said
    return (
        f"{total} wordings left out: R@1 {first / total:.3f}, refused {refused / total:.3f}; "
        f"{len(asked) - total} unanswered: refused {kept / max(1, len(asked) - total):.3f}"
    )


def _opened(parts: Parts) -> list[float]:
    """Return the parts with the weight of the words as it was, before its logarithm."""
    values: list[float] = parts.tolist()
    values[4] = float(np.expm1(values[4]))
    return values


def _alone(one: Asked) -> Asked:
    """Return the same as if no unanswered question were known."""
    return msgspec.structs.replace(one, parts=one.parts * (1, 1, 1, 1, 1, 0))


def main() -> None:
    """Print the weights, with the tuned vectors and without."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    encoders, texts = shop_encoders(), passages()
    for name, meanings in (("TUNED", encoders.meanings), ("PLAIN", None)):
        mine = msgspec.structs.replace(encoders, meanings=meanings)
        asked = list(left_out(texts, mine))
        few = [_alone(one) for one in left_out(texts, mine, few=True)]
        for label, used in ((name, asked), (f"{name}_ALONE", few)):
            weights = fit(used)
            print(f"_{label} = {weights}\n{report(used, weights)}")


if __name__ == "__main__":
    main()
