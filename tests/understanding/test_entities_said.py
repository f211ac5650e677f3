"""Entities as they are said and mistyped: numbers in words, spelled addresses, parts of a lot."""

from datetime import UTC, datetime

import pytest

from bot.understanding.entities import EntityExtractor, EntitySettings

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)  # a Wednesday
GAZETTEER = {
    "color": {
        "blue": {"en": ["blue", "navy"], "de": ["blau", "marineblau"]},
        "green": {"en": ["green"], "de": ["grün"]},
        "light_blue": {"en": ["light blue"], "de": ["hellblau"]},
        "red": {"en": ["red"], "de": ["rot"]},
    },
    "material": {"wool": {"en": ["wool"], "de": ["Wolle"]}},
    "size": {"S": {"en": ["S", "small"], "de": ["S", "klein"]},
             "L": {"en": ["L", "large"], "de": ["L", "groß"]}},
    "product": {
        "tents": {"en": ["tent"], "de": ["Zelt"]},
        "cups": {"en": ["cup"], "de": ["Becher"]},
        "jackets": {"en": ["jacket"], "de": ["Jacke"]},
        "scarves": {"en": ["scarf"], "de": ["Schal"]},
    },
}  # fmt: skip
SHOP = EntityExtractor(EntitySettings(gazetteer=GAZETTEER))


def read(text, language="de", expected=()):
    found = SHOP.extract(text, language, NOW, expected)
    for entity in found:
        assert text[entity.start : entity.end].strip() == text[entity.start : entity.end]
    return {(entity.type, entity.value) for entity in found}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("höchstens zwohundertzwoundzwanzig Euro", {("price_max", 22200)}),
        ("nicht mehr als fuffzehn euro", {("price_max", 1500)}),
        ("ab sechszig Euro", {("price_min", 6000)}),
        ("maximal elfhundert Franken", {("price_max", 110000)}),
        ("cheaper than fourty pounds", {("price_max", 4000)}),
        ("less than three hundred", {("price_max", 30000)}),
        ("unter achtzig", {("price_max", 8000)}),
        ("mehr als hundertzwanzig", {("price_min", 12000)}),
        ("my budget would be $80", {("price_max", 8000)}),
        ("das Budget beträgt 1.250,50 €", {("price_max", 125050)}),
        ("at most £1,250.50", {("price_max", 125050)}),
    ],
)
def test_prices_as_they_are_said(text, found):
    assert read(text) == found


@pytest.mark.parametrize(
    "text",
    ["weniger als zwei Wochen", "more than thirty days", "über zwanzig Stunden gewartet",
     "less than five", "unter neunundneunzig neunundneunzig", "not over the moon",
     "maximal dreißig Minuten", "under a thousand stars"],
)  # fmt: skip
def test_other_measures_are_no_prices(text):
    assert {kind for kind, _ in read(text)} & {"price_max", "price_min"} == set()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("in size thirty-nine", "39"), ("Gr. vierundvierzig", "44"),
        ("Schuhgröße ein und vierzig", "41"),
        ("grösse sechs und dreissig", "36"), ("shoe size ten", "10"),
        ("size 10 and a half", "10.5"),
        ("Größe 41 einhalb", "41.5"), ("grosse 39½", "39.5"), ("gr. 44 1/2", "44.5"),
        ("size: 7,5", "7.5"), ("Kleidergröße L", "L"), ("ein großer Schal", "L"),
    ],
)  # fmt: skip
def test_sizes_as_they_are_said(text, size):
    assert [value for kind, value in read(text) if kind == "size"] == [size]


@pytest.mark.parametrize(
    "text", ["welche Größe habt ihr?", "die grösse stimmt nicht", "what sizes do you have",
             "Größentabelle", "in welchen Groessen gibt es das", "size doesn't matter"],
)  # fmt: skip
def test_the_word_size_is_no_size(text):
    assert read(text) == set()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("two of the red cups", 2), ("vier von diesen blauen Bechern", 4),
        ("einen von den Bechern", None), ("zwei von sechs Bechern sind kaputt", 2),
        ("3 out of 10 cups were broken", 3), ("eineinhalb Dutzend Becher", 18),
        ("ein 4-Personen-Zelt", None), ("a three person tent", None), ("a 3-season tent", None),
        ("ein 2er Zelt", None), ("das 3-teilige Zelt", None), ("2 Liter Becher", None),
        ("200 gramm Becher", None), ("fünf rote Becher", 5), ("twenty-two cups", 22),
    ],
)  # fmt: skip
def test_how_many_is_not_how_large(text, count):
    assert [value for kind, value in read(text) if kind == "quantity"] == ([count] if count else [])


