"""Fills an empty Vendure server with tests/fixtures/shop_small, through its Admin API alone."""

import json
import time

from tests.fixtures.small_shop import FOLDER
from tests.platforms.vendure_seed_orders import add_customer, add_order, set_stock
from tests.platforms.vendure_seeds import ID, Seeds, load, texts
from tests.platforms.vendure_server import VendureServer

COUNTRIES = {"DE": ("Germany", "Deutschland"), "AT": ("Austria", "Österreich")}


def seed(server: VendureServer) -> Seeds:
    """Create shop, catalogue, customers, orders and an API key, and keep that as the snapshot."""
    seeds = Seeds()
    tax = _shop(server)
    _catalogue(server, seeds, tax)
    for customer in load("customers"):
        add_customer(server, seeds, customer)
    for order in load("orders"):
        add_order(server, seeds, order)
    set_stock(server, seeds)
    seeds.api_key = _api_key(server)
    server.snapshot()
    return seeds


def _shop(server: VendureServer) -> str:
    server.admin(
        "mutation { updateGlobalSettings(input: {availableLanguages: [en, de]})"
        " { __typename ... on ErrorResult { errorCode message } } }"
    )
    countries = []
    for code, (english, german) in COUNTRIES.items():
        data = server.admin(
            f"mutation($i: CreateCountryInput!) {{ createCountry(input: $i) {ID} }}",
            i={"code": code, "enabled": True, "translations": texts({"en": english, "de": german})},
        )
        countries.append(data["createCountry"]["id"])
    zone = server.admin(
        f'mutation($m: [ID!]) {{ createZone(input: {{name: "EU", memberIds: $m}}) {ID} }}',
        m=countries,
    )["createZone"]["id"]
    tax = server.admin(
        f'mutation {{ createTaxCategory(input: {{name: "VAT", isDefault: true}}) {ID} }}'
    )["createTaxCategory"]["id"]
    server.admin(
        f"mutation($i: CreateTaxRateInput!) {{ createTaxRate(input: $i) {ID} }}",
        i={"name": "VAT", "enabled": True, "value": 19, "categoryId": tax, "zoneId": zone},
    )
    channel = server.admin("{ activeChannel { id } }")["activeChannel"]["id"]
    server.admin(
        "mutation($i: UpdateChannelInput!) { updateChannel(input: $i)"
        " { __typename ... on ErrorResult { errorCode message } } }",
        i={
            "id": channel,
            "availableLanguageCodes": ["en", "de"],
            "defaultCurrencyCode": "EUR",
            "availableCurrencyCodes": ["EUR"],
            "pricesIncludeTax": True,
            "defaultTaxZoneId": zone,
            "defaultShippingZoneId": zone,
        },
    )
    _ways(server)
    return tax


def _ways(server: VendureServer) -> None:
    def operation(code: str, **arguments) -> dict:
        values = [{"name": name, "value": str(value)} for name, value in arguments.items()]
        return {"code": code, "arguments": values}

    server.admin(
        f"mutation($i: CreateShippingMethodInput!) {{ createShippingMethod(input: $i) {ID} }}",
        i={
            "code": "parcel",
            "fulfillmentHandler": "manual-fulfillment",
            "checker": operation("default-shipping-eligibility-checker", orderMinimum=0),
            "calculator": operation(
                "default-shipping-calculator", rate=0, includesTax="include", taxRate=19
            ),
            "translations": [{"languageCode": "en", "name": "Parcel", "description": ""}],
        },
    )
    for code in ("card-1", "gift-1", "pp-2"):
        server.admin(
            f"mutation($i: CreatePaymentMethodInput!) {{ createPaymentMethod(input: $i) {ID} }}",
            i={
                "code": code,
                "enabled": True,
                "handler": operation("pays-at-once"),
                "translations": [{"languageCode": "en", "name": code, "description": ""}],
            },
        )
    server.admin(
        "mutation($i: CreatePromotionInput!) { createPromotion(input: $i)"
        " { __typename ... on ErrorResult { errorCode message } } }",
        i={
            "enabled": True,
            "couponCode": "LESS25",
            "conditions": [],
            "actions": [operation("order_fixed_discount", discount=2500)],
            "translations": [{"languageCode": "en", "name": "25 less", "description": ""}],
        },
    )


def _catalogue(server: VendureServer, seeds: Seeds, tax: str) -> None:
    facets = _facets(server)
    for product in load("products"):
        wanted = (
            [code for code in ("hygiene", "personalised") if product[code]]
            + [product["brand"].lower()]
            + product["tags"]
            + list(product["attributes"])
        )
        product_id = server.admin(
            f"mutation($i: CreateProductInput!) {{ createProduct(input: $i) {ID} }}",
            i={
                "enabled": True,
                "facetValueIds": [facets[code] for code in wanted if code],
                "translations": [
                    {
                        "languageCode": la,
                        "name": name,
                        "slug": f"{product['id'].lower()}-{la}",
                        "description": product["description"].get(la, ""),
                    }
                    for la, name in product["title"].items()
                ],
            },
        )["createProduct"]["id"]
        seeds.products[product["id"]] = product_id
        options = _options(server, product, product_id)
        for variant in product["variants"]:
            _variant(server, seeds, product, variant, product_id, options, tax)
    _collections(server, seeds)


