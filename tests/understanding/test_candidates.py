"""Sets of readings that hold the meant one at a rate, and the question that names them."""

import asyncio
from datetime import UTC, datetime
from itertools import starmap
from pathlib import Path

import numpy as np
import pytest
import yaml

from bot import commands as cm
from bot.brain_setup import build_brain_only
from bot.conversation import Conversation
from bot.settings import load_settings
from bot.understanding.candidates import LEVEL, candidates, conformal_level, level_of
from bot.understanding.result import OUT_OF_SCOPE, Intent
from bot.understanding.thresholds import Thresholds
from bot.understanding.unclear import Unclear, is_code

ROOT = Path(__file__).parents[2]
OUTSIDE = yaml.safe_load(Path(__file__).with_name("outside.yml").read_text(encoding="utf-8"))
LEAST_OUTSIDE = 0.95


def _drawn(count, seed, sharpness=1.2, labels=12):
    """Return shares that are right as often as they say, and what was meant."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, labels)) * sharpness
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return shares, np.array([random.choice(labels, p=row) for row in shares])


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.25, 0.4])
def test_candidates_of_unclear_texts_hold_the_meant_one_at_the_rate(alpha):
    level = conformal_level(*_drawn(3_000, 1), alpha, 0.45)
    shares, meant = _drawn(6_000, 2)
    unclear = shares.max(axis=1) < 0.45
    held = (shares[np.arange(len(meant)), meant] >= level)[unclear].mean()
    assert held == pytest.approx(1 - alpha, abs=0.03)


def test_clear_texts_say_nothing_about_the_level():
    shares, meant = _drawn(2_000, 3)
    clear = np.zeros((4_000, shares.shape[1]))
    clear[:, 0] = 1.0
    both = np.concatenate([shares, clear]), np.concatenate([meant, np.zeros(4_000, int)])
    assert conformal_level(*both, 0.2) == pytest.approx(conformal_level(shares, meant, 0.2))


def test_too_few_texts_for_the_rate_leave_everything_possible():
    assert conformal_level(np.full((3, 4), 0.25), np.zeros(3, int), 0.1) <= 0.0


def test_candidates_are_those_that_reach_the_level():
    ranking = (Intent("a", 0.4), Intent("b", 0.2), Intent("c", 0.09), Intent("d", 0.0))
    assert candidates(ranking, 0.1) == ("a", "b")
    assert candidates(ranking, 0.0) == ("a", "b", "c")
    assert candidates((), 0.1) == ()


def test_a_part_without_calibration_has_a_level():
    assert level_of(object()) == LEVEL


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    settings = load_settings(ROOT, data_dir=tmp_path_factory.mktemp("data"))
    return asyncio.run(build_brain_only(settings))


@pytest.mark.parametrize(
    ("ranking", "named"),
    [
        ([("track_order", 0.4), ("cancel_order", 0.3)], ("track_order", "cancel_order")),
        ([("track_order", 0.4), ("reorder", 0.2), ("cart_add", 0.2), ("affirm", 0.2)],
         ("track_order", "reorder", "cart_add")),
        ([("track_order", 0.4), ("reorder", 0.05)], ()),
        ([("track_order", 0.2), ("reorder", 0.2), ("cart_add", 0.2), ("checkout", 0.2)], ()),
        ([("greet", 0.4), ("track_order", 0.4)], ()),
        ([(OUT_OF_SCOPE, 0.4), ("track_order", 0.2), ("reorder", 0.2)], ()),
        ([("track_order", 0.3), (OUT_OF_SCOPE, 0.3), ("reorder", 0.2)], ("track_order", "reorder")),
    ],
)  # fmt: skip
def test_a_question_names_exactly_what_may_be_meant(brain, ranking, named):
    unclear = Unclear(brain.flows, Thresholds(clarify=0.1))
    assert unclear.named(list(starmap(Intent, ranking))) == named


def test_messages_about_nothing_of_the_shop_are_not_forced_into_a_skill(brain):
    flows = brain.flows.flows
    forced = []
    for text in [*OUTSIDE["de"], *OUTSIDE["en"]]:
        commands = brain.router.understand(text, Conversation("c"), datetime.now(UTC)).commands
        started = [c.flow for c in commands if isinstance(c, cm.StartFlow)]
        offered = [c for c in commands if isinstance(c, cm.Clarify | cm.HandOff)]
        if offered or not all(flows[name].yields for name in started):
            forced.append(text)
    count = len(OUTSIDE["de"]) + len(OUTSIDE["en"])
    assert count >= 40
    assert 1 - len(forced) / count >= LEAST_OUTSIDE, forced


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("console.log(x);", True),
        ("if (a == b) { return }", True),
        ("import numpy", True),
        ("</div>", True),
        ("order TR-104711 (the blue one): where is it?", False),
        ("cancel TR-104711; and where is TR-104712?", False),
        ("import from China, do I pay customs?", False),
        ("Größe M -> L bitte", False),
        ("please return (the shirt)", False),
    ],
)
def test_a_line_of_a_program_is_told_from_a_wish(text, code):
    assert is_code(text) is code
