"""Asking the other desk for lost replies where it answers only so many questions."""

import pytest

from desk.bridges.incoming import BridgeReceiver
from desk.bridges.ports import TryLater
from tests.desk.house import DeskHouse


class Limited:
    """A desk there that answers two questions a look, and the cases that are open there."""

    name = "limited"

    def __init__(self):
        self.asked = []
        self.left = 0

    async def missed(self, remote_id):
        if not self.left:
            raise TryLater(60)
        self.left -= 1
        self.asked.append(remote_id)
        return ()

    async def open_there(self):
        return ["e", "a", "d", "b", "c"]


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path)
    yield house
    await house.close()


async def test_under_a_limit_every_case_has_its_turn(house):
    there = Limited()
    receiver = BridgeReceiver(house.desk, there, there, sender=None)
    for _ in range(3):
        there.left = 2
        await receiver.look()
    assert there.asked == ["a", "b", "c", "d", "e", "a"]
