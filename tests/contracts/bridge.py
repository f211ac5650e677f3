"""What every bridge to another desk must do, against a fake of that desk; subclass and name it."""

import contextlib
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from bot import events as ev
from bot.operators import Doing
from desk.bridges.ports import BadWebhook, Unverified
from tests.desk.bridges.bridged import LENA, BridgedDesk

HOSTILE = '"><script>alert(1)</script>\u202e{{7*7}}'


class BridgeSafety:
    """What strangers, and people of bad will, get out of it."""

    fake: type

    @pytest.fixture
    async def world(self, tmp_path):
        structlog.reset_defaults()
        bridged = BridgedDesk(tmp_path, self.fake)
        yield bridged
        await bridged.close()

    async def test_wrong_and_old_proofs_change_nothing(self, world):
        remote_id = await world.open()
        good = world.fake.replies(remote_id, "It is on its way.")
        forged = world.fake.replies(remote_id, "Send me your password")
        for call in world.fake.forgeries(forged):
            with pytest.raises(Unverified):
                await world.receiver.accept(call)
        changed = type(good)(good.headers, good.query, good.body.replace(b"way", b"wax"))
        if world.fake.signs_bodies:
            with pytest.raises(Unverified):
                await world.receiver.accept(changed)
            world.house.clock.now += timedelta(minutes=6)
            with pytest.raises(Unverified):
                await world.receiver.accept(good)
        await world.settle()
        assert await world.heard() == []

    async def test_what_is_not_documented_is_refused_or_left_alone(self, world):
        await world.open()
        for body in (b"", b"[]", b"\xff", b'{"id": {}}', b"{}", b"null"):
            with contextlib.suppress(BadWebhook):
                assert await world.receiver.accept(world.fake.signed(body)) == 0
        await world.settle()
        assert await world.heard() == []

    async def test_hostile_names_and_texts_stay_text(self, world):
        await world.hands_over(HOSTILE, name=HOSTILE)
        await world.settle()
        remote_id, case = world.fake.only_case()
        assert "<script>" in case.story  # plain text there: nothing of it is markup
        await world.told(world.fake.replies(remote_id, "<b>Hi</b> & 1 < 2", name=HOSTILE))
        [(name, text)] = await world.heard()
        assert text == "<b>Hi</b> & 1 < 2"
        assert "\u202e" not in name
        assert len(name) <= 80

    async def test_only_safe_links_follow(self, world):
        remote_id = await world.open()
        files = ("https://files.example/a.pdf", "http://files.example/b.pdf", "javascript:alert(1)")
        await world.told(world.fake.replies(remote_id, "Here.", files=files))
        [said] = [
            e for e in await world.house.events(f"{LENA}#1", ev.BotUttered)
            if e.metadata.get("operator")
        ]  # fmt: skip
        assert [each["url"] for each in said.data["attachments"]] == [files[0]]
        assert any("file was not delivered" in note for note in world.fake.cases[remote_id].notes)

    async def test_logs_hold_nothing_personal(self, world):
        with capture_logs() as logs:
            world.fake.fails(500)
            world.fake.fails(401)
            await world.hands_over()
            for _ in range(4):
                await world.later(130)
            world.fake.fails(404)
            await world.says("My number is 4915112345678")
            await world.settle()
            remote_id = world.fake.only_case()[0]
            await world.told(world.fake.replies(remote_id, "Thank you, Mika"))
        assert logs
        for secret in ("4915112345678", "Mika", "parcel", "Thank you", world.fake.secret):
            assert secret not in repr(logs)


class FindsReplies:
    """For desks that can be asked for replies; before `BridgeContract` among the bases."""

    async def test_replies_whose_webhooks_got_lost_are_found_once(self, world):
        remote_id = await world.open()
        await world.says("more")
        await world.settle()
        lost = world.fake.replies(remote_id, "lost")
        world.house.clock.now += timedelta(seconds=1)
        await world.told(world.fake.replies(remote_id, "kept"))
        await world.receiver.look()
        await world.settle()
        await world.told(lost)
        await world.receiver.look()
        await world.settle()
        assert [text for _, text in await world.heard()] == ["kept", "lost"]

    async def test_replies_of_long_ago_and_of_cases_that_are_over_stay_there(self, world):
        remote_id = await world.open()
        world.fake.replies(remote_id, "old", at=world.house.clock.now - timedelta(days=2))
        await world.receiver.look()
        await world.house.happens(LENA, ev.HandoffChanged("bot", "customer_asked"))
        await world.settle()
        world.fake.replies(remote_id, "too late")
        world.fake.is_down = True
        await world.receiver.look()
        world.fake.is_down = False
        await world.receiver.look()
        await world.settle()
        assert await world.heard() == []


