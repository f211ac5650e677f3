"""Entities: values, spans, and what must not be taken for one."""

import time
from datetime import UTC, datetime

import pytest

from bot.understanding.entities import EntityExtractor, EntitySettings

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)

CASES = [
    ("storniere 4711 und wo bleibt 4712?", [("order_number", "4711"), ("order_number", "4712")]),
    ("Nein, ich möchte 4712 stornieren", [("order_number", "4712")]),
    ("Bestellung 104711", [("order_number", "TR-104711")]),
    ("tr 104711", [("order_number", "TR-104711")]),
    ("#TR - 104 711 bitte", [("order_number", "TR-104711")]),
    ("Jana.Mueller@Example.org", [("email", "jana.mueller@example.org")]),
    ("ruf mich an 0151 23456789", [("phone", "+4915123456789")]),
    ("Sendungsnummer: JJD0149001234567890", [("tracking_number", "JJD0149001234567890")]),
    ("Ich heiße Jana Müller", [("name", "Jana Müller")]),
    ("my name is jana müller and i live in 50667", [("name", "Jana Müller"),
    ("postcode", "50667")]),
    ("Yusuf Rossi, 19122", [("name", "Yusuf Rossi"), ("postcode", "19122")]),
    ("zwei blaue Jacken", [("quantity", 2), ("color", "blue"), ("product", "jackets")]),
    ("Wintermantel unter 200 €, Größe M",
     [("product", "coats"), ("price_max", 20000), ("size", "M")]),
    ("Winterjacke aus Baumwolle", [("product", "jackets"), ("material", "cotton")]),
    ("a bleu jaket", [("product", "jackets")]),
    ("max. 1.299,90 €", [("price_max", 129990)]),
    ("less than $1,299.99", [("price_max", 129999)]),
    ("zwischen 50 und 80 Euro", [("price_min", 5000), ("price_max", 8000)]),
    ("under fifty dollars", [("price_max", 5000)]),
    ("unter zweihundertfünfzig Euro", [("price_max", 25000)]),
    ("letzten Dienstag", [("date", "2026-11-17")]),
    ("last Tuesday", [("date", "2026-11-17")]),
    ("vor zwei Wochen", [("date", "2026-11-07")]),
    ("am 3. November", [("date", "2026-11-03")]),
    ("the day before yesterday", [("date", "2026-11-19")]),
    ("bis 27.11.", [("date", "2026-11-27")]),
    ("the second one", [("ordinal", 2)]),
    ("das letzte in grün", [("ordinal", -1), ("color", "green")]),
    ("4 von 5", [("rating", 4)]),
    ("3 of them", [("quantity", 3)]),
]  # fmt: skip

NOTHING = [
    "may i sat here", "guten Morgen", "ich weiß nicht", "one second please", "zum ersten Mal",
    "Ich bin sauer", "meine letzte Bestellung", "Lieferung bis 15 Uhr", "", "???",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_values_and_spans(extractor, text, expected):
    found = extractor.extract(text, "de", NOW)
    assert [(entity.type, entity.value) for entity in found] == expected
    assert all(text[entity.start : entity.end] == entity.text for entity in found)


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_found_in_plain_words(extractor, text):
    assert extractor.extract(text, "de", NOW) == ()


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("müller", "name", "Müller"), ("1010", "postcode", "1010"), ("m", "size", "M"),
     ("eins", "quantity", 1), ("4", "rating", 4)],
)  # fmt: skip
def test_a_bare_answer_is_read_as_what_was_asked_for(extractor, text, kind, value):
    assert [(e.type, e.value) for e in extractor.extract(text, "de", NOW, (kind,))] == [
        (kind, value)
    ]


@pytest.mark.parametrize("text", ["#W2611340", "w 2611340", "order 2611340"])
def test_another_shop_has_another_pattern(text):
    extractor = EntityExtractor(
        EntitySettings(order_number_pattern=r"#?W\d{7}", order_number_example="#W2611340")
    )
    assert [e.value for e in extractor.extract(text, "en", NOW)] == ["#W2611340"]


def test_a_day_is_a_day_in_the_customers_time_zone():
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    found = EntityExtractor(EntitySettings(time_zone="Europe/Berlin")).extract("heute", "de", late)
    assert found[0].value == "2026-11-22"


@pytest.mark.parametrize(
    "unit", ["TR-", "1 ", "#", "ab@", "12.", "Abc ", "one hundred ", "x@y.", " ", "ich heiße "]
)
def test_time_does_not_explode_on_long_texts(extractor, unit):
    text = (unit * 10_000)[:10_000]
    started = time.process_time()
    extractor.extract(text, "de", NOW)
    assert time.process_time() - started < 0.5
