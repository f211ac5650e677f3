"""The bridge to Zendesk messaging, against a fake that behaves as its specification says."""

from datetime import timedelta

from bot import events as ev
from bot.operators import Doing
from desk.bridges.sunshine import MOST_UNITS, parts
from tests.contracts.bridge import BridgeContract, FindsReplies
from tests.desk.bridges.bridged import LENA
from tests.desk.bridges.sunshine_desk import OWN, STAFF, TICKET, SunshineDesk


class TestZendeskMessagingBridge(FindsReplies, BridgeContract):
    fake = SunshineDesk

    async def test_taking_it_there_takes_it_here(self, world):
        """It tells nothing of who takes a ticket; the first reply does."""
        remote_id = await world.open()
        await world.told(world.fake.replies(remote_id, "Hello"))
        case = await world.house.case(f"{LENA}#1")
        assert (case.state, case.operator_name) == ("with_operator", "Nora")

    async def test_only_safe_links_follow(self, world):
        """Files are messages of their own."""
        remote_id = await world.open()
        files = ("https://files.example/a.pdf", "http://files.example/b.pdf", "javascript:alert(1)")
        await world.told(world.fake.replies(remote_id, "Here.", files=files))
        said = [
            e for e in await world.house.events(f"{LENA}#1", ev.BotUttered)
            if e.metadata.get("operator")
        ]  # fmt: skip
        assert [e.text for e in said] == ["Here.", ""]
        assert [each["url"] for each in said[1].data["attachments"]] == [files[0]]
        assert said[1].data["attachments"][0]["kind"] == "file"
        assert any("file was not delivered" in note for note in world.fake.cases[remote_id].notes)

    async def test_the_ticket_gets_the_fields_and_the_whole_story(self, world):
        remote_id = await world.open()
        [(_, told)] = world.fake.passed
        assert told[f"{TICKET}8101"].startswith("Handed over because")
        assert len(told[f"{TICKET}8103"]) == 10
        assert f"{TICKET}8102" not in told  # no order is known
        assert told["dataCapture.systemField.tags"] == "tresen"
        messages = world.fake.conversations[remote_id]["messages"]
        assert told["first_message_id"] == messages[0]["id"]
        assert set(told) - {"first_message_id", "tresen_key"} <= set(
            world.fake.conversations[remote_id]["metadata"]
        )
        [user] = world.fake.users.values()
        assert user["profile"] == {"givenName": "Mika Muster"}
        assert "4915112345678" not in user["externalId"]

    async def test_long_and_hostile_stories_fit_and_command_nothing(self, world):
        long = "%((switchboard:releaseControl))% ![x](https://x.example) %[Buy](https://x.example)"
        await world.hands_over(f"{long}\n{'😀' * 9_000}\n{'word ' * 900}", name="N" * 300)
        await world.settle()
        remote_id, case = world.fake.only_case()
        assert "😀" * 9_000 in case.story
        assert "% ((switchboard" in case.story
        assert "".join(case.said).count("😀") == 9_000
        assert world.fake.conversations[remote_id]["active"] == STAFF

    async def test_handing_it_to_another_integration_gives_it_back_to_the_bot(self, world):
        remote_id = await world.open()
        world.fake.conversations[remote_id]["active"] = OWN
        await world.told(world.fake.batch(world.fake.switched("passControl", remote_id)))
        assert (await world.handoffs())[-1] == "bot"

    async def test_a_closed_ticket_closes_whoever_gets_control(self, world):
        remote_id = await world.open()
        world.fake.conversations[remote_id]["active"] = OWN
        event = world.fake.switched("passControl", remote_id, reason="ticketClosed")
        await world.told(world.fake.batch(event))
        assert (await world.handoffs())[-1] == "closed"

    async def test_the_mark_may_stand_below_a_reply(self, world):
        remote_id = await world.open()
        await world.told(world.fake.replies(remote_id, "The bot can do that.\n#bot"))
        assert await world.heard() == [("Nora", "The bot can do that.")]
        assert (await world.handoffs())[-1] == "bot"

    async def test_what_cannot_be_read_does_not_lose_the_others_of_its_batch(self, world):
        remote_id = await world.open()
        broken = world.fake.message(remote_id, "x") | {"payload": {"conversation": 7}}
        late = world.fake.clock.now + timedelta(seconds=1)
        second = world.fake.message(remote_id, "second", at=late)
        first = world.fake.message(remote_id, "first")
        await world.told(world.fake.batch(broken, second, first))
        assert [text for _, text in await world.heard()] == ["first", "second"]

    async def test_without_a_name_for_the_person_a_reply_still_arrives(self, world):
        remote_id = await world.open()
        author = {"type": "business", "displayName": "Support", "subtypes": ["agent"]}
        told = world.fake.message(remote_id, "Hello", author=author, metadata=None)
        older = world.fake.message(remote_id, "Again", author={**author, "subtypes": None})
        await world.told(world.fake.batch(told), world.fake.batch(older))
        assert await world.heard() == [("Support", "Hello"), ("Support", "Again")]

    async def test_the_staff_has_control_before_the_customers_words_come(self, world):
        remote_id = await world.open()
        world.fake.conversations[remote_id]["active"] = None
        await world.says("more")
        await world.settle()
        assert world.fake.cases[remote_id].said[-1] == "more"
        assert [each[0] for each in world.fake.passed] == [remote_id] * 2

    async def test_ending_here_lets_go_of_control_and_our_own_echo_of_it_ends_nothing(self, world):
        remote_id = await world.open()
        await world.house.desk.act(LENA, "closed", Doing("o1", "Anna"), "a1")
        await world.settle()
        assert world.fake.conversations[remote_id]["active"] is None
        await world.hands_over("Once more")
        await world.settle()
        await world.told(*[world.fake.batch(each) for each in world.fake.own_events])
        assert (await world.house.case(f"{LENA}#2")).is_open


def test_texts_are_broken_at_the_ends_of_lines_and_whole_again():
    text = "\n".join(f"{number} {'x' * 90}" for number in range(120))
    found = list(parts(text))
    assert "\n".join(found) == text
    assert len(found) == 3
    assert all(len(each) <= MOST_UNITS for each in found)
    assert "".join(parts("a" * 9_001)) == "a" * 9_001
    assert list(parts(" \n")) == []
    assert list(parts("100%[x] & %{{template: y}}%")) == ["100% [x] & % {{template: y}}%"]


def test_a_webhook_as_the_specification_shows_it_is_read():
    """Its example has a conversation that is not ours: that is told by what we gave ours."""
    fake = SunshineDesk(None)
    bridge = fake.make(fake.context())
    conversation = {"id": "f52b01137aa6c250bc7251fa", "type": "personal"}
    event = {
        "id": "5f74a0d52b5315fc007e798a",
        "createdAt": "2020-09-30T15:14:29.834Z",
        "type": "switchboard:releaseControl",
        "payload": {"conversation": conversation},
    }
    assert list(bridge.parse(fake.batch(event))) == []
    conversation["metadata"] = {"tresen_case": "ABCDEF0123"}
    [found] = bridge.parse(fake.batch(event))
    assert (found.kind, found.remote_id) == ("closed", "f52b01137aa6c250bc7251fa")
    assert found.at.isoformat() == "2020-09-30T15:14:29.834000+00:00"
