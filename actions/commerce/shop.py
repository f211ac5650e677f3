"""The shop as the actions see it: all ports together."""

from typing import get_args

import msgspec

from actions.commerce.models import ShopInfo
from actions.commerce.plans import PlanKind
from actions.commerce.ports import (
    Carts,
    Cases,
    Catalog,
    Complaints,
    ConversationRecords,
    Customers,
    Effects,
    FeedbackBook,
    IdentityGuard,
    Notifications,
    OneTimeCodes,
    Orders,
    PaymentLinks,
    Refunds,
    Returns,
)
from actions.commerce.sql import ShopDatabase, SqlEffects
from actions.commerce.sql_cases import SqlCases
from actions.commerce.sql_identity import SqlIdentityGuard, SqlOneTimeCodes
from actions.commerce.sql_links import SqlPaymentLinks
from actions.commerce.sql_orders import SqlOrders
from actions.commerce.sql_people import SqlCatalog, SqlCustomers
from actions.commerce.sql_records import SqlConversationRecords
from actions.commerce.sql_returns import SqlComplaints, SqlRefunds, SqlReturns
from actions.commerce.sql_sales import SqlCarts
from actions.commerce.sql_service import SqlFeedback, SqlNotifications
from actions.payments.ports import PaymentProvider


class Shop(msgspec.Struct, frozen=True):
    """One value that carries every port, made by the composition root.

    `can` names the kinds of plans that the shop's interface can carry out.
    """

    info: ShopInfo
    customers: Customers
    catalog: Catalog
    orders: Orders
    returns: Returns
    carts: Carts
    payment_links: PaymentLinks
    refunds: Refunds
    notifications: Notifications
    complaints: Complaints
    cases: Cases
    feedback: FeedbackBook
    codes: OneTimeCodes
    guard: IdentityGuard
    records: ConversationRecords
    effects: Effects
    can: frozenset[PlanKind] = frozenset(get_args(PlanKind))


def sql_shop(database: ShopDatabase, provider: PaymentProvider) -> Shop:
    """Return the demo shop's ports over a loaded database."""
    info = database.info()
    customers = SqlCustomers(database, info.country)
    return Shop(
        info=info,
        customers=customers,
        catalog=SqlCatalog(database),
        orders=SqlOrders(database),
        returns=SqlReturns(database),
        carts=SqlCarts(database),
        payment_links=SqlPaymentLinks(database, provider),
        refunds=SqlRefunds(database),
        notifications=SqlNotifications(database),
        complaints=SqlComplaints(database),
        cases=SqlCases(database),
        feedback=SqlFeedback(database),
        codes=SqlOneTimeCodes(database, customers),
        guard=SqlIdentityGuard(database),
        records=SqlConversationRecords(database),
        effects=SqlEffects(database),
    )
