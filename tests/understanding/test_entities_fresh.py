"""Entities in fresh sentences, written before the code that reads them: de and en."""

import time
from datetime import UTC, datetime

import pytest

from bot.understanding.entities import EntityExtractor, EntitySettings, LiveWords
from tests.understanding.conftest import GAZETTEER

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)  # a Saturday
SHOP = {
    **GAZETTEER,
    "product": {
        **GAZETTEER["product"],
        "backpacks": {"en": ["backpack", "rucksack"], "de": ["Rucksack"]},
        "rugs": {"en": ["rug", "carpet"], "de": ["Teppich"]},
        "shoes": {"en": ["shoe", "sneaker"], "de": ["Schuh", "Turnschuh"]},
        "kettle": {"en": ["kettle"], "de": ["Wasserkocher"]},
        "chairs": {"en": ["chair"], "de": ["Stuhl"]},
        "towel": {"en": ["towel"], "de": ["Handtuch"]},
    },
    "material": {
        **GAZETTEER["material"],
        "leather": {"en": ["leather"], "de": ["Leder"]},
        "wool": {"en": ["wool"], "de": ["Wolle"]},
    },
}
FOUND = [
    ("gruene Hemden", "de", [("color", "green"), ("product", "shirts")]),
    ("grune Jacke", "de", [("color", "green"), ("product", "jackets")]),
    ("zwei Stuhle", "de", [("quantity", 2), ("product", "chairs")]),
    ("Stuehle in weiss", "de", [("product", "chairs"), ("color", "white")]),
    ("Rucksacke aus Wolle", "de", [("product", "backpacks"), ("material", "wool")]),
    ("Handtucher", "de", [("product", "towel")]),
    ("Grosse M", "de", [("size", "M")]),
    ("zwolf Tassen", "de", [("quantity", 12), ("product", "mugs")]),
    ("funf Stuck", "de", [("quantity", 5)]),
    ("funfzig Euro maximal", "de", [("price_max", 5000)]),
    ("am 3. Marz", "de", [("date", "2026-03-03")]),
    ("nachsten Dienstag", "de", [("date", "2026-11-24")]),
    ("ubermorgen", "de", [("date", "2026-11-23")]),
    ("fur unter dreissig Euro", "de", [("price_max", 3000)]),
    ("rucksak gesucht", "de", [("product", "backpacks")]),
    ("wassserkocher", "de", [("product", "kettle")]),
    ("turnschue in rot", "de", [("product", "shoes"), ("color", "red")]),
    ("a lether bag", "en", [("material", "leather")]),
    ("two grene shirts", "en", [("quantity", 2), ("color", "green"), ("product", "shirts")]),
    ("a sneeker", "en", [("product", "shoes")]),
    ("Lederrucksack", "de", [("product", "backpacks"), ("material", "leather")]),
    ("Baumwollhemd", "de", [("product", "shirts"), ("material", "cotton")]),
    ("Wollteppich", "de", [("product", "rugs"), ("material", "wool")]),
    ("Kinderrucksäcke", "de", [("product", "backpacks")]),
    ("Wolljacken", "de", [("product", "jackets"), ("material", "wool")]),
    ("Laufschuhe", "de", [("product", "shoes")]),
    ("unter hundertzwanzig Euro", "de", [("price_max", 12000)]),
    ("höchstens eintausendzweihundert Euro", "de", [("price_max", 120000)]),
    ("unter zwei hundert Euro", "de", [("price_max", 20000)]),
    ("under one hundred and twenty dollars", "en", [("price_max", 12000)]),
    ("at most a hundred euros", "en", [("price_max", 10000)]),
    ("a dozen mugs", "en", [("quantity", 12), ("product", "mugs")]),
    ("ein Dutzend Tassen", "de", [("quantity", 12), ("product", "mugs")]),
    ("ein paar Tassen", "de", [("product", "mugs")]),
    ("a couple of shirts", "en", [("quantity", 2), ("product", "shirts")]),
    ("twenty-five mugs", "en", [("quantity", 25), ("product", "mugs")]),
    ("einundzwanzig Tassen", "de", [("quantity", 21), ("product", "mugs")]),
    ("Bestellnummer eins null vier sieben eins eins", "de", [("order_number", "TR-104711")]),
    ("my order number is one oh four seven one one", "en", [("order_number", "TR-104711")]),
    ("T R eins null vier sieben eins eins", "de", [("order_number", "TR-104711")]),
    ("order double one four seven double two", "en", [("order_number", "TR-114722")]),
    ("bis Freitag", "de", [("date", "2026-11-27")]),
    ("by Friday", "en", [("date", "2026-11-27")]),
    ("Ende der Woche", "de", [("date", "2026-11-22")]),
    ("until the end of the month", "en", [("date", "2026-11-30")]),
    ("Anfang Dezember", "de", [("date", "2026-12-01")]),
    ("bis Mitte Dezember", "de", [("date", "2026-12-15")]),
    ("bis Weihnachten", "de", [("date", "2026-12-24")]),
    ("before Christmas", "en", [("date", "2026-12-25")]),
    ("zum 24.12.", "de", [("date", "2026-12-24")]),
    ("on the 5th", "en", [("date", "2026-11-05")]),
    ("on November 3rd", "en", [("date", "2026-11-03")]),
    ("3.11.2026", "de", [("date", "2026-11-03")]),
    ("11/03/2026", "en", [("date", "2026-11-03")]),
    ("2026-11-03", "en", [("date", "2026-11-03")]),
    ("in drei Tagen", "de", [("date", "2026-11-24")]),
    ("three days ago", "en", [("date", "2026-11-18")]),
    ("vor einer Woche", "de", [("date", "2026-11-14")]),
    ("a week ago", "en", [("date", "2026-11-14")]),
    ("gestern Abend", "de", [("date", "2026-11-20")]),
    ("heute früh", "de", [("date", "2026-11-21")]),
    ("letzte Woche Montag", "de", [("date", "2026-11-09")]),
    ("Monday last week", "en", [("date", "2026-11-09")]),
    ("nächste Woche Mittwoch", "de", [("date", "2026-11-25")]),
    ("Wednesday next week", "en", [("date", "2026-11-25")]),
    ("in vierzehn Tagen", "de", [("date", "2026-12-05")]),
    ("in a fortnight", "en", [("date", "2026-12-05")]),
    ("vor anderthalb Wochen", "de", [("date", "2026-11-11")]),
    ("am dritten November", "de", [("date", "2026-11-03")]),
    ("the third of November", "en", [("date", "2026-11-03")]),
    ("diesen Freitag", "de", [("date", "2026-11-27")]),
    ("kommt es noch am Wochenende?", "de", [("date", "2026-11-21")]),
    ("over the weekend", "en", [("date", "2026-11-21")]),
    ("unter 1.299 €", "de", [("price_max", 129900)]),
    ("under 1,299 €", "en", [("price_max", 129900)]),
    ("bis EUR 49,90", "de", [("price_max", 4990)]),
    ("under €49.90", "en", [("price_max", 4990)]),
    ("max 50€", "de", [("price_max", 5000)]),
    ("nicht mehr als 80 Euro", "de", [("price_max", 8000)]),
    ("mindestens 100,- €", "de", [("price_min", 10000)]),
    ("between $50 and $80", "en", [("price_min", 5000), ("price_max", 8000)]),
    ("50-80 €", "de", [("price_min", 5000), ("price_max", 8000)]),
    ("50 bis 80 Euro", "de", [("price_min", 5000), ("price_max", 8000)]),
    ("zwischen fünfzig und achtzig Euro", "de", [("price_min", 5000), ("price_max", 8000)]),
    ("between fifty and eighty euros", "en", [("price_min", 5000), ("price_max", 8000)]),
    ("unter 49 Euro 90", "de", [("price_max", 4990)]),
    ("unter 1 000 Euro", "de", [("price_max", 100000)]),
    ("cheaper than 20 bucks", "en", [("price_max", 2000)]),
    ("CHF 100 maximal", "de", [("price_max", 10000)]),
    ("80 euros or less", "en", [("price_max", 8000)]),
    ("T R 1 0 4 7 1 1", "de", [("order_number", "TR-104711")]),
    ("TR - 1 0 4 7 1 1 stornieren", "de", [("order_number", "TR-104711")]),
    ("TR104711", "de", [("order_number", "TR-104711")]),
    ("tr-104 711", "en", [("order_number", "TR-104711")]),
    ("Bestellung 104 711", "de", [("order_number", "TR-104711")]),
    ("order no 10 47 11", "en", [("order_number", "TR-104711")]),
    ("TR/104711", "de", [("order_number", "TR-104711")]),
    ("TR_104711", "de", [("order_number", "TR-104711")]),
    ("storniere TR-104711 und TR-104712", "de",
     [("order_number", "TR-104711"), ("order_number", "TR-104712")]),
    ("TR-1O4711", "de", [("order_number", "TR-104711")]),
    ("1 0 4 7 1 1", "de", [("order_number", "TR-104711")]),
    ("Ich hätte gern vier weisse Hemden in Grösse M", "de",
     [("quantity", 4), ("color", "white"), ("product", "shirts"), ("size", "M")]),
    ("drei grüne Lederstühle", "de",
     [("quantity", 3), ("color", "green"), ("product", "chairs"), ("material", "leather")]),
    ("a pair of red sneakers under forty-five euros", "en",
     [("color", "red"), ("product", "shoes"), ("price_max", 4500)]),
    ("I ordered it on the 17th and it never came", "en", [("date", "2026-11-17")]),
    ("brauche es bis zum 2.", "de", [("date", "2026-12-02")]),
    ("spätestens nächsten Freitag", "de", [("date", "2026-11-27")]),
    ("by the end of next week", "en", [("date", "2026-11-29")]),
    ("it should arrive before the weekend", "en", [("date", "2026-11-21")]),
    ("Bestellt habe ich vor drei Monaten", "de", [("date", "2026-08-23")]),
    ("ordered late October", "en", [("date", "2026-10-31")]),
    ("seit letztem Mittwoch", "de", [("date", "2026-11-18")]),
    ("last Wednesday", "en", [("date", "2026-11-18")]),
    ("am einundzwanzigsten Oktober", "de", [("date", "2026-10-21")]),
    ("on the twenty-first of October", "en", [("date", "2026-10-21")]),
    ("my order T R dash one zero four seven one one", "en", [("order_number", "TR-104711")]),
    ("Auftragsnummer: 10-47-11", "de", [("order_number", "TR-104711")]),
    ("TR 10 47 11 und TR 10 47 12", "de",
     [("order_number", "TR-104711"), ("order_number", "TR-104712")]),
    ("order tr104711 please cancel", "en", [("order_number", "TR-104711")]),
    ("Nr. TR 1 0 4 7 1 1 bitte stornieren", "de", [("order_number", "TR-104711")]),
    ("bis neunundvierzig Euro neunzig", "de", [("price_max", 4990)]),
    ("under 1.299,00 EUR", "en", [("price_max", 129900)]),
    ("between 20 and 30 dollars", "en", [("price_min", 2000), ("price_max", 3000)]),
    ("von 20 bis 30 Euro", "de", [("price_min", 2000), ("price_max", 3000)]),
    ("€20-30", "en", [("price_min", 2000), ("price_max", 3000)]),
    ("billiger als hundert Euro", "de", [("price_max", 10000)]),
    ("for less than two hundred and fifty pounds", "en", [("price_max", 25000)]),
    ("half a dozen mugs", "en", [("quantity", 6), ("product", "mugs")]),
    ("2 Dutzend Tassen", "de", [("quantity", 24), ("product", "mugs")]),
    ("zwei Paar Turnschuhe", "de", [("quantity", 2), ("product", "shoes")]),
    ("Jacken ohne Leder", "de", [("product", "jackets"), ("material", "leather")]),
    ("heute", "de", [("date", "2026-11-21")]),
    ("in anderthalb Wochen", "de", [("date", "2026-12-01")]),
    ("kommenden Montag", "de", [("date", "2026-11-23")]),
    ("this Monday", "en", [("date", "2026-11-23")]),
    ("Samstag in einer Woche", "de", [("date", "2026-11-28")]),
    ("10115 Berlin, Hausnummer 3", "de", [("postcode", "10115")]),
    ("ruf 030 12 34 56 7 an", "de", [("phone", "+49301234567")]),
    ("Größe 42, 2 Stück", "de", [("size", "42"), ("quantity", 2)]),
    ("2 x 3 m Teppich", "de", [("product", "rugs")]),
    ("ein Stück Kuchen", "de", [("quantity", 1)]),
]  # fmt: skip
NOTHING = [
    ("für höchstens neunundvierzig neunzig", "de"),
    ("ca. 30 Euro", "de"),
    ("neunundvierzig Euro neunzig maximal", "de"),
    ("über 99 Cent", "de"),
    ("on Black Friday", "en"),
    ("40 Prozent Rabatt", "de"),
    ("mein Passwort ist 8 8 8 8", "de"),
    ("I am 34 years old", "en"),
    ("the first of all thanks", "en"),
    ("am Ende war alles gut", "de"),
    ("in the end it worked", "en"),
    ("mittendrin", "de"),
    ("1 2 3 4 5 6 7 8", "de"),
    ("null problemo", "de"),
    ("one two three, testing", "en"),
    ("die anderen drei", "de"),
    ("May I ask", "en"),
    ("der Mai ist gekommen", "de"),
    ("late delivery in march", "en"),
    ("ich nehme ein paar Stück", "de"),
]  # fmt: skip
PATTERNS = [
    (r"\d{3}-\d{7}-\d{7}", "028-1234567-1234567", "028-1234567-1234567"),
    (r"\d{3}-\d{7}-\d{7}", "028-1234567-1234567", "028 1234567 1234567"),
    (r"\d{3}-\d{7}-\d{7}", "028-1234567-1234567", "order 028 123 4567 123 4567"),
    (r"\d{3}-\d{7}-\d{7}", "028-1234567-1234567", "028 - 1234567 - 1234567"),
    (r"\d{3}-\d{7}-\d{7}", "028-1234567-1234567", "0281234567 1234567"),
    (r"#\d{4,6}", "#10234", "#10234"),
    (r"#\d{4,6}", "#10234", "order 10234"),
    (r"#\d{4,6}", "#10234", "# 10234"),
    (r"#\d{4,6}", "#10234", "order #10 234"),
    (r"#\d{4,6}", "#10234", "Bestellung Nr. 1 0 2 3 4"),
    (r"ORD[0-9A-F]{8}", "ORD4F2A90BC", "ORD4F2A90BC"),
    (r"ORD[0-9A-F]{8}", "ORD4F2A90BC", "ord 4f2a 90bc"),
    (r"ORD[0-9A-F]{8}", "ORD4F2A90BC", "ORD-4F2A90BC"),
    (r"ORD[0-9A-F]{8}", "ORD4F2A90BC", "O R D 4 F 2 A 9 0 B C"),
    (r"\d{8}", "20251234", "20251234"),
    (r"\d{8}", "20251234", "2025 1234"),
    (r"\d{8}", "20251234", "20 25 12 34"),
    (r"\d{8}", "20251234", "Auftrag 2025-1234"),
    (r"KN-\d{4}-[A-Z]{2}", "KN-2041-DE", "KN-2041-DE"),
    (r"KN-\d{4}-[A-Z]{2}", "KN-2041-DE", "kn 2041 de"),
    (r"KN-\d{4}-[A-Z]{2}", "KN-2041-DE", "KN2041DE"),
    (r"KN-\d{4}-[A-Z]{2}", "KN-2041-DE", "K N 2 0 4 1 D E"),
    (r"[A-Z]{2}-?\d{6}", "TR-104711", "TR-1O47l1"),
]  # fmt: skip
ONE_SHOP = EntityExtractor(EntitySettings(gazetteer=SHOP))