def _facets(server: VendureServer) -> dict[str, str]:
    known = {}
    wanted = {
        "brand": {"nord": "Nord"},
        "tags": {"winter": "winter"},
        "returns": {"hygiene": "Hygiene article", "personalised": "Made to order"},
        "waterproof": {"waterproof": "yes"},
    }
    for facet, values in wanted.items():
        data = server.admin(
            "mutation($i: CreateFacetInput!) { createFacet(input: $i) { values { id code } } }",
            i={
                "code": facet,
                "isPrivate": False,
                "translations": texts({"en": facet}),
                "values": [
                    {
                        "code": "true" if facet == code else code,
                        "translations": texts({"en": name}),
                    }
                    for code, name in values.items()
                ],
            },
        )
        for code, value in zip(values, data["createFacet"]["values"], strict=True):
            known[code] = value["id"]
    return known


def _options(server: VendureServer, product: dict, product_id: str) -> dict[tuple[str, str], str]:
    vocabulary = json.loads((FOLDER / "vocabulary.json").read_text(encoding="utf-8"))
    known = {}
    for option in product["option_names"]:
        values = list(dict.fromkeys(v["options"][option] for v in product["variants"]))
        words = vocabulary["values"].get(option, {})
        group = server.admin(
            "mutation($i: CreateProductOptionGroupInput!) { createProductOptionGroup(input: $i)"
            " { id options { id code } } }",
            i={
                "code": option,
                "translations": texts(vocabulary["option_names"].get(option, {"en": option})),
                "options": [
                    {
                        "code": value,
                        "translations": texts(
                            {la: names[0] for la, names in words.get(value, {}).items()}
                            or {"en": value}
                        ),
                    }
                    for value in values
                ],
            },
        )["createProductOptionGroup"]
        server.admin(
            "mutation($p: ID!, $g: ID!) {"
            f" addOptionGroupToProduct(productId: $p, optionGroupId: $g) {ID} }}",
            p=product_id,
            g=group["id"],
        )
        known |= {(option, x["code"]): x["id"] for x in group["options"]}
    return known


def _variant(server, seeds, product, variant, product_id, options, tax) -> None:
    data = server.admin(
        f"mutation($i: [CreateProductVariantInput!]!) {{ createProductVariants(input: $i) {ID} }}",
        i=[
            {
                "productId": product_id,
                "enabled": variant["available"],
                "sku": variant["id"],
                "price": variant["price_minor"],
                "taxCategoryId": tax,
                "optionIds": [options[item] for item in variant["options"].items()],
                "stockOnHand": 100,
                "trackInventory": "FALSE" if variant["stock"] is None else "TRUE",
                "translations": texts(product["title"]),
            }
        ],
    )
    seeds.variants[variant["id"]] = data["createProductVariants"][0]["id"]


def _collections(server: VendureServer, seeds: Seeds) -> None:
    for category in load("categories"):
        inside = [
            seeds.products[p["id"]] for p in load("products") if p["category"] == category["id"]
        ]
        server.admin(
            f"mutation($i: CreateCollectionInput!) {{ createCollection(input: $i) {ID} }}",
            i={
                "filters": [
                    {
                        "code": "product-id-filter",
                        "arguments": [
                            {"name": "productIds", "value": json.dumps(inside)},
                            {"name": "combineWithAnd", "value": "true"},
                        ],
                    }
                ],
                "translations": [
                    {"languageCode": la, "name": name, "slug": category["id"], "description": ""}
                    for la, name in category["title"].items()
                ],
            },
        )
    count = "{ collections { items { productVariantCount } } }"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        items = server.admin(count)["collections"]["items"]
        if all(item["productVariantCount"] for item in items):
            return
        time.sleep(0.1)
    msg = "the collections stay empty"
    raise RuntimeError(msg)


def _api_key(server: VendureServer) -> str:
    permissions = [
        "ReadOrder", "UpdateOrder", "ReadCustomer", "UpdateCustomer", "ReadCustomerGroup",
        "ReadCatalog", "ReadSettings",
    ]  # fmt: skip
    role = server.admin(
        f"mutation($i: CreateRoleInput!) {{ createRole(input: $i) {ID} }}",
        i={"code": "service-bot", "description": "Service bot", "permissions": permissions},
    )["createRole"]["id"]
    data = server.admin(
        "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey } }",
        i={"roleIds": [role], "translations": texts({"en": "Service bot"})},
    )
    return data["createApiKey"]["apiKey"]
