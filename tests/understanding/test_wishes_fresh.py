"""Several wishes, negation and correction in fresh sentences, de and en."""

import pytest

SEVERAL = [
    ("storniere 104711 und wo bleibt 104712?",
     [("cancel_order", ["TR-104711"]), ("track_order", ["TR-104712"])]),
    ("Cancel TR-104711 and tell me where TR-104712 is.",
     [("cancel_order", ["TR-104711"]), ("track_order", ["TR-104712"])]),
    ("Wo ist mein Paket TR-104711 und kann ich TR-104712 noch stornieren?",
     [("track_order", ["TR-104711"]), ("cancel_order", ["TR-104712"])]),
    ("Ich möchte die Tasse umtauschen und eine Bestellung stornieren",
     [("exchange_items", []), ("cancel_order", [])]),
    ("Ich will TR-104711 stornieren und das Hemd aus TR-104712 umtauschen",
     [("cancel_order", ["TR-104711"]), ("exchange_items", ["TR-104712"])]),
    ("Cancel T R 1 0 4 7 1 1, and where is T R 1 0 4 7 1 2?",
     [("cancel_order", ["TR-104711"]), ("track_order", ["TR-104712"])]),
]  # fmt: skip
ONE = [
    ("Cancel TR-104711, no wait, TR-104712", "cancel_order", ["TR-104712"]),
    ("Storniere TR-104711, ach nein, doch TR-104712", "cancel_order", ["TR-104712"]),
    ("nicht TR-104711 sondern TR-104712 stornieren", "cancel_order", ["TR-104712"]),
    ("Please do not cancel my order TR-104711, I only want to know where it is", "track_order",
     ["TR-104711"]),
    ("TR-104711 will ich nicht stornieren, wo ist es denn?", "track_order", ["TR-104711"]),
    ("Ich will nicht stornieren, ich will nur wissen wo mein Paket ist", "track_order", []),
    ("I don't want to cancel, just change the delivery address", "change_address", []),
    ("keine Rückgabe, ein Umtausch bitte", "exchange_items", []),
    ("I don't want a refund, I want an exchange", "exchange_items", []),
    ("Ich möchte keine Erstattung, ich möchte einen Umtausch", "exchange_items", []),
]  # fmt: skip


def _orders(parse):
    return [entity.value for entity in parse.entities if entity.type == "order_number"]


@pytest.mark.parametrize(("text", "wishes"), SEVERAL)
def test_several_wishes_come_in_order_each_with_its_own_order(parser, text, wishes):
    found = parser.parse_wishes(text)
    assert [(wish.intent.name, _orders(wish)) for wish in found] == wishes


@pytest.mark.parametrize(("text", "intent", "orders"), ONE)
def test_what_is_refused_or_taken_back_does_not_count(parser, text, intent, orders):
    (found,) = parser.parse_wishes(text)
    assert (found.intent.name, _orders(found)) == (intent, orders)


@pytest.mark.parametrize(
    "text", ["Ich habe keine Erstattung bekommen", "I got no refund", "there is no voucher in it"]
)
def test_what_did_not_happen_is_no_refusal(parser, text):
    assert parser.parse(text).intent.name != "cancel"
