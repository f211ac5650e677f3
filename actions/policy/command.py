"""`tresen policy explain ORDER [ITEM]`: every decision on an order, with rules, facts and dates."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlmodel import select

from actions.commerce.errors import NotFound
from actions.commerce.planner import Planner
from actions.commerce.shop import Shop
from actions.commerce.spelling import plain_key
from actions.commerce.sql import ShopDatabase, utc_now
from actions.commerce.sql_tables import OrderRow
from actions.policy.explain import explain
from actions.policy.layout import Layout
from actions.policy.policy import Policy


class Question(msgspec.Struct, frozen=True):
    """What is asked: an order, maybe an item's words or line id, and a time to decide as of.

    A time without a zone is the shop's. `customer_id` is whose order it is.
    """

    order_number: str
    customer_id: str
    item: str = ""
    language: str = "en"
    at: datetime | None = None
    as_json: bool = False


def owner_of(database: ShopDatabase, number: str) -> str:
    """Return whose order it is.

    Raises:
        NotFound: there is no such order.
    """
    with database.session() as session:
        statement = select(OrderRow).where(OrderRow.number_key == plain_key(number))
        row = session.exec(statement).first()
    if row is None:
        msg = f"order {number}"
        raise NotFound(msg)
    return row.customer_id


async def answer(question: Question, shop: Shop, rules: Path) -> str:
    """Return the decisions on an order as text.

    Args:
        question: what is asked.
        shop: where the order is.
        rules: the rule file.

    Raises:
        NotFound: there is no such order.
        StrangersOrder: it is another customer's.
        ItemUnknown: the order has no such item.
        PolicyInvalid: the rule file is wrong.
    """
    policy = Policy(rules)
    planner = Planner(shop, policy, utc_now)
    facts = await planner.facts(question.customer_id, question.order_number)
    orders = await shop.orders.for_customer(question.customer_id)
    now = facts.now
    if question.at is not None:
        zone = ZoneInfo(facts.shop.time_zone)
        now = question.at if question.at.tzinfo else question.at.replace(tzinfo=zone)
    facts = msgspec.structs.replace(facts, orders=orders, now=now)
    found = explain(policy, facts, question.item)
    if question.as_json:
        number = facts.order.number if facts.order else question.order_number
        shown = {"order": number, "now": facts.now, "decisions": found}
        return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
    return "\n".join(Layout(question.language, facts).lines(found))
