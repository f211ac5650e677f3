"""Payment links over Stripe: one page and one row, whatever happens in between."""

import asyncio
import shutil
import sqlite3
from datetime import timedelta

import pytest
from sqlmodel import select

from actions.commerce.errors import KeyReused, ShopRefused, ShopUnavailable, StateChanged
from actions.commerce.models import CartLine
from actions.commerce.requests import OpenLink
from actions.commerce.shop import sql_shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_links import SqlPaymentLinks
from actions.commerce.sql_tables import OpeningRow, PaymentLinkRow, VariantRow
from actions.payments.errors import NotPaid, PaymentMismatch
from tests.actions.payments.crashing import CrashingProvider, Died
from tests.contracts.commerce_sales import HOME, LINK, PaymentLinksContract
from tests.platforms.faults import Fault

CREATE = {"path": "/v1/checkout/sessions$", "method": "POST"}


class TestStripeLinks(PaymentLinksContract):
    URL_PREFIX = "https://checkout.stripe.com/"

    @pytest.fixture(autouse=True)
    def _fake(self, fake):
        self.fake = fake

    async def pay(self, shop, link):
        self.fake.pay(link.id)


def rows(database, table=PaymentLinkRow):
    return database.read(lambda session: list(session.exec(select(table))))


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_crash_around_the_call_leaves_one_page_and_one_row(database, stripe, fake, place):
    dying = SqlPaymentLinks(database, CrashingProvider(stripe, "open_checkout", place))
    with pytest.raises(Died):
        await dying.create(LINK, "k1")
    assert await rows(database) == []

    def dearer(session):
        row = session.exec(select(VariantRow).where(VariantRow.id == "P1-BLU-M")).one()
        row.price_minor = 77700
        session.add(row)

    await database.change(dearer)
    link = await SqlPaymentLinks(database, stripe).create(LINK, "k1")
    assert (link.id, link.amount_minor, link.reference) == (*fake.sessions, 20000, "k1")
    assert len(await rows(database)) == 1
    assert await rows(database, OpeningRow) == []


@pytest.mark.parametrize("kind", ["lost", "silent", "partial", "twice"])
async def test_an_unsure_answer_leaves_one_page_and_one_row(database, links, fake, kind):
    fake.faults.plan(Fault(kind, delay_s=0.05, **CREATE))
    link = await links.create(LINK, "k1")
    assert await links.create(LINK, "k1") == link
    assert list(fake.sessions) == [link.id]


async def test_while_stripe_is_down_there_is_no_link_and_later_the_same_one(links, fake, database):
    fake.faults.plan(Fault("status", status=429, times=9, answer='{"error": {}}'))
    with pytest.raises(ShopUnavailable):
        await links.create(LINK, "k1")
    assert await rows(database) == []
    fake.faults.clear()
    assert (await links.create(LINK, "k1")).status == "open"
    assert len(fake.sessions) == 1


async def test_a_key_in_doubt_that_comes_again_days_later_opens_nothing(
    database, links, stripe, fake, clock
):
    dying = SqlPaymentLinks(database, CrashingProvider(stripe, "open_checkout", "before"))
    with pytest.raises(Died):
        await dying.create(LINK, "k1")
    clock.now += timedelta(days=2)
    with pytest.raises(ShopRefused):
        await links.create(LINK, "k1")
    assert fake.sessions == {}


async def test_an_error_that_stripe_stored_for_ever_does_not_stop_the_next_try(links, fake):
    fake.keys.store_errors = 1
    with pytest.raises(ShopUnavailable):
        await links.create(LINK, "k1")
    links._database.clock.now += timedelta(seconds=5)
    assert (await links.create(LINK, "k1")).status == "open"
    assert len(fake.sessions) == 1


async def test_another_request_under_the_key_is_refused(links, stripe, database):
    other = OpenLink("C1", (CartLine("P2-1", 1),), HOME)
    dying = SqlPaymentLinks(database, CrashingProvider(stripe, "open_checkout", "after"))
    with pytest.raises(Died):
        await dying.create(LINK, "k1")
    with pytest.raises(KeyReused):
        await links.create(other, "k1")
    await links.create(LINK, "k1")
    with pytest.raises(KeyReused):
        await links.create(other, "k1")


