"""Numbers, amounts, links, addresses and names of products survive, or it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.translation_guard import NO_NAMES, Names, guarded, restored

NAMES = Names(["Regenjacke Nordkap", "Nordkap", "Rain Jacket", "Tasse", "", "X"])
LETTERS = st.text("abcdeäßé⟦⟧1234 €.,-/@:\n#+%EUR kr", max_size=60)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Wo ist TR-104711?", ["TR-104711"]),
        ("12,50 € oder EUR 12.50, £5, 100 kr.", ["12,50 €", "EUR 12.50", "£5", "100 kr."]),
        ("siehe https://a.io/x?y=1&z=2.", ["https://a.io/x?y=1&z=2"]),
        ("(www.shop.example/hilfe)", ["www.shop.example/hilfe"]),
        ("an lena.m+x@mail.example!", ["lena.m+x@mail.example"]),
        ("am 12.03.2026 um 10:30", ["12.03.2026", "10:30"]),
        ("+49 40 1234567, 5%", ["+49", "40", "1234567", "5%"]),
        ("die regenjacke nordkap, 2x", ["regenjacke nordkap", "2x"]),
        ("Nordkap, nordkap, Nordkaps", ["Nordkap"]),
        ("https://a.io/Nordkap/1", ["https://a.io/Nordkap/1"]),
        ("ohne alles", []),
    ],
)
def test_what_is_kept(text, kept):
    found = guarded(text, NAMES)
    assert list(found.kept) == kept
    assert restored(found.text, found) == (text, True)


@pytest.mark.parametrize(("text", "has_words"), [("TR-1, 5 €", False), ("TR-1 fehlt", True)])
def test_whether_there_is_anything_to_translate(text, has_words):
    assert guarded(text).has_words is has_words


@pytest.mark.parametrize(
    ("answer", "is_sure"),
    [
        ("Where is ⟦TR-104711⟧ for ⟦12,50 €⟧?", True),
        ("For ⟦12,50\u00a0€⟧: where is ⟦TR-104711⟧?", True),
        ("Where is TR-104711 for 12,50 €?", True),
        ("Where is ⟦TR-104712⟧ for ⟦12,50 €⟧?", False),
        ("Where is ⟦TR-104711⟧ for €12.50?", False),
        ("Where is ⟦TR-104711⟧?", False),
        ("Where is ⟦TR-104711⟧ or ⟦TR-104711⟧ for ⟦12,50 €⟧?", False),
        ("Where are the 3 of ⟦TR-104711⟧ for ⟦12,50 €⟧?", False),
        ("", False),
    ],
)
def test_whether_it_came_back(answer, is_sure):
    text, found = restored(answer, guarded("Wo ist TR-104711 für 12,50 €?"))
    assert found is is_sure
    assert not {"⟦", "⟧"} & set(text)


@given(LETTERS)
def test_an_echo_is_the_text_itself(text):
    found = guarded(text, NAMES)
    plain = text.replace("⟦", "[").replace("⟧", "]")
    assert restored(found.text, found) == (plain, True)


@given(LETTERS, LETTERS)
def test_whatever_comes_back_a_lost_number_is_told(text, answer):
    found = guarded(text, NO_NAMES)
    shown, is_sure = restored(answer, found)
    if is_sure:
        for each in found.kept:
            assert each in shown


@pytest.mark.parametrize("unit", ["a", "a-", "www.,", "a.a.", "a@", "€", "1,", "EUR ", "⟦", "+"])
def test_long_texts_take_no_time(unit):
    text = (unit * 5000)[:5000]
    found = guarded(text, NAMES)
    assert restored(found.text, found)[1]
