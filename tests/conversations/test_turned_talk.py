"""A change of mind in the middle: the other wish begins, and goes on with what was chosen."""

import pytest

from tests.conversations.talk import Talk

CANCEL = {
    "en": "I'd like to cancel TR-104728, jonas.weber@example.com",
    "de": "TR-104728 bitte stornieren, jonas.weber@example.com",
}
RETURN = {
    "en": "TR-104672 oliver.bennett@example.com, the parka goes back",
    "de": "Der Parka aus TR-104672 soll zurück, oliver.bennett@example.com",
}


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("turned"))
    yield talk
    talk.close()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "oh no, please don't cancel that one, I only need a different address"),
        ("en", "no! don't cancel it, send it to another address"),
        ("de", "nein, bitte nicht stornieren, ich will bloß die Lieferadresse ändern"),
        ("de", "nee, storniert das nicht, die Adresse soll geändert werden"),
    ],
)
@pytest.mark.parametrize("reason", ["", '/SetSlots(reason="no_longer_needed")'])
def test_what_is_wanted_instead_of_a_cancellation_is_not_lost(talk, language, said, reason):
    customer = talk.customer()
    customer.says(CANCEL[language])
    if reason:
        customer.says(reason)
        assert customer.asked("utter_confirm_cancel"), customer.transcript
    customer.says(said)
    assert customer.asked("utter_ask_new_address"), customer.transcript
    customer.says("Marktstraße 7, 50667 Köln")
    customer.says("no" if language == "en" else "nein")
    assert "cancel" not in "".join(str(m.response) for m in customer.heard), customer.transcript


@pytest.mark.parametrize(
    ("language", "said"), [("en", "hm, please don't cancel it"), ("de", "bitte nicht stornieren")]
)
def test_a_refused_cancellation_goes_no_step_further(talk, language, said):
    customer = talk.customer()
    customer.says(CANCEL[language])
    customer.says(said)
    assert customer.asked("utter_cancelled"), customer.transcript


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "no, I'd rather exchange it for an M"),
        ("en", "actually swap it for size M"),
        ("de", "nein, lieber gegen M tauschen"),
        ("de", "doch lieber ein Umtausch in Größe M"),
    ],
)
def test_a_return_that_becomes_an_exchange_keeps_its_item(talk, language, said):
    customer = talk.customer()
    customer.says(RETURN[language])
    assert customer.asked("utter_ask_return_reason"), customer.transcript
    customer.says(said)
    assert customer.asked("utter_confirm_swap"), customer.transcript
    assert "Hallig" in customer.heard[-1].text


def test_an_item_that_is_said_anew_counts(talk):
    customer = talk.customer()
    customer.says(RETURN["en"])
    customer.says("actually swap the Oxford shoe for a 42")
    assert customer.asked("utter_confirm_swap"), customer.transcript
    assert "Kanzlei" in customer.heard[-1].text
    assert "Hallig" not in customer.heard[-1].text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "ok and where do I send it back to?"),
        ("en", "how does sending it back work"),
        ("de", "wie geht das mit dem Zurückschicken"),
        ("de", "und wo schicke ich das hin zurück?"),
    ],
)
def test_a_question_about_what_is_running_is_answered_from_the_help_pages(talk, language, said):
    customer = talk.customer()
    customer.says(RETURN[language])
    customer.says(said)
    assert customer.asked("utter_faq_answer", "utter_faq_unknown"), customer.transcript
    assert customer.asked("utter_ask_return_reason"), customer.transcript


@pytest.mark.parametrize(
    ("asked", "bought", "option"),
    [
        ("gibts die Regenjacke Nieselpriem auch in blau", "pack sie in den Warenkorb", "Größe"),
        ("do you make the rain jacket Nieselpriem in blue?", "put it in my cart", "size"),
    ],
)
def test_the_version_asked_about_goes_into_the_cart(talk, asked, bought, option):
    customer = talk.customer()
    customer.says(asked)
    assert customer.asked("utter_in_stock"), customer.transcript
    customer.says(bought)
    assert customer.asked("utter_ask_option"), customer.transcript
    assert option in customer.heard[-1].text


@pytest.mark.parametrize("said", ["noch etwas kürzer?", "a bit shorter please", "etwas länger"])
def test_a_length_is_no_haste(talk, said):
    customer = talk.customer()
    customer.says("zeig mir Jeans" if "t" in said else "show me jeans")
    customer.says(said)
    assert not customer.asked("utter_hurrying", "utter_ready"), customer.transcript
