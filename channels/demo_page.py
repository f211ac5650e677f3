"""The demo shop's pages, which the chat widget sits on: storefront, product, help."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from channels.demo_html import LANGUAGE_COOKIE, page_language, page_templates
from channels.demo_texts import LANGUAGES, TEXTS, local, money

_HERE = Path(__file__).parent
_PAGE_SIZE = 24
_CSP = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
Record = Mapping[str, object]


class _OpenStaticFiles(StaticFiles):
    """Static files that pages of other shops may load the widget's modules from."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, readable from any origin and checked for changes each time."""
        response = await super().get_response(path, scope)
        response.headers["access-control-allow-origin"] = "*"
        response.headers["cache-control"] = "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response


class TryThis(msgspec.Struct, frozen=True):
    """Something for a visitor to try: the sentence, and who they would be."""

    label: Mapping[str, str]
    text: Mapping[str, str]
    customer: str = ""


class Storefront(msgspec.Struct, frozen=True):
    """What the pages show, in the shop data format (data/demo_shop/README.md).

    `faq` holds (topic id, entries) pairs in the order they are shown.
    """

    name: str
    currency: str
    categories: Sequence[Record]
    products: Sequence[Record]
    faq: Sequence[tuple[str, Sequence[Record]]] = ()
    tries: Sequence[TryThis] = ()
    contact: Mapping[str, str] = {}
    vocabulary: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = {}

    @classmethod
    def read(
        cls,
        folder: Path,
        faq: Sequence[tuple[str, Sequence[Record]]] = (),
        tries: Sequence[TryThis] = (),
    ) -> "Storefront":
        """Return what a shop folder's files say.

        Args:
            folder: a folder in the shop data format.
            faq: the questions and answers, by topic.
            tries: what to offer for trying.

        Raises:
            OSError: if a file cannot be read.
            msgspec.DecodeError: if a file is not JSON.
            KeyError: if `shop.json` lacks a name or a currency.
        """
        files = {name: folder / f"{name}.json" for name in ("shop", "categories", "products")}
        shop, categories, products = (
            msgspec.json.decode(path.read_bytes()) for path in files.values()
        )
        words = folder / "vocabulary.json"
        values = msgspec.json.decode(words.read_bytes())["values"] if words.is_file() else {}
        contact = shop.get("contact") or {}
        name, currency = shop["name"], shop["currency"]
        return cls(name, currency, categories, products, faq, tries, contact, values)


class DemoPages:
    """Serves the demo shop from what `load` returns at each request."""

    def __init__(
        self,
        load: Callable[[], Storefront],
        images: Path | None = None,
        policies: Path | None = None,
    ) -> None:
        """Set up the pages.

        Args:
            load: returns what to show; called for each page, so it should be cheap.
            images: the shop's folder of pictures, `DIR/images`; None if it has none.
            policies: the folder of `NAME.LANGUAGE.md` texts; None if it has none.
        """
        self._load = load
        self._policies = policies
        self._images = images
        self._templates = page_templates()

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application, /static included."""
        return [
            Route("/", self.storefront),
            Route("/shop/help", self.help),
            Route("/shop/policies/{name}", self.policy),
            Route("/shop/p/{product_id}", self.product),
            Route("/shop/images/{name}", self.image),
            Route("/favicon.ico", self.favicon),
            Mount("/static", _OpenStaticFiles(directory=_HERE / "static")),
        ]

    async def storefront(self, request: Request) -> Response:
        """Show the products, of one category or matching a word if asked."""
        shop, language = self._load(), page_language(request)
        category = request.query_params.get("category", "")
        words = request.query_params.get("q", "").strip()[:100]
        found = [
            product
            for product in shop.products
            if _in_category(shop, product, category) and _matches(product, words)
        ]
        if not (category or words):
            found = _mixed(found)
        pages = max(1, -(-len(found) // _PAGE_SIZE))
        page = min(pages, _page_number(request))
        shown = found[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
        context = {
            "products": [_view(shop, product, language) for product in shown],
            "count": len(found),
            "category": category,
            "category_title": _category_title(shop, category, language),
            "words": words,
            "page": page,
            "pages": pages,
            "is_home": not (category or words) and page == 1,
        }
        return self._page(request, "storefront.html", shop, context)

    async def product(self, request: Request) -> Response:
        """Show one product with its variants."""
        shop, language = self._load(), page_language(request)
        product_id = request.path_params["product_id"]
        for product in shop.products:
            if product["id"] == product_id:
                view = _view(shop, product, language)
                same = [
                    _view(shop, other, language)
                    for other in shop.products
                    if other["category"] == product["category"] and other["id"] != product_id
                ]
                context = {"product": view, "similar": same[:4]}
                return self._page(request, "product.html", shop, context)
        return self._page(request, "missing.html", shop, {}, status=404)

    async def help(self, request: Request) -> Response:
        """Show the questions and answers, each at its own anchor."""
        shop, language = self._load(), page_language(request)
        topics = [
            {
                "id": topic,
                "title": TEXTS[language].get(f"topic_{topic}", topic.replace("_", " ").title()),
                "entries": [
                    {
                        "id": entry["id"],
                        "question": local(entry.get("question"), language),
                        "answer": local(entry.get("answer"), language),
                    }
                    for entry in entries
                ],
            }
            for topic, entries in shop.faq
        ]
        return self._page(request, "help.html", shop, {"topics": topics})

    async def policy(self, request: Request) -> Response:
        """Show one of the shop's terms, each section at its own anchor."""
        shop, language = self._load(), page_language(request)
        name = Path(request.path_params["name"]).name
        for spoken in (language, *LANGUAGES):
            path = self._policies / f"{name}.{spoken}.md" if self._policies else None
            if path is not None and path.is_file():
                title, sections = _policy_text(path.read_text(encoding="utf-8-sig"))
                context = {"title": title or name, "sections": sections}
                return self._page(request, "policy.html", shop, context)
        return self._page(request, "missing.html", shop, {}, status=404)

    async def image(self, request: Request) -> Response:
        """Serve a product's picture; an SVG may not run scripts."""
        name = Path(request.path_params["name"]).name
        path = self._images / name if self._images else None
        if path is None or not path.is_file():
            path = _HERE / "static" / "no-picture.svg"
        headers = {
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "x-content-type-options": "nosniff",
            "cache-control": "public, max-age=3600",
        }
        return FileResponse(path, headers=headers)

    async def favicon(self, request: Request) -> Response:
        """Serve the icon."""
        del request
        return FileResponse(_HERE / "static" / "favicon.svg", media_type="image/svg+xml")

    def _page(
        self,
        request: Request,
        template: str,
        shop: Storefront,
        context: Mapping[str, object],
        status: int = 200,
    ) -> Response:
        """Render a page in the visitor's language and remember the language."""
        language = page_language(request)
        shared = {
            "t": TEXTS[language],
            "lang": language,
            "languages": LANGUAGES,
            "shop": shop,
            "nav": [
                {"id": item["id"], "title": local(item.get("title"), language)}
                for item in shop.categories
                if not item.get("parent")
            ],
            "tries": [
                {
                    "label": local(item.label, language),
                    "text": local(item.text, language),
                    "customer": item.customer,
                }
                for item in shop.tries
            ],
            "url_in": lambda code: str(request.url.include_query_params(lang=code)),
        }
        html = self._templates.get_template(template).render({**shared, **context})
        headers = {
            "content-language": language,
            "content-security-policy": _CSP,
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
        }
        response = HTMLResponse(html, status, headers)
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, samesite="lax")
        return response


