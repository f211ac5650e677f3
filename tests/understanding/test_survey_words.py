"""What customers answer when they are asked how it was: marks, words, and what is neither."""

import pytest

from bot.understanding.survey_words import LIKELY, read_mark


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("sehr zufrieden", 5), ("Sehr zufrieden, danke!", 5), ("zufrieden", 4),
        ("bin nicht ganz zufrieden", 2), ("gar nicht zufrieden", 1), ("geht so", 3),
        ("unzufrieden", 2), ("sehr mühsam", 1), ("war alles ganz gut", 4), ("5", 5), ("eine 4", 4),
        ("drei", 3), ("4, the return was easy", 4), ("I'd give it a 4", 4), ("4 von 5", 4),
        ("fünf Sterne", 5), ("⭐⭐⭐⭐", 4), ("⭐️⭐️⭐️", 3), ("was really easy", 5),
        ("not very helpful", 2), ("not bad", 4), ("not at all", 1), ("war ok", 3),
        ("2 more shirts please", None), ("noch 2 Hemden bitte", None), ("2 shirts", None),
        ("3 pieces of P1001", None), ("5 of the blue mugs", None), ("eine Jacke", None),
        ("2 von den Hemden bitte", None), ("ok", None), ("nein danke", None), ("10", None),
        ("Was war gut daran?", None),
    ],
)  # fmt: skip
def test_how_satisfied(said, mark):
    assert read_mark(said, "rating") == mark


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("10", 10), ("8 von 10", 8), ("9 bitte", 9), ("0", 0), ("null", 0), ("auf jeden Fall", 10),
        ("sehr wahrscheinlich", 9), ("eher nicht", 3), ("definitely not", 0), ("11", None),
        ("2 more shirts please", None), ("nein", None),
    ],
)  # fmt: skip
def test_how_likely(said, mark):
    assert read_mark(said, LIKELY) == mark


def test_words_beside_another_wish_are_no_mark_but_a_number_is():
    wish = ["return_items"]
    assert read_mark("super, und ich will was zurückgeben", "rating", wish) is None
    assert read_mark("3, und ich will was zurückgeben", "rating", wish) == 3
    assert read_mark("super Service", "rating", ["give_feedback"]) == 5
