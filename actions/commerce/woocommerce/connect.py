"""What `endpoints.yml` needs to open a shop on WooCommerce: settings, and the way in."""

from actions.commerce.woocommerce.adapter import woocommerce_ports as connect
from actions.commerce.woocommerce.config import WooConfig as Config

__all__ = ["Config", "connect"]
