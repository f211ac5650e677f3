"""Words to options: positions, names, exclusions, and the variant a customer means."""

import time

import pytest

from bot.understanding.choices import Choice, Option, resolve_many, resolve_one
from bot.understanding.variant_choice import resolve_variant

ITEMS = (
    Option(
        "1", "Desk Lamp", ("Schreibtischlampe",), {"color": "black"}, {"color": ("schwarz",)}, 4990
    ),
    Option("2", "Water Bottle", ("Trinkflasche",), {"color": "blue"}, {"color": ("blau",)}, 1990),
    Option(
        "3",
        "Blue Shirt",
        ("Blaues Hemd",),
        {"color": "blue", "size": "M"},
        {"color": ("blau",)},
        2990,
    ),
    Option("4", "Jeans", ("Jeanshose",), {"size": "L"}, {}, 5990),
)
SHIRTS = (
    Option("a", "T-Shirt blue M", ("T-Shirt blau M",), {"color": "blue", "size": "M"}, {}, 1990),
    Option("b", "T-Shirt red M", ("T-Shirt rot M",), {"color": "red", "size": "M"}, {}, 2490),
    Option("c", "T-Shirt red L", ("T-Shirt rot L",), {"color": "red", "size": "L"}, {}, 2690),
)
ORDERS = (
    Option("TR-104711", "Order TR-104711 of 3 May", ("Bestellung vom 3. Mai",)),
    Option("TR-200318", "Order TR-200318 of 9 June", ("Bestellung vom 9. Juni",)),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2", "2"),
        ("Nr. 2", "2"),
        ("1 und 3", "13"),
        ("1 & 3", "13"),
        ("1, 2 and 4", "124"),
        ("the second one", "2"),
        ("das zweite bitte", "2"),
        ("die 2. bitte", "2"),
        ("das letzte", "4"),
        ("the last two", "34"),
        ("die ersten beiden", "12"),
        ("first and last", "14"),
        ("number 3 and the lamp", "13"),
        ("all of them", "1234"),
        ("alles bitte", "1234"),
        ("alle 4", "1234"),
        ("everything except the lamp", "234"),
        ("alles außer der Lampe", "234"),
        ("alles bis auf die Lampe und die Hose", "23"),
        ("all but not the jeans", "123"),
        ("the shirt and the jeans", "34"),
        ("das hemd sowie die trinkflasche", "23"),
        ("lampe hemd", "13"),
        ("the bottel", "2"),
        ("schreibtischlamppe", "1"),
        ("die Flaschen", "2"),
        ("not the lamp, the shirt", "3"),
        ("nicht die Lampe sondern die Jeans", "4"),
        ("return the lamp but keep the jeans", "1"),
        ("die Lampe behalte ich, das Hemd geht zurück", "3"),
        ("I don't like the lamp", "1"),
        ("die Lampe funktioniert nicht", "1"),
        ("die für 49,90 €", "1"),
        ("the one for $19.90", "2"),
        ("the cheapest one", "2"),
        ("das teuerste", "4"),
        ("all blue ones", "23"),
        ("2 lampen", "1"),
        (
            "I'm Ada Berg, zip 10432, order #W2378156: return the lamp and the bottle, 2 items",
            "12",
        ),
        (
            "Ada Berg, 10432 Berlin, Bestellung TR-104711: das Hemd ist zu klein, Jeans auch",
            "34",
        ),
    ],
)
def test_many_items_are_found(text: str, values: str) -> None:
    choice = resolve_many(text, ITEMS, "de")
    assert "".join(choice.values) == values
    assert choice.certain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "I want to send back my last order",
        "my order TR-000003 please",
        "zip 10432",
        "it cost 3 €",
        "that's all",
        "alles klar",
        "ich habe am 3.4. bestellt",
        "🤷",
    ],
)
def test_nothing_named_chooses_nothing(text: str) -> None:
    assert resolve_many(text, ITEMS, "en") == Choice()


def test_an_explicit_none_is_certain() -> None:
    assert resolve_many("keins davon", ITEMS, "de") == Choice((), certain=True)
    assert resolve_many("none of them", ITEMS, "en") == Choice((), certain=True)


def test_what_fits_equally_comes_back_as_ambiguous() -> None:
    assert resolve_many("the blue one", ITEMS, "en") == Choice(
        (), certain=False, ambiguous=("2", "3")
    )
    assert resolve_one("the red one", SHIRTS, "en").ambiguous == ("b", "c")


