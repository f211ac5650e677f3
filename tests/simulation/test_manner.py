"""How customers talk: the same dice say the same, and what is copied is never mistyped."""

import random

import pytest

from simulation.phrases import Phrases
from simulation.report import pass_hat
from simulation.typos import bare, keep, mistyped
from simulation.voice import STYLES, Voice

TEXT = f"Please send {keep('TR-104711')} to {keep('Mühlgasse 5')}, my address is wonderful"


def test_what_is_kept_is_never_mistyped():
    for seed in range(60):
        said = bare(mistyped(TEXT, random.Random(seed)))
        assert "TR-104711" in said
        assert "Mühlgasse 5" in said


def test_most_texts_have_mistakes_and_all_stay_readable():
    said = [bare(mistyped(TEXT, random.Random(seed))) for seed in range(60)]
    assert sum(text != bare(TEXT) for text in said) > 40
    assert all(abs(len(text) - len(bare(TEXT))) <= 6 for text in said)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_dice_say_the_same(style, language):
    def speech():
        voice = Voice(language, style, random.Random("7/plain/t/0"))
        parts = [voice.put("wish.cancel", order=keep("TR-104711")), voice.put("answer.yes")]
        return [voice.said(part, opening=True) for part in parts]

    assert speech() == speech()
    assert "TR-104711" in speech()[0]


def test_terse_has_no_punctuation():
    voice = Voice("en", "terse", random.Random(1))
    said = voice.said(f"Well, please: cancel {keep('TR-104711')}!")
    assert said == "well please cancel TR-104711"


def test_both_languages_know_the_same_acts():
    def acts(tree, path=()):
        if not isinstance(tree, dict) or set(tree) & set(STYLES):
            return {path}
        return {found for key, value in tree.items() for found in acts(value, (*path, key))}

    english, german = (acts(Phrases(code, random.Random(0))._acts) for code in ("en", "de"))
    assert english == german


def test_pass_hat_is_tau_bench_s_estimator():
    assert pass_hat([(4, 4), (2, 4)], 1) == pytest.approx(0.75)
    assert pass_hat([(4, 4), (2, 4)], 4) == pytest.approx(0.5)
    assert pass_hat([(3, 4)], 2) == pytest.approx(0.5)
