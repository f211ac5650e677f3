"""How well products are ranked: commercetools' catalogue, and own judged queries."""

import json
import os
from collections import Counter
from operator import or_
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import yaml

from bench.knowledge.sides import (
    ROOT,
    SIDES,
    Sides,
    demo_shop,
    mean,
    ndcg,
    reciprocal_rank,
    write_shop,
)
from bench.knowledge.vectors import KeptEncoder
from knowledge.words import fold, lookup, split_words

HERE = Path(__file__).parent
LANGUAGES = ("de", "en")
_HEAD_CHARS = 100


class Row(msgspec.Struct, frozen=True):
    """One line of the table: a set, a figure, and what each side reached; 0 to 1.

    `bound` is the most that any ranking can expect to reach.
    """

    set: str
    figure: str
    count: int
    values: dict[str, float]
    bound: float = 1.0


class DataAbsent(FileNotFoundError):
    """The shared data set is not on this machine (TRESEN_SHARED)."""


class Judged(msgspec.Struct, frozen=True):
    """A need in two languages, and the products that meet it, best grade first."""

    de: str
    en: str
    g3: tuple[int, ...]
    g2: tuple[int, ...]
    g1: tuple[int, ...]

    @property
    def grades(self) -> dict[str, int]:
        """Return each judged product's grade."""
        graded = ((3, self.g3), (2, self.g2), (1, self.g1))
        return {f"P{number}": grade for grade, numbers in graded for number in numbers}


def commercetools(encoder: KeptEncoder) -> list[Row]:
    """Ask for each product by its German name: in German descriptions, then in English texts.

    Two more rows say what more of the catalogue's texts are worth: the descriptions in both
    languages, and the whole product but for the name that is asked for. In this one the English
    name has the codes and the proper names.

    It is the ranking that is measured: what is asked for is there, though nothing has its name, so
    that search may not say that the shop has no such thing.

    Raises:
        DataAbsent: The catalogue is not there.
    """
    shared = Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared"))
    path = shared / "data" / "commercetools_catalog_de_en" / "products.jsonl"
    if not path.is_file():
        raise DataAbsent(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    found = [r for r in records if r["name"].get("de-DE") and r["description"].get("de-DE")]
    names = [str(record["name"]["de-DE"]) for record in found]
    german = [{"de": str(record["description"]["de-DE"])} for record in found]
    english = [{"en": str(record["description"]["en-US"])} for record in found]
    titles = [{"en": str(record["name"]["en-US"])} for record in found]
    # A product needs a title; the beginning of the description tells nothing more than it does.
    heads, heads_too = [_head(text) for text in german], [_head(text) for text in english]
    both = list(map(or_, german, english))
    headed = list(map(or_, heads, heads_too))
    return [
        _by_name("de name → de description", names, heads, german, encoder),
        _by_name("de name → en text", names, titles, english, encoder),
        _by_name("de name → de + en description", names, headed, both, encoder),
        _by_name("de name → all but that name", names, titles, both, encoder),
    ]


def _head(text: dict[str, str]) -> dict[str, str]:
    """Return the beginning of a text, to the last whole word."""
    return {language: part[:_HEAD_CHARS].rsplit(" ", 1)[0] for language, part in text.items()}


def _by_name(
    label: str,
    names: list[str],
    titles: list[dict[str, str]],
    bodies: list[dict[str, str]],
    encoder: KeptEncoder,
) -> Row:
    products = [
        {
            "id": f"C{number}",
            "title": title,
            "description": body,
            "variants": [{"id": f"V{number}"}],
        }
        for number, (title, body) in enumerate(zip(titles, bodies, strict=True))
    ]
    with TemporaryDirectory() as folder:
        sides = Sides(write_shop(Path(folder) / "shop", products), Path(folder) / "data", encoder)
        reached = {}
        for side in SIDES:
            read = [sides.library.read_query(name, "de") for name in names]
            queries = [msgspec.structs.replace(query, anyway=True) for query in read]
            reached[side] = mean([
                reciprocal_rank(sides.order(side, query), f"C{number}")
                for number, query in enumerate(queries)
            ])
    return Row(label, "MRR", len(names), reached, _bound(names, [*titles, *bodies]))


def _bound(names: list[str], texts: list[dict[str, str]]) -> float:
    """Return the MRR of the best ranking that knows nothing of what only the names have.

    Names are alike for it that differ by nothing but numbers, codes and made-up words that stand in
    no text: it can only put all that are alike first, in one order for all of them.
    """
    told = fold(" ".join(part for text in texts for part in text.values()))

    def is_telling(word: str) -> bool:
        is_word = any(lookup(w, la) for w in (word, word.lower()) for la in LANGUAGES)
        is_code = not word.isalpha() or word.isupper()
        return fold(word) in told.split() or (not is_code and (is_word or fold(word) in told))

    kept = [" ".join(filter(is_telling, split_words(name))).lower() or name for name in names]
    alike = Counter(kept)
    return mean([sum(1 / (n + 1) for n in range(alike[name])) / alike[name] for name in kept])


def judged(encoder: KeptEncoder) -> list[Row]:
    """Rank the demo shop's products for the queries of judged.yml."""
    cases = read_judged()
    rows = []
    with TemporaryDirectory() as folder:
        sides = Sides(demo_shop(), Path(folder), encoder)
        for language in LANGUAGES:
            reached: dict[str, list[float]] = {side: [] for side in SIDES}
            for case in cases:
                query = sides.library.read_query(getattr(case, language), language)
                for side in SIDES:
                    reached[side].append(ndcg(sides.order(side, query), case.grades))
            means = {side: mean(values) for side, values in reached.items()}
            rows.append(Row(f"judged, {language}", "nDCG@10", len(cases), means))
    both = {side: mean([row.values[side] for row in rows]) for side in SIDES}
    return [*rows, Row("judged, both", "nDCG@10", 2 * len(cases), both)]


def read_judged() -> list[Judged]:
    """Return the judged needs."""
    raw = yaml.safe_load((HERE / "judged.yml").read_text(encoding="utf-8"))
    return msgspec.convert(raw, list[Judged])
