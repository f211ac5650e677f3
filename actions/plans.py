"""Plans: what will happen is shown, and happens only after a yes to exactly that.

A flow puts what is wanted into the slot `request` (the fields of a PlanRequest), runs
`action_make_plan`, shows `plan_view` in a confirm step and runs `action_commit_plan`, which stands
in `actions.commits`.
"""

from typing import Any, get_args

import msgspec

from actions.base import Said, ShopAction, Slots, money
from actions.commerce.errors import CommerceError
from actions.commerce.models import STORE_CREDIT, Address, Customer, PaymentMethod
from actions.commerce.money import Money
from actions.commerce.plans import Plan, PlanItem, PlanKind, PlanRequest, Refusal
from actions.commerce.refusals import refusal_for, refusal_of
from actions.commerce.spelling import plain_key
from actions.policy.decision import Choice, Decision
from actions.policy.facts import Asked
from actions.wording import Wording

_METHODS = {
    "credit_card": {"en": "credit card", "de": "Kreditkarte"},
    "paypal": {"en": "PayPal", "de": "PayPal"},
    "gift_card": {"en": "gift card", "de": "Geschenkkarte"},
    "sepa": {"en": "direct debit", "de": "Lastschrift"},
    "invoice": {"en": "invoice", "de": "Rechnung"},
    "payment_link": {"en": "payment link", "de": "Zahlungslink"},
    STORE_CREDIT: {"en": "store credit", "de": "Guthaben"},
}
_METHOD_WORDS = {
    "gift_card": ("gift card", "voucher", "Gutscheinkarte", "Geschenkkarte", "Gutschein"),
    "credit_card": ("card", "credit card", "Karte"),
    STORE_CREDIT: ("store credit", "shop credit", "Guthaben", "Shopguthaben", "Gutschrift"),
    "invoice": ("bill", "Rechnung"),
    "sepa": ("direct debit", "bank account", "Lastschrift", "Bankeinzug"),
}
_ORIGINAL_WORDS = [
    "original payment method",
    "original method",
    "same method",
    "ursprüngliche Zahlungsart",
    "gleiche Zahlungsart",
]
_SKILLS = {
    "cancel": ("cancel_order", {"en": "Cancel the order", "de": "Bestellung stornieren"}),
    "return": ("return_items", {"en": "Return items", "de": "Artikel zurückgeben"}),
    "exchange": ("exchange_items", {"en": "Exchange items", "de": "Artikel umtauschen"}),
    "change_items": ("change_items", {"en": "Change the items", "de": "Artikel ändern"}),
    "track_order": ("track_order", {"en": "Track the parcel", "de": "Paket verfolgen"}),
}
_SKILLS_WITHOUT_ORDER = {
    "talk_to_human": {"en": "Talk to a person", "de": "Mit einem Menschen sprechen"},
}


class MakePlan(ShopAction):
    """Work out what would happen; sets `plan` and `plan_view`, or `refusal`."""

    async def act(self, said: Said) -> Slots:
        """Return the plan or the reason why there is none."""
        wanted = {k: v for k, v in (said.slot("request") or {}).items() if v}
        request = msgspec.convert({**wanted, "customer_id": said.customer_id}, PlanRequest)
        outcome: Plan | Refusal | None = _held_back(said, subject_of(request))
        if outcome is None:
            outcome = await self.services.planner.plan(request, said.turn_id)
        if isinstance(outcome, Refusal):
            return {
                "plan": None,
                "plan_view": None,
                "refusal": refusal_slot(outcome, said.language),
                "alternatives": instead_of(outcome, request.order_number),
            }
        view = await plan_view(self, outcome)
        return {"plan": outcome.as_json(), "plan_view": view, "refusal": None}


