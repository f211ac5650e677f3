"""config.yml: what is no setting, out of range or there twice is an error with its line."""

import shutil
from pathlib import Path

import pytest

from bot.settings import load_settings
from bot.yaml_source import SourceError, YamlSource

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path):
    """Write a config.yml beside the shop's word lists and load it."""

    def load(text):
        shutil.copy(ROOT / "endpoints.yml", tmp_path)
        shutil.copytree(ROOT / "data" / "lexicons", tmp_path / "data" / "lexicons")
        (tmp_path / "config.yml").write_text(text, encoding="utf-8")
        return load_settings(tmp_path, environ={}).config

    return load


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("thresholds:\n  strat: 0.9", 2, ["thresholds.strat", "did you mean 'start'?", "digress"]),
        ("thresholds:\n  start: 5", 2, ["thresholds.start", "from 0 to 1"]),
        ("thresholds:\n  start: -1", 2, ["thresholds.start", "from 0 to 1"]),
        ("thresholds:\n  meta: .inf", 2, ["thresholds.meta", "from 0 to 1"]),
        ("thresholds:\n  clarify: .nan", 2, ["thresholds.clarify", "from 0 to 1"]),
        ("thresholds:\n  start: yes", 2, ["thresholds.start", "from 0 to 1"]),
        ("thresholds:\n  hand_off:\n    angr: .1", 3, ["hand_off.angr", "'anger'", "threat"]),
        ("thresholds:\n  hand_off:\n    anger: 3", 3, ["hand_off.anger", "from 0 to 2"]),
        (
            "thresholds:\n  hand_off:\n    threat:\n      - court\n      - lawyr",
            5,
            ["no kind 'lawyr'", "'lawyer'", "publicity"],
        ),
        ("thresholds:\n  hand_off: {vulnerable: [rain]}", 2, ["no kind 'rain'", "illness"]),
        ("languages: []", 1, ["languages", "at least one"]),
        ("languages: [de, german]", 1, ["languages.1", "codes"]),
        ("languages: [de]\nconsent_minutes: 9\nlanguages: [en]", 3, ["'languages'", "twice"]),
        ("thresholds:\n  start: 0.4\n  start: 0.5", 3, ["'start'", "twice"]),
        ("consent_minutes: 0", 1, ["consent_minutes", "from 1 to 1440"]),
        ("- languages", 1, ["a mapping"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_what_is_allowed(config, text, line, said):
    with pytest.raises(SourceError) as caught:
        config(text)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("config.yml", line)
    assert all(word in str(problem) for word in said), str(problem)


def test_the_ends_of_the_ranges_are_allowed(config):
    found = config(
        "thresholds: {start: 0, meta: 1, clarify: null, hand_off: {anger: 2, threat: []}}"
    )
    assert (found.thresholds.start, found.thresholds.hand_off.anger) == (0, 2)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("ä: 1\nö: ß\nb: x\x00y\n".encode(), 3, r"the control character U\+0000"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        (b"a: 1\nb: [\n", 3, "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(tmp_path, content, line, said):
    path = tmp_path / "a.yml"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        YamlSource.read(path, tmp_path)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("a.yml", line)
