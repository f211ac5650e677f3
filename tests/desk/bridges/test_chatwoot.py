"""The bridge to Chatwoot, against a fake that behaves as its documentation says."""

import pytest

from bot.operators import Doing
from desk.bridges.chatwoot import Config, connect
from desk.bridges.ports import Unverified, WebhookCall
from tests.contracts.bridge import BridgeContract, FindsReplies
from tests.desk.bridges.bridged import LENA
from tests.desk.bridges.chatwoot_desk import INBOX, ChatwootDesk
from tests.desk.house import Watch


class TestChatwootBridge(FindsReplies, BridgeContract):
    fake = ChatwootDesk

    async def test_a_customer_who_comes_again_is_the_same_contact(self, world):
        await world.open()
        assert len(world.fake.contacts) == 1
        [contact] = world.fake.contacts.values()
        assert contact["name"] == "Mika Muster"
        assert "4915112345678" not in contact["identifier"]
        case = world.fake.only_case()[1]
        assert case.said == ["Where is my parcel?"]

    async def test_passing_it_on_there_passes_it_on_here(self, world):
        remote_id = await world.open()
        await world.told(world.fake.assigns(remote_id, "Nora"))
        await world.told(world.fake.assigns(remote_id, "Omar"))
        assert (await world.house.case(f"{LENA}#1")).operator_name == "Omar"

    async def test_who_has_it_at_our_own_desk_keeps_it(self, world):
        remote_id = await world.open()
        await world.house.desk.act(LENA, "assigned", Doing("o1", "Anna"), "a1")
        await world.told(world.fake.assigns(remote_id, "Omar"))
        assert (await world.house.case(f"{LENA}#1")).operator_name == "Anna"

    async def test_closing_and_assigning_at_once_closes(self, world):
        """It is told as one change then, without the event for the status."""
        remote_id = await world.open()
        changes = [{"assignee_id": {}}, {"status": {"current_value": "resolved"}}]
        told = {"changed_attributes": changes, "status": "resolved", "labels": ["bot"]}
        await world.told(world.fake.conversation("conversation_updated", remote_id, None, **told))
        assert (await world.handoffs())[-1] == "bot"


def test_an_older_version_proves_itself_by_its_address():
    fake = ChatwootDesk(Watch())
    config = Config("https://chat.example", 1, INBOX, "t", url_secret="of-the-address-of-it")
    bridge = connect(config, fake.context())
    body = fake.replies("1", "Hello").body
    [reply] = bridge.parse(WebhookCall({}, {"secret": "of-the-address-of-it"}, body))
    assert reply.text == "Hello"
    for query in ({}, {"secret": ""}, {"secret": "of-the-address"}, {"secret": "ß"}):
        with pytest.raises(Unverified):
            bridge.parse(WebhookCall({}, query, body))


def test_it_wants_a_secret():
    with pytest.raises(ValueError, match="webhook_secret"):
        connect(Config("https://chat.example", 1, INBOX, "t"), ChatwootDesk(Watch()).context())
