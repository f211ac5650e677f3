"""Hostile texts cost no more than their length, and signs that nobody sees change nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.understanding import clauses, refusals
from bot.understanding.clauses import ClauseSplitter
from bot.understanding.exclusions import meant
from bot.understanding.normalise import MAX_TEXT_CHARS, seen
from bot.understanding.result import Entity
from bot.understanding.standard import word_lists

LEXICON = word_lists(Path(__file__).parents[2] / "data" / "lexicons" / "clauses.yml")
NASTY = [
    "und und und, ", "and then cancel, ", "a, ", "nicht die, ", "nur nicht das, einfach ich ",
    "statt zu stornieren ", "instead of ", "die Tasse stornieren und das Hemd umtauschen ",
]  # fmt: skip


class Counting:
    """A pattern that counts the characters it is given to look at."""

    def __init__(self, pattern):
        self._pattern = pattern
        self.chars = 0

    def __getattr__(self, name):
        method = getattr(self._pattern, name)

        def counted(*args, **kwargs):
            self.chars += sum(len(each) for each in args if isinstance(each, str))
            return method(*args, **kwargs)

        return counted


def _looked_at(text, monkeypatch):
    patterns = []
    for module, name in ((clauses, "_STRONG"), (clauses, "_WORD"), (refusals, "_ZURUECK")):
        patterns.append(Counting(getattr(module, name)))
        monkeypatch.setattr(module, name, patterns[-1])
    counted = Counting(None)
    read = clauses.words

    def words(part):
        counted.chars += len(part)
        return read(part)

    monkeypatch.setattr(clauses, "words", words)
    ClauseSplitter(LEXICON).split(text)
    monkeypatch.undo()
    return counted.chars + sum(pattern.chars for pattern in patterns)


@pytest.mark.parametrize("part", NASTY)
def test_twice_the_text_is_about_twice_the_work(part, monkeypatch):
    short, long = (part * (chars // len(part)) for chars in (900, 1_800))
    assert _looked_at(long, monkeypatch) <= 2.6 * _looked_at(short, monkeypatch)


@pytest.mark.parametrize("part", NASTY)
def test_a_text_that_is_too_long_is_not_looked_into(part, monkeypatch):
    text = part * (10_000 // len(part))
    assert _looked_at(text, monkeypatch) == 0
    assert [clause.text for clause in ClauseSplitter(LEXICON).split(text)] == [text]


def test_only_the_beginning_of_a_long_text_is_put_right(parser, monkeypatch):
    looked_at = []
    corrected = parser._normaliser.corrected
    monkeypatch.setattr(
        parser._normaliser,
        "corrected",
        lambda text: looked_at.append(len(text)) or corrected(text),
    )
    parser.parse("qzxk vwyh " * 1_000)
    assert looked_at
    assert max(looked_at) <= MAX_TEXT_CHARS


def test_many_orders_are_each_set_against_their_neighbours():
    text = "TR-104711, " * 180
    orders = [
        Entity("order_number", "TR-104711", "TR-104711", n, n + 9) for n in range(0, 1980, 11)
    ]
    assert meant(orders, text) == orders


@pytest.mark.parametrize("sign", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"])
@pytest.mark.parametrize(
    ("text", "intent", "number"),
    [
        ("st~orn~iere TR-104711", "cancel_order", "TR-104711"),
        ("please can~cel TR~-1047~12", "cancel_order", "TR-104712"),
        ("wo bl~eibt mein Pa~ket TR-104713", "track_order", "TR-104713"),
        ("where is my par~cel #TR-10~4711", "track_order", "TR-104711"),
    ],
)
def test_signs_without_a_width_are_not_read(parser, sign, text, intent, number):
    text = text.replace("~", sign)
    for result in (parser.parse(text), *parser.parse_wishes(text)):
        assert result.intent.name == intent
        assert result.text == text
        (order,) = (entity for entity in result.entities if entity.type == "order_number")
        assert order.value == number
        assert text[order.start : order.end] == order.text


@pytest.mark.parametrize(
    "text", ["👨\u200d👩\u200d👧", "\u200b \u200b", "ja 👩\u200d🔧 bitte", "\ufeff"]
)
def test_signs_that_join_pictures_stay(text):
    assert seen(text) == (text, ())


def test_every_sign_that_is_left_knows_where_it_stood():
    text = "a\u200bb\u00ad\u2060c d"
    plain, places = seen(text)
    assert plain == "abc d"
    assert [text[place] for place in places] == list(plain)


def test_a_yes_with_a_hidden_sign_is_a_yes(extractor):
    found = extractor.extract(seen("T\u200bR-104711")[0], "en", datetime.now(UTC))
    assert [entity.value for entity in found] == ["TR-104711"]
