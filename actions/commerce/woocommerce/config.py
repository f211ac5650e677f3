"""What a shop on WooCommerce has to tell us about itself."""

import msgspec

from actions.commerce.models import OrderStatus, PaymentKind, Vocabulary

STATUSES: dict[str, OrderStatus] = {
    "pending": "pending",
    "failed": "pending",
    "on-hold": "pending",
    "processing": "pending",
    "completed": "shipped",
    "cancelled": "cancelled",
}
"""WooCommerce's own order statuses; `refunded` is read from what came before it."""


PAYMENT_KINDS: dict[str, PaymentKind] = {
    "stripe": "credit_card",
    "woocommerce_payments": "credit_card",
    "stripe_sepa": "sepa",
    "paypal": "paypal",
    "ppcp-gateway": "paypal",
}
"""What common payment methods are; others count as invoices."""


class WooTags(msgspec.Struct, frozen=True):
    """The slugs of the product tags that say what may not simply come back."""

    not_returnable: str = "not-returnable"
    hygiene: str = "hygiene"
    personalised: str = "personalised"


class WooLinks(msgspec.Struct, frozen=True):
    """How payment links are opened: unpaid orders that we create.

    `shipping_tax_bp` is the VAT in the shipping price, in basis points (1900 is 19 %): WooCommerce
    wants the price without it. `valid_h` is how long we speak of a link as open.
    """

    shipping_method: str = "flat_rate"
    shipping_title: str = "Shipping"
    shipping_tax_bp: int = 0
    valid_h: int = 24


class WooConfig(msgspec.Struct, frozen=True):
    """Where the shop is, who we are there, and what only the shop knows.

    `url` is the shop's own address without `/wp-json`. `statuses` adds to or replaces `STATUSES`;
    one that is in neither counts as `processed`: nothing is changed any more, nothing promised.
    `payment_kinds` adds to or replaces `PAYMENT_KINDS`. `pay_on_delivery` names payment methods
    whose orders are paid when they are completed. `manual_refunds` permits refunds that
    WooCommerce only notes, because the payment method cannot pay them back by itself; a person
    has to send the money. `notes_returns` has requests for returns noted at the order for the
    shop's staff: WooCommerce itself has no returns. `vat_rates` are basis points per tax class
    (`""` is the standard one); `tiers` are customer tiers per WordPress role. `vocabulary` adds
    words that the catalogue lacks: other languages, synonyms.
    """

    url: str
    consumer_key: str
    consumer_secret: str
    webhook_secret: str = ""
    statuses: dict[str, OrderStatus] = msgspec.field(default_factory=dict)
    prices_include_tax: bool = True
    payment_kinds: dict[str, PaymentKind] = msgspec.field(default_factory=dict)
    pay_on_delivery: tuple[str, ...] = ("cod",)
    manual_refunds: bool = False
    notes_returns: bool = False
    vat_rates: dict[str, int] = msgspec.field(default_factory=dict)
    tiers: dict[str, str] = msgspec.field(default_factory=dict)
    brand_attribute: str = "brand"
    vocabulary: Vocabulary = Vocabulary()
    tags: WooTags = WooTags()
    links: WooLinks = WooLinks()

    def status(self, status: str) -> OrderStatus:
        """Return what an order's status means to us; `refunded` is not asked here."""
        return {**STATUSES, **self.statuses}.get(status, "processed")

    def payment_kind(self, method: str) -> PaymentKind:
        """Return what a payment method is; the API itself does not say."""
        return {**PAYMENT_KINDS, **self.payment_kinds}.get(method, "invoice")
