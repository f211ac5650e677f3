"""Going on elsewhere: codes, who joins by them, and who is thrown out."""

import pytest

from actions.channel_links import End
from bot.linking import MAX_TRIES, MOST_WRONG
from bot.messages import InboundMessage
from bot.recipients import whereto
from tests.bot.scripted_channel import request
from tests.bot.test_intake import Parts
from tests.contracts.channel import NOW


@pytest.fixture
async def parts(tmp_path):
    made = Parts(tmp_path)
    yield made
    await made.hub.close()


async def presented(parts, sender="ada", conversation="webchat:w1"):
    """Have a sender present a code of a conversation; return it as their flow knows it."""
    offered = await parts.linking.offer(conversation)
    name = f"code-{sender}"
    await parts.take(request({"id": name, "from": sender, "text": f"Code {offered.code}"}))
    last = (await parts.inbox(f"scripted:{sender}"))[-1]
    assert (last.trigger.flow, last.text) == ("pattern_link_offered", "")
    return last.trigger.slots["code"]


def end(sender="ada", conversation="", channel="scripted", message_id="yes"):
    return End(conversation or f"{channel}:{sender}", channel, sender, message_id)


async def linked(parts, sender="ada"):
    assert await parts.linking.join(await presented(parts, sender), end(sender))


async def test_a_code_joins_nobody_before_they_said_yes(parts):
    await parts.store.inbox.accept([InboundMessage("webchat", "w1", "m", "hello", NOW)])
    code = await presented(parts)
    (asked,) = await parts.inbox()
    assert asked.trigger.slots == {"code": code, "began": "webchat", "presenter": "scripted:ada"}
    await parts.take(request({"id": "2", "from": "ada", "text": "no"}))
    assert [message.text for message in await parts.inbox()] == ["", "no"]
    assert [message.text for message in await parts.inbox("webchat:w1")] == ["hello"]


async def test_a_yes_joins_the_conversation_and_uses_the_code_up(parts):
    await parts.store.inbox.accept([InboundMessage("webchat", "w1", "m", "hello", NOW)])
    code = await presented(parts)
    for _ in range(2):  # the turn is run again after a crash
        assert await parts.linking.join(code, end())
    await parts.take(request({"id": "2", "from": "ada", "text": "go on"}))
    joined = await parts.inbox("webchat:w1")
    assert [message.text for message in joined] == ["hello", "", "", "go on"]
    assert [m.trigger and m.trigger.flow for m in joined[1:3]] == [
        "pattern_joined",
        "pattern_linked",
    ]
    assert [message.channel for message in joined[1:]] == ["webchat", "scripted", "scripted"]
    places = [await whereto(parts.store.contacts, message) for message in joined[1:3]]
    assert places == [("webchat", "w1"), ("scripted", "ada")]
    assert not await parts.linking.join(code, end("eve"))
    assert await parts.inbox("scripted:eve") == []


async def test_what_was_written_before_a_code_stays_where_it_was(parts):
    offered = await parts.linking.offer("webchat:w1")
    batch = [
        {"id": "1", "from": "ada", "text": "private"},
        {"id": "2", "from": "ada", "text": offered.code},
    ]
    for _ in range(2):
        await parts.take(request(*batch))
    assert [m.text for m in await parts.inbox()] == ["private", ""]
    assert await parts.inbox("webchat:w1") == []


@pytest.mark.parametrize("said", ["4711 0815", "47110815", "Link 4711-0815", "/start 47110815"])
async def test_codes_may_be_typed_and_spoken(parts, said):
    parts.linking._new_code = lambda: "47110815"
    await parts.linking.offer("webchat:w1")
    await parts.take(request({"id": "1", "from": "ada", "text": said}))
    (asked,) = await parts.inbox()
    assert asked.trigger.flow == "pattern_link_offered"


async def test_an_old_code_is_only_words(parts):
    offered = await parts.linking.offer("webchat:w1")
    parts.clock.move(offered.minutes * 60 + 1)
    await parts.take(request({"id": "1", "from": "ada", "text": offered.code}))
    assert [message.text for message in await parts.inbox()] == [offered.code]


