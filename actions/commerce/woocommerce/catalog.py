"""The catalogue over WooCommerce's REST API."""

import asyncio

from actions.commerce.errors import NotFound
from actions.commerce.models import Category, Product, Variant, Vocabulary
from actions.commerce.ports import Catalog
from actions.commerce.woocommerce.catalogue_reading import Reader, variant_numbers
from actions.commerce.woocommerce.client import WooClient
from actions.commerce.woocommerce.shapes import Variation, WooCategory, WooProduct

AT_ONCE = 4
SOLD = {"simple", "variable"}


class WooCatalog(Catalog):
    """Published simple and variable products; bundles and links elsewhere are left out."""

    def __init__(self, client: WooClient, reader: Reader) -> None:
        """Read the shop's catalogue.

        Args:
            client: of the shop.
            reader: knows its currency and language.
        """
        self._client = client
        self._reader = reader

    async def product(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            NotFound: there is none that is sold.
        """
        if not product_id.isdigit():
            raise NotFound(product_id)
        found = await self._client.get(f"/products/{int(product_id)}", WooProduct)
        if found.type not in SOLD:
            raise NotFound(product_id)
        return await self._whole(found)

    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product.

        Raises:
            NotFound: there is none.
        """
        product = await self.product(str(variant_numbers(variant_id)[0]))
        variant = product.variant(variant_id)
        if variant is None:
            raise NotFound(variant_id)
        return product, variant

    async def products(self) -> tuple[Product, ...]:
        """Return all published products, the oldest first."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def whole(product: WooProduct) -> Product:
            async with turns:
                return await self._whole(product)

        return tuple(await asyncio.gather(*(whole(p) for p in await self._published())))

    async def categories(self) -> tuple[Category, ...]:
        """Return all categories, parents and children as the shop numbers them."""
        found = await self._client.all("/products/categories", WooCategory, orderby="id")
        slugs = {category.id: category.slug for category in found}
        return tuple(self._reader.category(category, slugs) for category in found)

    async def vocabulary(self) -> Vocabulary:
        """Return how options and values are called."""
        return self._reader.vocabulary(await self._published())

    async def _published(self) -> list[WooProduct]:
        params = {"status": "publish", "orderby": "id", "order": "asc"}
        found = await self._client.all("/products", WooProduct, **params)
        return [product for product in found if product.type in SOLD]

    async def _whole(self, product: WooProduct) -> Product:
        if product.type != "variable":
            return self._reader.product(product, [])
        path = f"/products/{product.id}/variations"
        found = await self._client.all(path, Variation, orderby="id", order="asc")
        return self._reader.product(product, found)
