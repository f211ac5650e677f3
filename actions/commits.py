"""Carrying out what was agreed: once, and only as it was shown."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from actions.base import EffectState, Said, ShopAction, Slots, stamp
from actions.commerce.errors import (
    CommerceError,
    ConsentMismatch,
    OutcomeUnknown,
    ShopUnavailable,
)
from actions.commerce.models import Vocabulary
from actions.commerce.plans import (
    Plan,
    PlanChanged,
    PlanRefused,
    Receipt,
    Refusal,
    plan_from_json,
)
from actions.commerce.refusals import refusal_for, refusal_of
from actions.plan_changes import changes, no_longer
from actions.plans import instead_of, plan_view, refusal_slot, subject_of
from actions.receipts import receipt_title, send_receipt
from actions.wording import Wording

log = structlog.get_logger(__name__)
KEPT_RECEIPTS = 10
NUMBERED = frozenset({"return", "exchange", "complaint"})
"""What the shop gives a number of its own."""


class CommitPlan(ShopAction):
    """Do what the customer said yes to; sets `plan_state` to done, changed or refused.

    `refusal` then holds why not, or what changed. `news` tells that a doubt about an earlier try
    ended, `theirs` whether the one whose plan it is still sits there. What became of each step
    goes into the ledger.
    """

    async def act(self, said: Said) -> Slots:
        """Return the receipt, the changed plan, or the reason why it is off."""
        plan = plan_from_json(said.slot("plan"))
        write, mail = said.effect("write"), said.effect("mail")
        theirs = said.slot("customer_id") == plan.request.customer_id
        slots = {"news": write.doubtful_since is not None, "theirs": theirs}
        if write.state == "refused":
            told = await self._refused(said, plan, refusal_for("shop_refused"))
            return {**slots, **told, "effect_outcomes": [mail.outcome("refused")]}
        if write.state == "intended" and not theirs:
            told = await self._refused(said, plan, refusal_for("identity_lapsed"))
            return {**slots, **told, "effect_outcomes": _none(write, mail, "identity_lapsed")}
        if write.state == "intended" and write.held_up:
            told = await self._refused(said, plan, refusal_for("held_up"))
            return {**slots, **told, "effect_outcomes": _none(write, mail, "held_up")}
        return {**slots, **await self._committed(said, plan, write, mail)}

    async def _committed(
        self, said: Said, plan: Plan, write: EffectState, mail: EffectState
    ) -> Slots:
        try:
            receipt = await self._receipt(plan, str(said.slot("consent") or ""), write)
            view = await self._view(said, receipt.plan)
        except PlanChanged as changed:
            slots = await self._changed(said, plan, changed)
            told = _none(write, mail, "plan_changed")
        except PlanRefused as refused:
            slots = await self._refused(said, plan, refused.refusal)
            told = _none(write, mail, refused.refusal.code)
        except (ShopUnavailable, ConsentMismatch) as error:
            slots = await self._refused(said, plan, refusal_of(error))
            told = _none(write, mail, error.code)
        except Exception as error:  # noqa: BLE001 - whatever broke, it may have been done
            return await self._unknown(said, plan, (write, mail), error)
        else:
            slots = self._done(said, receipt, view)
            told = [
                write.outcome("done", receipt.result),
                await self._mail(receipt, view, mail),
            ]
        slots["unsettled"] = _unsettled(said, write.key)
        return {**slots, "effect_outcomes": told}

    async def _receipt(self, plan: Plan, consent: str, write: EffectState) -> Receipt:
        if write.state == "done":
            return Receipt(plan, write.key, plan.kind, write.result)
        since = write.doubtful_since
        return await self.services.planner.commit(plan, consent, write.key, since)

    async def _view(self, said: Said, plan: Plan) -> dict[str, Any]:
        """Return the plan in words; as it was shown, when the shop cannot be asked any more.

        Raises:
            OutcomeUnknown: it was not shown here; what became of it must be asked again.
        """
        try:
            return await plan_view(self, plan)
        except ShopUnavailable as error:
            shown = said.slot("plan_view")
            if not shown:
                raise OutcomeUnknown(plan.kind) from error
            return dict(shown)

    async def _mail(
        self, receipt: Receipt, view: dict[str, Any], mail: EffectState
    ) -> dict[str, Any]:
        try:
            await send_receipt(self.services, receipt, view, mail.key)
        except Exception as error:  # noqa: BLE001 - the effect is done; the customer must hear so
            kind = type(error).__name__
            log.warning("receipt_failed", kind=receipt.plan.kind, error=kind)
            return mail.outcome("unknown", error=kind)
        return mail.outcome("done")

    def _done(self, said: Said, receipt: Receipt, view: dict[str, Any]) -> Slots:
        plan = receipt.plan
        kept = {item["key"]: item for item in said.slot("receipts") or ()}
        kept[receipt.key] = kept.get(receipt.key) or {
            "key": receipt.key,
            "customer_id": plan.request.customer_id,
            "number": receipt.number,
            "title": receipt_title(plan),
            "at": stamp(self.services.clock()),
            "view": view,
            "shop_number": str(receipt.result.get("id", "")) if plan.kind in NUMBERED else "",
            "url": str(receipt.result.get("url") or ""),
        }
        return {
            "plan_state": "done",
            "plan_view": view,
            "receipt": receipt.result,
            "receipts": list(kept.values())[-KEPT_RECEIPTS:],
            "focus_order": plan.request.order_number or said.slot("focus_order"),
        }

    async def _refused(self, said: Said, plan: Plan, refusal: Refusal) -> Slots:
        slot = refusal_slot(refusal, said.language)
        slot["text"] |= no_longer(plan, refusal, await self._wording())
        return {
            "plan_state": "refused",
            "refusal": slot,
            "alternatives": instead_of(refusal, plan.request.order_number),
        }

    async def _changed(self, said: Said, plan: Plan, changed: PlanChanged) -> Slots:
        texts = changes(plan, changed.plan, await self._wording(), expired=changed.expired)
        again = msgspec.structs.replace(changed.plan, id=said.turn_id)
        return {
            "plan_state": "changed",
            "plan": again.as_json(),
            "plan_view": await self._view(said, again),
            "refusal": refusal_slot(Refusal("plan_changed", texts), said.language),
        }

    async def _unknown(
        self,
        said: Said,
        plan: Plan,
        effects: tuple[EffectState, EffectState],
        error: Exception,
    ) -> Slots:
        """Keep in mind that it may have been done, and that nobody knows yet."""
        code = error.code if isinstance(error, CommerceError) else type(error).__name__
        log.warning("outcome_unknown", kind=plan.kind, error=code)
        write = effects[0]
        slots = await self._refused(said, plan, refusal_for("outcome_unknown"))
        slots["unsettled"] = {**_unsettled(said, write.key), write.key: subject_of(plan.request)}
        told = [effect.outcome("unknown", error=code) for effect in effects]
        return {**slots, "effect_outcomes": told, "news": False}

    async def _wording(self) -> Wording:
        try:
            return Wording(await self.services.shop.catalog.vocabulary())
        except ShopUnavailable:
            return Wording(Vocabulary())


def _none(write: EffectState, mail: EffectState, error: str) -> list[dict[str, Any]]:
    """Return that neither step was done, and why."""
    return [write.outcome("refused", error=error), mail.outcome("refused")]


def _unsettled(said: Said, key: str) -> Mapping[str, str]:
    """Return what each other effect in doubt is about."""
    return {k: v for k, v in (said.slot("unsettled") or {}).items() if k != key}
