"""A wish that turns down the running one: it is left for good, and nothing is carried on beside."""

import pytest

from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("refused"))
    yield talk
    talk.close()


@pytest.mark.parametrize(
    ("first", "instead", "scope"),
    [
        ("Cancel TR-104734, christian.oeztuerk@example.net",
         "actually I don't want to cancel, just change the address", "the order"),
        ("Storniere TR-104734, christian.oeztuerk@example.net",
         "ich will doch nicht stornieren, nur die Adresse ändern", "die Bestellung"),
    ],
)  # fmt: skip
def test_a_refused_skill_is_not_taken_up_again(talk, first, instead, scope):
    customer = talk.customer()
    customer.says(first)
    assert customer.asked("utter_ask_cancel_reason"), "\n".join(customer.transcript)
    customer.says(instead)
    customer.says(scope)
    customer.says("TR-104734")
    customer.says("Hauptstraße 5, 10115 Berlin")
    assert customer.asked("utter_confirm_address"), "\n".join(customer.transcript)
    customer.says("no")
    customer.says("no")
    later = "\n".join(customer.transcript[3:])
    assert "utter_ask_cancel_reason" not in later
    assert "utter_confirm_cancel" not in later