def test_a_word_shared_by_all_options_does_not_count() -> None:
    assert resolve_one("the T-shirt", SHIRTS, "en").values == ()
    assert resolve_one("the blue T-shirt", SHIRTS, "en").values == ("a",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("die blaue", "a"),
        ("red in L", "c"),
        ("rotes T-Shirt Größe M", "b"),
        ("the shirt in size L", "c"),
        ("the cheaper one", "a"),
        ("der teurere", "c"),
        ("the cheaper red one", "b"),
        ("the second red one", "c"),
        ("3", "c"),
    ],
)
def test_one_option_is_found(text: str, value: str) -> None:
    assert resolve_one(text, SHIRTS, "de") == Choice((value,), certain=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TR-200318", "TR-200318"),
        ("tr 200318", "TR-200318"),
        ("4711", "TR-104711"),
        ("die vom Juni", "TR-200318"),
    ],
)
def test_orders_are_found_by_number_or_date(text: str, value: str) -> None:
    assert resolve_one(text, ORDERS, "de").values == (value,)


def test_a_title_that_is_a_number_wins_over_the_position() -> None:
    sizes = tuple(Option(size, size) for size in ("3", "2", "1"))
    assert resolve_one("3", sizes, "en").values == ("3",)


def _variant(value: str, price: int, *, available: bool = True, **options: str) -> Option:
    german = {"black": "schwarz", "blue": "blau", "none": "keine", "yes": "ja", "no": "nein"}
    words = {key: (german[v],) for key, v in options.items() if v in german}
    return Option(value, " ".join(options.values()), (), dict(options), words, price, available)


KEYBOARDS = (
    _variant("k1", 9000, switch_type="linear", backlight="RGB", size="full size"),
    _variant("k2", 9500, switch_type="clicky", backlight="RGB", size="full size", available=False),
    _variant("k3", 9900, switch_type="clicky", backlight="none", size="full size"),
    _variant("k4", 8000, switch_type="clicky", backlight="white", size="80%"),
    _variant("k5", 9100, switch_type="linear", backlight="none", size="full size"),
)
JACKETS = tuple(
    _variant(
        f"{color}-{size}",
        8000 + at * 100,
        color=color,
        size=size,
        available=(color, size) != ("black", "XL"),
    )
    for at, (color, size) in enumerate(
        (c, s) for c in ("blue", "black") for s in ("S", "M", "L", "XL")
    )
)
BOTTLES = tuple(
    _variant(f"b{amount}{color}", amount, capacity=f"{amount}ml", color=color)
    for amount in (500, 750, 1000)
    for color in ("black", "blue")
)
BOOTS = (
    _variant("dry", 12000, size="42", waterproof="yes"),
    _variant("wet", 9000, size="42", waterproof="no"),
    _variant("dry43", 12000, size="43", waterproof="yes"),
)
THERMOSTATS = tuple(
    _variant(w, 20000, compatibility=w)
    for w in ("Apple HomeKit", "Google Assistant", "Amazon Alexa")
)
PUZZLES = tuple(
    _variant(f"p{n}{t}", 4000 + int(n), pieces=n, theme=t)
    for n in ("500", "1000", "1500")
    for t in ("art", "animals")
)


