"""The understanding bench computes its figures right, and both sides get the same rows."""

import argparse
import json
import math

import numpy as np
import pytest
import yaml

from bench.understanding import rasa_peer, sets
from bench.understanding.__main__ import keep
from bench.understanding.data import (
    OUTSIDE,
    DataAbsentError,
    Row,
    Span,
    Split,
    bio_spans,
    first_of_each,
)
from bench.understanding.dates import find_dates, true_dates
from bench.understanding.figures import Figures, Outcome, Said, Taken, cost, score
from bench.understanding.metrics import (
    accuracy,
    best_threshold,
    macro_f1,
    micro_f1,
    outside_figures,
    overlap_f1,
    pearson,
    percentile,
    with_threshold,
)
from bench.understanding.ours import answer, train_once
from bench.understanding.projects import stratified, unmark
from bench.understanding.several import one_fold
from bench.understanding.table import TARGETS, table, verdict, verdicts
from bench.understanding.vectors import KeptEncoder
from bot.understanding.encoder import LexicalEncoder

COST = cost(Taken([3.0, 3.0, 9.0], [2.0, 2.0, 2.0]), 150.0, 2.0, 1.0, 0.5)


class CountingEncoder(LexicalEncoder):
    """Says how many texts it computed."""

    def __init__(self):
        super().__init__(64)
        self.computed = 0

    def encode(self, texts):
        self.computed += len(texts)
        return super().encode(texts)


def test_accuracy_and_macro_f1_of_a_case_counted_by_hand():
    gold, said = ["a", "a", "b", "c"], ["a", "b", "b", "d"]
    assert accuracy(gold, said) == pytest.approx(0.5)
    # a: p 1, r 1/2 → 2/3 · b: p 1/2, r 1 → 2/3 · c and d: 0
    assert macro_f1(gold, said) == pytest.approx((2 / 3 + 2 / 3) / 4)
    assert not accuracy([], [])
    assert not macro_f1([], [])


def test_macro_and_micro_f1_agree_with_scikit_learn_where_it_is_installed():
    sklearn = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(3)
    gold, said = (draw.choice(list("abcdefg"), 200).tolist() for _ in range(2))
    assert macro_f1(gold, said) == pytest.approx(sklearn.f1_score(gold, said, average="macro"))
    true, told = (draw.random((50, 6)) < 0.3 for _ in range(2))
    expected = sklearn.f1_score(true, told, average="micro")
    found = [[np.flatnonzero(row).tolist() for row in rows] for rows in (true, told)]
    assert micro_f1(*found) == pytest.approx(expected)


def test_micro_f1_over_several_labels():
    assert micro_f1([{"a", "b"}, {"c"}], [{"a"}, {"c", "d"}]) == pytest.approx(4 / 6)
    assert micro_f1([set()], [set()]) == pytest.approx(1)


def test_slots_count_exactly_or_by_overlap_of_one_type():
    gold = [[Span(0, 5, "date"), Span(6, 9, "city")]]
    said = [[Span(2, 5, "date"), Span(6, 9, "person")]]
    assert not micro_f1(gold, said)
    assert overlap_f1(gold, said) == pytest.approx(0.5)