async def test_a_code_that_ran_out_before_the_yes_joins_nobody(parts):
    code = await presented(parts)
    parts.clock.move(3600)
    assert not await parts.linking.join(code, end())
    assert not (await parts.store.contacts.get("scripted", "ada")).conversation


async def test_a_code_of_ones_own_conversation_is_only_words(parts):
    await linked(parts)
    offered = await parts.linking.offer("webchat:w1")
    await parts.take(request({"id": "again", "from": "ada", "text": offered.code}))
    assert (await parts.inbox("webchat:w1"))[-1].text == offered.code


async def test_nobody_can_guess_for_long(parts):
    parts.linking._new_code = lambda: "99999999"
    await parts.linking.offer("webchat:w1")
    for number in range(MAX_TRIES):
        text = f"{number:08}"
        await parts.take(request({"id": text, "from": "eve", "text": text}))
    await parts.take(request({"id": "right", "from": "eve", "text": "99999999"}))
    assert [m for m in await parts.inbox("scripted:eve") if m.trigger] == []


async def test_many_senders_together_cannot_guess_for_long_either(parts):
    parts.linking._new_code = lambda: "99999999"
    await parts.linking.offer("webchat:w1")
    for number in range(MOST_WRONG):
        text = f"{number:08}"
        await parts.take(request({"id": text, "from": f"eve{number}", "text": text}))
    await parts.take(request({"id": "right", "from": "mallory", "text": "99999999"}))
    assert [m.text for m in await parts.inbox("scripted:mallory")] == ["99999999"]


async def test_guesses_on_one_channel_do_not_close_the_others(parts):
    for number in range(MOST_WRONG):
        wrong = InboundMessage("webchat", f"w{number}", f"w{number}", f"{number:08}", NOW)
        assert await parts.linking.claimed(wrong) == wrong
    offered = await parts.linking.offer("webchat:w1")
    right = InboundMessage("webchat", "w2", "right", offered.code, NOW)
    assert await parts.linking.claimed(right) == right
    assert await presented(parts)


async def test_leaving_is_the_same_when_its_turn_is_run_again(parts):
    await linked(parts, "ada")
    await linked(parts, "ben")
    for _ in range(2):
        assert await parts.linking.part(end("ada", "webchat:w1")) == "here"
    assert (await parts.store.contacts.get("scripted", "ben")).conversation == "webchat:w1"


async def test_a_web_chat_that_leaves_or_is_thrown_out_is_told_in_its_own(parts):
    for thrown_out in (False, True):
        code = parts.linking._new_code = lambda: "47110815"
        await parts.linking.offer("scripted:ada")
        asked = await parts.linking.claimed(InboundMessage("webchat", "w1", "c", code(), NOW))
        joining = end("w1", channel="webchat", message_id=f"yes{thrown_out}")
        assert await parts.linking.join(asked.trigger.slots["code"], joining)
        leaving = end("w1", "scripted:ada", "webchat", f"no{thrown_out}")
        await parts.linking.part(end(message_id="out") if thrown_out else leaving)
        told = await parts.inbox("webchat:w1")
        assert [m.trigger.flow for m in told] == ["pattern_parted"] * (1 + thrown_out)
        assert await whereto(parts.store.contacts, told[-1]) == ("webchat", "w1")


async def test_an_end_that_joined_leaves_alone(parts):
    await linked(parts, "ada")
    await linked(parts, "ben")
    assert await parts.linking.part(end("ada", "webchat:w1")) == "here"
    await parts.take(request({"id": "2", "from": "ada", "text": "alone"}))
    assert (await parts.inbox())[-1].text == "alone"
    await parts.take(request({"id": "3", "from": "ben", "text": "still here"}))
    assert (await parts.inbox("webchat:w1"))[-1].text == "still here"


async def test_who_began_the_conversation_throws_out_all_others_and_their_code(parts):
    await linked(parts, "ada")
    await linked(parts, "ben")
    back = await presented(parts, "eve")
    owner = end("w1", channel="webchat")
    assert await parts.linking.part(owner) == "others"
    assert not await parts.linking.part(owner)
    assert await parts.store.contacts.of_conversation("webchat:w1") == []
    assert not await parts.linking.join(back, end("eve"))
