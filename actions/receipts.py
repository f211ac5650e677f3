"""The confirmation e-mail of a committed plan: what was agreed, in the customer's language."""

from typing import Any

from actions.base import Services
from actions.commerce.models import Texts
from actions.commerce.money import Money
from actions.commerce.plans import Plan, Receipt
from actions.commerce.requests import SendMessage

_SUBJECTS: dict[str, tuple[str, str]] = {
    "cancel": ("Order {order} cancelled", "Bestellung {order} storniert"),
    "change_address": ("New address for order {order}", "Neue Adresse für Bestellung {order}"),
    "change_items": ("Order {order} changed", "Bestellung {order} geändert"),
    "change_payment": ("New payment for order {order}", "Neue Zahlungsart für Bestellung {order}"),
    "return": ("Your return for order {order}", "Ihre Rückgabe zur Bestellung {order}"),
    "exchange": ("Your exchange for order {order}", "Ihr Umtausch zur Bestellung {order}"),
    "complaint": ("Your complaint about order {order}", "Ihre Reklamation zur Bestellung {order}"),
    "goodwill": ("A refund for order {order}", "Eine Erstattung zur Bestellung {order}"),
    "default_address": ("Your new address", "Ihre neue Adresse"),
    "checkout": ("Your payment link", "Ihr Zahlungslink"),
    "reorder": ("Your payment link", "Ihr Zahlungslink"),
}
_BACK = frozenset({"return", "exchange"})


def receipt_title(plan: Plan) -> Texts:
    """Return what was done, in a few words per language."""
    number = plan.request.order_number
    english, german = (text.format(order=number) for text in _SUBJECTS[plan.kind])
    return {"en": english, "de": german}


async def send_receipt(
    services: Services, receipt: Receipt, view: dict[str, Any], key: str
) -> None:
    """Put the confirmation into the e-mail outbox, once per key.

    Args:
        services: the shop and its outbox.
        receipt: what was agreed, and the shop's answer.
        view: the plan in words.
        key: the idempotency key of the e-mail.
    """
    plan, result = receipt.plan, receipt.result
    customer = await services.shop.customers.get(plan.request.customer_id)
    german = customer.language == "de"
    language = "de" if german else "en"
    subject = receipt_title(plan)[language]
    greeting = f"Guten Tag {{}},\n\n{subject}:" if german else f"Hello {{}},\n\n{subject}:"
    lines = [greeting.format(f"{customer.first_name} {customer.last_name}"), ""]
    lines.extend(_agreed(plan, view, language))
    if plan.kind in _BACK:
        lines.extend(["", _way_back(result, german=german)])
    if result.get("url"):
        lines.extend(["", str(result["url"])])
    number = f"{'Belegnummer' if german else 'Receipt number'}: {receipt.number}"
    lines.extend(["", number, "", services.shop.info.name])
    request = SendMessage("email", customer.email, subject, "\n".join(lines))
    await services.shop.notifications.send(request, key)


def _agreed(plan: Plan, view: dict[str, Any], language: str) -> list[str]:
    """Return items, amounts, method and address as lines of text."""
    german = language == "de"
    lines = []
    for item in view["items"]:
        text = f"- {item['quantity']} × {item['title'][language]}"
        if "new_title" in item:
            text += f" → {item['new_title'][language]}"
        lines.append(text)
    lines += _extras(view, language)
    method = view["method"][language]
    if plan.refunds_minor:
        amount = Money(plan.refunds_minor, plan.currency).text(language)
        lines.append(
            f"{'Erstattung' if german else 'Refund'}: {amount}" + f" ({method})" * bool(method)
        )
    if view["shipping"]:
        amount = Money(plan.shipping_minor, plan.currency).text(language)
        lines.append(f"{'Versand' if german else 'Shipping'}: {amount}")
    if plan.pays_minor:
        amount = Money(plan.pays_minor, plan.currency).text(language)
        lines.append(
            f"{'Zu zahlen' if german else 'To pay'}: {amount}" + f" ({method})" * bool(method)
        )
    if view["address"]:
        lines.append(f"{'Adresse' if german else 'Address'}: {view['address']}")
    return lines


def _extras(view: dict[str, Any], language: str) -> list[str]:
    """Return what a return costs, what of the shipping comes back, and its conditions."""
    german, lines = language == "de", []
    if back := view["shipping_back"]:
        amount = Money(back["amount_minor"], back["currency"]).text(language)
        lines.append(f"{'Versandkosten zurück' if german else 'Shipping refunded'}: {amount}")
    for fee in view["fees"]:
        amount = Money(fee["amount"]["amount_minor"], fee["amount"]["currency"]).text(language)
        lines.append(f"{fee['title'].get(language, '')}: −{amount}")
    return lines + [text.get(language, "") for text in view["conditions"]]


def _way_back(result: dict[str, Any], *, german: bool) -> str:
    """Return how the parcel comes back; its number stands for the label."""
    number = result.get("id", "")
    if german:
        return (
            f"Ihre Rücksendenummer ist {number}. Bitte legen Sie sie dem Paket bei; "
            "das Rücksendeetikett gilt nur mit ihr."
        )
    return (
        f"Your return number is {number}. Please put it into the parcel; "
        "the return label is valid only with it."
    )