async def test_the_same_key_at_once_is_one_link(links, fake):
    found = await asyncio.gather(*(links.create(LINK, "k1") for _ in range(3)))
    assert len({link.id for link in found}) == len(fake.sessions) == 1


async def test_a_new_link_for_the_same_lines_closes_the_older_one(links, fake):
    first = await links.create(LINK, "k1")
    other = await links.create(OpenLink("C1", (CartLine("P2-1", 1),), HOME), "k2")
    second = await links.create(LINK, "k3")
    status = {link_id: session["status"] for link_id, session in fake.sessions.items()}
    assert status == {first.id: "expired", other.id: "open", second.id: "open"}
    assert [(await links.get(x.id)).status for x in (first, other, second)] == [
        "expired",
        "open",
        "open",
    ]


async def test_of_two_channels_that_confirm_at_once_one_link_stays_open(links, fake):
    pair = await asyncio.gather(links.create(LINK, "k1"), links.create(LINK, "k2"))
    states = sorted([(await links.get(link.id)).status for link in pair])
    assert states == ["expired", "open"]
    open_pages = [s["id"] for s in fake.sessions.values() if s["status"] == "open"]
    assert len(open_pages) == 1


async def test_a_link_paid_a_moment_ago_is_settled_instead_of_asking_twice(links, fake, shop):
    first = await links.create(LINK, "k1")
    fake.pay(first.id)
    with pytest.raises(StateChanged):
        await links.create(LINK, "k2")
    assert (await links.get(first.id)).status == "paid"
    assert len(fake.sessions) == 1
    assert (await links.create(LINK, "k3")).status == "open"  # wanting it once more is fine


async def test_a_bank_debit_under_way_is_not_asked_for_twice(links, fake):
    first = await links.create(LINK, "k1")
    fake.pay(first.id, "sepa_debit")
    with pytest.raises(StateChanged):
        await links.create(LINK, "k2")
    assert len(fake.sessions) == 1
    assert (await links.get(first.id)).status == "open"


async def test_nothing_is_ordered_before_the_money_is_there(links, fake):
    link = await links.create(LINK, "k1")
    with pytest.raises(NotPaid):
        await links.settle(link.id, "s1")
    fake.pay(link.id, amount=1)
    with pytest.raises(PaymentMismatch):
        await links.settle(link.id, "s1")


async def test_a_crash_while_settling_is_one_order(database, links, stripe, fake):
    link = await links.create(LINK, "k1")
    fake.pay(link.id)
    dying = SqlPaymentLinks(database, CrashingProvider(stripe, "get", "after"))
    with pytest.raises(Died):
        await dying.settle(link.id, "s1")
    order = await dying.settle(link.id, "s1")
    assert await links.settle(link.id, "s1") == order


async def test_pieces_and_options_are_named_in_the_customers_language(links, fake, shop):
    customer = await shop.customers.get("C1")
    asked = []
    provider = links._provider

    class Listening(CrashingProvider):
        async def open_checkout(self, request, key):
            asked.append(request)
            return await super().open_checkout(request, key)

    await SqlPaymentLinks(links._database, Listening(provider, "", "")).create(LINK, "k1")
    (request,) = asked
    product = await shop.catalog.product("P1")
    assert product.title[customer.language] in request.lines[0].title
    assert request.language == customer.language
    assert customer.last_name not in str(request)


async def test_a_database_of_an_older_version_gets_the_new_column(loaded, tmp_path, clock, stripe):
    path = shutil.copyfile(loaded, tmp_path / "older.sqlite3")
    with sqlite3.connect(path) as book:
        book.execute("DROP INDEX ix_shop_payment_link_reference")
        book.execute("ALTER TABLE shop_payment_link DROP COLUMN reference")
    book.close()
    database = ShopDatabase(path, clock)
    link = await sql_shop(database, stripe).payment_links.create(LINK, "k1")
    assert link.reference == "k1"
    database.close()
