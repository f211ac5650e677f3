"""What is different about a plan since the customer said yes to it, in words."""

from collections.abc import Callable, Iterator, Mapping

from actions.commerce.models import Texts
from actions.commerce.money import Money
from actions.commerce.plans import Plan, PlanItem, Refusal
from actions.plans import address_text, method_title
from actions.wording import Wording

LANGUAGES = ("en", "de")
_EXPIRED = (
    "It has been a while since I showed you this, so I have checked it again.",
    "Seit ich Ihnen das gezeigt habe, ist einige Zeit vergangen, deshalb habe ich neu geprüft.",
)
_SAME = (
    "Nothing has changed; I only need your yes once more:",
    "Es hat sich nichts geändert; ich brauche nur noch einmal Ihr Ja:",
)
_PRICE = ("{item} now costs {new} instead of {old}.", "{item} kostet jetzt {new} statt {old}.")
_PIECES = ("{item}: now {new} instead of {old}.", "{item}: jetzt {new} statt {old} Stück.")
_GONE = (
    "{item} is no longer available in this quantity.",
    "{item} ist in dieser Menge nicht mehr lieferbar.",
)
_BACK = ("{item} is available again.", "{item} ist wieder lieferbar.")
_REMOVED = ("{item} is no longer part of it.", "{item} gehört nicht mehr dazu.")
_ADDED = ("{item} is now part of it.", "{item} gehört jetzt dazu.")
_FEE = ("{item}: now {new} instead of {old}.", "{item}: jetzt {new} statt {old}.")
_METHOD = (
    "The payment method is now {new} instead of {old}.",
    "Die Zahlungsart ist jetzt {new} statt {old}.",
)
_ADDRESS = (
    "The address is now {new} instead of {old}.",
    "Die Adresse ist jetzt {new} statt {old}.",
)
_PAYS = ("You would now pay {new} instead of {old}.", "Sie würden jetzt {new} statt {old} zahlen.")
_REFUND = (
    "You would now get {new} back instead of {old}.",
    "Sie bekämen jetzt {new} statt {old} zurück.",
)
_SHIPPING = (
    "Shipping now costs {new} instead of {old}.",
    "Der Versand kostet jetzt {new} statt {old}.",
)
_SHIPPING_BACK = (
    "Of the shipping cost, {new} now comes back instead of {old}.",
    "Von den Versandkosten kommen jetzt {new} statt {old} zurück.",
)
_CONDITIONS = ("The conditions have changed.", "Die Bedingungen haben sich geändert.")
_OTHER = ("Something about it has changed.", "Daran hat sich etwas geändert.")
_MEANWHILE = (
    "Meanwhile somebody has changed this order, or had the same done elsewhere.",
    "Inzwischen wurde diese Bestellung geändert oder dasselbe an anderer Stelle veranlasst.",
)
_VOID = (
    "So your yes no longer counts. This is how it stands now:",
    "Deshalb gilt Ihr Ja nicht mehr. So sieht es jetzt aus:",
)
_NO_LONGER = (
    "That is no longer possible, so nothing was done.",
    "Das geht inzwischen nicht mehr, deshalb ist nichts passiert.",
)
_ALL_GONE = (
    "Nothing was done, because this is no longer available: {items}.",
    "Es ist nichts passiert, denn das ist nicht mehr lieferbar: {items}.",
)
_PAID = (
    "Nothing was done, because the same items were just paid, or are being paid, elsewhere.",
    "Es ist nichts passiert, denn dieselben Artikel wurden oder werden gerade woanders bezahlt.",
)
_SALES = frozenset({"checkout", "reorder"})
_UNCHANGED = frozenset({
    "access_denied",
    "consent_mismatch",
    "held_up",
    "identity_lapsed",
    "outcome_unknown",
    "shop_refused",
    "shop_unavailable",
})
"""Refusals that are not about a change of what was agreed."""

_Told = Iterator[tuple[tuple[str, str], Mapping[str, Texts]]]


def changes(old: Plan, new: Plan, wording: Wording, *, expired: bool = False) -> Texts:
    """Return what changed from one plan to the next, as sentences per language.

    Args:
        old: what the customer agreed to.
        new: what would happen now.
        wording: what products and options are called.
        expired: the yes came too late.
    """
    told = [*_items(old, new, wording), *_terms(old, new), *_amounts(old, new)]
    texts = {}
    for at, language in enumerate(LANGUAGES):
        said = [
            template[at].format_map({name: text[language] for name, text in values.items()})
            for template, values in told
        ]
        late = [_EXPIRED[at]] if expired else []
        if old.hash == new.hash and old.basis != new.basis:
            texts[language] = " ".join([*late, _MEANWHILE[at], _VOID[at]])
        elif old.hash == new.hash:
            texts[language] = " ".join([*late, _SAME[at]])
        else:
            found = list(dict.fromkeys(said)) or [_OTHER[at]]
            texts[language] = " ".join([*late, *found, _VOID[at]])
    return texts


