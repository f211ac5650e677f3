"""The catalogue over the Admin API."""

from actions.commerce.errors import NotFound
from actions.commerce.models import Category, Product, Texts, Variant, Vocabulary
from actions.commerce.ports import Catalog
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json, Settings, VendureApi
from actions.commerce.vendure.config import VendureConfig
from actions.commerce.vendure.reading import option_name, options_of

YES = frozenset({"true", "yes", "ja"})
NO = frozenset({"false", "no", "nein"})


class VendureCatalog(Catalog):
    """Products of a shop on Vendure."""

    def __init__(self, api: VendureApi, config: VendureConfig) -> None:
        """Read the catalogue.

        Args:
            api: the Admin API.
            config: the shop's conventions.
        """
        self._api = api
        self._config = config

    async def product(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            NotFound: there is no such product.
        """
        data = await self._api.read(documents.PRODUCT, id=product_id)
        if data["product"] is None:
            raise NotFound(f"product {product_id}")
        return product_from(data["product"], await self._api.settings(), self._config)

    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product.

        Raises:
            NotFound: there is no such variant.
        """
        data = await self._api.read(documents.VARIANT, id=variant_id)
        if data["productVariant"] is None:
            raise NotFound(f"variant {variant_id}")
        raw = data["productVariant"]["product"]
        product = product_from(raw, await self._api.settings(), self._config)
        variant = product.variant(data["productVariant"]["id"])
        if variant is None:
            raise NotFound(f"variant {variant_id}")
        return product, variant

    async def products(self) -> tuple[Product, ...]:
        """Return all enabled products in the order of their ids."""
        settings = await self._api.settings()
        pages = self._api.pages(documents.PRODUCTS, "products")
        return tuple([product_from(raw, settings, self._config) async for raw in pages])

    async def categories(self) -> tuple[Category, ...]:
        """Return the public collections, each under its slug."""
        raws = [raw async for raw in self._api.pages(documents.COLLECTIONS, "collections")]
        slugs = {raw["id"]: raw["slug"] for raw in raws}
        return tuple(
            Category(
                id=raw["slug"],
                title=_names(raw["translations"]),
                parent=slugs.get(raw["parentId"]),
            )
            for raw in raws
        )

    async def vocabulary(self) -> Vocabulary:
        """Return the names of the option groups and of the options in them."""
        names: dict[str, Texts] = {}
        values: dict[str, dict[str, dict[str, list[str]]]] = {}
        async for raw in self._api.pages(documents.OPTIONS, "products"):
            for group in raw["optionGroups"]:
                code = option_name(group["code"], raw["slug"])
                names.setdefault(code, {}).update(_names(group["translations"]))
                for option in group["options"]:
                    words = {la: [text] for la, text in _names(option["translations"]).items()}
                    values.setdefault(code, {})[option["code"]] = words
        return Vocabulary(option_names=names, values=values)


def product_from(raw: Json, settings: Settings, config: VendureConfig) -> Product:
    """Return a product.

    Args:
        raw: a `Product` with the fields of `ProductParts`.
        settings: of the shop.
        config: the shop's conventions.
    """
    facets: dict[str, list[Json]] = {}
    for value in raw["facetValues"]:
        facets.setdefault(value["facet"]["code"], []).append(value)
    brands = [value["name"] for value in facets.pop(config.brand_facet, [])]
    tags = tuple(value["code"] for value in facets.pop(config.tags_facet, []))
    returns = {value["code"] for value in facets.pop(config.returns_facet, [])}
    rates = [variant["taxRateApplied"]["value"] for variant in raw["variants"]]
    names = [name for variant in raw["variants"] for name in options_of(variant, raw["slug"])]
    return Product(
        id=raw["id"],
        title=_names(raw["translations"]),
        description={
            words["languageCode"]: words["description"]
            for words in raw["translations"]
            if words["description"]
        },
        category=_category(raw),
        brand=next(iter(brands), ""),
        attributes={code: _attribute(values) for code, values in facets.items()},
        tags=tags,
        option_names=tuple(dict.fromkeys(names)),
        vat_rate_bp=round(rates[0] * 100) if rates else 0,
        image=(raw["featuredAsset"] or {}).get("source", ""),
        returnable="final-sale" not in returns,
        hygiene="hygiene" in returns,
        personalised="personalised" in returns,
        variants=tuple(_variant(v, raw, settings) for v in raw["variants"]),
    )


def _variant(raw: Json, product: Json, settings: Settings) -> Variant:
    tracks = {"TRUE": True, "FALSE": False}.get(raw["trackInventory"], settings.tracks_stock)
    threshold = (
        settings.threshold if raw["useGlobalOutOfStockThreshold"] else raw["outOfStockThreshold"]
    )
    on_hand = sum(x["stockOnHand"] - x["stockAllocated"] for x in raw["stockLevels"])
    stock = max(on_hand - threshold, 0) if tracks else None
    return Variant(
        id=raw["id"],
        options=options_of(raw, product["slug"]),
        price_minor=settings.minor(raw["priceWithTax"], raw["currencyCode"]),
        available=product["enabled"] and raw["enabled"] and stock != 0,
        stock=stock,
    )


def _category(raw: Json) -> str:
    deepest = max(raw["collections"], key=lambda x: len(x["breadcrumbs"]), default=None)
    return str(deepest["slug"]) if deepest else ""


def _attribute(values: list[Json]) -> str | bool | list[str]:
    if len(values) > 1:
        return [value["name"] for value in values]
    code = values[0]["code"].casefold()
    if code in YES | NO:
        return code in YES
    return str(values[0]["name"])


def _names(translations: list[Json]) -> Texts:
    return {words["languageCode"]: words["name"] for words in translations if words["name"]}
