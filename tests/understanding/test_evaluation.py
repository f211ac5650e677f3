"""Figures over readings, and the test files they come from."""

import pytest

from bot.understanding.evaluation import Case, Judged, NothingToJudge, evaluate
from bot.understanding.evaluation_files import read_cases
from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent
from bot.yaml_source import SourceError

KNOWN = ("cancel_order", "track_order", "greet", OUT_OF_SCOPE)


def judged(meant, found, sure=0.9, language="de", **more):
    meant = (meant,) if isinstance(meant, str) else meant
    case = Case(f"{meant} {found}", meant, "a.csv", 3, language, more.get("entities"))
    return Judged(case, (Intent(found, sure),), language, more.get("given", ()))


def test_figures_are_those_that_a_person_computes():
    found = evaluate([
        judged("greet", "greet"),
        judged("greet", "greet", language="en"),
        judged("greet", "track_order", 0.6),
        judged("track_order", "track_order"),
        judged(OUT_OF_SCOPE, OUT_OF_SCOPE),
        judged(OUT_OF_SCOPE, "greet", 0.4),
    ])
    assert found.whole.accuracy == pytest.approx(4 / 6)
    assert found.in_scope_accuracy == pytest.approx(3 / 4)
    assert found.out_of_scope_recall == pytest.approx(1 / 2)
    scores = {one.score.name: one.score for one in found.intents}
    assert scores["greet"].precision == pytest.approx(2 / 3)
    assert scores["greet"].recall == pytest.approx(2 / 3)
    assert scores["track_order"].precision == pytest.approx(1 / 2)
    assert scores["track_order"].f1 == pytest.approx(2 / 3)
    assert found.whole.macro_f1 == pytest.approx(2 / 3)
    assert {group.name: group.count for group in found.languages} == {"de": 5, "en": 1}
    (greet,) = (one for one in found.intents if one.score.name == "greet")
    assert greet.recall_by_language == {"de": pytest.approx(1 / 2), "en": 1.0}
    pairs = [(c.meant, c.found, len(c.mistakes)) for c in found.confusions]
    assert sorted(pairs) == [("greet", "track_order", 1), (OUT_OF_SCOPE, "greet", 1)]
    assert [mistake.sure for mistake in found.mistakes] == [0.6, 0.4]
    assert found.mistakes[0].where == "a.csv:3"


def test_each_of_several_intents_is_right():
    found = evaluate([judged(("greet", "track_order"), "track_order")])
    assert found.whole.accuracy == 1
    assert [one.score.name for one in found.intents] == ["track_order"]


def test_confidence_that_promises_too_much_is_an_error():
    sure = evaluate([judged("greet", "greet", 1.0), judged("greet", "track_order", 1.0)])
    assert sure.calibration_error == pytest.approx(0.5)
    fair = evaluate([judged("greet", "greet", 0.5), judged("greet", "track_order", 0.5)])
    assert fair.calibration_error == pytest.approx(0.0)


def test_entities_count_by_kind_and_span_and_only_where_the_file_marks_their_kind():
    marked = (Entity("size", "M", "M", 2, 3), Entity("size", "L", "L", 9, 10))
    given = (marked[0], Entity("size", "L", "L", 8, 10), Entity("date", "x", "x", 0, 1))
    found = evaluate([
        judged("greet", "greet", entities=marked, given=given),
        judged("greet", "greet", given=given),
    ])
    (size,) = found.entities
    assert (size.name, size.count, size.precision, size.recall) == ("size", 2, 0.5, 0.5)
    assert evaluate([judged("greet", "greet", given=given)]).entities is None


def test_nothing_cannot_be_judged():
    with pytest.raises(NothingToJudge):
        evaluate([])


FILES = {
    "a.csv": 'text,intent\nwo ist es,track_order\n"weg, damit",cancel_order\n',
    "b.csv": "\ufeffintent;text\ntrack_order;wo ist es\ncancel_order;weg, damit\n",
    "c.jsonl": '{"text": "wo ist es", "intent": "track_order"}\n\n'
    '{"text": "weg, damit", "intent": "cancel_order"}\n',
    "d.yml": "- {text: wo ist es, intent: track_order}\n- {text: 'weg, damit', is: cancel_order}\n",
    "e.yml": "- {is: track_order, de: [wo ist es]}\n- {intent: cancel_order, de: ['weg, damit']}\n",
    "f.yml": "track_order: {de: [wo ist es]}\ncancel_order: ['weg, damit']\n",
    "g.yml": 'version: "3.1"\nnlu:\n- intent: track_order\n  examples: |\n    - wo ist es\n'
    "- synonym: x\n  examples: |\n    - y\n- intent: cancel_order\n  examples: |\n"
    "    - weg, damit\n",
    "h.json": '[{"text": "wo ist es", "intent": "track_order"},\n'
    '{"text": "weg, damit", "intent": "cancel_order"}]',
}


