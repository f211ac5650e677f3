"""Several wishes and orders left out, through whole conversations."""

import pytest

from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("several"))
    yield talk
    talk.close()


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ("Wo ist TR-104653, 40213", "storniere alles außer TR-104653"),
        ("Where is TR-104653, 40213", "cancel everything except TR-104653"),
        ("Where is TR-104653, 40213", "cancel all my orders but not TR-104653"),
        ("Wo ist TR-104653, 40213", "alle Bestellungen stornieren, nur nicht TR-104653"),
    ],
)
def test_the_only_order_that_could_be_cancelled_is_spared(talk, known, said):
    customer = talk.customer()
    customer.says(known)
    customer.says("no thanks" if "Where" in known else "nein danke")
    answer = customer.says(said)
    assert answer
    assert "TR-104653" not in answer, "\n".join(customer.transcript)
    assert not any("TR-104653" in payload for payload in customer.buttons.values())


@pytest.mark.parametrize(
    ("said", "reason", "yes"),
    [
        ("Talk to a human and cancel TR-104734, christian.oeztuerk@example.net",
         "I no longer need it", "no"),
        ("Ich will mit jemandem sprechen und TR-104734 stornieren, christian.oeztuerk@example.net",
         "brauche ich nicht mehr", "nein"),
    ],
)  # fmt: skip
def test_a_person_takes_over_once_the_other_wish_is_dealt_with(talk, said, reason, yes):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked("utter_ask_cancel_reason"), "\n".join(customer.transcript)
    customer.says(reason)
    assert customer.asked("utter_confirm_cancel"), "\n".join(customer.transcript)
    customer.says(yes)
    assert customer.asked("utter_handoff"), "\n".join(customer.transcript)
