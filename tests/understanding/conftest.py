"""Fixtures of the parser's tests: the demo data, a small shop and one trained parser."""

from pathlib import Path

import pytest

from bot.understanding.entities import EntityExtractor, EntitySettings
from bot.understanding.parser import Parser
from bot.understanding.parser_setup import ParserSettings, build_parser

ROOT = Path(__file__).parents[2]
GAZETTEER = {
    "color": {
        "blue": {"en": ["blue", "navy"], "de": ["blau", "dunkelblau"]},
        "red": {"en": ["red"], "de": ["rot"]},
        "green": {"en": ["green"], "de": ["grün"]},
        "white": {"en": ["white"], "de": ["weiß"]},
    },
    "material": {"cotton": {"en": ["cotton"], "de": ["Baumwolle"]}},
    "size": {"M": {"en": ["M", "medium"], "de": ["M", "mittel"]}},
    "product": {
        "jackets": {"en": ["jacket"], "de": ["Jacke"]},
        "coats": {"en": ["coat", "winter coat"], "de": ["Mantel", "Wintermantel"]},
        "mugs": {"en": ["mug"], "de": ["Tasse"]},
        "shirts": {"en": ["shirt"], "de": ["Hemd"]},
    },
}


@pytest.fixture(scope="session")
def extractor():
    return EntityExtractor(EntitySettings(gazetteer=GAZETTEER))


@pytest.fixture(scope="session")
def parser() -> Parser:
    """Return a parser on the repository's own data; it trains when the data changed."""
    return build_parser(
        ParserSettings(
            models_dir=ROOT / "models",
            data_dirs=(ROOT / "data",),
            entities=EntitySettings(gazetteer=GAZETTEER),
        )
    )
