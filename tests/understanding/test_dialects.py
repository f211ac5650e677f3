"""Dialect words in the standard language."""

import pytest

from bot.understanding.dialects import DialectLexicon, Dialects
from bot.understanding.examples import load_examples
from bot.understanding.standard import dialects
from tests.understanding.conftest import ROOT


@pytest.fixture(scope="module")
def known():
    return dialects(ROOT / "data" / "lexicons")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("wo isch mis Päckli", "wo ist mein paket"),
        ("I ha d Bstellig nöd übercho", "ich habe die bestellung nicht bekommen"),
        ("i mecht des zruckschickn", "ich möchte das zurückschicken"),
        ("Chasch mer säge wänn s chunnt?", "kannst mir säge wann das kommt?"),
    ],
)
def test_dialect_is_put_into_the_standard_language(known, said, meant):
    assert known.standard(said).lower() == meant


@pytest.mark.parametrize(
    "text",
    [
        "Wo ist die Lieferung des Kleides, die ich dir an Mia geschickt habe?",
        "an XS jacket is what i want, no more",
        "I ha ordered a coat",
        "ICH WILL DAS GELD",
        "ordernumber TR-104711",
        "",
        "😀",
    ],
)
def test_what_is_no_dialect_stays_as_it_is(known, text):
    assert known.standard(text) == text


def test_words_of_both_count_only_beside_sure_ones():
    some = Dialects.of(DialectLexicon(sure={"nicht": "nöd ned"}, maybe={"das": "des"}))
    long = "wegen des Preises will ich es ganz sicher und nach langem Denken nöd"
    assert some.standard(long).startswith("wegen des Preises")
    assert some.standard("i will des nöd") == "i will das nicht"


def test_english_examples_stay_as_they_are_but_for_a_name(known):
    english = [one.text for one in load_examples([ROOT / "data"]) if one.language == "en"]
    changed = [text for text in english if known.standard(text) != text]
    assert len(changed) <= len(english) // 500, changed
