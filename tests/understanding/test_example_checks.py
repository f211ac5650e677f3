"""Training examples that can be read and are wrong all the same."""

from pathlib import Path

import pytest

from bot.understanding import examples as loading
from bot.understanding.example_checks import (
    ENTITIES,
    MOST_EXAMPLES,
    PLACEHOLDERS,
    Written,
    check_examples,
    read_detector,
    written_examples,
)
from bot.understanding.example_files import file_problems
from bot.understanding.kernel import MOST_EXACT
from bot.understanding.normalise import words
from bot.understanding.result import Entity

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def detector():
    return read_detector(DATA, ("de", "en"))


def problems_of(tmp_path, detector=None, **skills):
    (tmp_path / "skills").mkdir()
    for name, text in skills.items():
        content = f"skill: {name}\nexamples:\n{text}"
        (tmp_path / "skills" / f"{name}.yml").write_text(content, encoding="utf-8")
    return [str(p) for p in check_examples(written_examples(tmp_path, tmp_path), detector)]


FINE = "  de:\n    - wo ist es\n    - es ist nicht da\n"


def test_a_sentence_under_two_intents_is_an_error_with_both_places(tmp_path):
    (found,) = problems_of(tmp_path, a=FINE, b="  de:\n    - etwas\n    - Wo ist es\n")
    assert found.startswith("skills/b.yml:5: error: the example “Wo ist es” also stands in 'a'")
    assert "skills/a.yml:4" in found


def test_the_same_words_with_other_signs_are_a_warning(tmp_path):
    (found,) = problems_of(tmp_path, a=FINE, b="  de:\n    - etwas\n    - Wo ist es?!\n")
    assert found.startswith("skills/b.yml:5: warning: ")
    assert "as “wo ist es”" in found


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ('""', "an empty example of 'b' (de)"),
        ('"zeig [blau](color"', "left open"),
        ('"zeig []( color)"', "marks no words"),
        ('"zeig [blau]()"', "marks no entity"),
        ('"wo ist {order_numbr}"', "did you mean 'order_number'?"),
        ('"wo ist {}"', "stands for nothing"),
        (r'"\u200b\u200d"', "an empty example of 'b' (de)"),
        (r'"\ufeff \u2060"', "an empty example of 'b' (de)"),
        ('"?! …"', "without words"),
        ('"zeig [blau](no_such_entity)"', "'blau' is marked as 'no_such_entity', which the bot"),
        ('"zeig [blau](colour)"', "did you mean 'color'?"),
        (f'"{"wort " * 6_000}"', "an example of 30000 characters: “wort wort"),
    ],
)
def test_what_an_example_cannot_say_is_a_warning_with_its_line(example, message, tmp_path):
    (found,) = problems_of(tmp_path, a=FINE, b=f"  de:\n    - etwas\n    - {example}\n    - x\n")
    assert found.startswith("skills/b.yml:5: warning: ")
    assert message in found


def test_an_intent_with_one_example_is_a_warning(tmp_path):
    (found,) = problems_of(tmp_path, a=FINE, b="  de:\n    - etwas anderes\n")
    assert found.startswith("skills/b.yml:4: warning: 'b' has one example only")


def test_examples_in_the_wrong_language_are_warnings(tmp_path, detector):
    found = problems_of(
        tmp_path,
        detector,
        a="  de:\n    - wo ist mein Paket\n    - where is my parcel\n    - ok\n    - Status TR-1\n"
        "  en:\n    - where is my order\n    - wo ist meine Bestellung\n  fr:\n    - bonjour\n",
    )
    assert [line.partition(" ")[0] for line in found] == [
        "skills/a.yml:5:", "skills/a.yml:10:", "skills/a.yml:12:",
    ]  # fmt: skip
    assert "reads like 'en'" in found[0]
    assert "'fr', which is none of the languages" in found[2]


def test_too_many_examples_are_a_warning_at_the_largest_intent():
    many = [Written(f"satz {n}", "a", "de", "a.yml", n) for n in range(MOST_EXAMPLES)]
    few = [Written(f"anders {n}", "b", "de", "b.yml", n) for n in range(3)]
    (found,) = check_examples([*few, *many], None)
    told = f"{MOST_EXAMPLES + 3} examples, {MOST_EXAMPLES} of them for 'a'"
    assert str(found).startswith(f"a.yml:0: warning: {told}; beyond {MOST_EXAMPLES} a part stands")
    assert MOST_EXAMPLES == MOST_EXACT


def test_the_examples_here_are_in_order(detector):
    assert check_examples(written_examples(DATA), detector) == []


def test_broken_files_are_left_to_the_loader(tmp_path):
    assert problems_of(tmp_path, a="  de: [", b="  de: 7\n  en: [7]\n", c=FINE) == []


@pytest.mark.parametrize("example", ["👍", "1", "zeig [blau](color)", "nimm [das zweite](ordinal)"])
def test_signs_numbers_and_marks_are_examples(example, tmp_path):
    assert not problems_of(tmp_path, a=FINE, b=f'  de:\n    - etwas\n    - "{example}"\n')


def test_files_that_hide_examples_are_errors_with_their_lines(tmp_path):
    skills = tmp_path / "skills"
    skills.mkdir()
    twice = "skill: a\nexamples:\n  en:\n    - one\n  en:\n    - two\n"
    (skills / "a.yml").write_text(twice, encoding="utf-8")
    (skills / "b.yml").write_text("# ours\nskill: a\n", encoding="utf-8")
    (skills / "c.yml").write_text("title: {}\nskill:\n", encoding="utf-8")
    (skills / "d.yml").write_text("skill: d\n", encoding="utf-8")
    (tmp_path / "out_of_scope.yml").write_text("examples:\n  de: []\n  de: []\n", encoding="utf-8")
    found = [str(problem).partition(" →")[0] for problem in file_problems(tmp_path, tmp_path)]
    assert found == [
        "skills/a.yml:5: error: 'en' stands here twice; only the last one would count",
        "skills/b.yml:2: error: the skill 'a' is also defined in skills/a.yml",
        "skills/c.yml:2: error: a skill file starts with 'skill: name'",
        "out_of_scope.yml:3: error: 'de' stands here twice; only the last one would count",
    ]
    assert [one.intent for one in written_examples(tmp_path)] == ["a"]


def test_the_files_here_are_in_order():
    assert list(file_problems(DATA)) == []


def test_entities_are_those_that_results_name():
    listed = {word for word, _, _ in words(str(Entity.__doc__).replace("_", ""))}
    assert {name.replace("_", "") for name in ENTITIES} <= listed


def test_placeholders_are_those_that_loading_fills():
    assert set(PLACEHOLDERS) == set(loading._PLACEHOLDERS)
