"""Modules of a shop's own beside its config.yml, as `tresen` finds them from any folder."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.integration.server import ROOT

SKILL = "skill: {}\nexamples:\n  de:\n    - wo ist das {}\n    - ich will {}\n"
ENCODER = """
import numpy as np
from bot.understanding.encoder import Encoder

class Own(Encoder):
    name = "own"
    dim = 2
    def encode(self, texts):
        {}
    def encode_passages(self, texts):
        return self.encode(texts)

def make(workshop, *, size: int = 1):
    return Own()
"""


def tresen(root, *arguments):
    """Run a command from a folder that is neither the program's nor the shop's."""
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments, "--root", str(root)],
        cwd="/", capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    """Return what makes a root with two small skills, a pipeline, and a module `myshop.part`."""

    def made(pipeline, part=""):
        root = tmp_path / "shop"
        (root / "data" / "skills").mkdir(parents=True)
        shutil.copy(ROOT / "endpoints.yml", root)
        shutil.copytree(ROOT / "data" / "lexicons", root / "data" / "lexicons")
        for name in ("track", "stop"):
            path = root / "data" / "skills" / f"{name}.yml"
            path.write_text(SKILL.format(name, name, name), encoding="utf-8")
        (root / "config.yml").write_text(f"pipeline:\n  {pipeline}\n", encoding="utf-8")
        (root / "myshop").mkdir()
        (root / "myshop" / "part.py").write_text(part, encoding="utf-8")
        return root

    return made


def test_the_module_of_the_recipe_is_found_from_any_folder(shop):
    page = (ROOT / "docs" / "howto" / "pipeline-components.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    root = shop("entity_extractors: [rules, {name: myshop.stock, prefix: SKU}]")
    (root / "myshop" / "stock.py").write_text(code, encoding="utf-8")
    for folder in ("actions", "bot"):  # the program's own come first
        (root / folder).mkdir()
    shown = tresen(root, "check")
    assert "no module" not in shown.stdout + shown.stderr
    assert "config.yml" not in shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1].endswith("warnings"), shown.stderr
    wrong = (root / "config.yml").read_text(encoding="utf-8").replace("prefix: SKU", "prefix: 7")
    (root / "config.yml").write_text(wrong, encoding="utf-8")
    assert "config.yml:2: error: prefix: Expected `str`" in tresen(root, "check").stderr


@pytest.mark.parametrize(
    ("pipeline", "part", "said"),
    [
        ("sentiment: myshop.absent", "", ["there is no module 'myshop.absent'"]),
        ("sentiment: .x", "", ["'.x' is no path to a module"]),
        ("sentiment: myshop.part", "def make(:\n", ["SyntaxError", "part.py:1"]),
        ("sentiment: myshop.part", "x = 1\ny = absent\n", ["NameError", "part.py:2"]),
        ("sentiment: myshop.part", "import absent\n", ["no module 'absent', which myshop.part"]),
        ("sentiment: myshop.part", "raise SystemExit(3)\n", ["SystemExit: 3", "part.py:1"]),
        ("sentiment: myshop.part", "", ["myshop.part has no function make()"]),
        (
            "sentiment: {name: myshop.part, a: 1}",
            "def make(workshop, *, a: 'Absent'): ...\n",
            ["options of 'myshop.part' cannot be read", "Absent"],
        ),
        ("encoder: {name: lexical, dim: 0}", "", ["dim: Expected `int` >= 1"]),
        ("encoder: {name: lexical, dim: -3}", "", ["dim: Expected `int` >= 1"]),
    ],
)
def test_a_module_that_cannot_be_used_is_named_with_the_line_that_asks_for_it(
    shop, pipeline, part, said
):
    shown = tresen(shop(pipeline, part), "check")
    assert shown.returncode == 1
    assert shown.stderr.startswith("config.yml:2: error: ")
    assert "Traceback" not in shown.stderr
    assert all(word in shown.stderr for word in said), shown.stderr


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("class A:\n    dim = 3\ndef make(w):\n    return A()\n", "A has no name, as Encoder"),
        (ENCODER.format("...").replace("self, texts", "self"), "cannot be called with (texts)"),
        ("def make(workshop):\n    return 1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def make():\n    return 1\n", "TypeError"),
    ],
)  # fmt: skip
def test_a_component_that_cannot_do_its_part_stops_the_start_with_its_line(shop, part, said):
    shown = tresen(shop("encoder: myshop.part", part), "train")
    assert shown.returncode == 1
    assert shown.stderr.startswith("config.yml:2: error: pipeline.encoder: 'myshop.part'")
    assert said in shown.stderr


def test_more_examples_than_fit_into_memory_are_an_error_that_names_them(shop):
    hungry = ENCODER.format("raise MemoryError('Unable to allocate 9 GiB')")
    root = shop("encoder: myshop.part", hungry)
    shown = tresen(root, "train")
    assert shown.returncode == 1
    assert "4 examples, 2 of them for 'stop', do not fit into memory: Unable" in shown.stderr
    assert f"{root}/data/skills/stop.yml:4: error" in shown.stderr


@pytest.mark.parametrize("command", [["parse", "hallo"], ["run", "--port", "0"]])
def test_they_are_no_traceback_where_the_bot_trains_by_itself(shop, command):
    root = shop("encoder: myshop.part", ENCODER.format("raise MemoryError"))
    shutil.copytree(ROOT / "data", root / "data", dirs_exist_ok=True)
    for name in ("track", "stop"):
        (root / "data" / "skills" / f"{name}.yml").unlink()
    shown = tresen(root, *command)
    assert shown.returncode == 1
    assert "do not fit into memory" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_train_says_where_a_model_cannot_be_kept(shop):
    root = shop("encoder: lexical")
    (root / "models").write_text("no folder", encoding="utf-8")
    shown = tresen(root, "train")
    assert shown.returncode == 1
    assert f"{root}/models: error: the trained model cannot be kept here" in shown.stderr
    assert "Traceback" not in shown.stderr
