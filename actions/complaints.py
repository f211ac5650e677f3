"""Complaints: what the policy lets the customer choose for the lines they complain about."""

from typing import Any

from actions.base import Said, ShopAction, Slots
from actions.commerce.errors import CommerceError
from actions.commerce.money import Money
from actions.commerce.plan_builders import complained
from actions.commerce.plans import Refusal
from actions.commerce.refusals import refusal_of
from actions.plans import alternative_options, choice_option, refusal_slot
from actions.policy.decision import Choice
from actions.policy.facts import Asked
from actions.wording import LANGUAGES

REMEDY_WORDS = {
    "replacement": ("replacement", "new", "replace", "Ersatz", "Ersatzlieferung", "neu"),
    "refund": ("money back", "money", "refund", "Geld zurück", "Geld", "Erstattung"),
    "partial_refund": ("discount", "keep", "behalte", "behalten", "Nachlass", "Rabatt"),
    "keep_waiting": ("wait", "keep waiting", "ask the carrier", "warten", "nachfragen"),
    "late_compensation": ("compensation", "10 %", "Entschädigung", "Erstattung", "Nachlass"),
}


class ListRemedies(ShopAction):
    """List what the policy offers for the chosen lines; takes the slot `request`.

    Sets `remedies` as options, with what each is worth in its label, or `refusal` with
    `alternatives`.
    """

    async def act(self, said: Said) -> Slots:
        """Return the options or the reason why there are none."""
        request = said.slot("request") or {}
        number = str(request["order_number"])
        lines = request.get("lines") or []
        asked = Asked(
            kind=str(request.get("complaint_kind") or ""),
            line_ids=tuple(str(line["line_id"]) for line in lines),
            quantities={str(x["line_id"]): int(x["quantity"]) for x in lines if x.get("quantity")},
        )
        try:
            planner = self.services.planner
            facts = await planner.facts(said.customer_id, number, asked)
        except CommerceError as error:
            return {"refusal": refusal_slot(refusal_of(error), said.language), "remedies": []}
        decision = planner.policy.decide("complaint", facts)
        if not decision.allowed or facts.order is None:
            refusal = refusal_slot(Refusal("policy", {}, decision), said.language)
            found = alternative_options(decision, number)
            return {"refusal": refusal, "alternatives": found, "remedies": []}
        order, lines = facts.order, complained(facts, decision)
        options = []
        for choice in decision.choices:
            amount = facts.claims.paid_minor(order, lines, choice.id, choice.amount_minor)
            if amount or not choice.amount_minor:
                options.append(_option(choice, amount, order.currency))
        return {"refusal": None, "remedies": options}


def _option(choice: Choice, amount_minor: int, currency: str) -> dict[str, Any]:
    option = choice_option(choice)
    option["words"] = [*option["words"], *REMEDY_WORDS.get(choice.id, ())]
    if amount_minor:
        option["label"] = {
            la: f"{text} ({Money(amount_minor, currency).text(la)})"
            for la, text in choice.text.items()
            if la in LANGUAGES
        }
    return option
