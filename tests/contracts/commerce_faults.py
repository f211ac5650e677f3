"""What every adapter over a network must do when the network or the shop misbehaves.

Subclass with fixtures `ports` (a RemotePorts over a fake server that holds shop_small), `faults`
(its tests.platforms.faults.Faults) and class attributes:

WRITES: name → (path regex of the request that has the effect, body regex, function(ports, key)
    that awaits the write, Intent factory (key) → Intent). Each is possible once in a fresh shop.
COUNTS: name → async function(ports) → how often the effect is there (0 or 1).
READ_PATH: a regex for the paths of reads.
The client's limits must be short: RetryLimits(timeout_s=0.3, tries=3, first_wait_s=0.01,
longest_wait_s=0.05).
"""

import contextlib
from typing import ClassVar

import pytest

from actions.commerce.errors import OutcomeUnknown, ShopUnavailable
from tests.platforms.faults import Fault

PASSING = [
    Fault("status", status=429, retry_after_s=0.01),
    Fault("status", status=503),
    Fault("silent", delay_s=0.5),
    Fault("partial"),
    Fault("garbage"),
]


def again(fault, **changes):
    values = {name: getattr(fault, name) for name in fault.__struct_fields__}
    return Fault(**values | changes)


def pytest_generate_tests_for(metafunc):
    """Parametrise `name` over the adapter's writes; call it from pytest_generate_tests."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", sorted(metafunc.cls.WRITES))


class FaultContract:
    WRITES: ClassVar[dict] = {}
    COUNTS: ClassVar[dict] = {}
    READ_PATH = ""

    @pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.status}")
    async def test_a_read_gets_over_a_passing_fault(self, ports, faults, fault):
        faults.plan(again(fault, path=self.READ_PATH, times=1))
        assert (await ports.orders.get("TR-100001", "C1")).number == "TR-100001"

    async def test_a_read_of_a_shop_that_is_down_says_so(self, ports, faults):
        faults.plan(Fault("status", status=500, times=50))
        with pytest.raises(ShopUnavailable):
            await ports.orders.get("TR-100001", "C1")

    async def test_a_throttled_write_happens_once(self, ports, faults, name):
        path, body, write, _ = self.WRITES[name]
        fault = Fault("status", status=429, retry_after_s=0.01, path=path, body=body, method="")
        faults.plan(fault)
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1

    async def test_the_same_key_twice_is_one_effect(self, ports, name):
        *_, write, _ = self.WRITES[name]
        await write(ports, "key-1")
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1

    @pytest.mark.parametrize("kind", ["lost", "partial", "garbage"])
    async def test_a_write_whose_answer_is_lost_is_found(self, ports, faults, name, kind):
        path, body, write, intent = self.WRITES[name]
        faults.plan(Fault(kind, path=path, body=body, delay_s=0.5))
        with contextlib.suppress(OutcomeUnknown):  # a shop that recognises keys may answer
            await write(ports, "key-1")
        assert await ports.effects.find(intent("key-1")) is not None
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1

    async def test_a_write_that_never_arrived_is_not_found_and_can_be_made(
        self, ports, faults, name
    ):
        path, body, write, intent = self.WRITES[name]
        faults.plan(Fault("silent", path=path, body=body, delay_s=0.5, times=3))
        with pytest.raises((OutcomeUnknown, ShopUnavailable)):
            await write(ports, "key-1")
        faults.clear()
        assert await ports.effects.find(intent("key-1")) is None
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1

    async def test_nobody_claims_to_know_while_the_shop_is_down(self, ports, faults, name):
        *_, intent = self.WRITES[name]
        faults.plan(Fault("status", status=500, times=50))
        with pytest.raises(ShopUnavailable):
            await ports.effects.find(intent("key-1"))
