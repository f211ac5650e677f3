"""Skill files: what is wrong is named with file, line and cure."""

import shutil

import pytest

from bot.checking import check_everything
from bot.flow_files import load_flows
from bot.settings import load_settings
from bot.yaml_source import SourceError
from tests.bot.kit import HOURS, PIZZA, ROOT, patterns_text, write_flows


def problems(folder, *skills, patterns=""):
    with pytest.raises(SourceError) as caught:
        load_flows(write_flows(folder, *skills, patterns=patterns))
    return [str(problem) for problem in caught.value.problems]


def test_a_sound_skill_loads(tmp_path):
    flows = load_flows(write_flows(tmp_path, PIZZA, HOURS))
    assert flows.flows["pizza"].asks_for("size")
    assert flows.flows["hours"].anything_else is False


@pytest.mark.parametrize(
    ("right", "wrong", "cure"),
    [
        ("  - collect: topping", "  - colect: topping", "collect"),
        ("  - collect: topping", "  - collect: toping", "topping"),
        ("    optional: true", "    optinal: true", "optional"),
        ("  - say: utter_baked", "  - say: utter_bakd", "utter_baked"),
        ("      - goto: show", "      - goto: shwo", "show"),
        ("    type: category", "    type: categry", "category"),
        ("  note: text", "  note: txt", "text"),
        ("  - action: action_plan", "  - call: hour", "hours"),
    ],
)
def test_a_typo_is_named_with_file_line_and_cure(tmp_path, right, wrong, cure):
    text = PIZZA.replace(right, wrong, 1)
    line = next(n for n, x in enumerate(text.splitlines(), 1) if x.startswith(wrong))
    found = problems(tmp_path, text, HOURS)
    matching = [x for x in found if x.startswith(f"data/skills/pizza.yml:{line}: error:")]
    assert matching, found
    assert any(cure in x.partition("→")[2] for x in matching), found


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("plan_state == 'changed'", "plan_state == ", "not a valid condition"),
        ("plan_state == 'changed'", "plan_stat == 'changed'", "plan_state"),
        ("utter_baked: {en", "baked: {en", "utter_baked"),
        ("title: {en: Order a pizza, de: Pizza bestellen}\n", "", "title"),
    ],
)
def test_other_mistakes_are_named_too(tmp_path, right, wrong, says):
    found = problems(tmp_path, PIZZA.replace(right, wrong, 1))
    assert any(says in text for text in found), found


def test_a_bare_no_is_not_a_button_title(tmp_path):
    skill = HOURS.replace('"nine to five"', "[{text: x, buttons: [{title: No, payload: /deny}]}]")
    assert any("False" in text and "quote" in text for text in problems(tmp_path, skill))


def test_broken_yaml_names_its_line(tmp_path):
    found = problems(tmp_path, "skill: x\ntitle: {en: X\nsteps: []\n")
    assert found[0].startswith("data/skills/x.yml:")


def test_a_missing_pattern_is_named(tmp_path):
    patterns = patterns_text().replace("pattern_cancelled", "pattern_canceled")
    found = problems(tmp_path, patterns=patterns)
    assert any("'pattern_cancelled' is missing" in text for text in found)


def test_the_check_command_names_a_typo_in_our_own_skills(tmp_path):
    for name in ("config.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, tmp_path)
    skipped = shutil.ignore_patterns("demo_shop", "images")
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=skipped)
    path = tmp_path / "data" / "skills" / "cancel_order.yml"
    text = path.read_text(encoding="utf-8")
    line = text.splitlines().index("  - action: action_make_plan") + 1
    path.write_text(text.replace("action: action_make_plan", "acton: action_make_plan", 1))
    settings = load_settings(tmp_path, shop_dir=ROOT / "data" / "demo_shop", environ={})
    found = [str(problem) for problem in check_everything(settings) if not problem.warning]
    assert len(found) == 1
    assert found[0].startswith(f"data/skills/cancel_order.yml:{line}: error:")
    assert "did you mean 'action'" in found[0]


def test_our_own_skills_are_sound():
    settings = load_settings(ROOT, environ={})
    assert [str(p) for p in check_everything(settings) if not p.warning] == []
