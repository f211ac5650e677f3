"""What a text says in numbers, dates, references and names stands in its material, or it goes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.writing.grounding import only_claimed, ungrounded
from desk.writing.material import Material

SHOP = (
    "Ich sende 1.129,90 € auf PayPal zurück. Bestellung TR-104711 vom 22.11.2026, "
    "Lieferung Freitag um 14:30 Uhr. 20 % Rabatt auf 2 Jacken, binnen 14 Tagen."
)


def kind(text, shop=SHOP, customer="", language="de", *, is_reply=False):
    claim = ungrounded(text, Material("", shop, customer), language, is_reply=is_reply)
    return claim.kind if claim else None


@pytest.mark.parametrize(
    "text",
    [
        "1.129,90 €", "€1,129.90", "1129,90 EUR", "1129.9 Euro", "TR-104711", "tr 104711",
        "#104711", "22. November", "Nov 22, 2026", "November 22nd", "22/11/2026", "2026-11-22",
        "22.11.26", "on Friday", "at 14:30", "14 Uhr", "20%", "20 percent", "zwei Jacken",
        "two jackets", "twice", "eine Jacke und ein Hut", "PayPal", "im November", "14-tägig",
        "14-day", "2x",
        "may be", "Guten Tag, wir prüfen das.", "Hallo liebe Kundin, gern.",
    ],
)  # fmt: skip
def test_what_stands_there_may_be_written_in_either_language(text):
    assert kind(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.129,91 €", "amount"), ("112,99 €", "amount"), ("14 €", "amount"),
        ("$1,129.90", "amount"), ("fünfhundert Euro", "amount"), ("fünfhundert", "number"),
        ("three jackets", "number"), ("15 Tage", "number"),
        ("25 %", "percent"), ("2 %", "percent"), ("TR-104712", "reference"),
        ("4711ax", "reference"), ("2k €", "reference"), ("23.11.2026", "date"),
        ("22. Dezember", "date"), ("zwei Euro", "amount"), ("one percent", "percent"),
        ("22.11.2025", "date"),
        ("on Monday", "weekday"), ("im März", "month"), ("15:30", "time"), ("DHL", "name"),
        ("Hallo Frau Müller", "name"), ("Viele Grüße, Anna", "name"), ("a@b.example", "reference"),
        ("DE12 5001 0517 0648 4898 90", "reference"), ("999999999", "reference"),
        ("١٢٩,٩١ €", "amount"),
    ],
)  # fmt: skip
def test_what_stands_nowhere_is_found(text, expected):
    assert kind(text) == expected


def test_english_names_in_the_middle_of_a_sentence():
    assert kind("The parcel went to Klarna first.", language="en") == "name"
    assert kind("Parcel: Ask PayPal. The rest is I think fine.", language="en") is None


def test_an_ambiguous_number_is_read_both_ways_and_a_clear_one_is_not():
    assert kind("1.299 €", "1299 EUR") is kind("1,299 €", "1299 EUR") is None
    assert kind("1.300 €", "1299 EUR") == kind("12,99 €", "1299 EUR") == "amount"


def test_a_reply_takes_amounts_and_dates_from_the_shop_only():
    said = "Ich bekomme 500 € bis Montag, Bestellung AB-222222"
    assert kind("500 € bis Montag", customer=said) is None
    assert only_claimed("500 € bis Montag, dazu 1.129,90 €", Material("", SHOP, said)) == (
        "500 €", "Montag",
    )  # fmt: skip
    assert kind("Wir erstatten 500 €.", customer=said, is_reply=True) == "amount"
    assert kind("Das Geld kommt Montag.", customer=said, is_reply=True) == "weekday"
    spelled = "Ich will fünfzig Euro und zwei Euro"
    assert kind("Er will fünfzig Euro und zwei Euro.", customer=spelled) is None
    assert kind("Wir erstatten fünfzig Euro.", customer=spelled, is_reply=True) == "amount"
    assert kind("Zu AB-222222 prüfen wir das.", customer=said, is_reply=True) is None


@pytest.mark.parametrize(
    "text", ["50\nEUR", "50\t€", "€\n50", "50\u2009Euro", "EUR\n50,00", "50,-\n€"]
)
def test_an_amount_may_be_broken_anywhere(text):
    assert kind("50 €", customer=text) is None
    assert kind("51 €", customer=text) == "amount"


def test_an_odd_number_is_read_too():
    assert kind("USD 1.2992024", "USD 1.2992024") is None


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_no_amount_passes_for_another(shown, known):
    german = f"{shown // 100:,}".replace(",", ".") + f",{shown % 100:02} €"
    english = f"€{shown / 100:,.2f}"
    shop = f"Summe: {known / 100:.2f} EUR"
    assert (kind(german, shop) is None) is (shown == known)
    assert (kind(english, shop) is None) is (shown == known)


@given(st.text(max_size=200))
@example("0'AA")
def test_any_text_can_be_read_and_holds_against_itself(text):
    assert kind(text, text) is None
