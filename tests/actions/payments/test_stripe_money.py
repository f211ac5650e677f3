"""Stripe counts some currencies otherwise than ISO does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.commerce.errors import InvalidRequest
from actions.payments.stripe_money import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1099, "EUR", 1099),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (5120, "KWD", 5120),
        (1099, "eur", 1099),
        (7, "MGA", 7),
    ],
)
def test_amounts_are_sent_as_documented(minor, currency, amount):
    assert to_stripe(minor, currency) == amount
    assert from_stripe(amount, currency) == minor


def test_the_last_digit_of_a_thousandth_is_zero():
    with pytest.raises(InvalidRequest):
        to_stripe(5124, "KWD")


def test_a_fraction_of_a_whole_unit_is_no_amount_of_ours():
    assert from_stripe(550, "ISK") is None


@given(st.integers(0, 10**9), st.sampled_from(["EUR", "USD", "JPY", "CLP", "ISK", "UGX", "HUF"]))
def test_what_is_sent_comes_back(minor, currency):
    assert from_stripe(to_stripe(minor, currency), currency) == minor
