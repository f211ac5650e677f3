"""What knowledge is made of: products, categories, shop words and passages."""

from datetime import datetime
from hashlib import blake2b

import msgspec

UNANSWERED = "unanswered"
"""The kind of a passage that is not quoted."""
AttributeValue = str | bool | int | float | list[str] | None
Texts = dict[str, str]


def pick(texts: Texts, language: str) -> str:
    """Return the text in a language, else the one in any other language."""
    return texts.get(language) or next((text for text in texts.values() if text), "")


class ProductVariant(msgspec.Struct, frozen=True):
    """One sellable form of a product."""

    id: str
    options: dict[str, str] = {}
    price_minor: int = 0
    available: bool = True
    stock: int | None = None


class Product(msgspec.Struct, frozen=True):
    """A product as the shop's JSON describes it."""

    id: str
    title: Texts
    variants: tuple[ProductVariant, ...]
    description: Texts = {}
    category: str = ""
    brand: str = ""
    attributes: dict[str, AttributeValue] = {}
    tags: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    image: str = ""


class Category(msgspec.Struct, frozen=True):
    """A shelf of the shop, with the words customers use for it."""

    id: str
    title: Texts = {}
    parent: str | None = None
    synonyms: dict[str, tuple[str, ...]] = {}


class ShopVocabulary(msgspec.Struct, frozen=True):
    """How the shop names its options and their values in each language."""

    option_names: dict[str, Texts] = {}
    values: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}

    def label(self, option: str, value: str, language: str) -> str:
        """Return the display form of an option's value."""
        forms = self.values.get(option, {}).get(value, {}).get(language, ())
        return forms[0] if forms else value


class Passage(msgspec.Struct, frozen=True):
    """A piece of help text in one language that may be quoted as an answer.

    `topic_id` is the same for the passage in every language. `country` is an ISO 3166-1 code of two
    letters where the passage holds for customers of one country only; `product_ids` are the
    products that a manual is for, so that it is quoted to those who have one.
    """

    id: str
    topic_id: str
    kind: str
    language: str
    title: str
    text: str
    variants: tuple[str, ...] = ()
    source_title: str = ""
    source_url: str = ""
    updated_at: datetime | None = None
    country: str = ""
    product_ids: tuple[str, ...] = ()

    @property
    def is_unanswered(self) -> bool:
        """Return whether its variants are questions that no text answers."""
        return self.kind == UNANSWERED


class Catalogue(msgspec.Struct, frozen=True):
    """Everything that knowledge reads from a shop."""

    products: tuple[Product, ...]
    categories: tuple[Category, ...] = ()
    vocabulary: ShopVocabulary = ShopVocabulary()
    passages: tuple[Passage, ...] = ()
    currency: str = "EUR"


class Unit(msgspec.Struct, frozen=True):
    """A text to be embedded, belonging to a product or passage.

    `role` is "query" for questions, "passage" for all other text, and "meaning" for either, where
    what is meant is encoded apart from what is searched. `title` is the part that counts twice:
    what a product is called.
    """

    id: str
    owner_id: str
    language: str
    text: str
    role: str = "passage"
    title: str = ""

    @property
    def hash(self) -> str:
        """Fingerprint of everything that decides the vector."""
        parts = (self.role, self.language, self.text, *((self.title,) if self.title else ()))
        raw = "\0".join(parts).encode("utf-8", "replace")
        return blake2b(raw, digest_size=12).hexdigest()