def _policy_text(text: str) -> tuple[str, list[Record]]:
    """Return the title and the sections of a policy text, without comments and emphasis."""
    plain = re.sub(r"<!--.*?-->|\*\*|__|`", "", text, flags=re.DOTALL)
    head, *parts = re.split(r"^##\s+", plain, flags=re.MULTILINE)
    title = next((line[2:].strip() for line in head.splitlines() if line.startswith("# ")), "")
    sections: list[Record] = []
    for part in parts:
        heading, _, body = part.partition("\n")
        paragraphs = [block.strip() for block in body.split("\n\n") if block.strip()]
        sections.append({"id": _anchor(heading), "title": heading.strip(), "texts": paragraphs})
    return title, sections


def _anchor(heading: str) -> str:
    """Return a heading as answers that quote its section link to it."""
    letters = unicodedata.normalize("NFKD", heading.casefold())
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def _records(value: object) -> list[Record]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _in_category(shop: Storefront, product: Record, category: str) -> bool:
    """Return whether the product is in the category or in one below it."""
    if not category or product["category"] == category:
        return True
    below = {item["id"] for item in shop.categories if item.get("parent") == category}
    return product["category"] in below


def _mixed(products: Sequence[Record]) -> list[Record]:
    """Return the products with one of each category in turn, as a shop window shows them."""
    shelves: dict[object, list[Record]] = {}
    for product in products:
        shelves.setdefault(product["category"], []).append(product)
    rounds = zip_longest(*shelves.values())
    return [product for each in rounds for product in each if product is not None]


def _matches(product: Record, words: str) -> bool:
    text = " ".join(
        str(part) for key in ("title", "brand") for part in _parts(product.get(key))
    ).casefold()
    return all(word in text for word in words.casefold().split())


def _parts(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _options(shop: Storefront, options: object, language: str) -> str:
    """Return a variant's options in the language, such as `blau · M`."""
    shown = []
    for option, value in options.items() if isinstance(options, Mapping) else ():
        words = shop.vocabulary.get(option, {}).get(str(value), {})
        forms = words.get(language) or next(iter(words.values()), [])
        shown.append(str(forms[0] if forms else value))
    return " · ".join(shown)


def _category_title(shop: Storefront, category: object, language: str) -> str:
    for item in shop.categories:
        if item["id"] == category:
            return local(item.get("title"), language)
    return ""


def _view(shop: Storefront, product: Record, language: str) -> dict[str, object]:
    """Return what a page shows of a product."""
    variants = _records(product.get("variants"))
    prices = [variant["price_minor"] for variant in variants]
    amounts = [price for price in prices if isinstance(price, int)]
    image = str(product.get("image") or "")
    return {
        "id": product["id"],
        "title": local(product.get("title"), language),
        "description": local(product.get("description"), language),
        "brand": product.get("brand", ""),
        "category": product["category"],
        "category_title": _category_title(shop, product["category"], language),
        "image": f"/shop/images/{Path(image).name}" if image else "/static/no-picture.svg",
        "price": money(min(amounts), shop.currency, language) if amounts else "",
        "from": len(set(amounts)) > 1,
        "available": any(variant.get("available") for variant in variants),
        "variants": [
            {
                "name": _options(shop, variant.get("options"), language),
                "price": money(int(str(variant["price_minor"])), shop.currency, language),
                "available": bool(variant.get("available")),
            }
            for variant in variants
        ],
    }
