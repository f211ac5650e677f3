"""What a shop on Vendure has to tell: where its Admin API is, and its own conventions."""

import msgspec

from actions.commerce.models import PaymentKind


class VendureConfig(msgspec.Struct, frozen=True):
    """Address, credentials and the shop's own conventions.

    `url` is the Admin API, such as `https://shop.example/admin-api`. `method_kinds` says what kind
    of payment each payment method code is, `tier_groups` which customer groups are a tier, by the
    groups' names. The facets hold brand, tags, and `hygiene`, `personalised`, `final-sale`.
    """

    url: str
    api_key: str
    webhook_secret: str = ""
    channel_token: str = ""
    method_kinds: dict[str, PaymentKind] = msgspec.field(default_factory=dict)
    tier_groups: dict[str, str] = msgspec.field(default_factory=dict)
    brand_facet: str = "brand"
    tags_facet: str = "tags"
    returns_facet: str = "returns"
