"""An order that is named only to be left out is never acted upon."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import commands as cm
from bot.brain_setup import build_brain_only
from bot.conversation import Conversation
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]
LEFT_OUT = [
    ("cancel everything except TR-104711", "cancel_order", []),
    ("Please cancel all of my orders but not TR-104711", "cancel_order", []),
    ("cancel every order apart from number TR-104711", "cancel_order", []),
    ("I'd like to cancel all orders, just not 104711", "cancel_order", []),
    ("Cancel all but TR-104711", "cancel_order", []),
    ("cancel all orders, keep TR-104711", "cancel_order", []),
    ("send everything back with the exception of order TR-104711", "return_items", []),
    ("cancel everything except TR-104711 and TR-104712", "cancel_order", []),
    ("cancel TR-104712, but not TR-104711", "cancel_order", ["TR-104712"]),
    ("storniere alles außer TR-104711", "cancel_order", []),
    ("Bitte alle Bestellungen stornieren, bis auf TR-104711", "cancel_order", []),
    ("storniere alle Bestellungen, nur nicht die TR-104711", "cancel_order", []),
    ("alles stornieren, TR-104711 ausgenommen", "cancel_order", []),
    ("mit Ausnahme von Bestellung Nr. TR-104711 alles stornieren", "cancel_order", []),
    ("alle Bestellungen stornieren, TR-104711 soll bleiben", "cancel_order", []),
    ("Ich will alles zurückgeben, TR-104711 aber nicht", "return_items", []),
    ("storniere TR-104712, TR-104713, aber nicht TR-104711", "cancel_order",
     ["TR-104712", "TR-104713"]),
    ("storniere alles ausser TR-104711, TR-104712 und TR-104713", "cancel_order", []),
]  # fmt: skip
KEPT = [
    ("Storniere nichts außer TR-104711", ["TR-104711"]),
    ("cancel nothing except TR-104711", ["TR-104711"]),
    ("return everything from TR-104711 except the jacket", ["TR-104711"]),
    ("alles aus TR-104711 zurückgeben, nur nicht die Tasse", ["TR-104711"]),
    ("where is TR-104711, it has not arrived", ["TR-104711"]),
    ("außerdem TR-104711 stornieren", ["TR-104711"]),
    ("cancel everything except TR-104711 and track TR-104712", ["TR-104712"]),
    ("do not cancel TR-104711, where is it", ["TR-104711"]),
]


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    settings = load_settings(ROOT, data_dir=tmp_path_factory.mktemp("data"))
    return asyncio.run(build_brain_only(settings))


@pytest.mark.parametrize(("text", "skill", "numbers"), LEFT_OUT, ids=[t[0][:44] for t in LEFT_OUT])
def test_the_wish_begins_without_the_order(brain, text, skill, numbers):
    found = brain.router.understand(text, Conversation("excluded"), datetime.now(UTC))
    starts = [command for command in found.commands if isinstance(command, cm.StartFlow)]
    assert len(starts) == len(found.commands)
    assert {start.flow for start in starts} == {skill}
    assert [
        e["value"] for s in starts for e in s.mention.entities if e["type"] == "order_number"
    ] == numbers


@pytest.mark.parametrize(("text", "numbers"), KEPT)
def test_other_orders_count(extractor, text, numbers):
    found = extractor.extract(text, "en", datetime.now(UTC))
    assert [entity.value for entity in found if entity.type == "order_number"] == numbers