class Decide(ShopAction):
    """Ask the policy before the details are known; takes the slot `request`.

    Sets `refusal` or None, and what the policy lets the customer choose: `reasons`, `methods`
    and `remedies` as options, `excluded` order lines with the reason for each; `alternatives`
    as buttons that start the nearest possible skill; `offered_method` over which the same would
    be possible after all; `once` when a rule whose id ends in
    `-once` holds, that is when the same cannot be done a second time.
    """

    async def act(self, said: Said) -> Slots:
        """Return what is possible."""
        request = said.slot("request") or {}
        asked = Asked(
            kind=str(request.get("complaint_kind") or ""),
            method_id=str(request.get("method_id") or ""),
        )
        number = str(request["order_number"])
        if waiting := _held_back(said, number):
            refused = refusal_slot(waiting, said.language)
            return {"refusal": refused, "alternatives": [], "offered_method": None}
        kind, decide = str(request["kind"]), self.services.planner.decide
        try:
            decision = await decide(kind, said.customer_id, number, asked)
            if not decision.allowed and kind == "return" and _wants_credit(said):
                credit = msgspec.structs.replace(asked, method_id=STORE_CREDIT)
                decision = await decide(kind, said.customer_id, number, credit)
        except CommerceError as error:
            refused = refusal_slot(refusal_of(error), said.language)
            return {"refusal": refused, "alternatives": [], "offered_method": None}
        refusal = None if decision.allowed else Refusal("policy", {}, decision)
        customer = await self.services.shop.customers.get(said.customer_id)
        return {
            "refusal": refusal_slot(refusal, said.language) if refusal else None,
            "reasons": [choice_option(choice) for choice in decision.cancel_reasons],
            "remedies": [choice_option(choice) for choice in decision.choices],
            "methods": await self._methods(customer, number, decision),
            "excluded": {item.line_id: item.reason for item in decision.excluded},
            "once": any(rule_id.endswith("-once") for rule_id in decision.rule_ids),
            "alternatives": alternative_options(decision, number),
            "offered_method": _offered_method(decision),
        }

    async def _methods(
        self, customer: Customer, number: str, decision: Decision
    ) -> list[dict[str, Any]]:
        order = await self.services.shop.orders.get(number, customer.id)
        first = order.payments[0].method_id if order.payments else ""
        options = []
        for method_id in decision.methods:
            method = customer.method(method_id)
            if method is None:
                words = _METHOD_WORDS.get(method_id, ())
                option = {
                    "value": method_id,
                    "title": method_title(method_id),
                    "words": list(words),
                }
            else:
                option = method_option(method, order.currency, original=method_id == first)
            options.append(option)
        return options


def _offered_method(decision: Decision) -> str | None:
    """Return the payment method over which the same is possible after all."""
    same = [a.method_id for a in decision.alternatives if a.operation == decision.operation]
    return next(filter(None, same), None)


def _wants_credit(said: Said) -> bool:
    """Tell whether the customer speaks of store credit, which can be had longer than money."""
    told = " ".join(str(mention["text"]) for mention in said.mentions()).casefold()
    return any(word.casefold() in told for word in _METHOD_WORDS[STORE_CREDIT])


def _held_back(said: Said, subject: str) -> Refusal | None:
    """Return why something has to wait while an earlier wish for the same is in doubt."""
    waiting = {plain_key(other): other for other in (said.slot("unsettled") or {}).values()}
    held = waiting.get(plain_key(subject))
    if held is None:
        return None
    return refusal_for("unsettled_request" if held in get_args(PlanKind) else "unsettled")


def subject_of(request: PlanRequest) -> str:
    """Return what a request is about: an order, else what it does for the customer as such."""
    return request.order_number or request.kind


def refusal_slot(refusal: Refusal, language: str) -> dict[str, Any]:
    """Return a refusal as responses show it: `code`, `text` per language, `rule_ids`."""
    decision = refusal.decision
    return {
        "code": refusal.code,
        "text": {code: refusal.text(code) for code in ("en", "de", language)},
        "rule_ids": list(decision.rule_ids) if decision else [],
        "alternatives": [a.operation for a in decision.alternatives] if decision else [],
    }


def instead_of(refusal: Refusal, order_number: str) -> list[dict[str, Any]]:
    """Return what is possible instead; a person where only a person can help."""
    found = alternative_options(refusal.decision, order_number)
    if refusal.code == "not_deliverable":
        person = "talk_to_human"
        title = _SKILLS_WITHOUT_ORDER[person]
        found.append({"value": person, "title": title, "payload": f"/{person}"})
    return found


def alternative_options(decision: Decision | None, order_number: str) -> list[dict[str, Any]]:
    """Return what is possible instead as buttons that start it for the same order."""
    found: list[dict[str, Any]] = []
    for alternative in decision.alternatives if decision else ():
        operation = alternative.operation
        skill, title = _SKILLS.get(operation, (operation, None))
        slots = {"order_number": order_number, "method_id": alternative.method_id}
        given = msgspec.json.encode({k: v for k, v in slots.items() if v}).decode()
        payload = f"/{skill}{given}" if order_number and title else f"/{skill}"
        if title and alternative.method_id:
            method = method_title(alternative.method_id)
            title = {la: f"{text} ({method[la]})" for la, text in title.items()}
        found.append({
            "value": skill,
            "title": title or _SKILLS_WITHOUT_ORDER.get(skill, {}),
            "payload": payload,
        })
    told = {option["payload"]: option for option in found if option["title"]}
    return list(told.values())