@pytest.mark.parametrize(
    ("text", "held", "candidates", "name", "value"),
    [
        ("same but clicky, no backlight", "k1", KEYBOARDS, "Keyboard / Tastatur", "k3"),
        ("without backlight please", "k1", KEYBOARDS, "Keyboard / Tastatur", "k5"),
        (
            "If there is no keyboard that is clicky, RGB, full size, I'd go for no backlight",
            "k1",
            KEYBOARDS,
            "Keyboard",
            "k3",
        ),
        (
            "for Google Home instead of Apple HomeKit",
            "Apple HomeKit",
            THERMOSTATS,
            "Thermostat",
            "Google Assistant",
        ),
        ("statt Apple lieber Alexa", "Apple HomeKit", THERMOSTATS, "Thermostat", "Amazon Alexa"),
        ("one size bigger", "blue-M", JACKETS, "Jacket", "blue-L"),
        ("eine Nummer größer bitte", "blue-M", JACKETS, "Jacke", "blue-L"),
        ("zu groß, ich brauche eine Nummer kleiner", "black-M", JACKETS, "Jacke", "black-S"),
        ("in schwarz", "blue-M", JACKETS, "Jacke", "black-M"),
        ("in blau Größe S", "black-L", JACKETS, "Jacke", "blue-S"),
        ("size XL", "blue-M", JACKETS, "Jacket", "blue-XL"),
        ("l", "blue-M", JACKETS, "Jacket", "blue-L"),
        ("the cheapest one", "black-L", JACKETS, "Jacket", "blue-S"),
        ("die günstigste in schwarz", "blue-L", JACKETS, "Jacke", "black-S"),
        ("the most expensive one you have", "blue-S", JACKETS, "Jacket", "black-L"),
        ("the 1000 ml bottle", "b500black", BOTTLES, "Water Bottle", "b1000black"),
        ("1 Liter, in blau", "b500black", BOTTLES, "Trinkflasche", "b1000blue"),
        ("a bigger one", "b500blue", BOTTLES, "Water Bottle", "b750blue"),
        ("the biggest one", "b500blue", BOTTLES, "Water Bottle", "b1000blue"),
        ("ones that are not waterproof", "dry", BOOTS, "Boots", "wet"),
        ("lieber wasserdicht", "wet", BOOTS, "Stiefel", "dry"),
        ("size 43", "dry", BOOTS, "Boots", "dry43"),
        ("Größe 43", "dry", BOOTS, "Stiefel", "dry43"),
        ("the 1000-piece one", "p500art", PUZZLES, "Puzzle", "p1000art"),
        ("500 more pieces, same theme", "p500animals", PUZZLES, "Puzzle", "p1000animals"),
        ("500 Teile weniger", "p1500art", PUZZLES, "Puzzle", "p1000art"),
        (
            "at least 1500 pieces, I don't care about the theme",
            "p500art",
            PUZZLES,
            "Puzzle",
            "p1500art",
        ),
        ("the jacket is too small", "blue-M", JACKETS, "Jacket", "blue-L"),
        ("mir zu weit", "blue-M", JACKETS, "Jacke", "blue-S"),
        ("too small, I need XL", "blue-M", JACKETS, "Jacket", "blue-XL"),
        ("eine andere Farbe", "blue-M", JACKETS, "Jacke", "black-M"),
        ("black XL, otherwise blue XL", "blue-M", JACKETS, "Jacket", "blue-XL"),
        ("schwarz xl, falls ausverkauft blau xl", "blue-M", JACKETS, "Jacke", "blue-XL"),
        ("L, sonst XL", "blue-M", JACKETS, "Jacke", "blue-L"),
        ("egal welche Farbe, Hauptsache Größe L", "blue-M", JACKETS, "Jacke", "blue-L"),
        ("nicht schwarz, lieber blau in L", "black-M", JACKETS, "Jacke", "blue-L"),
        ("first I wanted blue, but actually black", "black-S", JACKETS, "Jacket", "black-S"),
    ],
)
def test_a_variant_is_the_one_held_changed_by_what_is_said(
    text, held, candidates, name, value
) -> None:
    current = next(one for one in candidates if one.value == held)
    assert resolve_variant(text, current, candidates, name, "de").values == (value,)


def test_only_the_part_about_the_item_counts() -> None:
    text = (
        "Exchange the jacket for a black one in L and the water bottle for the 1000 ml one in blue"
    )
    assert resolve_variant(text, JACKETS[0], JACKETS, "Jacket", "en", ("Water Bottle",)).values == (
        "black-L",
    )
    assert resolve_variant(text, BOTTLES[0], BOTTLES, "Water Bottle", "en", ("Jacket",)).values == (
        "b1000blue",
    )


def test_preferences_are_taken_in_order() -> None:
    text = "I want it in XL, preferably black, blue is my second choice"
    choice = resolve_variant(text, JACKETS[1], JACKETS, "Jacket", "en")
    assert choice.values == ("blue-XL",)


def test_nothing_said_is_not_certain() -> None:
    choice = resolve_variant("I want to exchange my jacket", JACKETS[1], JACKETS, "Jacket", "en")
    assert not choice.certain


def test_what_is_not_available_gives_the_nearest_without_certainty() -> None:
    choice = resolve_variant("in black size XL", JACKETS[4], JACKETS, "Jacket", "en")
    assert not choice.certain
    assert "black-XL" not in choice.values + choice.ambiguous


def test_without_a_current_variant_several_remain() -> None:
    choice = resolve_variant("a blue one", None, JACKETS, "Jacket", "en")
    assert choice.ambiguous == ("blue-S", "blue-M", "blue-L", "blue-XL")
    assert resolve_variant("blue in M", None, JACKETS, "Jacket", "en").values == ("blue-M",)


def test_no_available_candidate_chooses_nothing() -> None:
    gone = (_variant("x", 1, color="blue", available=False),)
    assert resolve_variant("blue", None, gone, "Jacket", "en") == Choice()


def test_long_and_odd_texts_are_read_quickly() -> None:
    options = tuple(
        Option(str(at), f"Thing number{at} of series {at % 4}", price_minor=at) for at in range(15)
    )
    for text in ("word " * 20_000, "1 " * 5_000, "\ud800 \x00 {} <b>", "(" * 9_000):
        start = time.perf_counter()
        resolve_many(text, options, "en")
        resolve_variant(text, JACKETS[0], JACKETS, "Jacket", "en")
        assert time.perf_counter() - start < 1.0
