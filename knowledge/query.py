"""The words of product search: what is asked for, what was found, what stood in the way."""

from typing import Literal

import msgspec

from knowledge.documents import Product, ProductVariant

Sort = Literal["relevance", "price_asc", "price_desc"]
Values = tuple[str, ...]


class Exclusions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What must not be. `words` only move products that mention them down."""

    colors: Values = ()
    sizes: Values = ()
    materials: Values = ()
    categories: Values = ()
    brands: Values = ()
    attributes: dict[str, Values] = {}
    words: Values = ()


class ProductQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a customer looks for.

    All fields but `text`, `sort`, `prefer` and `exclude.words` are hard limits. Values are the
    shop's own keys ("blue", "M"). `attributes` maps an attribute or option name to the
    accepted values, in lower case; several names in one key, joined by "|", are
    alternatives. `keywords` are the words that name the thing; `unexplained` are the words
    that no limit accounts for. `prefer` are wishes that only rank: a dimension ("color",
    "brand") or an attribute and its values. With `open_category` the shelf is a guess: what
    fits the words better may stand on another one. `thing` are the words of what is asked for
    ("gaming laptop" in "black gaming laptop for school"), the last one its head; `names_shelf`
    where that is a shelf's own word, `guesses_shelf` where it only ends or sounds like one. With
    `anyway` the nearest products are returned even where the shop has nothing like it.
    """

    text: str = ""
    language: str = "en"
    price_min_minor: int | None = None
    price_max_minor: int | None = None
    colors: Values = ()
    sizes: Values = ()
    materials: Values = ()
    categories: Values = ()
    brands: Values = ()
    in_stock: bool = False
    exclude: Exclusions = Exclusions()
    attributes: dict[str, Values] = {}
    limit: int = 5
    offset: int = 0
    sort: Sort = "relevance"
    keywords: Values = ()
    unexplained: Values = ()
    prefer: dict[str, Values] = {}
    open_category: bool = False
    thing: Values = ()
    names_shelf: bool = False
    guesses_shelf: bool = False
    anyway: bool = False

    @property
    def has_limits(self) -> bool:
        """Whether a limit says what is looked for (a price or stock limit alone does not)."""
        return bool(
            self.colors
            or self.sizes
            or self.materials
            or self.categories
            or self.brands
            or self.attributes
        )


class ProductMatch(msgspec.Struct, frozen=True):
    """A found product with the variant that meets every limit at once.

    `score` is in [0, 1]. `why` names what spoke for it: "category", "color:blue",
    "words", "meaning", "title".
    """

    product: Product
    variant: ProductVariant
    score: float
    why: tuple[str, ...] = ()


class Relaxation(msgspec.Struct, frozen=True):
    """A limit that, when dropped, lets `count` products through.

    `field` is a field of ProductQuery or "exclude.…" or "attributes.NAME".
    """

    field: str
    values: tuple[str, ...]
    count: int


class ProductResult(msgspec.Struct, frozen=True):
    """The answer to a ProductQuery.

    Prices and stock are those of the last update: read them again from the shop
    before they are shown. `total` counts all matches before limit and offset. With `is_near`
    nothing is what was asked for, `missing`: the matches only come near it.
    """

    query: ProductQuery
    matches: tuple[ProductMatch, ...] = ()
    total: int = 0
    relaxations: tuple[Relaxation, ...] = ()
    is_near: bool = False
    missing: Values = ()