def test_pearson_and_percentiles():
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert pearson([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert not pearson([1, 1, 1], [1, 2, 3])
    values = list(map(float, range(1, 101)))
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (
        50,
        99,
        7,
    )


def test_the_threshold_weighs_accuracy_in_scope_and_recall_outside():
    gold = ["a", "b", OUTSIDE, OUTSIDE]
    ranked = [("a", 0.9), ("b", 0.6), ("a", 0.5), ("b", 0.2)]
    threshold = best_threshold(gold, ranked)
    assert 0.5 < threshold <= 0.6
    assert outside_figures(gold, with_threshold(ranked, threshold)) == (1.0, 1.0)
    assert outside_figures(gold, with_threshold(ranked, 0.95)) == (0.0, 1.0)


def test_tags_on_tokens_become_places_in_the_text():
    text = "Wird es morgen früh regnen, in Bern?"
    tokens = ["Wird", "es", "morgen", "früh", "regnen", ",", "in", "Bern", "?"]
    tags = ["O", "O", "B-datetime", "I-datetime", "O", "O", "O", "I-location", "O"]
    spans = bio_spans(text, tokens, tags)
    assert [(text[span.start : span.end], span.type) for span in spans] == [
        ("morgen früh", "datetime"),
        ("Bern", "location"),
    ]


def test_the_first_of_each_intent():
    rows = [Row(str(number), "ab"[number % 2], "en") for number in range(9)]
    assert [row.text for row in first_of_each(rows, 2)] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("name", ["banking77", "banking77-10", "clinc150", "xsid-de", "roboai-en"])
def test_an_absent_set_says_where_it_is_looked_for(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TRESEN_SHARED", str(tmp_path))
    with pytest.raises(DataAbsentError, match="TRESEN_SHARED"):
        sets.load_split(name)


def test_clinc_is_read_with_its_out_of_scope_texts(tmp_path, monkeypatch):
    monkeypatch.setenv("TRESEN_SHARED", str(tmp_path))
    folder = tmp_path / "data" / "clinc150"
    folder.mkdir(parents=True)
    lines = [
        {"text": f"{label} {split}", "label": label, "lang": "en", "split": split}
        for split in ("train", "val", "test")
        for label in ("pay", "oos")
    ]
    (folder / "clinc150_full.jsonl").write_text("\n".join(map(json.dumps, lines)))
    split = sets.load_split("clinc150")
    assert [row.label for row in split.train] == ["pay", OUTSIDE]
    assert [row.text for row in split.dev] == ["pay val", "oos val"]
    assert [row.text for row in split.tests[""]] == ["pay test", "oos test"]


@pytest.mark.shared
def test_the_real_sets_have_their_known_sizes(shared_data):
    sizes = {name: sets.load_split(name) for name in ("banking77", "banking77-10", "xsid-de")}
    assert [len(sizes[name].train) for name in sizes] == [10_003, 770, 300]
    assert {len(rows) for rows in sizes["xsid-de"].tests.values()} == {500}
    assert shared_data.is_dir()


def test_marks_of_slots_leave_and_come_back():
    text = 'Pay [50 euros](amount) to [Bo]{"entity": "person", "role": "to"} [now](time:today)'
    plain, spans = unmark(text)
    assert plain == "Pay 50 euros to Bo now"
    assert [(plain[s.start : s.end], s.type) for s in spans] == [
        ("50 euros", "amount"),
        ("Bo", "person"),
        ("now", "time"),
    ]
    again, same = unmark(rasa_peer.marked(Row(plain, "pay", "en", spans=spans)))
    assert (again, same) == (plain, spans)


def test_what_rasa_would_read_as_notation_keeps_its_length():
    row = Row("see [this](here)\n{now}", "a", "en")
    assert unmark(rasa_peer.marked(row)) == ("see ‹this›‹here› ‹now›", ())


def test_rasas_training_file_holds_every_row_under_its_intent():
    rows = [Row("hi: there", "a/b", "en"), Row("- bye", "c", "en"), Row("hey", "a/b", "en")]
    extra = yaml.safe_dump([{"synonym": "x", "examples": "- y\n"}])
    content = yaml.safe_load(rasa_peer.training_file(Split("s", rows, {}, extra=extra)))["nlu"]
    assert content[0]["examples"] == "- hi: there\n- hey\n"
    assert "/" not in content[0]["intent"]  # Rasa would read it as a retrieval intent
    assert [list(section)[-1] for section in content][1:] == ["intent", "synonym"]


def test_the_split_of_a_project_is_stratified_and_always_the_same():
    rows = [Row(f"{label} {number}", label, "en") for label in "ab" for number in range(20)]
    train, test = stratified(rows, 0.2, 5)
    assert sorted(row.label for row in test) == ["a"] * 4 + ["b"] * 4
    assert not {row.text for row in train} & {row.text for row in test}
    assert stratified(rows[::-1], 0.2, 5) == (train, test)


def test_kept_vectors_are_not_computed_again(tmp_path):
    inner, path = CountingEncoder(), tmp_path / "deep" / "vectors.npz"
    first = KeptEncoder(inner, path)
    rows = first.encode(["one", "two", "one"])
    first.save()
    assert inner.computed == 2
    assert first.cost.clock > 0
    again = KeptEncoder(CountingEncoder(), path)
    assert np.allclose(again.encode(["two"]), rows[1:2])
    assert 0 < again.cost.clock < first.cost.clock  # of what was asked for, as it cost then
    path.write_bytes(b"broken")
    assert KeptEncoder(inner, path).encode(["one"]).shape == (1, 64)


@pytest.fixture
def lexical(monkeypatch):
    monkeypatch.setattr("bench.understanding.ours.make_encoder", lambda *_: LexicalEncoder())


@pytest.mark.usefixtures("lexical")
def test_our_side_learns_and_answers(tmp_path):
    words = {"track": "where is my parcel", "cancel": "cancel the order", OUTSIDE: "sing a song"}
    train = [
        Row(f"{text} {end}", label, "en")
        for label, text in words.items()
        for end in ("now", "please", "today", "soon", "for me")
    ]
    test = [Row(f"{text} quickly", label, "en") for label, text in words.items()]
    split = Split("own", train, {"": test}, dev=test)
    trained = train_once(split, tmp_path, tmp_path / "kept.npz")
    rows = score(split, "tresen", Outcome(trained.tests, COST, trained.dev))
    assert rows[0].accuracy == pytest.approx(1)
    assert (rows[0].outside_recall, rows[0].threshold_outside_recall) == pytest.approx((1, 1))
    assert trained.tests[""][2].best in {"track", "cancel"}
    answered = answer(["where is it"], tmp_path)
    assert len(answered.taken.clock_ms) == len(answered.taken.cpu_ms) == 1
    assert answered.resident_mb > 10


def test_several_intents_in_one_text(tmp_path):
    parts = {"card": "my card", "late": "it is late", "angry": "this is bad"}
    pairs = [
        ("card",),
        ("late",),
        ("angry",),
        ("card", "late"),
        ("late", "angry"),
        ("card", "angry"),
    ]
    rows = [
        Row(f"{' and '.join(parts[label] for label in labels)} {end}", "", "en", labels)
        for end in ("now", "again", "today", "sir")
        for labels in pairs
    ]
    encoder = KeptEncoder(LexicalEncoder(), tmp_path / "kept.npz")
    test = [Row("my card and it is late here", "", "en", ("card", "late"))]
    said, seconds = one_fold(rows, test, encoder)
    assert said == [{"card", "late"}]
    assert seconds > 0


def test_figures_of_slots_and_tests_by_name():
    row = Row("on monday", "when", "de", spans=(Span(3, 9, "day"),))
    said = Said("when", "when", 0.9, (Span(3, 9, "day"),))
    split = Split("xsid-de", [row], {"de": [row], "gsw": [row]})
    tests = {"de": [said], "gsw": [Said("other", "other", 0.4)]}
    found = score(split, "rasa", Outcome(tests, COST, has_slots=True))
    assert [(one.set, one.accuracy, one.slot_f1) for one in found] == [
        ("xsid-de → de", 1.0, 1.0),
        ("xsid-de → gsw", 0.0, 0.0),
    ]
    assert score(split, "tresen", Outcome(tests, COST))[0].slot_f1 is None


def test_days_are_what_our_rules_and_the_sets_share():
    text = "Weckt mich morgen um 8 Uhr in Bern"
    spans = (Span(11, 26, "datetime"), Span(30, 34, "location"))
    found = find_dates([Row(text, "", "gsw", spans=spans)])
    assert [text[span.start : span.end] for span in found[0]] == ["morgen"]
    assert true_dates(spans) == (Span(11, 26, "datetime"),)
    assert overlap_f1([true_dates(spans)], found) == pytest.approx(1)


def test_the_table_leaves_out_what_nobody_measured_and_says_what_falls_short():
    row = Row("x", "a", "en")
    rows = score(
        Split("banking77", [row], {"": [row]}), "tresen", Outcome({"": [Said("a", "a", 1)]}, COST)
    )
    shown = table(rows)
    assert "accuracy" in shown
    assert "100.0%" in shown
    assert "Pearson" not in shown
    assert [line.rsplit("   ", 1)[1] for line in verdicts(rows)] == ["aim reached", "aim reached"]
    speed = next(target for target in TARGETS if target.figure == "ms p50")
    assert [verdict(speed, value) for value in (0.5, 2.0, math.inf)] == [
        "aim reached",
        "reached",
        "FALLS SHORT",
    ]


def test_a_later_run_of_the_day_keeps_what_the_file_holds_of_other_sets(tmp_path):
    path = tmp_path / "results" / "understanding.json"
    options = argparse.Namespace(epochs=100)
    first = [Figures("a", "tresen", 1, 1, accuracy=0.1), Figures("b", "rasa", 1, 1)]
    keep(path, first, [], options)
    keep(path, [Figures("a", "tresen", 1, 1, accuracy=0.9)], ["c: skipped"], options)
    kept = json.loads(path.read_text())
    assert [(row["set"], row.get("accuracy")) for row in kept["rows"]] == [("b", None), ("a", 0.9)]
    assert kept["skipped"] == ["c: skipped"]
    assert kept["machine"]["cores"]
