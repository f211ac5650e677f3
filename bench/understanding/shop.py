"""The whole parser on our own skills: milliseconds, memory, and the mood of product sentences.

`python -m bench.understanding.shop parse|mood FOLDER`: a process of its own, so that its memory is
the parser's and nothing else's.
"""

import argparse
import inspect
import sys
import time
from itertools import islice
from pathlib import Path

import msgspec
import psutil

from actions.commerce import models
from actions.commerce.words import shop_gazetteer
from bench.serve_messages import messages
from bench.understanding.data import ROOT, product_reviews
from bench.understanding.figures import Taken
from bench.understanding.train_sentiment import TEST_FOLD
from bot.understanding.entities import EntitySettings
from bot.understanding.parser import Parser
from bot.understanding.parser_setup import ParserSettings, build_parser
from bot.understanding.pipeline import Pipeline
from bot.understanding.standard import linear

SHOP = ROOT / "data" / "demo_shop"
_SEED = 8
_SWITCH = "fast_path"


class Parsed(msgspec.Struct, frozen=True):
    """What the parser needs: the time of each message, its memory, the seconds to get ready."""

    taken: Taken
    resident_mb: float
    ready_s: float


class Moods(msgspec.Struct, frozen=True):
    """The score that people gave each sentence, -4 to 4, and the score that the parser gives.

    Args:
        people: of each sentence.
        parser: of each sentence.
        tuned: whether settings may have been chosen with a look at the sentence.
    """

    people: list[float]
    parser: list[float]
    tuned: list[bool]


def open_parser(*, fast_path: bool, cache: bool = True) -> Parser:
    """Return the parser as `config.yml` has it by default, or without parts of it.

    Args:
        fast_path: whether texts that are certain are answered without the encoder.
        cache: whether vectors are kept, as by default; without, the mood has none to read.
    """
    pipeline = _pipeline(Pipeline() if cache else Pipeline(encoder_cache_size=0), fast_path)
    settings = ParserSettings(
        ROOT / "models", (ROOT / "data",), pipeline=pipeline, entities=_shop()
    )
    return build_parser(settings)


def _shop() -> EntitySettings:
    """Return what the entity extractors know of the demo shop, as in the running bot."""
    info = msgspec.json.decode((SHOP / "shop.json").read_bytes(), type=models.ShopInfo)
    return EntitySettings(
        order_number_pattern=info.order_number_pattern,
        order_number_example=info.order_number_example,
        region=info.country,
        time_zone=info.time_zone,
        gazetteer=shop_gazetteer(
            msgspec.json.decode((SHOP / "vocabulary.json").read_bytes(), type=models.Vocabulary),
            msgspec.json.decode(
                (SHOP / "categories.json").read_bytes(), type=list[models.Category]
            ),
            msgspec.json.decode((SHOP / "products.json").read_bytes(), type=list[models.Product]),
        ),
    )


def has_fast_path() -> bool:
    """Return whether the intent classifier has a fast path that can be switched off."""
    return _SWITCH in inspect.signature(linear).parameters


def _pipeline(pipeline: Pipeline, fast_path: bool) -> Pipeline:
    if fast_path:
        return pipeline
    chosen = msgspec.structs.replace(pipeline.intent_classifier, options={_SWITCH: False})
    return msgspec.structs.replace(pipeline, intent_classifier=chosen)


def parse(count: int, *, fast_path: bool, cache: bool = True) -> Parsed:
    """Parse what customers write, one message at a time, each for the first time.

    Vectors are kept as in a shop, so that words which came before cost nothing; no message comes
    twice.
    """
    texts = list(islice(messages(SHOP, _SEED), count))
    started_s = time.perf_counter()
    parser = open_parser(fast_path=fast_path, cache=cache)
    ready_s = time.perf_counter() - started_s
    taken = Taken([], [])
    for text in texts:
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        parser.parse(text)
        taken.clock_ms.append((time.perf_counter() - started_s) * 1e3)
        taken.cpu_ms.append((time.process_time() - started_cpu_s) * 1e3)
    return Parsed(taken, psutil.Process().memory_info().rss / 1e6, ready_s)


def moods() -> Moods:
    """Score the sentences on products that 20 people scored."""
    rows = product_reviews()
    parser = open_parser(fast_path=True)
    return Moods(
        people=[row.score for row in rows],
        parser=[parser.parse(row.text, "en").sentiment.score for row in rows],
        tuned=[row.number % TEST_FOLD != 0 for row in rows],
    )


def main() -> int:
    """Do what the arguments say and write the outcome into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("parse", "mood"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--no-fast-path", action="store_true")
    parser.add_argument("--no-cache", action="store_true")
    options = parser.parse_args()
    outcome: msgspec.Struct = (
        moods()
        if options.what == "mood"
        else parse(options.messages, fast_path=not options.no_fast_path, cache=not options.no_cache)
    )
    (options.folder / f"{options.what}.json").write_bytes(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
