"""The adapter's last run sees the same wishes in both languages, ours and others'."""

import json
import random
from zipfile import ZipFile

import pytest

from bench.understanding import adapter_packages, adapter_texts
from bench.understanding.adapter_packages import HOME, Package, PackagesAbsentError, load_packages
from bench.understanding.adapter_texts import Sampler, Sampling, Task, load_wish_tasks
from bench.understanding.assistant_wishes import load_wishes
from bench.understanding.sentence_templates import TemplateError, Templates

RULES = {"open": "open|(un)lock", "circle": "<circle>"}
SLOTS = {"room": "kitchen"}


def drawn(template, times=60):
    templates = Templates(RULES.__getitem__, SLOTS.__getitem__, random.Random(2))
    return {templates.draw(template) for _ in range(times)}


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("light on", {"light on"}),
        ("light (on|off)", {"light on", "light off"}),
        ("[the ]light", {"light", "the light"}),
        ("<open> it", {"open it", "unlock it"}),
        ("in the {room:area}", {"in the kitchen"}),
        ("((a|b)|[c ]d)  e", {"a e", "b e", "c d e", "d e"}),
        ("up|down", {"up", "down"}),
    ],
)
def test_a_template_gives_each_of_its_texts_and_no_other(template, texts):
    assert drawn(template) == texts


@pytest.mark.parametrize("template", ["(open", "<circle>", "<unknown>", "{unknown}"])
def test_a_template_that_has_no_text_is_named(template):
    with pytest.raises(TemplateError, match=r"open|circle|unknown"):
        drawn(template, times=1)


def test_our_wishes_are_filled_alike_in_both_languages():
    wishes = load_wishes()
    pairs = [pair for texts in wishes.values() for text in texts for pair in text]
    assert len(wishes) > 30
    assert not [pair for pair in pairs if "{" in "".join(pair)]
    assert all("Moby Dick" in german for english, german in pairs if "Moby Dick" in english)
    assert load_wishes() == wishes


def lay_out(folder, monkeypatch):
    """Write a skill's wheel and Home Assistant's, with a file that is in one language only."""
    skill = Package("a-skill", "1.0", "MIT")
    monkeypatch.setattr(adapter_packages, "PACKAGES", [HOME, skill])
    home = {
        language: {
            "intents": {
                "Lamp": {"data": [{"sentences": [f"<lamp> {{name}} {on}", f"<lamp> {on}"]}]}
            },
            "lists": {},
            "expansion_rules": {"lamp": lamp},
        }
        for language, lamp, on in (("en", "lamp", "on"), ("de", "Licht", "an"))
    }
    with ZipFile(folder / f"home_assistant_intents-{HOME.version}-py3.whl", "w") as wheel:
        for language, content in home.items():
            name = f"home_assistant_intents/data/{language}.json"
            wheel.writestr(name, json.dumps(content))
    with ZipFile(folder / "a_skill-1.0-py3.whl", "w") as wheel:
        wheel.writestr("a/locale/en-us/rain.intent", "# rain\nwill it rain\nrain <when>\n")
        wheel.writestr("a/locale/en-us/vocab/when.voc", "today\n")
        wheel.writestr("a/locale/de-de/rain.intent", "regnet es\nRegen in {ort}\n{unbekannt}\n")
        wheel.writestr("a/locale/de-de/alone.intent", "nur deutsch\nallein\n")


def test_packages_give_the_texts_that_both_languages_have(tmp_path, monkeypatch):
    lay_out(tmp_path, monkeypatch)
    found = load_packages(tmp_path)
    assert set(found) == {f"{HOME.name}/Lamp", "a-skill/rain"}
    assert found["a-skill/rain"]["en"] == ["rain today", "will it rain"]
    assert set(found["a-skill/rain"]["de"]) == {"regnet es", "Regen in Berlin", "Regen in Wien"}
    assert "Licht an" in found[f"{HOME.name}/Lamp"]["de"]


def test_absent_packages_are_named_with_what_gets_them(tmp_path):
    with pytest.raises(PackagesAbsentError, match=rf"pip download .*{HOME.name}=="):
        load_packages(tmp_path)


def test_the_last_run_learns_the_known_tasks_and_the_wishes(tmp_path, monkeypatch):
    lay_out(tmp_path, monkeypatch)
    monkeypatch.setattr(adapter_texts, "load_packages", lambda: load_packages(tmp_path))
    known = [Task(name, {"a": {"en": ["x", "y"]}}) for name in ("clinc150", "roboai", "own")]
    tasks = load_wish_tasks(known)
    assert sum(task.weight for task in tasks) == pytest.approx(1.0)
    sampler = Sampler(tasks, Sampling(classes=6, of_each=4, dialect_share=0.0))
    batches = {batch.task: batch for batch in (sampler.batch() for _ in range(60))}
    assert set(batches) == {task.name for task in tasks}
    assert len(set(batches["wishes"].classes)) == 6
    assert len(set(batches["wish pairs"].classes)) == 12
    assert len(batches["wish pairs"].texts) == 24
