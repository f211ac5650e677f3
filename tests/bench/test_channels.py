"""The kills of the channel bench in small: nothing lost, doubled or reordered; it would notice."""

import pytest

from bench.channels import kills
from bench.channels.platforms import PLATFORMS

SAID = {"ada": ["1", "2", "3"], "bob": ["1"]}


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled_by_five_kills(tmp_path):
    outcome = await kills.run(PLATFORMS["whatsapp"](), tmp_path, kills=5, seed=3)
    assert outcome.said >= 10
    assert not outcome.is_bad, outcome


@pytest.mark.parametrize(
    ("found", "missing", "extra", "shuffled"),
    [
        (SAID, 0, 0, 0),
        ({"ada": ["1", "3"], "bob": ["1"]}, 1, 0, 0),
        ({"ada": ["1", "2", "3"]}, 1, 0, 0),
        ({"ada": ["1", "2", "2", "3"], "bob": ["1"]}, 0, 1, 0),
        ({"ada": ["1", "3", "2"], "bob": ["1"]}, 0, 0, 1),
    ],
)
def test_what_went_wrong_is_counted(found, missing, extra, shuffled):
    assert kills._missing(SAID, found) == missing
    assert kills._extra(SAID, found) == extra
    assert kills._shuffled(SAID, found) == shuffled


def test_only_what_nobody_can_tell_may_be_shown_twice():
    twice = kills.Outcome("telegram", 1, 9, 0, 0, 0, 0, 1, 0, settles_doubt=False)
    assert not twice.is_bad
    assert kills.Outcome("whatsapp", 1, 9, 0, 0, 0, 0, 1, 0).is_bad
    assert kills.Outcome("telegram", 1, 9, 1, 0, 0, 0, 0, 0, settles_doubt=False).is_bad


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_platform_is_driven_under_its_channels_name(name):
    assert PLATFORMS[name]().channel == name