async def plan_view(action: ShopAction, plan: Plan) -> dict[str, Any]:
    """Return a plan as responses show it: items, amounts, method and address in words."""
    wording = Wording(await action.services.shop.catalog.vocabulary())
    return {
        "kind": plan.kind,
        "order_number": plan.request.order_number,
        "items": [_item(item, wording, plan.currency) for item in plan.items],
        "unavailable": [_item(item, wording, plan.currency) for item in plan.unavailable],
        "pays": money(plan.pays_minor, plan.currency) if plan.pays_minor else None,
        "refund": money(plan.refunds_minor, plan.currency) if plan.refunds_minor else None,
        "method": method_title(plan.method_kind or plan.method_id, plan.method_last_four),
        "at_once": plan.refund_at_once,
        "fees": [
            {"title": fee.text, "amount": money(fee.amount_minor, plan.currency)}
            for fee in plan.fees
        ],
        "conditions": list(plan.conditions),
        "shipping_back": _shipping_back(plan),
        **await _sale(action, plan),
        "address": address_text(plan.address) if plan.address else "",
        "reason": plan.request.reason,
    }


def _shipping_back(plan: Plan) -> dict[str, Any] | None:
    """Return what of the shipping cost a return refunds."""
    if plan.kind != "return" or not plan.shipping_minor:
        return None
    return money(plan.shipping_minor, plan.currency)


async def _sale(action: ShopAction, plan: Plan) -> dict[str, Any]:
    """Return what goods and shipping of a sale cost, and whether VAT is in the prices.

    `shipping` is None where nothing is sold and where the shop has no rates for it.
    """
    if plan.kind not in {"checkout", "reorder"}:
        return {"goods": None, "shipping": None, "vat": False}
    found = [await action.services.shop.catalog.variant(item.variant_id) for item in plan.items]
    priced = bool(action.services.shop.info.shipping)
    return {
        "goods": money(plan.pays_minor - plan.shipping_minor, plan.currency),
        "shipping": money(plan.shipping_minor, plan.currency) if priced else None,
        "vat": all(product.vat_rate_bp > 0 for product, _ in found),
    }


def choice_option(choice: Choice) -> dict[str, Any]:
    """Return something the policy lets the customer choose as an option of a choice slot."""
    return {"value": choice.id, "title": choice.text, "words": [choice.id.replace("_", " ")]}


def method_title(kind: str, last_four: str = "") -> dict[str, str]:
    """Return what a payment method is called, per language."""
    titles = _METHODS.get(kind, {"en": kind, "de": kind})
    return {la: f"{title} …{last_four}" if last_four else title for la, title in titles.items()}


def method_option(
    method: PaymentMethod, currency: str, *, original: bool = False
) -> dict[str, Any]:
    """Return a payment method as an option of a choice slot; `original` paid for the order."""
    title = method_title(method.kind, method.last_four)
    words = [*_METHODS.get(method.kind, {}).values(), method.kind.replace("_", " ")]
    words += [method.brand, method.last_four, method.id, *_METHOD_WORDS.get(method.kind, ())]
    words += _ORIGINAL_WORDS if original else []
    option = {"value": method.id, "title": title, "words": [w for w in words if w]}
    if method.balance_minor is not None:
        balance = money(method.balance_minor, currency)
        option["balance"] = balance
        option["label"] = {
            la: f"{text} ({Money(method.balance_minor, currency).text(la)})"
            for la, text in title.items()
        }
    return option


def address_text(address: Address) -> str:
    """Return an address on one line."""
    city = " ".join(part for part in (address.postcode, address.city) if part)
    parts = (address.line1, address.line2, city, address.region, address.country)
    return ", ".join(part for part in parts if part)


def _item(item: PlanItem, wording: Wording, currency: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": wording.item(item.title, item.options),
        "quantity": item.quantity,
        "price": money(item.unit_price_minor, currency),
    }
    if item.new_variant_id:
        shown["new_title"] = wording.item(item.title, item.new_options)
        shown["new_options"] = wording.options(item.new_options)
        shown["new_price"] = money(item.new_unit_price_minor, currency)
    return shown
