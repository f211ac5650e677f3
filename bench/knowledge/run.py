"""Measures product search and answers on the demo shop: `python -m bench.knowledge.run`."""

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TypedDict

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from bench.knowledge.answers import bench_paraphrases, shop_encoders
from knowledge.answers import ANSWER_FLOOR
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.query import ProductMatch
from knowledge.sources import SourceDirs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Case(TypedDict, total=False):
    """A judged query of products.yml."""

    q: str
    lang: str
    top: str
    max: int
    min: int
    size: str
    color: list[str]
    nocolor: list[str]
    material: list[str]
    no: list[str]
    stock: bool
    attr: str


class CachedEncoder:
    """An encoder that remembers, so that search can be timed without encoding."""

    def __init__(self, encode: Callable[[list[str]], NDArray[np.float32]]) -> None:
        """Wrap an encoder."""
        self._encode = encode
        self._known: dict[tuple[str, ...], NDArray[np.float32]] = {}

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Encode texts, once."""
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._encode(texts)
        return self._known[key]


def broken_limits(case: Case, match: ProductMatch) -> list[str]:
    """Return the limits of a case that a match breaks."""
    options, attributes = match.variant.options, match.product.attributes
    material = str(attributes.get("material", options.get("material", "")))
    price = match.variant.price_minor / 100
    checks = {
        "max": price <= case.get("max", price),
        "min": price >= case.get("min", price),
        "size": "size" not in case or options.get("size") == case["size"],
        "color": "color" not in case or options.get("color") in case["color"],
        "nocolor": options.get("color") not in case.get("nocolor", []),
        "material": "material" not in case or material in case["material"],
        "no": material not in case.get("no", []),
        "stock": not case.get("stock") or match.variant.available,
        "attr": "attr" not in case or attributes.get(case["attr"]) is True,
    }
    return [name for name, kept in checks.items() if not kept]


def bench_products(library: Library) -> None:
    """Print R@1, violations of limits, refusals of nonsense and times."""
    cases: list[Case] = yaml.safe_load((HERE / "products.yml").read_text(encoding="utf-8"))
    first, violations, times = 0, 0, []
    for case in cases:
        query = library.read_query(case["q"], case["lang"])
        library.search_products(query)
        started = perf_counter()
        result = library.search_products(library.read_query(case["q"], case["lang"]))
        times.append((perf_counter() - started) * 1000)
        title = result.matches[0].product.title["en"] if result.matches else "nothing"
        is_right = bool(re.search(case["top"], title, re.IGNORECASE)) and bool(result.matches)
        broken = [name for match in result.matches for name in broken_limits(case, match)]
        first += is_right
        violations += len(broken)
        if broken or not is_right:
            print(f"  {'VIOLATES ' + str(broken) if broken else 'miss'}: {case['q']} -> {title}")
    nonsense = yaml.safe_load((HERE / "nonsense.yml").read_text(encoding="utf-8"))
    refused = 0
    for text in nonsense:
        result = library.search_products(library.read_query(str(text), "en"))
        refused += not result.matches
        if result.matches:
            print(f"  junk: {text} -> {result.matches[0].product.title['en']}")
    print(f"products: {len(cases)} queries, R@1 {first / len(cases):.3f}, violations {violations}")
    print(f"nonsense refused {refused}/{len(nonsense)}")
    print(
        f"search ms without encoding: p50 {median(times):.1f}, p95 {quantiles(times, n=20)[-1]:.1f}"
    )


def bench_answers(library: Library) -> None:
    """Print R@1, answered and refused shares for the questions of questions.yml."""
    path = HERE / "questions.yml"
    cases = yaml.safe_load(path.read_text(encoding="utf-8"))
    right = answered = 0
    for case in cases["answerable"]:
        ranked = library.rank_answers(case["q"], case["lang"], 1)
        is_right = bool(ranked) and bool(re.search(case["id"], ranked[0].topic_id))
        right += is_right
        is_answered = bool(ranked) and ranked[0].score >= ANSWER_FLOOR
        answered += is_answered
        if not (is_right and is_answered):
            found = f"{ranked[0].topic_id} {ranked[0].score:.2f}" if ranked else "nothing"
            print(f"  {'weak' if is_right else 'miss'}: {case['q']} ({case['id']}) -> {found}")
    refused = 0
    for case in cases["unanswerable"]:
        answer = library.answer(case["q"], case["lang"])
        refused += answer is None
        if answer:
            print(f"  not refused: {case['q']} -> {answer.topic_id} {answer.score:.2f}")
    total, hopeless = len(cases["answerable"]), len(cases["unanswerable"])
    print(f"questions: {total}, R@1 {right / total:.3f}, answered {answered / total:.3f}")
    print(f"unanswerable: {hopeless}, refused {refused / hopeless:.3f}")


def open_demo(data_dir: Path) -> tuple[Library, Callable[[], Library]]:
    """Return the demo shop's library, and how to open it again."""
    encoders = Encoders(**{
        name: CachedEncoder(encode)
        for name, encode in msgspec.structs.asdict(shop_encoders()).items()
        if encode is not None
    })
    dirs = SourceDirs(
        ROOT / "data" / "demo_shop", ROOT / "data" / "faq", ROOT / "data" / "policies" / "texts"
    )

    def again() -> Library:
        return Library(dirs, data_dir, ROOT / "data" / "vocabulary", encoders)

    return again(), again


def timed(label: str, action: Callable[[], object]) -> object:
    """Run an action and print how long it took."""
    started = perf_counter()
    result = action()
    print(f"{label}: {perf_counter() - started:.2f} s")
    return result


def main(parts: Iterable[str] = ("products", "answers")) -> None:
    """Run all measurements."""
    with tempfile.TemporaryDirectory() as home:
        library, again = open_demo(Path(home))
        print(timed("ingest", library.ingest))
        timed("open unchanged", again)
        library.warm()
        if "products" in parts:
            bench_products(library)
        if "answers" in parts and library.rank_answers("return", "en"):
            bench_answers(library)
            bench_paraphrases(library)


if __name__ == "__main__":
    main()