@pytest.mark.parametrize("name", FILES)
def test_every_form_of_file_says_the_same(name, tmp_path):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    cases = read_cases(path, KNOWN, ["de", "en"])
    assert [(case.text, case.intents) for case in cases] == [
        ("wo ist es", ("track_order",)),
        ("weg, damit", ("cancel_order",)),
    ]
    content = path.read_text(encoding="utf-8-sig").splitlines()
    assert all(case.text in content[case.line - 1] for case in cases)


def test_marks_of_rasa_become_spans(tmp_path):
    path = tmp_path / "nlu.yml"
    path.write_text(
        "nlu:\n- intent: track_order\n  examples: |\n    - wo ist [TR-104711](order_number) "
        'in [blau]{"entity": "color", "value": "blue"} [1]\n',
        encoding="utf-8",
    )
    (case,) = read_cases(path, KNOWN, ["de"])
    assert case.text == "wo ist TR-104711 in blau [1]"
    assert [(e.type, e.value, case.text[e.start : e.end]) for e in case.entities] == [
        ("order_number", "TR-104711", "TR-104711"),
        ("color", "blue", "blau"),
    ]


MARKED = '{{"text": "in M", "intent": "greet", "entities": [{{"entity": "size", {}}}]}}'
BAD = [
    ("a.csv", "text,label\nx,greet\n", 1, "no column 'intent'"),
    ("a.csv", "text,intent\nhi,greet\nhi, you,greet\n", 3, "3 columns|columns"),
    ("a.csv", "text,intent\nhi,greet\n,greet\n", 3, "no text"),
    ("a.csv", 'text,intent\nhi,greet\n"open,greet\n', 3, "not valid CSV"),
    ("a.csv", "text,intent\n", 1, "no text to test"),
    ("a.csv", "text,intent\nhi,greet\nwo,trak_order\n", 3, "did you mean 'track_order'"),
    ("a.jsonl", '{"text": "hi", "intent": "greet"}\n{broken\n', 2, "not valid JSON"),
    ("a.jsonl", "[]\n", 1, "not an object"),
    ("a.jsonl", '{"text": 7, "intent": "greet"}', 1, "text is not a text"),
    (
        "a.jsonl",
        MARKED.format('"start": 3, "end": 9'),
        1,
        "the text has 4 characters",
    ),
    (
        "a.jsonl",
        MARKED.format('"start": 2, "end": 3, "text": "M"'),
        1,
        "where ' ' is",
    ),
    ("a.yml", "- {text: hi, intent: greet}\n- {is: greet, de: [yes]}\n", 2, "put it in quotes"),
    ("a.yml", "- {text: hi, intent: greet}\n- greet\n", 2, "not a mapping"),
    ("a.yml", "nlu:\n- intent: greet\n  examples: |\n    - hi\n    ho\n", 5, "begins with"),
    ("a.yml", "nlu:\n- intent: greet\n  examples: |\n    - a [b](\n", 4, "left open"),
    ("a.yml", "nlu:\n- intent: greet\n  examples: |\n    - a [](size)\n", 4, "marks no words"),
    ("a.yml", "nlu:\n- intent: greet\n  examples: |\n    - a [b]()\n", 4, "marks no entity"),
    ("a.yml", "nlu:\n- intent: greet\n", 2, "has no examples"),
    ("a.yml", "a: [\n", 2, "not valid YAML"),
    ("a.txt", "hi\n", 1, "no known kind"),
]


@pytest.mark.parametrize(("name", "content", "line", "message"), BAD)
def test_a_bad_file_is_told_with_file_and_line(name, content, line, message, tmp_path):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=message) as raised:
        read_cases(path, KNOWN, ["de", "en"])
    assert str(raised.value).startswith(f"{path}:{line}: error: ")


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,intent\nhi,greet\ngrüß dich,greet\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"a.csv:3: error: not UTF-8"):
        read_cases(path, KNOWN, ["de"])


def test_many_problems_are_told_in_short(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,intent\n" + ",greet\n" * 50_000, encoding="utf-8")
    with pytest.raises(SourceError, match="49980 more like these") as raised:
        read_cases(path, KNOWN, ["de"])
    assert len(str(raised.value).splitlines()) == 21
