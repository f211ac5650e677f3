"""What changed between a plan and the next is named, with old and new, in both languages."""

import msgspec
import pytest

from actions.commerce.models import Address, Vocabulary
from actions.commerce.plans import Plan, PlanFee, PlanItem, PlanRequest, Refusal
from actions.commerce.refusals import refusal_for
from actions.plan_changes import changes, no_longer
from actions.wording import Wording

WORDING = Wording(Vocabulary(values={"color": {"blue": {"en": ["navy"], "de": ["dunkelblau"]}}}))
JACKET = PlanItem("P1-B", {"en": "Jacket", "de": "Jacke"}, {"color": "blue"}, 1, 9000)
MUG = PlanItem("P2", {"en": "Mug", "de": "Tasse"}, {}, 2, 1000)
ADDRESS = Address(line1="Nordstraße 7", postcode="24105", city="Kiel", country="DE")
SALE = Plan(
    PlanRequest("checkout", "C1"),
    "EUR",
    items=(JACKET, MUG),
    pays_minor=11490,
    shipping_minor=490,
    method_id="pp",
    method_kind="paypal",
    address=ADDRESS,
)
BACK = Plan(
    PlanRequest("return", "C1", "TR-1"),
    "EUR",
    items=(msgspec.structs.replace(JACKET, line_id="1"),),
    refunds_minor=9000,
    shipping_minor=0,
    method_id="card",
    method_kind="credit_card",
    method_last_four="1234",
    fees=(PlanFee("label", {"en": "Return label", "de": "Rücksendeetikett"}, 490),),
)


def changed(plan, **values):
    return changes(plan, msgspec.structs.replace(plan, **values), WORDING)


def item(base, **values):
    return msgspec.structs.replace(base, **values)


@pytest.mark.parametrize(
    ("plan", "values", "english", "german"),
    [
        (
            SALE,
            {"items": (item(JACKET, unit_price_minor=9500), MUG), "pays_minor": 11990},
            [
                "Jacket (navy) now costs €95.00 instead of €90.00.",
                "You would now pay €119.90 instead of €114.90.",
            ],
            ["Jacke (dunkelblau) kostet jetzt 95,00\xa0€ statt 90,00\xa0€."],
        ),
        (
            SALE,
            {"items": (JACKET,), "unavailable": (MUG,)},
            ["Mug is no longer available in this quantity."],
            ["Tasse ist in dieser Menge nicht mehr lieferbar."],
        ),
        (
            SALE,
            {"items": (JACKET,)},
            ["Mug is no longer part of it."],
            ["Tasse gehört nicht mehr dazu."],
        ),
        (
            SALE,
            {"items": (JACKET, item(MUG, quantity=1))},
            ["Mug: now 1 instead of 2."],
            ["Tasse: jetzt 1 statt 2 Stück."],
        ),
        (
            SALE,
            {"shipping_minor": 790},
            ["Shipping now costs €7.90 instead of €4.90."],
            ["Der Versand kostet jetzt 7,90\xa0€ statt 4,90\xa0€."],
        ),
        (
            SALE,
            {"address": Address(line1="Südweg 1", postcode="80331", city="München")},
            ["now Südweg 1, 80331 München instead of Nordstraße 7, 24105 Kiel, DE."],
            ["jetzt Südweg 1, 80331 München statt Nordstraße 7, 24105 Kiel, DE."],
        ),
        (
            BACK,
            {"refunds_minor": 8500},
            ["You would now get €85.00 back instead of €90.00."],
            ["Sie bekämen jetzt 85,00\xa0€ statt 90,00\xa0€ zurück."],
        ),
        (
            BACK,
            {"fees": (PlanFee("label", {"en": "Return label", "de": "Rücksendeetikett"}, 590),)},
            ["Return label: now €5.90 instead of €4.90."],
            ["Rücksendeetikett: jetzt 5,90\xa0€ statt 4,90\xa0€."],
        ),
        (
            BACK,
            {"method_id": "pp", "method_kind": "paypal", "method_last_four": ""},
            ["The payment method is now PayPal instead of credit card …1234."],
            ["Die Zahlungsart ist jetzt PayPal statt Kreditkarte …1234."],
        ),
        (
            BACK,
            {"shipping_minor": 490},
            ["Of the shipping cost, €4.90 now comes back instead of €0.00."],
            ["Von den Versandkosten kommen jetzt 4,90\xa0€ statt 0,00\xa0€ zurück."],
        ),
        (
            BACK,
            {"conditions": ({"en": "unworn", "de": "ungetragen"},)},
            ["The conditions have changed."],
            ["Die Bedingungen haben sich geändert."],
        ),
        (
            BACK,
            {"refund_at_once": True},
            ["Something about it has changed."],
            ["Daran hat sich etwas geändert."],
        ),
    ],
)
def test_a_change_is_named(plan, values, english, german):
    texts = changed(plan, **values)
    assert all(sentence in texts["en"] for sentence in english), texts["en"]
    assert all(sentence in texts["de"] for sentence in german), texts["de"]
    assert texts["en"].endswith("This is how it stands now:")
    assert texts["de"].endswith("So sieht es jetzt aus:")


