"""The nearest alternative: offered only when it would really be allowed."""

from collections.abc import Callable

import msgspec

from actions.commerce.models import Order
from actions.policy.decision import Alternative, Decision
from actions.policy.evaluation import evaluate, number
from actions.policy.facts import Asked, Context, PolicyFacts
from actions.policy.phrasing import fill
from actions.policy.rules import RuleFile
from actions.policy.specs import OPERATIONS, AlternativeSpec


def find_offer(
    file: RuleFile,
    spec: AlternativeSpec,
    facts: PolicyFacts,
    variables: Context,
    line_id: str,
    decide: Callable[..., Decision],
) -> Alternative | None:
    """Return what can be offered, None when it would be refused as well.

    Args:
        file: the rules.
        spec: the offer.
        facts: what was refused.
        variables: as the refusing rule saw them.
        line_id: the line that was refused; empty for the whole order.
        decide: asks the rules about the offer, without looking for further offers.
    """
    if evaluate(file, spec.when, variables) is not True:
        return None
    amount = number(file, spec.amount, variables)
    until = None
    if spec.operation in OPERATIONS:
        decision = decide(spec.operation, _as_offered(facts, spec, line_id, amount), offer=False)
        if not decision.allowed:
            return None
        out = {item.line_id for item in decision.excluded}
        ends = [d.at for d in decision.deadlines if d.line_id not in out and d.at >= facts.now]
        until = min(ends, default=None)
    told = {**variables, "until": until, "amount_minor": amount}
    text = fill(spec.text, facts, told, file.spec.words)
    return Alternative(operation=spec.operation, text=text, method_id=spec.method, until=until)


def _as_offered(
    facts: PolicyFacts, spec: AlternativeSpec, line_id: str, amount_minor: int
) -> PolicyFacts:
    """Return the facts as they would be if the customer took the offer."""
    asked = Asked(
        line_ids=(line_id,) if line_id else facts.asked.line_ids,
        quantities=facts.asked.quantities,
        method_id=spec.method,
        amount_minor=amount_minor,
        unsealed=facts.asked.unsealed,
    )
    offered = msgspec.structs.replace(facts, asked=asked)
    if spec.once == "delivered" and facts.order is not None:
        return msgspec.structs.replace(offered, order=_delivered(facts))
    return offered


def _delivered(facts: PolicyFacts) -> Order | None:
    """Return the order as if all that is under way had arrived now."""
    order = facts.order
    if order is None or order.status == "cancelled":
        return order
    shipments = tuple(
        s
        if s.delivered_at
        else msgspec.structs.replace(s, delivered_at=facts.now, status="delivered")
        for s in order.shipments
    )
    return msgspec.structs.replace(order, status="delivered", shipments=shipments)
