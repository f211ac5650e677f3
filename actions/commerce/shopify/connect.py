"""A shop on Shopify for `endpoints.yml`: its settings, and the function that opens it."""

from actions.commerce.shopify.config import ShopifyConfig as Config
from actions.commerce.shopify.ports import shopify_ports as connect

__all__ = ["Config", "connect"]