class BridgeContract(BridgeSafety):
    """Subclass, and set `fake` to the class of the fake desk."""

    async def test_a_case_opens_once_with_its_story_and_what_is_said_follows_in_order(self, world):
        remote_id = await world.open()
        for number in range(4):
            await world.says(f"more {number}")
        await world.settle()
        await world.later(120)
        case = world.fake.cases[remote_id]
        for told in ("Hello", "How can I help?", "Where is my parcel?", "Handed over because"):
            assert told in case.story
        assert [line for line in case.said if line.startswith("more")] == [
            f"more {number}" for number in range(4)
        ]
        assert not any("Somebody will be" in each for each in (*case.said, *case.notes))
        assert len(world.fake.cases) == 1

    async def test_lost_answers_send_nothing_twice(self, world):
        world.fake.loses_answers = True
        await world.hands_over()
        await world.says("more 0")
        await world.says("more 1")
        for _ in range(14):
            await world.later(130)
        world.fake.loses_answers = False
        for _ in range(4):
            await world.later(130)
        _, case = world.fake.only_case()
        assert [line for line in case.said if line.startswith("more")] == ["more 0", "more 1"]
        assert case.story.count(": Hello") == 1
        assert len(case.said) == len(set(case.said))
        assert not case.notes

    async def test_a_killed_process_sends_nothing_twice_and_leaves_nothing_out(self, world):
        await world.hands_over()
        await world.sender.plan(LENA)
        book = world.sender._book
        await book.begin(f"{LENA}#1")  # and killed before it left
        world.begin()
        await world.later(10)
        assert not world.fake.cases  # another process may be at it
        await world.later(130)
        world.fake.only_case()
        await world.says("more")
        await world.sender.plan(LENA)
        row = await book.begin(f"{LENA}#1")
        await world.sender._send(row)  # and killed before it was written down
        world.begin()
        await world.later(130)
        _, case = world.fake.only_case()
        assert [line for line in case.said if line.startswith("more")] == ["more"]

    async def test_it_comes_again_when_asked_to_and_not_before(self, world):
        remote_id = await world.open()
        world.fake.fails(429, retry_after="50")
        await world.says("more 0")
        await world.says("more 1")
        await world.settle()
        asked = world.fake.asked
        await world.later(40)
        assert world.fake.asked == asked
        await world.later(15)
        said = world.fake.cases[remote_id].said
        assert [line for line in said if line.startswith("more")] == ["more 0", "more 1"]

    async def test_nothing_is_lost_while_it_is_down_and_the_case_says_so(self, world):
        world.fake.is_down = True
        await world.hands_over()
        await world.says("more 0")
        for _ in range(8):
            await world.later(600)
        assert len(await world.notes()) == 1
        assert (await world.house.case(f"{LENA}#1")).state == "waiting_for_operator"
        world.fake.is_down = False
        world.begin()
        await world.later(600)
        _, case = world.fake.only_case()
        assert "more 0" in case.said

    async def test_what_it_refuses_does_not_hold_up_what_follows(self, world):
        remote_id = await world.open()
        world.fake.fails(422)
        await world.says("refused")
        await world.says("more")
        await world.settle()
        said = world.fake.cases[remote_id].said
        assert "more" in said
        assert "refused" not in said
        assert len(await world.notes()) == 1

    async def test_a_reply_reaches_the_customer_once_from_who_wrote_it(self, world):
        remote_id = await world.open()
        reply = world.fake.replies(remote_id, "It is on its way.")
        await world.told(reply, reply)
        await world.told(reply)
        assert await world.heard() == [("Nora", "It is on its way.")]
        case = await world.house.case(f"{LENA}#1")
        assert case.state == "with_operator"
        assert case.operator.startswith(f"{world.bridge.name}:")
        assert not any("on its way" in line for line in world.fake.cases[remote_id].said)

    async def test_replies_of_several_people_come_in_the_order_they_were_written(self, world):
        remote_id = await world.open()
        at = world.house.clock.now
        calls = [
            world.fake.replies(remote_id, f"reply {n}", at=at + timedelta(seconds=n), name=name)
            for n, name in enumerate(("Nora", "Omar", "Nora"))
        ]
        await world.told(calls[2], calls[0], calls[1], calls[0])
        assert await world.heard() == [
            ("Nora", "reply 0"),
            ("Omar", "reply 1"),
            ("Nora", "reply 2"),
        ]

    async def test_echoes_private_notes_and_automations_go_nowhere(self, world):
        remote_id = await world.open()
        await world.says("more")
        await world.settle()
        before = len(world.fake.cases[remote_id].said), len(await world.handoffs())
        await world.told(*world.fake.own_webhooks(remote_id))
        assert await world.heard() == []
        assert (len(world.fake.cases[remote_id].said), len(await world.handoffs())) == before

    async def test_taking_it_there_takes_it_here(self, world):
        remote_id = await world.open()
        await world.told(world.fake.assigns(remote_id))
        case = await world.house.case(f"{LENA}#1")
        assert (case.state, case.operator_name) == ("with_operator", "Nora")

    async def test_closing_there_closes_here_once(self, world):
        remote_id = await world.open()
        closing = world.fake.closes(remote_id)
        await world.told(world.fake.replies(remote_id, "Done."), closing)
        await world.told(closing)
        assert await world.handoffs() == ["waiting_for_operator", "with_operator", "closed"]
        assert not any("closed at" in note for note in world.fake.cases[remote_id].notes)

    async def test_closing_there_with_the_mark_gives_it_back_to_the_bot(self, world):
        remote_id = await world.open()
        await world.told(world.fake.closes(remote_id, back=True))
        assert (await world.handoffs())[-1] == "bot"

    async def test_a_reply_that_closing_overtook_arrives_and_it_stays_closed(self, world):
        remote_id = await world.open()
        at = world.house.clock.now
        await world.told(world.fake.closes(remote_id, at=at + timedelta(seconds=5)))
        late = [
            world.fake.replies(remote_id, f"late {n}", at=at + timedelta(seconds=n)) for n in (1, 2)
        ]
        await world.told(late[0])
        await world.told(late[1])
        assert [text for _, text in await world.heard()] == ["late 1", "late 2"]
        assert (await world.handoffs())[-1] == "closed"
        assert len(world.fake.cases) == 1

    async def test_a_reply_after_closing_takes_the_conversation_up_again_there(self, world):
        remote_id = await world.open()
        at = world.house.clock.now
        await world.told(world.fake.closes(remote_id, at=at))
        again = at + timedelta(minutes=5)
        await world.told(world.fake.replies(remote_id, "One more thing", at=again))
        await world.says("Yes?")
        await world.settle()
        assert world.fake.only_case()[1].said[-1] == "Yes?"
        await world.told(world.fake.closes(remote_id, at=again + timedelta(minutes=1)))
        assert (await world.handoffs())[-1] == "closed"

    async def test_back_to_the_bot_is_told_there_and_a_reply_then_is_not_delivered(self, world):
        remote_id = await world.open()
        await world.house.happens(LENA, ev.HandoffChanged("bot", "customer_asked"))
        await world.settle()
        case = world.fake.cases[remote_id]
        assert any("talks to the bot again" in note for note in case.notes)
        await world.told(world.fake.replies(remote_id, "Too late"))
        assert await world.heard() == []
        assert any("Not delivered" in note for note in case.notes)
        await world.hands_over("Once more")
        await world.settle()
        assert len(world.fake.cases) == 2
        await world.told(world.fake.closes(remote_id))  # the first one: says nothing of the second
        assert (await world.house.case(f"{LENA}#2")).is_open

    async def test_what_our_own_operators_do_is_known_there(self, world):
        remote_id = await world.open()
        doing = Doing("o1", "Anna", text="I look into it.")
        await world.house.desk.act(LENA, "assigned", doing, "a1")
        await world.house.desk.act(LENA, "said", doing, "a2")
        await world.settle()
        case = world.fake.cases[remote_id]
        assert any("Anna has taken" in note for note in case.notes)
        assert any("I look into it." in note for note in case.notes)
        assert not any("I look into it." in line for line in case.said)
        await world.house.desk.act(LENA, "closed", doing, "a3")
        await world.settle()
        assert any("closed at" in note for note in case.notes)
        assert not case.is_open
