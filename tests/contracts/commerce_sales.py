"""What every adapter of `Carts` and `PaymentLinks` must do."""

from datetime import timedelta

import pytest

from actions.commerce.errors import (
    InvalidRequest,
    KeyReused,
    LinkClosed,
    NotDeliverable,
    NotFound,
    OutOfStock,
    StateChanged,
)
from actions.commerce.models import Address, CartLine
from actions.commerce.requests import AddToCart, OpenLink

HOME = Address(line1="Lange Straße 5", postcode="20095", city="Hamburg", country="DE")
VIENNA = Address(line1="Ring 1", postcode="1010", city="Wien", country="AT")
LINK = OpenLink("C1", (CartLine("P1-BLU-M", 2),), HOME, 20000)


class CartsContract:
    async def test_quantities_are_set_and_zero_takes_out(self, shop):
        await shop.carts.put("web:1", "P1-BLU-M", 2)
        cart = await shop.carts.put("web:1", "P2-1", 1)
        assert [(x.variant_id, x.quantity) for x in cart.lines] == [("P1-BLU-M", 2), ("P2-1", 1)]
        cart = await shop.carts.put("web:1", "P1-BLU-M", 0)
        assert [x.variant_id for x in cart.lines] == ["P2-1"]
        await shop.carts.clear("web:1")
        assert (await shop.carts.get("web:1")).lines == ()

    async def test_adding_happens_once_per_key(self, shop):
        more = AddToCart("web:1", "P1-BLU-M", 2)
        for _ in range(3):
            cart = await shop.carts.add(more, "turn-1")
            assert cart.lines == (CartLine("P1-BLU-M", 2),)
        cart = await shop.carts.add(AddToCart("web:1", "P1-BLU-M", 1), "turn-2")
        assert cart.lines == (CartLine("P1-BLU-M", 3),)
        with pytest.raises(KeyReused):
            await shop.carts.add(AddToCart("web:1", "P1-BLU-M", 2), "turn-2")
        with pytest.raises(OutOfStock):
            await shop.carts.add(AddToCart("web:1", "P1-BLU-M", 9), "turn-3")

    async def test_a_session_cart_becomes_the_customers(self, shop):
        await shop.carts.put("web:1", "P1-BLU-M", 1)
        await shop.carts.put("C1", "P1-BLU-M", 1)
        cart = await shop.carts.adopt("web:1", "C1")
        assert (cart.customer_id, cart.lines) == ("C1", (CartLine("P1-BLU-M", 2),))
        assert (await shop.carts.get("web:1")).lines == ()

    @pytest.mark.parametrize(
        ("variant", "quantity", "error"),
        [
            ("P1-BLU-M", -1, InvalidRequest),
            ("P1-BLU-M", 10**6, InvalidRequest),
            ("P1-BLU-M", 6, OutOfStock),
            ("P1-RED-L", 1, OutOfStock),
            ("nothing", 1, NotFound),
        ],
    )
    async def test_what_cannot_be_bought_does_not_go_in(self, shop, variant, quantity, error):
        with pytest.raises(error):
            await shop.carts.put("web:1", variant, quantity)
        assert (await shop.carts.get("web:1")).lines == ()


class PaymentLinksContract:
    URL_PREFIX = "http://127.0.0.1:8080/"
    ENDS_SETTLED = True
    """False: `settle` only reads the order that the shop itself made of a paid link."""
    HAS_EXPIRY = True
    """False: the shop's links do not expire."""

    async def pay(self, shop, link):
        """Let the customer pay, where `settle` does not stand for the payment."""

    async def cart_of(self, shop, customer_id):
        """Return the customer's cart lines; () where the carts are another system's."""
        return (await shop.carts.get(customer_id)).lines if hasattr(shop, "carts") else ()

    async def test_a_link_asks_for_todays_prices(self, shop):
        link = await shop.payment_links.create(LINK, "k1")
        assert (link.amount_minor, link.currency, link.status) == (20000, "EUR", "open")
        assert link.url.startswith(self.URL_PREFIX)
        assert await shop.payment_links.create(LINK, "k1") == link
        with pytest.raises(StateChanged):
            await shop.payment_links.create(OpenLink("C1", LINK.lines, HOME, 1), "k2")

    async def test_shipping_is_part_of_the_link_and_of_the_order(self, shop):
        request = OpenLink("C1", LINK.lines, VIENNA, 20790, 790)
        link = await shop.payment_links.create(request, "k1")
        assert (link.amount_minor, link.shipping_minor) == (20790, 790)
        await self.pay(shop, link)
        order = await shop.payment_links.settle(link.id, "paid-1")
        assert (order.shipping_minor, order.total_minor, order.address) == (790, 20790, VIENNA)
        assert [p.amount_minor for p in order.payments] == [20790]

    async def test_other_shipping_than_agreed_opens_no_link(self, shop):
        with pytest.raises(StateChanged):
            await shop.payment_links.create(OpenLink("C1", LINK.lines, VIENNA, 20790, 0), "k1")
        with pytest.raises(StateChanged):
            await shop.payment_links.create(OpenLink("C1", LINK.lines, VIENNA, 20000), "k2")
        swiss = Address(line1="Weg 1", postcode="8001", city="Zürich", country="CH")
        with pytest.raises(NotDeliverable):
            await shop.payment_links.create(OpenLink("C1", LINK.lines, swiss), "k3")

    async def test_a_paid_link_is_an_order_once(self, shop):
        if hasattr(shop, "carts"):
            await shop.carts.put("C1", "P1-BLU-M", 2)
        link = await shop.payment_links.create(LINK, "k1")
        await self.pay(shop, link)
        order = await shop.payment_links.settle(link.id, "paid-1")
        assert await shop.payment_links.settle(link.id, "paid-1") == order
        assert (order.number, order.status, order.total_minor) == ("TR-100007", "pending", 20000)
        assert await self.cart_of(shop, "C1") == ()
        assert (await shop.payment_links.get(link.id)).status == "paid"
        if not self.ENDS_SETTLED:
            assert await shop.payment_links.settle(link.id, "paid-2") == order
            return
        with pytest.raises(LinkClosed):
            await shop.payment_links.settle(link.id, "paid-2")

    async def test_an_old_link_is_expired(self, shop, clock):
        if not self.HAS_EXPIRY:
            pytest.skip("links do not expire")
        link = await shop.payment_links.create(LINK, "k1")
        clock.now += timedelta(days=2)
        assert (await shop.payment_links.get(link.id)).status == "expired"
        with pytest.raises(LinkClosed):
            await shop.payment_links.settle(link.id, "paid-1")
