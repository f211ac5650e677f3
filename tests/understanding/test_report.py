"""The report on training examples: cross-validation, overlaps, advice, and how it is shown."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bot.understanding.encoder import LexicalEncoder
from bot.understanding.evaluation import Case, Judged, evaluate
from bot.understanding.examples import Example
from bot.understanding.report import Basis, as_json, make_report
from bot.understanding.report_advice import advise
from bot.understanding.report_folds import KnownVectors, dealt
from bot.understanding.report_html import confusion_matrix, file_page, percent, training_page
from bot.understanding.report_overlaps import overlaps
from bot.understanding.report_text import file_lines, training_lines
from bot.understanding.result import OUT_OF_SCOPE, Intent
from bot.yaml_source import Problem

WORDS = {
    "track": ["where is my parcel {}", "has the parcel {} left", "track the parcel {}"],
    "cancel": ["cancel the order {}", "please stop the order {}", "i do not want the order {}"],
    OUT_OF_SCOPE: ["how is the weather {}", "play a song {}", "tell me about football {}"],
}
THINGS = ["today", "please", "<b>now</b>", "& then"]


def some_examples():
    texts = [
        (name, form.format(thing)) for name in WORDS for form in WORDS[name] for thing in THINGS
    ]
    texts.append(("track", "cancel the order soon"))
    return [
        Example(text, name, "en", f"/root/data/skills/{name}.yml", line)
        for line, (name, text) in enumerate(texts, 1)
    ]


@pytest.fixture(scope="module")
def report():
    problem = Problem("data/skills/track.yml", 7, "an <odd> example", "mend it", warning=True)
    basis = Basis(some_examples(), Path("/root"), [problem], ("en", "de"))
    return make_report(basis, LexicalEncoder(), str, folds=3)


def case(text="x", meant="track", line=1, language="en"):
    return Case(text, (meant,), "data/skills/a.yml", line, language)


def read_as(found, sure=0.9, **about):
    one = case(**about)
    return Judged(one, (Intent(found, sure),), one.language)


def test_every_example_is_read_once_by_a_model_that_has_not_seen_it(report):
    assert report.evaluation.whole.count == len(some_examples())
    assert report.examples == {"en": 37}
    wrong = [mistake.text for mistake in report.evaluation.mistakes]
    assert "cancel the order soon" in wrong, "its intent alone knows this sentence by heart"
    assert report.evaluation.whole.accuracy > 0.8


def test_folds_spread_intents_and_languages_evenly_and_always_alike():
    cases = [
        case(f"{name} {number}", name, language=language)
        for name in ("a", "b")
        for language in ("de", "en")
        for number in range(10)
    ]
    parts = dealt(cases, 5)
    assert parts == dealt(cases, 5)
    for part in range(5):
        members = [c for c, own in zip(cases, parts, strict=True) if own == part]
        assert len([c for c in members if (c.intents[0], c.language) == ("a", "de")]) == 2
    assert sorted(set(dealt(cases[:1], 5))) == [0]


def test_known_vectors_are_not_computed_again():
    inner = LexicalEncoder()
    known = KnownVectors(inner, {"a": np.full(inner.dim, 7, dtype=np.float32)})
    rows = known.encode(["a", "bcd", "a"])
    assert rows[0, 0] == rows[2, 0] == 7
    assert np.array_equal(rows[1], inner.encode(["bcd"])[0])
    assert (known.name, known.dim) == (inner.name, inner.dim)


def test_overlaps_name_both_places_and_put_the_misread_first(report):
    first = report.overlaps[0]
    assert first.confused
    assert {first.first.intent, first.second.intent} == {"track", "cancel"}
    assert {first.first.where, first.second.where} >= {"data/skills/track.yml:37"}


def test_overlaps_pass_over_sentences_of_one_intent():
    judged = [read_as("track", line=1), read_as("track", line=2), read_as("cancel", meant="cancel")]
    rows = np.eye(4, dtype=np.float32)
    rows[1] = rows[0]
    judged.append(read_as("stop", meant="stop"))
    assert overlaps(judged, rows, 10) == []
    rows[2] = rows[0]
    assert [pair.second.intent for pair in overlaps(judged, rows, 10)] == ["cancel", "cancel"]


def test_advice_says_which_skill_lacks_which_language(report):
    missing = {(one.skill, one.language) for one in report.advice if one.why == "missing"}
    assert missing == {("track", "de"), ("cancel", "de")}
    (one,) = (one for one in report.advice if (one.why, one.skill) == ("missing", "track"))
    assert one.task == "Write 8 examples of track in German."


def test_advice_says_what_kind_of_sentence_is_confused_and_by_which_words():
    judged = [
        read_as("track", text=f"the parcel number {n} is on its way", line=n) for n in range(20)
    ]
    judged += [read_as("late", text="why is it overdue?", line=90 + n) for n in range(3)]
    judged += [read_as("late", meant="late", text=f"it is overdue {n}") for n in range(20)]
    (found,) = (one for one in advise(judged, ["en"]) if one.why == "confused")
    assert (found.skill, found.language, found.other) == ("track", "en", "late")
    assert (found.count, found.out_of) == (3, 23)
    assert "questions" in found.kinds
    assert "overdue" in found.drawing
    assert found.shown[0] == ("why is it overdue?", "data/skills/a.yml:90")
    assert "cannot mean late, most of all" in found.task


def test_advice_tells_what_slips_in_from_what_is_kept_out():
    judged = [read_as("track", meant=OUT_OF_SCOPE, line=n) for n in range(9)]
    judged += [read_as(OUT_OF_SCOPE, line=n) for n in range(9)]
    reasons = {one.why: one for one in advise(judged, ["en"])}
    assert "data/out_of_scope.yml" in reasons["let_in"].task
    assert "9 of 9 are taken for no matter" in reasons["swallowed"].reason


class Page(HTMLParser):
    """Collects what a page holds, and whether its tags fit."""

    VOID = frozenset({"meta", "br", "line", "circle", "rect", "polyline"})

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.addresses, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "action"} and value.startswith("#"):
                self.links.append(value[1:])
            elif name in {"src", "href", "action"}:
                self.addresses.append(value)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_needs_nothing_and_escapes_what_it_shows(report):
    text = training_page(report)
    page = Page(text)
    assert page.open == []
    assert page.addresses == []
    assert "<script" not in text
    assert "url(" not in text
    assert set(page.links) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "<b>now</b>" not in text
    for shown in ("What to write next", "an <odd> example", "data/skills/track.yml:37"):
        assert shown in page.text
    assert text.count("<svg") == 3


def test_a_test_page_says_whether_it_passed():
    found = evaluate([read_as("track"), read_as("cancel")])
    assert 'class="tile fail"' in file_page(found, "tests/a.csv", 0.9)
    assert 'class="tile pass"' in file_page(found, "tests/a.csv", 0.5)
    assert 'class="tile pass"' not in file_page(found, "tests/a.csv", None)
    assert Page(file_page(evaluate([read_as("track")]), "a.csv", None)).open == []


def test_text_and_json_say_the_same(report):
    lines = "\n".join(training_lines(report))
    assert f"accuracy {percent(report.evaluation.whole.accuracy):>21}" in lines
    assert "data/skills/track.yml:37: track: cancel the order soon" in lines
    told = json.loads(as_json(report))
    assert told["advice"][0]["task"] in lines
    assert told["evaluation"]["whole"]["count"] == 37


def test_lines_cannot_steer_the_terminal():
    found = evaluate([read_as("cancel", text="a\x1b[2Jb\nc")])
    assert not any("\x1b" in line or "\n" in line for line in file_lines(found, 9))


def test_the_matrix_shows_the_worst_and_counts_the_rest():
    pairs = [(f"a{n}", f"b{n}") for n in range(15)]
    judged = [read_as(b, meant=a, line=n) for n, (a, b) in enumerate(pairs * 2)]
    judged += [read_as("b0", meant="a0")] * 3
    matrix = confusion_matrix(evaluate(judged))
    assert len(matrix.names) == 20
    row = next(row for row in matrix.rows if row.name == "a0")
    cell = next(cell for cell in row.cells if cell.name == "b0")
    assert (cell.count, cell.share) == (5, 90)
    shown = sum(cell.count for row in matrix.rows for cell in row.cells if not cell.right)
    assert shown + matrix.left_out == len(judged)


@pytest.mark.parametrize(
    ("share", "text"), [(1, "100.0 %"), (0, "0.0 %"), (0.9999, "99.9 %"), (0.0001, "0.1 %")]
)
def test_only_all_is_all(share, text):
    assert percent(share) == text
