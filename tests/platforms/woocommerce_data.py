"""The small shop as WooCommerce would hold it, in the shapes of its REST API v3."""

import html
import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "shop_small"
TAX = Decimal("0.19")
STATUSES = {"pending": "processing", "delivered": "completed", "shipped": "shipped"}
FIRST_ORDER = 5001
NAMES = {"color": "Color", "size": "Size"}


def load(name: str) -> list[Json]:
    return json.loads((FOLDER / f"{name}.json").read_text())


def money(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def net(gross: Decimal) -> Decimal:
    return (gross / (1 + TAX)).quantize(Decimal("0.000001"))


def gmt(moment: datetime | str | None) -> str | None:
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def dates(name: str, moment: datetime | str | None) -> Json:
    return {name: gmt(moment), f"{name}_gmt": gmt(moment)}


def links(*path: object) -> Json:
    return {"self": [{"href": "https://shop.example/wp-json/wc/v3/" + "/".join(map(str, path))}]}


def address_json(address: Json, person: Json, *, contact: bool) -> Json:
    found = {
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "company": "",
        "address_1": address["line1"],
        "address_2": address["line2"],
        "city": address["city"],
        "state": address["region"],
        "postcode": address["postcode"],
        "country": address["country"],
    }
    more = {"email": person["email"], "phone": person["phone"]}
    return {**found, **more} if contact else found


def buying(price: int, stock: int | None, *, available: bool) -> Json:
    text = money(Decimal(price) / 100)
    return {
        "description": "",
        "sku": "",
        "price": text,
        "regular_price": text,
        "sale_price": "",
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": False,
        "purchasable": True,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": stock is not None,
        "stock_quantity": stock,
        "stock_status": "instock" if available else "outofstock",
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "status": "publish",
        "menu_order": 0,
        "meta_data": [],
    }


class Seed:
    """The records of the small shop by WooCommerce's numbers, and what ours are called there."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.ids: dict[str, str] = {}
        self.products: dict[int, Json] = {}
        self.variations: dict[int, dict[int, Json]] = {}
        self.categories = self._categories()
        for number, product in enumerate(load("products"), start=101):
            self._product(number, product)
        self.people = {person["id"]: person for person in load("customers")}
        self.customers = {
            number: self._customer(number, person)
            for number, person in enumerate(self.people.values(), start=7001)
        }
        self.gateways = {
            name: gateway_json(name, refunds=name != "cod")
            for name in ("card-1", "gift-1", "pp-2", "cod")
        }

    def _categories(self) -> dict[int, Json]:
        return {
            number: {
                "id": number,
                "name": html.escape(category["title"]["de"]),
                "slug": category["id"],
                "parent": 0,
                "description": "",
                "display": "default",
                "image": [],
                "menu_order": 0,
                "count": 1,
                "_links": links("products/categories", number),
            }
            for number, category in enumerate(load("categories"), start=11)
        }

    def _product(self, number: int, product: Json) -> None:
        self.ids[product["id"]] = str(number)
        variable = len(product["variants"]) > 1
        first = product["variants"][0]
        stock = None if variable else first["stock"]
        tags = [name for name in ("hygiene", "personalised") if product[name]]
        category = next(c for c in self.categories.values() if c["slug"] == product["category"])
        self.variations[number] = {}
        buyable = buying(first["price_minor"], stock, available=first["available"])
        self.products[number] = {
            **product_json(number, product, buyable, self.now),
            "type": "variable" if variable else "simple",
            "categories": [{key: category[key] for key in ("id", "name", "slug")}],
            "tags": [{"id": n, "name": tag, "slug": tag} for n, tag in enumerate(tags, 31)],
            "attributes": self._attributes(product),
        }
        if not variable:
            self.ids[first["id"]] = f"{number}-0"
            return
        for place, variant in enumerate(product["variants"], start=1):
            self._variation(number, number * 10 + place, variant)

    def _attributes(self, product: Json) -> list[Json]:
        found = []
        for name in product["option_names"]:
            options = list(dict.fromkeys(v["options"][name] for v in product["variants"]))
            found.append({"name": NAMES[name], "variation": True, "options": options})
        if product["brand"]:
            found.append({"name": "Brand", "variation": False, "options": [product["brand"]]})
        found += [
            {"name": name, "variation": False, "options": ["yes" if value is True else str(value)]}
            for name, value in product["attributes"].items()
        ]
        return [
            {"id": 0, "position": position, "visible": True, **attribute}
            for position, attribute in enumerate(found)
        ]

    def _variation(self, product: int, number: int, variant: Json) -> None:
        self.ids[variant["id"]] = f"{product}-{number}"
        self.products[product]["variations"].append(number)
        options = variant["options"].items()
        self.variations[product][number] = {
            "id": number,
            **dates("date_created", self.now),
            **dates("date_modified", self.now),
            "permalink": f"https://shop.example/product/{product}/",
            **buying(variant["price_minor"], variant["stock"], available=variant["available"]),
            "image": {"id": 0, "src": ""},
            "attributes": [{"id": 0, "name": NAMES[k], "option": v} for k, v in options],
            "_links": links("products", product, "variations", number),
        }

    def _customer(self, number: int, person: Json) -> Json:
        self.ids[person["id"]] = str(number)
        return {
            "id": number,
            **dates("date_created", person["created_at"]),
            **dates("date_modified", person["created_at"]),
            "email": person["email"],
            "first_name": person["first_name"],
            "last_name": person["last_name"],
            "role": "customer",
            "username": person["email"].partition("@")[0],
            "billing": address_json(person["address"], person, contact=True),
            "shipping": address_json(person["address"], person, contact=False),
            "is_paying_customer": True,
            "avatar_url": "https://shop.example/avatar",
            "meta_data": [],
            "_links": links("customers", number),
        }


def gateway_json(name: str, *, refunds: bool) -> Json:
    return {
        "id": name,
        "title": name,
        "description": "",
        "order": 0,
        "enabled": True,
        "method_title": name,
        "method_description": "",
        "method_supports": ["products", "refunds"] if refunds else ["products"],
        "settings": {},
        "_links": links("payment_gateways", name),
    }


def product_json(number: int, product: Json, buyable: Json, now: datetime) -> Json:
    return {
        "id": number,
        "name": html.escape(product["title"]["de"]),
        "slug": product["id"].casefold(),
        "permalink": f"https://shop.example/product/{number}/",
        **dates("date_created", now),
        **dates("date_modified", now),
        "featured": False,
        "catalog_visibility": "visible",
        **buyable,
        "description": f"<p>{product['description'].get('en', '')}</p>\n",
        "short_description": "",
        "price_html": "",
        "total_sales": 0,
        "external_url": "",
        "button_text": "",
        "sold_individually": False,
        "shipping_required": True,
        "shipping_taxable": True,
        "reviews_allowed": True,
        "average_rating": "0.00",
        "rating_count": 0,
        "parent_id": 0,
        "purchase_note": "",
        **{key: [] for key in ("related_ids", "upsell_ids", "cross_sell_ids", "images")},
        **{key: [] for key in ("default_attributes", "variations", "grouped_products")},
        "_links": links("products", number),
    }
