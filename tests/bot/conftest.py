"""The small bot that tests of the engine talk to."""

import pytest

from tests.bot.kit import small_bot


@pytest.fixture
def bot(tmp_path):
    return small_bot(tmp_path)
