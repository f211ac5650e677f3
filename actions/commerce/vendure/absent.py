"""What Vendure's core does not have: returns and payment links."""

from actions.commerce.errors import NotFound, NotSupported
from actions.commerce.models import Order, PaymentLink, Return
from actions.commerce.ports import PaymentLinks, Returns
from actions.commerce.requests import OpenLink, RequestReturn
from actions.commerce.vendure.book import OrderBook

_NO_RETURNS = "Vendure's core keeps no returns"
_NO_LINKS = "Vendure's core has no payment links"


class VendureReturns(Returns):
    """No returns: a note on the order would be one that nobody in the shop works through."""

    def __init__(self, book: OrderBook) -> None:
        """Answer for a shop's orders.

        Args:
            book: looks them up.
        """
        self._book = book

    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return none, for an order of this customer; raises `NotFound` or `StrangersOrder`."""
        await self._book.find(number, customer_id)
        return ()

    async def get(self, return_id: str, customer_id: str) -> Return:
        """Find nothing.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"return {return_id}")

    async def request(self, request: RequestReturn, key: str) -> Return:
        """Leave it to a person.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(_NO_RETURNS)


class VendurePaymentLinks(PaymentLinks):
    """No payment links: draft orders have no address where customers could pay them."""

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Leave it to the storefront.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(_NO_LINKS)

    async def get(self, link_id: str) -> PaymentLink:
        """Find nothing.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"payment link {link_id}")

    async def settle(self, link_id: str, key: str) -> Order:
        """Find nothing.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"payment link {link_id}")