def test_a_number_counts_one_thing_only():
    found = SHOP.extract("2 Becher und Jacken", "de", NOW)
    assert [entity.value for entity in found] == [2, "cups", "jackets"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("it's t r hyphen twenty one nineteen oh five", "TR-211905"),
        ("TR Bindestrich einundzwanzig neunzehn null fünf", "TR-211905"),
        ("T R zweihundertelf neunhundertfünf", "TR-211905"),
        ("order t r twenty-one nineteen, zero five", "TR-211905"),
        ("tr 21, 19, 05", "TR-211905"),
        ("my order number is two one one nine oh five", "TR-211905"),
        ("elf zwölf dreizehn", "TR-111213"),
        ("TR double one two double three four", "TR-112334"),
    ],
)
def test_order_numbers_as_they_are_read_out(text, number):
    assert ("order_number", number) in read(text, "en")


@pytest.mark.parametrize(
    "text", ["forty-seven eleven", "I waited twenty minutes", "t r", "dash",
             "zip 78701, I want the fleece", "21, 19, I said",
             "ich habe zehn elf zwölf Becher bestellt", "one two three four five six seven eight"],
)  # fmt: skip
def test_other_spoken_numbers_are_no_order_numbers(text):
    assert {kind for kind, _ in read(text)} & {"order_number"} == set()


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("die E-Mail ist lena unterstrich kurz at post punkt example", "lena_kurz@post.example"),
        ("reach me on pat dot o minus h at mail dot example dot org", "pat.o-h@mail.example.org"),
        ("meine Mailadresse: jo ät web.example", "jo@web.example"),
        ("it is mia dot wolf at shop dot example", "mia.wolf@shop.example"),
    ],
)  # fmt: skip
def test_addresses_as_they_are_said(text, email):
    assert read(text) == {("email", email)}


@pytest.mark.parametrize(
    "text",
    [
        "look at this dot com",
        "I'm at home dot",
        "der Punkt at dem wir sind",
        "meet me at five",
        "it is not coming. At this dot just stop",
        "mail me at home",
    ],
)
def test_other_words_are_no_addresses(text):
    assert {kind for kind, _ in read(text)} & {"email"} == set()


def test_postcodes_and_phones_as_they_are_said():
    assert read("PLZ acht null drei drei eins") == {("postcode", "80331")}
    assert read("zwo null null neun fünf", expected=("postcode",)) == {("postcode", "20095")}
    assert read("null vier null eins zwei drei vier fünf sechs sieben") == {
        ("phone", "+49401234567")
    }
    assert read("eins zwei drei vier") == set()


@pytest.mark.parametrize(
    ("text", "mark"),
    [("drei von fünf", 3), ("five out of five stars", 5), ("2 aus 5 Punkten", 2),
     ("vier von fünf möglichen Sternen", 4), ("sechs von fünf Punkten", None),
     ("drei von fünf Bechern", None)],
)  # fmt: skip
def test_marks_as_they_are_said(text, mark):
    assert [value for kind, value in read(text) if kind == "rating"] == ([mark] if mark else [])


@pytest.mark.parametrize(
    ("text", "color"),
    [("dunkelroter Schal", "red"), ("der Becher in knallgruen", "green"),
     ("hellblaue Jacke", "light_blue"),
     ("blaugrüner Becher", "green"), ("ein marineblauer Schal", "blue"), ("navy jacket", "blue")],
)  # fmt: skip
def test_shades_are_read_as_their_colour(text, color):
    assert [value for kind, value in read(text) if kind == "color"] == [color]


@pytest.mark.parametrize("text", ["Errot", "das Gebrot", "dunkel", "Hellrose Wand", "grünrotz"])
def test_other_words_are_no_shades(text):
    assert read(text) == set()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Freitag in zwei Wochen", "2026-12-04"), ("heute in acht Tagen", "2026-11-26"),
        ("three days from today", "2026-11-21"), ("a fortnight ago today", "2026-11-04"),
        ("two weeks after monday", "2026-12-07"), ("in KW 50", "2026-12-07"),
        ("in Kalenderwoche 1", "2027-01-04"), ("bis Pfingsten", "2027-05-16"),
        ("by good friday", "2027-03-26"), ("zu Silvester", "2026-12-31"),
        ("am zehnten zehnten", "2026-10-10"), ("on the 2nd of last month", "2026-10-02"),
        ("am zwanzigsten nächsten Monats", "2026-12-20"), ("vom 3.10", "2026-10-03"),
        ("10/27/2026", "2026-10-27"), ("seit Dienstagabend", "2026-11-17"),
        ("bis Samstagmittag", "2026-11-21"), ("morgen früh um 8", "2026-11-19"),
    ],
)  # fmt: skip
def test_days_counted_from_others(text, day):
    assert [value for kind, value in read(text) if kind == "date"] == [day]


@pytest.mark.parametrize(
    "text", ["KW 54", "am 31.2", "am zwölften dreizehnten", "13/13/2026", "Version 3.10",
             "am 7.50 Euro",
             "the fifth of this", "am ersten Tisch", "in zwölf Farben", "Morgen früh aufstehen"],
)  # fmt: skip
def test_other_numbers_are_no_days(text):
    assert {kind for kind, _ in read(text)} & {"date"} == set()
