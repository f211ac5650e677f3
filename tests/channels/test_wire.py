"""Reading what a platform asks for in its headers."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import utc_now
from channels.wire import LONGEST_WAIT_S, wait_s


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("", 0.0),
        ("soon", 0.0),
        ("-3", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("1e9", 0.0),
        ("\u0663", 0.0),
        ("9" * 400, LONGEST_WAIT_S),
        ("604800", LONGEST_WAIT_S),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2115 07:28:00 GMT", LONGEST_WAIT_S),
    ],
)
def test_retry_after(told, seconds):
    assert wait_s(told) == seconds


def test_retry_after_may_name_a_moment():
    told = format_datetime(utc_now() + timedelta(seconds=60), usegmt=False)
    assert 55 < wait_s(told) <= 60


@given(st.text())
def test_no_header_is_too_odd(told):
    assert 0 <= wait_s(told) <= LONGEST_WAIT_S
