"""What a shop tells us about its Shopify store."""

from urllib.parse import urlsplit

import msgspec

NAMESPACE = "$app:tresen"
"""The namespace of our metafields: only this app can write there, and no customer sees it."""


class ShopifyConfig(msgspec.Struct, frozen=True):
    """Where the store is, how to get in, and how its things are called.

    `former_webhook_secret` stays valid while the app's secret is being rotated. `language` is the
    store's primary one. With `returns_need_approval` a return waits for a person in Shopify.
    Products and customers are told apart by tags; `attributes` is the metafield namespace whose
    values become a product's attributes.
    """

    url: str
    access_token: str
    webhook_secret: str
    former_webhook_secret: str = ""
    api_version: str = "2026-10"
    language: str = "en"
    notify_customers: bool = True
    returns_need_approval: bool = False
    link_hours: int = 24
    final_sale_tag: str = "final-sale"
    hygiene_tag: str = "hygiene"
    personalised_tag: str = "personalised"
    tier_tags: dict[str, str] = msgspec.field(default_factory=dict)
    attributes: str = "custom"

    @property
    def host(self) -> str:
        """Return the store's domain, such as `name.myshopify.com`."""
        return urlsplit(self.url).hostname or ""