def no_longer(plan: Plan, refusal: Refusal, wording: Wording) -> Texts:
    """Return why what was agreed to is not possible any more, and that nothing was done.

    Args:
        plan: what the customer agreed to.
        refusal: the reason, as it would be told to somebody who asks for the first time.
        wording: what products and options are called.
    """
    if refusal.code in _UNCHANGED:
        return {la: refusal.text(la) for la in LANGUAGES}
    if refusal.code == "state_changed" and plan.kind in _SALES:
        return {la: _PAID[at] for at, la in enumerate(LANGUAGES)}
    if refusal.code != "out_of_stock":
        return {la: f"{_NO_LONGER[at]} {refusal.text(la)}" for at, la in enumerate(LANGUAGES)}
    wanted = [(item.new_variant_id or item.variant_id, _name(item, wording)) for item in plan.items]
    gone = set(refusal.subject.split(", "))
    names = [name for variant_id, name in wanted if variant_id in gone]
    names = names or [name for _, name in wanted]
    return {
        la: _ALL_GONE[at].format(items=", ".join(name[la] for name in names))
        for at, la in enumerate(LANGUAGES)
    }


def _items(old: Plan, new: Plan, wording: Wording) -> _Told:
    before, after = _by_variant(old.items), _by_variant(new.items)
    was_missing = {item.variant_id for item in old.unavailable}
    is_missing = {item.variant_id for item in new.unavailable}
    for key, item in before.items():
        name = _name(item, wording)
        now = after.get(key)
        if now is None:
            yield (_GONE if item.variant_id in is_missing else _REMOVED), {"item": name}
            continue
        if item.quantity != now.quantity:
            pieces = {"old": _same(str(item.quantity)), "new": _same(str(now.quantity))}
            yield _PIECES, {"item": name, **pieces}
        for then_minor, now_minor in (
            (item.unit_price_minor, now.unit_price_minor),
            (item.new_unit_price_minor, now.new_unit_price_minor),
        ):
            if then_minor != now_minor:
                yield _PRICE, {"item": name, **_money(old, then_minor, new, now_minor)}
    for key, item in after.items():
        if key not in before:
            template = _BACK if item.variant_id in was_missing else _ADDED
            yield template, {"item": _name(item, wording)}


def _terms(old: Plan, new: Plan) -> _Told:
    before, after = _method(old), _method(new)
    if before != after and old.method_id and new.method_id:
        yield _METHOD, {"old": before, "new": after}
    if old.address != new.address and old.address and new.address:
        then, now = address_text(old.address), address_text(new.address)
        yield _ADDRESS, {"old": _same(then), "new": _same(now)}
    if old.conditions != new.conditions:
        yield _CONDITIONS, {}


def _amounts(old: Plan, new: Plan) -> _Told:
    then_fees, now_fees = _fees(old), _fees(new)
    texts = {fee.id: fee.text for fee in (*old.fees, *new.fees)}
    for fee_id, text in texts.items():
        then, now = then_fees.get(fee_id, 0), now_fees.get(fee_id, 0)
        if then != now:
            yield _FEE, {"item": text, **_money(old, then, new, now)}
    amounts: tuple[tuple[tuple[str, str], Callable[[Plan], int]], ...] = (
        (_SHIPPING if old.kind in _SALES else _SHIPPING_BACK, lambda plan: plan.shipping_minor),
        (_PAYS, lambda plan: plan.pays_minor),
        (_REFUND, lambda plan: plan.refunds_minor),
    )
    for template, amount in amounts:
        if amount(old) != amount(new):
            yield template, _money(old, amount(old), new, amount(new))


def _money(old: Plan, then_minor: int, new: Plan, now_minor: int) -> dict[str, Texts]:
    amounts = {"old": Money(then_minor, old.currency), "new": Money(now_minor, new.currency)}
    return {when: {la: amount.text(la) for la in LANGUAGES} for when, amount in amounts.items()}


def _fees(plan: Plan) -> dict[str, int]:
    return {fee.id: fee.amount_minor for fee in plan.fees}


def _method(plan: Plan) -> Texts:
    return method_title(plan.method_kind or plan.method_id, plan.method_last_four)


def _name(item: PlanItem, wording: Wording) -> Texts:
    """Return what the customer would get or give back, with its options."""
    return wording.item(item.title, item.new_options or item.options)


def _same(text: str) -> Texts:
    return dict.fromkeys(LANGUAGES, text)


def _by_variant(items: tuple[PlanItem, ...]) -> dict[str, PlanItem]:
    return {f"{item.line_id}/{item.variant_id}/{item.new_variant_id}": item for item in items}
