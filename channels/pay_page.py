"""The payment page: takes a click as the demo provider's money, or leads to a real provider.

Customers of a real provider also come back here, and see whether their payment has arrived.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from channels.demo_html import page_language, page_templates
from channels.demo_texts import money

_CSP = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_TERMS: Mapping[str, tuple[str, str]] = {
    "title": ("Bezahlen", "Payment"),
    "to_pay": ("Zu zahlen", "To pay"),
    "shipping": ("Versand", "Shipping"),
    "free": ("kostenlos", "free"),
    "lead": (
        "Das ist die Bezahlseite des Demo-Shops. Es fließt kein Geld.",
        "This is the demo shop's payment page. No money moves.",
    ),
    "pay": ("Jetzt bezahlen (Demo)", "Pay now (demo)"),
    "go": ("Weiter zur Bezahlseite", "Continue to the payment page"),
    "processing": (
        "Ihre Zahlung ist unterwegs. Sobald sie da ist, bestätigen wir Ihre Bestellung im Chat.",
        "Your payment is on its way. Once it is here, we confirm your order in the chat.",
    ),
    "thanks": ("Vielen Dank für Ihre Bestellung!", "Thank you for your order!"),
    "number": ("Ihre Bestellnummer", "Your order number"),
    "closed": (
        "Dieser Zahlungslink ist abgelaufen. Im Chat bekommen Sie einen neuen.",
        "This payment link has expired. You can get a new one in the chat.",
    ),
    "failed": (
        (
            "Die Zahlung war nicht möglich, es wurde nichts bestellt. "
            "Bitte prüfen Sie Ihren Warenkorb im Chat."
        ),
        "The payment was not possible and nothing was ordered. Please check your cart in the chat.",
    ),
    "missing": ("Diesen Zahlungslink gibt es nicht.", "This payment link does not exist."),
    "back": ("Zum Shop", "Back to the shop"),
}


class BillLine(msgspec.Struct, frozen=True):
    """Some pieces of one item, and what they cost together."""

    quantity: int
    title: Mapping[str, str]
    amount_minor: int


class Bill(msgspec.Struct, frozen=True):
    """What is to be paid: `status` is open, processing, paid or expired.

    Paid ones have an order number. `amount_minor` is everything, `shipping_minor` a part of it;
    None when the shop takes nothing for shipping at all. `pay_at` is the page of a real payment
    provider; empty where this page takes the payment itself.
    """

    amount_minor: int
    currency: str
    status: str
    order_number: str = ""
    lines: tuple[BillLine, ...] = ()
    shipping_minor: int | None = None
    pay_at: str = ""


class PaymentRefused(RuntimeError):
    """The payment could not be taken."""


class PayPage:
    """Serves `/shop/pay/{link_id}`: the amount, the button, the thank-you."""

    def __init__(
        self,
        shop_name: str,
        bill: Callable[[str], Awaitable[Bill | None]],
        settle: Callable[[str], Awaitable[str]],
    ) -> None:
        """Set up the page.

        Args:
            shop_name: shown on top.
            bill: returns what a link asks for, None when there is no such link.
            settle: takes the payment and returns the order number; raises `PaymentRefused`.
        """
        self._shop_name = shop_name
        self._bill = bill
        self._settle = settle
        self._templates = page_templates()

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        return [
            Route("/shop/pay/{link_id}", self.show, methods=["GET"]),
            Route("/shop/pay/{link_id}", self.pay, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show what is to be paid, or that it was paid."""
        bill = await self._bill(request.path_params["link_id"])
        return self._page(request, bill, 200 if bill else 404)

    async def pay(self, request: Request) -> Response:
        """Take the payment and show the order number; paying twice gives the same order."""
        link_id = request.path_params["link_id"]
        bill = await self._bill(link_id)
        if bill is None:
            return self._page(request, None, 404)
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return self._page(request, bill, 403)
        if bill.status == "open" and not bill.pay_at:
            try:
                await self._settle(link_id)
            except PaymentRefused:
                return self._page(request, bill, 409, failed=True)
        return RedirectResponse(request.url.path, status_code=303)

    def _page(
        self, request: Request, bill: Bill | None, status: int, *, failed: bool = False
    ) -> Response:
        language = page_language(request)
        place = 0 if language == "de" else 1
        texts = {name: words[place] for name, words in _TERMS.items()}

        def amount(minor: int) -> str:
            return money(minor, bill.currency if bill else "", language)

        html = self._templates.get_template("pay.html").render(
            lang=language,
            shop_name=self._shop_name,
            t=texts,
            bill=bill,
            failed=failed,
            amount=amount,
        )
        headers = {
            "content-security-policy": _CSP,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        return HTMLResponse(html, status, headers)
