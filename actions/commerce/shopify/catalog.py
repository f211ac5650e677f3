"""The catalogue of a Shopify store."""

from actions.commerce.errors import NotFound, ShopRefused
from actions.commerce.models import Category, Product, ShopInfo, Variant, Vocabulary
from actions.commerce.ports import Catalog
from actions.commerce.shopify.client import TOO_COSTLY, ShopifyApi
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.product_reading import category_of, product_of, words_of
from actions.commerce.shopify.queries import (
    COLLECTIONS,
    PRODUCT,
    PRODUCT_VARIANTS,
    PRODUCTS,
    VARIANT,
)
from actions.commerce.shopify.wire import Json, gid, nodes, tail

FIRST_PAGE = 20


class ShopifyCatalog(Catalog):
    """Products, variants and collections of a Shopify store."""

    def __init__(self, api: ShopifyApi, config: ShopifyConfig, info: ShopInfo) -> None:
        """Read the catalogue over `api`, in the store's language and one more of the shop's."""
        self._api = api
        self._config = config
        self._info = info
        others = [la for la in info.languages if la != config.language]
        self._locale = others[0] if others else config.language
        self._last_read: list[Json] = []

    async def product(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            NotFound: there is none.
        """
        data = await self._api.read(PRODUCT, id=gid("Product", product_id), **self._words())
        if data["product"] is None:
            raise NotFound(product_id)
        return await self._whole(data["product"])

    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product.

        Raises:
            NotFound: there is none.
        """
        data = await self._api.read(VARIANT, id=gid("ProductVariant", variant_id), **self._words())
        if data["productVariant"] is None:
            raise NotFound(variant_id)
        product = await self._whole(data["productVariant"]["product"])
        variant = product.variant(tail(data["productVariant"]["id"]))
        if variant is None:
            raise NotFound(variant_id)
        return product, variant

    async def products(self) -> tuple[Product, ...]:
        """Return all active products in the order of their ids."""
        return tuple([await self._whole(raw) for raw in await self._raw_products()])

    async def categories(self) -> tuple[Category, ...]:
        """Return the collections."""
        found: list[Category] = []
        after: str | None = None
        while True:
            data = await self._api.read(COLLECTIONS, after=after, locale=self._locale)
            page = data["collections"]
            found += [category_of(raw, self._config.language, self._locale) for raw in nodes(page)]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return tuple(found)

    async def vocabulary(self) -> Vocabulary:
        """Return how options and their values are called, from all products as last read."""
        raws = self._last_read or await self._raw_products()
        return words_of(raws, self._config.language, self._locale)

    async def _raw_products(self) -> list[Json]:
        """Return all products, in pages as large as Shopify's cost limit lets them be.

        Raises:
            ShopRefused: not even one product at a time is accepted.
        """
        found: list[Json] = []
        after: str | None = None
        first = FIRST_PAGE
        while True:
            try:
                data = await self._api.read(PRODUCTS, first=first, after=after, **self._words())
            except ShopRefused as error:
                if error.detail != TOO_COSTLY or first == 1:
                    raise
                first //= 2
                continue
            page = data["products"]
            found += nodes(page)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                self._last_read = found
                return found

    async def _whole(self, raw: Json) -> Product:
        page = raw["variants"]["pageInfo"]
        while page["hasNextPage"]:
            data = await self._api.read(PRODUCT_VARIANTS, id=raw["id"], after=page["endCursor"])
            more = data["product"]["variants"]
            raw["variants"]["nodes"] += more["nodes"]
            page = more["pageInfo"]
        return product_of(raw, self._config, self._info.currency, self._locale)

    def _words(self) -> dict[str, str]:
        return {"locale": self._locale, "namespace": self._config.attributes}
