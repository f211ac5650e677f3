"""Product names, asked-for properties and option values in customers' words."""

import pytest

from actions.cart import pieces_left
from actions.commerce.models import Product, Variant, Vocabulary
from actions.options import said_values
from actions.product_names import NameIndex, naming_words
from actions.product_words import product_words
from actions.wording import Wording
from knowledge.documents import Product as Known

TITLES = {
    "P1": {"en": "Trail shoe Wurzelpfad", "de": "Trailschuh Wurzelpfad"},
    "P2": {"en": "Desk lamp Nachtarbeit", "de": "Schreibtischlampe Nachtarbeit"},
    "P3": {"en": "Floor lamp Lesesaal", "de": "Stehlampe Lesesaal"},
}
INDEX = NameIndex([Known(id=key, title=title, variants=()) for key, title in TITLES.items()], [])
WORDS = Vocabulary(
    values={
        "color": {
            "blue": {"en": ["blue"], "de": ["blau"]},
            "navy": {"en": ["navy blue", "dark blue"], "de": ["dunkelblau"]},
            "green": {"en": ["green"], "de": ["grün"]},
        }
    }
)
SHIRT = Product(
    id="S",
    title={"en": "Shirt"},
    category="shirts",
    option_names=("color", "size"),
    variants=tuple(
        Variant(f"S-{color}-{size}", {"color": color, "size": size}, 1000)
        for color in ("blue", "navy", "green")
        for size in ("S", "M", "42")
    ),
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("die Trailschuhe in 42 in den Warenkorb legen", ("P1",)),
        ("add the desk lamp to my basket", ("P2",)),
        ("what does Lesesal cost", ("P3",)),
        ("die Lampe bitte", ("P2", "P3")),
        ("is it waterproof?", ()),
    ],
)
def test_names_are_found_in_sentences_with_mistakes(text, ids):
    assert tuple(sorted(INDEX.find(naming_words(text)).product_ids)) == ids


def test_what_was_spoken_of_before_wins():
    assert INDEX.find(["lamp"], preferred=["P3"]).product_ids == ("P3",)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("die grüne in M bitte", {"color": ["green"], "size": ["M"]}),
        ("navy blue, size 42", {"color": ["navy"], "size": ["42"]}),
        ("it's the blue one for 42 euros", {"color": ["blue"]}),
        ("blau oder dunkelblau", {"color": ["blue", "navy"]}),
    ],
)
def test_option_values_are_whole_words_and_no_prices(text, values):
    assert said_values(text, SHIRT, Wording(WORDS)) == values


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("aus welchem Material ist das?", "material"),
        ("wie groß fällt er aus", "dimensions"),
        ("can I put it in the dishwasher", "dishwasher"),
        ("was kostet das", "price"),
    ],
)
def test_properties_are_recognised(text, aspect):
    assert aspect in [name for name, _ in product_words().aspects_in(text)]


@pytest.mark.parametrize(
    ("text", "held", "left"),
    [
        ("only one instead of two in the cart please", 2, 1),
        ("Anzahl der Tassen im Warenkorb auf 1 verringern", 4, 1),
        ("remove one of the glasses from the basket", 3, 2),
        ("eins von den Gläsern aus dem Warenkorb nehmen", 3, 2),
        ("nimm die Tasse aus dem Korb", 3, 0),
    ],
)
def test_how_many_pieces_stay_in_the_cart(text, held, left):
    assert pieces_left(text, held) == left
