"""Sentences with hard limits, generated with a seed; truth is read from the shop's own file.

What a product is comes from products.json alone, not from the index: a product fits when one of
its variants meets every limit at once. A shade ("light blue" for "blue") may be shown and need not.
"""

import json
import random
from collections.abc import Callable, Mapping

import msgspec

from bench.knowledge.sides import ROOT
from knowledge.library import Library

COUNT = 400
SEED = 20261122
_SHELVES = {
    "shoes": ("Schuhe", "shoes"),
    "jackets": ("Jacken", "jackets"),
    "bags": ("Taschen", "bags"),
    "dresses": ("Kleider", "dresses"),
    "trousers": ("Hosen", "trousers"),
    "knitwear": ("Pullover", "jumpers"),
    "shirts": ("Hemden", "shirts"),
}
_COLORS = {
    "black": ("schwarz", "black", ()),
    "navy": ("dunkelblau", "navy", ()),
    "blue": ("blau", "blue", ("navy", "light_blue", "petrol")),
    "red": ("rot", "red", ("burgundy",)),
    "white": ("weiß", "white", ("cream",)),
    "green": ("grün", "green", ("olive", "sage")),
    "brown": ("braun", "brown", ("dark_brown", "cognac")),
    "grey": ("grau", "grey", ("anthracite", "silver")),
    "olive": ("oliv", "olive", ()),
    "cognac": ("cognac", "cognac", ()),
}
_MATERIALS = {
    "leather": ("Leder", "leather", ("suede",)),
    "cotton": ("Baumwolle", "cotton", ("organic_cotton",)),
    "polyester": ("Polyester", "polyester", ()),
    "wool": ("Wolle", "wool", ("merino",)),
    "denim": ("Denim", "denim", ()),
    "viscose": ("Viskose", "viscose", ()),
}
_LETTERS = ("S", "M", "L", "XL")
_SPOKEN = {
    50: ("fünfzig", "fifty"), 60: ("sechzig", "sixty"), 80: ("achtzig", "eighty"),
    100: ("hundert", "a hundred"), 120: ("hundertzwanzig", "one hundred and twenty"),
    150: ("hundertfünfzig", "one hundred and fifty"), 200: ("zweihundert", "two hundred"),
    250: ("zweihundertfünfzig", "two hundred fifty"), 75: ("fünfundsiebzig", "seventy-five"),
    99: ("neunundneunzig", "ninety-nine"),
}  # fmt: skip
Variant = Mapping[str, object]
Product = Mapping[str, object]
Verdict = Callable[[dict[str, object], dict[str, object]], bool | None]


class Sentence(msgspec.Struct, frozen=True):
    """A generated sentence, and for each limit whether a product's variant meets it.

    A limit answers True, False, or None where either would do.
    """

    text: str
    language: str
    shelf: str
    limits: tuple[tuple[str, Verdict], ...]


class Outcome(msgspec.Struct, frozen=True):
    """What came of all sentences."""

    sentences: int
    violations: int
    recall: float
    whole: float
    failures: tuple[str, ...]