@pytest.mark.parametrize(("text", "language", "expected"), FOUND)
def test_values_and_spans(text, language, expected):
    found = ONE_SHOP.extract(text, language, NOW)
    assert [(entity.type, entity.value) for entity in found] == expected
    assert all(text[entity.start : entity.end] == entity.text for entity in found)


@pytest.mark.parametrize(("text", "language"), NOTHING)
def test_nothing_is_found_where_nothing_is_said(text, language):
    assert ONE_SHOP.extract(text, language, NOW) == ()


@pytest.mark.parametrize(("pattern", "example", "text"), PATTERNS)
def test_order_numbers_of_any_pattern_are_read_however_they_are_spelled(pattern, example, text):
    settings = EntitySettings(order_number_pattern=pattern, order_number_example=example)
    found = EntityExtractor(settings).extract(text, "de", NOW)
    assert [(entity.type, entity.value) for entity in found] == [("order_number", example)]


@pytest.mark.parametrize(
    ("zone", "said", "day"),
    [("Europe/Berlin", "bis Ende des Monats", "2026-12-31"),
     ("America/New_York", "until the end of the month", "2026-11-30"),
     ("Pacific/Auckland", "tomorrow", "2026-12-02"), ("America/New_York", "heute", "2026-11-30")],
)  # fmt: skip
def test_days_are_those_of_the_customers_time_zone(zone, said, day):
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    found = EntityExtractor(EntitySettings(time_zone=zone)).extract(said, "de", late)
    assert [entity.value for entity in found] == [day]


