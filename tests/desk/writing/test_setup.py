"""The section `language_model:` of endpoints.yml: what is wrong has its line and a cure."""

import shutil
import sys
from pathlib import Path

import pytest

from bot.settings import load_settings
from bot.writing_setup import make_model, open_writer
from bot.yaml_source import SourceError

ROOT = Path(__file__).resolve().parents[3]
OWN = """
import msgspec
from desk.writing.ports import LanguageModel

class Config(msgspec.Struct, frozen=True):
    voice: str = "low"

class Own(LanguageModel):
    def __init__(self, voice):
        self.voice = voice
    async def write(self, instructions, material):
        return self.voice

def connect(config, timeout_s):
    return Own(f"{config.voice} {timeout_s}")

def nothing(config, timeout_s):
    return None
"""


@pytest.fixture
def settings(tmp_path):
    """Return a function that loads settings with a section in endpoints.yml, from line 2 on."""

    def load(text, **environ):
        shutil.copy(ROOT / "config.yml", tmp_path)
        shutil.copytree(ROOT / "data" / "lexicons", tmp_path / "data" / "lexicons")
        (tmp_path / "endpoints.yml").write_text(f"# ours\n{text}", encoding="utf-8")
        (tmp_path / "ownmodel.py").write_text(OWN, encoding="utf-8")
        return load_settings(tmp_path, environ=environ)

    yield load
    sys.modules.pop("ownmodel", None)


@pytest.mark.parametrize("text", ["", "language_model: {kind: none}\n", "language_model: {}\n"])
def test_without_the_section_there_is_no_model(settings, text):
    assert open_writer(settings(text)) is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("language_model:\n  kind: langchian", 2, ["'langchian'", "langchain"]),
        ("language_model:\n  kind: langchain", 2, ["'model' is missing", "add model"]),
        ("language_model:\n  kind: none\n  tineout_s: 3", 4, ["tineout_s", "'timeout_s'"]),
        ("language_model:\n  kind: none\n  timeout_s: 0", 4, ["from 1 to 600"]),
        ("language_model:\n  kind: none\n  at_once: 0", 4, ["from 1 to 64"]),
        ("language_model:\n  kind: none\n  send_personal_data: maybe", 4, ["bool"]),
        (
            "language_model:\n  kind: langchain\n  settings:\n    model: 'openai:x'\n    key: x",
            6,
            ["unknown setting 'key'"],
        ),
        (
            "language_model:\n  kind: langchain\n  settings: {api_key: '${LLM_KEY}'}",
            4,
            ["no LLM_KEY", "set LLM_KEY"],
        ),
        ("language_model:\n  kind: ownmodel:nothing", 2, ["is no language model"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line(settings, text, line, said):
    with pytest.raises(SourceError) as caught:
        make_model(settings(text))
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("endpoints.yml", line)
    assert all(word in str(problem) for word in said), str(problem)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("model: 'openai'", "endpoints.yml:4: error: language_model: model: "),
        ("model: 'openai'", "write provider:model"),
        ("model: 'nobody:x'", "nobody"),
        ("model: 'anthropic:x'", "pip install langchain-anthropic"),
        ("model: 'openai:x'", "OPENAI_API_KEY"),
        ("{model: 'openai:x', base_url: 'ftp://x'}", "base_url"),
        ("{model: 'openai:x', max_tokens: 1}", "max_tokens"),
    ],
)
def test_what_is_wrong_with_the_model(settings, monkeypatch, written, said):
    pytest.importorskip("langchain_openai", reason='needs the extra "llm"')
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    inside = written.strip("{}")
    text = f"language_model:\n  kind: langchain\n  settings: {{{inside}}}"
    with pytest.raises(SourceError) as caught:
        make_model(settings(text))
    (problem,) = caught.value.problems
    assert said in str(problem), str(problem)


def test_without_the_extra_it_says_what_to_install(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    monkeypatch.delitem(sys.modules, "desk.writing.langchain_chat", raising=False)
    text = "language_model: {kind: langchain, settings: {model: 'openai:x'}}"
    with pytest.raises(SourceError) as caught:
        make_model(settings(text))
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert 'pip install "tresen[llm]"' in str(problem)


async def test_a_model_of_ones_own(settings):
    text = "language_model: {kind: 'ownmodel:connect', settings: {voice: high}, timeout_s: 9}"
    made = make_model(settings(text))
    assert await made.write("", "") == "high 9.0"


async def test_personal_data_is_hidden_by_the_shops_own_order_numbers(settings):
    loaded = settings("language_model: {kind: 'ownmodel:connect', timeout_s: 9, at_once: 3}")
    writer = open_writer(loaded)
    assert writer._limits.at_once == 3
    assert writer._hides is not None
    await writer.close()


async def test_unless_the_shop_says_otherwise(settings):
    text = "language_model: {kind: 'ownmodel:connect', send_personal_data: true}"
    writer = open_writer(settings(text))
    assert writer._hides is None
    await writer.close()
