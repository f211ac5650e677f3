"""The bridge to Zendesk, against a fake that behaves as its documentation says."""

from bot import events as ev
from desk.bridges.zendesk import signature
from tests.contracts.bridge import BridgeContract
from tests.desk.bridges.bridged import LENA
from tests.desk.bridges.zendesk_desk import ZendeskDesk


class TestZendeskBridge(BridgeContract):
    fake = ZendeskDesk

    async def test_taking_it_there_takes_it_here(self, world):
        """It tells no name with an assignment; the first reply does."""
        remote_id = await world.open()
        await world.told(world.fake.assigns(remote_id))
        case = await world.house.case(f"{LENA}#1")
        assert case.state == "with_operator"
        await world.told(world.fake.replies(remote_id, "Hello"))
        assert await world.heard() == [("Nora", "Hello")]

    async def test_only_safe_links_follow(self, world):
        """It tells of files by themselves."""
        remote_id = await world.open()
        await world.told(
            world.fake.replies(remote_id, "Here."),
            world.fake.attaches(remote_id, "https://kontor.zendesk.com/a/1"),
            world.fake.attaches(remote_id, "http://kontor.zendesk.com/a/2"),
        )
        said = [
            e for e in await world.house.events(f"{LENA}#1", ev.BotUttered)
            if e.metadata.get("operator")
        ]  # fmt: skip
        assert [e.metadata["name"] for e in said] == ["Nora", "Nora"]
        assert said[1].data["attachments"][0]["url"] == "https://kontor.zendesk.com/a/1"
        assert any("file was not delivered" in note for note in world.fake.cases[remote_id].notes)

    async def test_an_account_whose_rules_do_not_let_it_be_solved_has_the_note(self, world):
        remote_id = await world.open()
        world.fake.lets_solve = False
        await world.house.happens(LENA, ev.HandoffChanged("bot", "customer_asked"))
        await world.settle()
        case = world.fake.cases[remote_id]
        assert case.is_open
        assert [note for note in case.notes if "talks to the bot again" in note]
        assert not await world.notes()


def test_it_signs_time_and_body():
    found = signature("dGhpc19zZWNyZXQ=", "2021-03-25T05:09:27Z", b"{}")
    assert len(found) == 44
    assert found != signature("dGhpc19zZWNyZXQ=", "2021-03-25T05:09:28Z", b"{}")
