"""What endpoints.yml says of a translator, and that what it kept is erased with the rest."""

import sys
from pathlib import Path

import pytest

from bot.checking import check_everything
from bot.desk_setup import DeskRules, OpenDesk
from bot.settings import load_settings
from bot.storage.memory import memory_store
from bot.translation_setup import make_translator
from bot.yaml_source import SourceError
from desk.translation_memory import Translated, key_of
from tests.desk.house import Watch

ROOT = Path(__file__).resolve().parents[2]
SECTION = "translation:\n  kind: none\n"
OWN = """
import msgspec
from desk.translation import Translator
class Config(msgspec.Struct):
    dialect: str
class Ours(Translator):
    async def translate(self, texts, source, target): return list(texts)
    async def close(self): pass
def connect(config, transport=None): return Ours()
def nothing(config, transport=None): return 1
"""
GOOD = {
    "none": "none",
    "libretranslate, settings: {url: 'http://lt.test', key: '${LT_KEY:-}'}": "LibreTranslate",
    "libretranslate, settings: {url: 'https://lt.test', timeout_s: '4'}": "LibreTranslate",
    "deepl, settings: {key: '${LT_KEY}', targets: {en: EN-US}}": "DeepL",
    "'our_translator:connect', settings: {dialect: x}": "Ours",
}
BAD = {
    "libretransalte": "libretranslate",
    "libretranslate": "'url' is missing",
    "deepl, settings: {key: ''}": "'key' is missing",
    "deepl, settings: {key: k, colour: red}": "colour",
    "libretranslate, settings: {url: localhost}": "url",
    "libretranslate, settings: {url: 'http://x', timeout_s: 900}": "timeout_s",
    "'json:loads'": "json:loads",
    "'our_translator:nothing', settings: {dialect: x}": "is no translator",
    "none, url: 'http://x'": "unknown key 'translation.url'",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("config.yml", "endpoints.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("lexicons",):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / name).symlink_to(ROOT / "data" / name)
    (tmp_path / "our_translator.py").write_text(OWN, encoding="utf-8")
    monkeypatch.setenv("LT_KEY", "k")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("our_translator", None)


def settings_of(folder, kind):
    path = folder / "endpoints.yml"
    text = path.read_text(encoding="utf-8")
    assert SECTION in text, "none by default"
    section = f"translation: {{kind: {kind}}}\n"
    path.write_text(text.replace(SECTION, section), encoding="utf-8")
    return load_settings(folder)


@pytest.mark.parametrize("kind", GOOD)
async def test_the_translator_that_is_named_is_built(folder, kind):
    translator = make_translator(settings_of(folder, kind))
    assert (type(translator).__name__ if translator else "none") == GOOD[kind]
    if translator:
        await translator.close()


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_named_with_its_line(folder, kind):
    with pytest.raises(SourceError) as raised:
        make_translator(settings_of(folder, kind))
    assert BAD[kind] in str(raised.value)
    assert "endpoints.yml" in str(raised.value)


def test_the_check_tells_it(folder):
    settings = settings_of(folder, "libretransalte")
    found = [
        str(problem) for problem in check_everything(settings) if "translation" in str(problem)
    ]
    assert len(found) == 1
    assert "endpoints.yml" in found[0]
    assert "did you mean 'libretranslate'" in found[0]


async def test_translations_are_erased_with_the_rest(folder):
    settings = settings_of(folder, "none")
    clock = Watch()
    store = memory_store(clock)
    settings.data_dir.mkdir()
    desk = OpenDesk(settings, DeskRules(settings, "UTC"), store, clock)
    key = key_of("ich bin Lena", "de", "en")
    desk.translation.memory.put("webchat:lena", key, Translated("I am Lena"))
    erased = await desk.records.erase("webchat:lena")
    assert erased["translations"] == 1
    assert desk.translation.memory.get("webchat:lena", key) is None
    await desk.close()
    await store.close()
