"""The measurement of answers of solved cases: what it counts, and that it asks enough."""

import msgspec
import yaml

from bench.desk.similar import DATA, Asked, Cases, best, figures


def test_it_asks_enough_and_never_in_the_same_words():
    read = yaml.load(DATA.read_bytes(), Loader=yaml.CSafeLoader)
    cases = msgspec.convert(read, dict[str, Cases]).values()
    pairs = [pair for each in cases for pair in each.solved]
    without = [text for each in cases for text in each.none]
    assert len(pairs) >= 60
    assert len(without) >= 30
    assert len({pair.asked for pair in pairs} | {pair.again for pair in pairs}) == 2 * len(pairs)
    assert not {pair.again for pair in pairs} & set(without)


def test_what_is_counted():
    asked = [
        Asked((0.9, 0.5), 0, has_answer=True),
        Asked((0.8, 0.79), 1, has_answer=True),
        Asked((0.3, 0.2), 0, has_answer=True),
        Asked((0.6, 0.1), -1, has_answer=False),
        Asked((0.2, 0.1), -1, has_answer=False),
    ]
    found = figures(asked, 0.4)
    assert (found.shown, found.questions, found.without) == (4, 3, 2)
    assert (found.precision, found.recall, found.disturbed) == (0.5, 0.667, 0.5)
    assert 0.6 < best(asked) < 0.9