def test_what_is_available_again_is_named():
    before = msgspec.structs.replace(SALE, items=(JACKET,), unavailable=(MUG,))
    assert "Mug is available again." in changes(before, SALE, WORDING)["en"]


def test_every_sentence_is_said_once():
    twins = tuple(item(MUG, line_id=str(n)) for n in range(3))
    texts = changes(msgspec.structs.replace(SALE, items=(JACKET, *twins)), SALE, WORDING)
    assert texts["en"].count("Mug is no longer part of it.") == 1


def test_a_late_yes_to_the_same_is_only_asked_for_again():
    texts = changes(SALE, SALE, WORDING, expired=True)
    assert "Nothing has changed" in texts["en"]
    assert "no longer counts" not in texts["en"]
    assert "nichts geändert" in texts["de"]


def test_a_change_elsewhere_that_leaves_the_plan_alone_is_told():
    texts = changes(BACK, msgspec.structs.replace(BACK, basis="another"), WORDING)
    assert texts["en"].startswith("Meanwhile somebody has changed this order")
    assert "Nothing has changed" not in texts["en"]


def test_a_late_yes_to_something_that_changed_names_both():
    new = msgspec.structs.replace(SALE, shipping_minor=790)
    texts = changes(SALE, new, WORDING, expired=True)
    assert texts["en"].startswith("It has been a while")
    assert "Shipping now costs" in texts["en"]


def test_what_is_no_longer_possible_is_told_with_the_reason():
    texts = no_longer(BACK, refusal_for("insufficient_balance"), WORDING)
    assert texts["en"].startswith("That is no longer possible, so nothing was done. There is not")
    assert "deshalb ist nichts passiert" in texts["de"]


def test_sold_out_items_are_named():
    refusal = Refusal("out_of_stock", {}, subject="P2")
    assert no_longer(SALE, refusal, WORDING)["en"].endswith("no longer available: Mug.")
    swap = msgspec.structs.replace(
        BACK, items=(item(JACKET, new_variant_id="P1-R", new_options={"color": "red"}),)
    )
    texts = no_longer(swap, Refusal("out_of_stock", {}, subject="P1-R"), WORDING)
    assert "Jacket (red)" in texts["en"]
    unknown = no_longer(SALE, Refusal("out_of_stock", {}), WORDING)
    assert "Jacket (navy), Mug" in unknown["en"]


def test_a_link_that_was_paid_elsewhere_is_told():
    texts = no_longer(SALE, refusal_for("state_changed"), WORDING)
    assert "paid" in texts["en"]
    assert "bezahlt" in texts["de"]


@pytest.mark.parametrize("code", ["shop_unavailable", "outcome_unknown", "identity_lapsed"])
def test_what_is_no_change_keeps_its_words(code):
    refusal = refusal_for(code)
    assert no_longer(SALE, refusal, WORDING) == refusal.texts
