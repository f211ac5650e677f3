"""A shop on Vendure for `endpoints.yml`: its settings, and the function that opens it."""

from actions.commerce.vendure.config import VendureConfig as Config
from actions.commerce.vendure.ports import vendure_ports as connect

__all__ = ["Config", "connect"]