class Generator:
    """Makes sentences, the same for the same seed."""

    def __init__(self, products: list[dict[str, object]], seed: int = SEED) -> None:
        """Use the brands and sizes that stand on each shelf."""
        self._random = random.Random(seed)
        self._products = products

    def sentence(self, number: int) -> Sentence:
        """Return one sentence; German and English in turn."""
        language = number % 2
        shelf = self._random.choice(list(_SHELVES))
        noun = _SHELVES[shelf][language]
        makers = [self._price, self._size, self._color, self._stock, self._without, self._brand]
        chosen = self._random.sample(makers, self._random.choice((1, 2, 2, 3)))
        parts = [make(shelf, language) for make in chosen]
        said = [part[0] for part in parts]
        lead, joined = self._random.choice((
            (("Ich suche {}", "I am looking for {}"), ", "),
            (("{}", "{}"), ", "),
            (("Habt ihr {}?", "Do you have {}?"), " "),
            (("Zeig mir {} bitte", "show me {} please"), ", "),
            (("ich brauch {}", "need {}"), " "),
        ))
        text = lead[language].format(joined.join([noun, *said]))
        if self._random.random() < 0.2:
            text = text.lower() if "," in text and "size" not in text.lower() else text
        return Sentence(text, ("de", "en")[language], shelf, tuple(part[1] for part in parts))

    def _amount(self, euros: int, language: int) -> str:
        spoken = f"{_SPOKEN[euros][language]} {('Euro', 'euros')[language]}"
        return self._random.choice((
            f"{euros} €", f"€{euros}", f"{euros}€", f"{euros},00 €", f"{euros}.00 EUR",
            f"{euros} {('Euro', 'euros')[language]}", f"{euros} EUR", spoken,
            (f"{euros},- €", f"{euros} euro")[language],
        ))  # fmt: skip

    def _price(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        low, high = sorted(self._random.sample(list(_SPOKEN), 2))
        one, other = self._amount(low, language), self._amount(high, language)
        kind = self._random.choice(("max", "max", "min", "between"))
        if kind == "max":
            words = (("unter", "bis", "höchstens", "maximal", "nicht teurer als"),
                     ("under", "below", "up to", "at most", "no more than"))  # fmt: skip
            text = f"{self._random.choice(words[language])} {other}"
            return text, ("price", lambda _, v: v["price_minor"] <= high * 100)
        if kind == "min":
            words = (("ab", "mindestens", "über"), ("from", "at least", "over"))
            text = f"{self._random.choice(words[language])} {one}"
            return text, ("price", lambda _, v: v["price_minor"] >= low * 100)
        shapes = (("zwischen {} und {}", "von {} bis {}"), ("between {} and {}", "from {} to {}"))
        text = self._random.choice(shapes[language]).format(one, other)
        return text, ("price", lambda _, v: low * 100 <= v["price_minor"] <= high * 100)

    def _size(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        size = self._random.choice(("39", "40", "41", "42", "43") if shelf == "shoes" else _LETTERS)
        shapes = (("Größe {}", "in Größe {}", "Gr. {}"), ("size {}", "in size {}", "in a size {}"))
        text = self._random.choice(shapes[language]).format(size)
        return text, ("size", lambda _, v: v["options"].get("size") == size)

    def _color(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        color = self._random.choice(list(_COLORS))
        word, shades = _COLORS[color][language], _COLORS[color][2]
        if self._random.random() < 0.35:
            shapes = (("nicht {}", "nicht in {}", "aber kein {}"), ("not {}", "but not in {}"))
            text = self._random.choice(shapes[language]).format(word)
            return text, (
                "not color",
                lambda _, v: _unlike(v["options"].get("color"), color, shades),
            )
        text = self._random.choice((("in {}", "{}"), ("in {}", "{}"))[language]).format(word)
        return text, ("color", lambda _, v: _like(v["options"].get("color"), color, shades))

    def _stock(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        words = (("lieferbar", "auf Lager", "sofort lieferbar", "vorrätig"),
                 ("in stock", "available now", "available"))  # fmt: skip
        text = self._random.choice(words[language])
        return text, ("stock", lambda _, v: bool(v["available"]) and v["stock"] != 0)

    def _without(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        material = self._random.choice(list(_MATERIALS))
        word, kinds = _MATERIALS[material][language], _MATERIALS[material][2]
        shapes = (("kein {}", "ohne {}", "nicht aus {}", "{}frei"),
                  ("no {}", "without {}", "not made of {}", "{}-free"))  # fmt: skip
        text = self._random.choice(shapes[language]).format(word)
        return text, ("not material", lambda p, v: _free_of(p, v, material, kinds))

    def _brand(self, shelf: str, language: int) -> tuple[str, tuple[str, Verdict]]:
        brands = sorted({str(p["brand"]) for p in self._products if p["category"] == shelf})
        brand = self._random.choice(brands)
        if self._random.random() < 0.3:
            text = (f"nicht von {brand}", f"not from {brand}")[language]
            return text, ("not brand", lambda p, _: p["brand"] != brand)
        shapes = (("von {}", "der Marke {}"), ("from {}", "by {}"))
        text = self._random.choice(shapes[language]).format(brand)
        return text, ("brand", lambda p, _: p["brand"] == brand)


def _like(found: object, color: str, shades: tuple[str, ...]) -> bool | None:
    return None if found in shades else found == color


def _unlike(found: object, color: str, shades: tuple[str, ...]) -> bool | None:
    return None if found in shades else found != color


def _free_of(
    product: Mapping[str, object],
    variant: Mapping[str, object],
    material: str,
    kinds: tuple[str, ...],
) -> bool | None:
    stated = {str(value) for value in product["attributes"].values()}
    stated |= {str(value) for value in variant["options"].values()}
    if material in stated:
        return False
    return None if stated & set(kinds) else True


def limits(library: Library, count: int = COUNT, seed: int = SEED) -> Outcome:
    """Search the demo shop with generated sentences; count broken limits, and what was missed."""
    shop = ROOT / "data" / "demo_shop" / "products.json"
    products = {p["id"]: p for p in json.loads(shop.read_text(encoding="utf-8"))}
    generator = Generator(list(products.values()), seed)
    violations, failures, recalls = 0, [], []
    for sentence in map(generator.sentence, range(count)):
        query = library.read_query(sentence.text, sentence.language)
        result = library.search_products(msgspec.structs.replace(query, limit=len(products)))
        broken = [
            name
            for match in result.matches
            for name in _broken(sentence, products[match.product.id], match.variant.id)
        ]
        wanted = {key for key, p in products.items() if _must_be_found(sentence, p)}
        missed = wanted - {match.product.id for match in result.matches}
        if wanted:
            recalls.append(1 - len(missed) / len(wanted))
        violations += len(broken)
        if broken or missed:
            failures.append(f"{sentence.text}: breaks {sorted(set(broken))}, misses {len(missed)}")
    mean = sum(recalls) / max(len(recalls), 1)
    whole = sum(recall == 1 for recall in recalls) / max(len(recalls), 1)
    return Outcome(count, violations, mean, whole, tuple(failures))


def _broken(sentence: Sentence, product: dict[str, object], variant_id: str) -> list[str]:
    variant = next(v for v in product["variants"] if v["id"] == variant_id)
    return [name for name, verdict in sentence.limits if verdict(product, variant) is False]


def _must_be_found(sentence: Sentence, product: dict[str, object]) -> bool:
    return product["category"] == sentence.shelf and any(
        all(verdict(product, variant) is True for _, verdict in sentence.limits)
        for variant in product["variants"]
    )