@pytest.mark.parametrize(
    ("text", "unit"),
    [("unter 50 €", "EUR"), ("under fifty dollars", "USD"), ("between £20 and £30", "GBP"),
     ("zwischen 20 und 30 Franken", "CHF"), ("bis EUR 49,90", "EUR"), ("under 60", "")],
)  # fmt: skip
def test_a_price_tells_its_currency_where_it_was_said(text, unit):
    found = ONE_SHOP.extract(text, "de", NOW)
    assert found
    assert {entity.unit for entity in found} == {unit}


def test_words_of_a_changed_catalogue_are_read_from_then_on():
    extractor, words = EntityExtractor(EntitySettings(gazetteer=SHOP)), LiveWords()
    words.follow(extractor.learn)
    assert extractor.extract("ein Schlagzeug", "de", NOW) == ()
    words.renew({"product": {"drums": {"de": ["Schlagzeug"], "en": ["drum kit"]}}})
    found = extractor.extract("ein Schlagzeug", "de", NOW)
    assert [(entity.type, entity.value) for entity in found] == [("product", "drums")]
    assert extractor.extract("eine Tasse", "de", NOW) == ()


@pytest.mark.parametrize(
    "unit", ["1 ", "T R 1 ", "double ", "eins ", "dritten ", "Ende der ", "1O"]
)
def test_time_does_not_explode_on_long_spellings(unit):
    text = (unit * 10_000)[:10_000]
    started = time.process_time()
    ONE_SHOP.extract(text, "de", NOW)
    assert time.process_time() - started < 0.5
