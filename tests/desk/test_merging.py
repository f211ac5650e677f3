"""One customer who waits twice: two cases are answered as one, and nothing of either is lost."""

from datetime import timedelta
from itertools import starmap

import msgspec
import pytest

from bot import events as ev
from bot.merging import customer_mark
from bot.operators import Doing
from bot.storage.verification import verify
from desk.insights.fold import FactsFold
from desk.merge_links import LinkBook
from desk.merging import AGAIN_S, Merging
from desk.records import Operator
from desk.web.pages import key_of
from tests.desk.house import DeskHouse

LEAD, OTHER = "webchat:lena", "whatsapp:491701"
LATER = timedelta(seconds=AGAIN_S + 1)


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path)
    yield house
    await house.close()


class Pair:
    """Two cases, an operator who has the first, and what puts them together."""

    def __init__(self, house):
        self.house = house
        self.merging = Merging(house.desk, LinkBook(house.database))
        self.lead, self.other = f"{LEAD}#1", f"{OTHER}#1"
        self.me = Operator("op-1", "anna@shop.example", "Anna")

    async def begin(self, lead=None, other=None):
        for conversation_id, slots in ((LEAD, lead or {}), (OTHER, other or {})):
            await self.says(conversation_id, "Where is my parcel?", **slots)
            await self.house.happens(
                conversation_id, ev.HandoffChanged("waiting_for_operator", "asked")
            )
        await self.act(LEAD, "assigned")

    async def says(self, conversation_id, text, **slots):
        number = len(await self.house.events(conversation_id))
        channel = conversation_id.partition(":")[0]
        said = ev.UserUttered(text, f"m{number}-{conversation_id}", channel)
        await self.house.happens(conversation_id, said, *starmap(ev.SlotSet, slots.items()))

    async def act(self, conversation_id, act, name="", **particulars):
        doing = Doing(**{"operator": "op-1", "name": "Anna", **particulars})
        name = name or f"{act}-{self.house.clock.now.timestamp()}"
        return (await self.house.desk.act(conversation_id, act, doing, name)).refusal

    async def merge(self, name="m1", by=None, reason="same person"):
        lead, other = await self.cases()
        return await self.merging.merge(by or self.me, lead, other, reason, name)

    async def cases(self):
        return await self.house.case(self.lead), await self.house.case(self.other)

    async def settle(self):
        await self.merging.settle(await self.house.case(self.lead))

    async def texts(self, conversation_id):
        return [e.text for e in await self.house.events(conversation_id, ev.BotUttered)]

    async def states(self):
        return [case.state for case in await self.cases()]


@pytest.fixture
async def pair(house):
    return Pair(house)


async def test_the_other_case_leaves_the_queue_and_the_operator_has_both(pair):
    await pair.begin()
    assert not await pair.merge()
    lead, other = await pair.cases()
    assert (lead.state, other.state) == ("with_operator", "merged")
    assert other.operator == "op-1"
    assert lead.leads == (other.link,)
    assert not other.is_open
    audited = [e for e in await pair.house.parts.audit.find() if e.details.get("link")]
    assert {(e.action, e.details["reason"]) for e in audited} == {
        ("led", "same person"), ("merged", "same person"),
    }  # fmt: skip


async def test_neither_conversation_holds_anything_of_the_other(pair):
    await pair.begin({"customer_id": "c-991"})
    await pair.merge()
    await pair.says(OTHER, "Hello again")
    await pair.settle()
    for own, foreign in ((LEAD, ["491701"]), (OTHER, ["lena", "c-991"])):
        stored, _ = await pair.house.store.events.load(own)
        inbox = await pair.house.store.inbox.history(own, 0, 100)
        kept = f"{[item.data for item in stored]} {inbox}"
        assert not [word for word in foreign if word in kept], own


async def test_a_reply_goes_where_the_customer_wrote_last(pair):
    await pair.begin()
    await pair.merge()
    await pair.says(OTHER, "Are you there?")
    lead, _ = await pair.cases()
    assert (await pair.merging.place(lead, "r1")).id == pair.other
    assert not await pair.act(OTHER, "said", "r1", text="Yes, I am")
    assert await pair.texts(OTHER) == ["Yes, I am"]
    await pair.says(LEAD, "And here?")
    lead, _ = await pair.cases()
    assert (await pair.merging.place(lead, "r1")).id == pair.other, "tried again, it stays there"
    assert (await pair.merging.place(lead, "r2")).id == pair.lead


async def test_the_leading_case_counts_what_is_said_in_both_once(pair):
    await pair.begin()
    await pair.act(LEAD, "said", text="One moment")
    assert not (await pair.house.case(pair.lead)).awaits_reply
    await pair.merge()
    lead, _ = await pair.cases()
    assert lead.awaits_reply, "the other one waits"
    assert lead.messages == 2
    await pair.act(OTHER, "said", text="Hello there")
    for _ in range(3):
        await pair.settle()
        await Merging(pair.house.desk, LinkBook(pair.house.database)).settle(
            await pair.house.case(pair.lead)
        )
    lead, _ = await pair.cases()
    assert (lead.messages, lead.replies, lead.awaits_reply) == (2, 2, False)


async def test_who_takes_the_leading_case_has_the_other_one_too(pair):
    await pair.begin()
    await pair.merge()
    await pair.act(LEAD, "transferred", to="op-2", to_name="Ben")
    assert await pair.act(OTHER, "said", operator="op-2", text="Hi") == "not_yours"
    await pair.settle()
    assert not await pair.act(OTHER, "said", operator="op-2", text="Hi")
    assert await pair.act(OTHER, "said", text="Me, too") == "not_yours"
    await pair.act(LEAD, "returned", operator="op-2")
    await pair.settle()
    assert await pair.states() == ["waiting_for_operator", "merged"]
    assert await pair.act(OTHER, "said", operator="op-2", text="Hi") == "with_another"


@pytest.mark.parametrize(("act", "end"), [("closed", "closed"), ("gave_back", "bot")])
async def test_the_end_of_one_is_the_end_of_both(pair, act, end):
    await pair.begin()
    await pair.merge()
    await pair.says(OTHER, "Thanks, that is all")
    lead, other = await pair.cases()
    link = await pair.merging.elsewhere(lead)
    assert link == other.link
    await pair.act(LEAD, act, reason="solved", link=link)
    await pair.settle()
    await pair.settle()
    assert await pair.states() == [end, end]
    told = [
        [e.flow_id for e in await pair.house.events(each, ev.Triggered)] for each in (LEAD, OTHER)
    ]
    pattern = {"closed": "pattern_case_closed", "bot": "pattern_given_back"}[end]
    assert pattern not in told[0], "told where they wrote last"
    assert told[1].count(pattern) == 1


async def test_who_wrote_after_the_end_waits_on_their_own(pair):
    await pair.begin()
    await pair.merge()
    await pair.act(LEAD, "closed", reason="solved")
    await pair.says(OTHER, "One more thing")
    await pair.settle()
    assert await pair.states() == ["closed", "waiting_for_operator"]


async def test_taken_apart_it_waits_with_its_age(pair):
    await pair.begin()
    await pair.merge()
    _, other = await pair.cases()
    assert not await pair.merging.unmerge(pair.me, other, "u1")
    lead, other = await pair.cases()
    assert (lead.leads, other.state, other.link) == ((), "waiting_for_operator", "")
    assert other.number == 1
    assert other.transfers == 0
    assert not await pair.merge("m2"), "and can be put together again"


@pytest.mark.parametrize(
    ("lead", "other", "refused"),
    [("c-1", "c-2", "other_customer"), ("c-1", "c-1", ""), ("c-1", "", ""), ("", "c-2", "")],
)
async def test_two_identified_customers_stay_two(pair, lead, other, refused):
    await pair.begin({"customer_id": lead}, {"customer_id": other})
    assert await pair.merge() == refused


async def test_who_identified_themselves_meanwhile_is_refused_in_their_turn(pair):
    await pair.begin({}, {"customer_id": "c-2"})
    told = {"link": "x", "customer": customer_mark("x", "c-1"), "force": True}
    assert await pair.act(OTHER, "merged", **told) == "other_customer"
    assert await pair.act(OTHER, "led", **told) == "other_customer"


async def test_a_third_customer_is_refused_by_the_second(pair):
    await pair.begin({}, {"customer_id": "c-1"})
    await pair.merge()
    await pair.says("telegram:7", "Hello", customer_id="c-2")
    waits = ev.HandoffChanged("waiting_for_operator", "asked")
    await pair.house.happens("telegram:7", waits)
    lead, third = await pair.house.case(pair.lead), await pair.house.case("telegram:7#1")
    assert await pair.merging.merge(pair.me, lead, third, "", "m3") == "other_customer"


async def test_cases_of_two_teams_are_not_put_together_nor_kept_so(pair):
    await pair.begin()
    legal = {"team": "legal", "to": "", "reason": "contract", "force": True}
    assert not await pair.act(OTHER, "transferred", **legal)
    assert await pair.merge() == "other_team"
    assert await pair.states() == ["with_operator", "waiting_for_operator"]
    assert not await pair.act(LEAD, "transferred", **legal)
    assert not await pair.merge("m2", by=msgspec.structs.replace(pair.me, role="supervisor"))
    assert not await pair.act(LEAD, "transferred", team="returns", reason="goods", force=True)
    await pair.settle()
    assert await pair.states() == ["waiting_for_operator", "waiting_for_operator"]
    assert [case.team for case in await pair.cases()] == ["returns", "legal"]


async def test_who_turns_out_to_be_somebody_else_waits_on_their_own(pair):
    await pair.begin({"customer_id": "c-1"})
    await pair.merge()
    await pair.says(OTHER, "It is me", customer_id="c-2")
    await pair.settle()
    assert await pair.states() == ["with_operator", "waiting_for_operator"]


async def test_of_two_who_merge_each_into_the_other_none_gets_lost(pair):
    await pair.begin()
    lead, other = await pair.cases()
    boss = Operator("op-9", "boss@shop.example", "Boss", "supervisor")
    assert not await pair.merging.merge(boss, lead, other, "", "a")
    assert await pair.merging.merge(boss, other, lead, "", "b") == "leads"
    assert await pair.states() == ["with_operator", "merged"]


async def test_what_a_crash_left_undone_is_made_up_for(pair):
    await pair.begin()
    await pair.act(OTHER, "merged", link="lost", force=True)
    assert (await pair.house.case(pair.other)).state == "merged"
    await pair.merging.settle(await pair.house.case(pair.other))
    assert (await pair.house.case(pair.other)).state == "merged", "its lead may come any moment"
    pair.house.clock.now += LATER
    await pair.merging.settle(await pair.house.case(pair.other))
    assert (await pair.house.case(pair.other)).state == "waiting_for_operator"


async def test_who_is_erased_frees_the_other_one(pair):
    await pair.begin()
    await pair.merge()
    await pair.house.store.events.erase(LEAD)
    await pair.house.parts.cases.erase(LEAD)
    pair.house.clock.now += LATER
    await pair.merging.settle(await pair.house.case(pair.other))
    assert (await pair.house.case(pair.other)).state == "waiting_for_operator"


async def test_the_chain_of_both_verifies_and_the_bot_keeps_quiet(pair):
    await pair.begin()
    await pair.merge()
    await pair.says(OTHER, "back to business")
    await pair.settle()
    for each in (LEAD, OTHER):
        verdict = verify(await pair.house.store.chains.read(each))
        assert (verdict.state, verdict.seq) == ("intact", 0)
        draft, _ = await pair.house.draft(each)
        assert draft.conversation.handoff == "with_operator"


async def test_the_figures_count_one_case(pair):
    await pair.begin()
    await pair.merge()
    await pair.act(OTHER, "said", text="Hello")
    await pair.settle()
    await pair.act(LEAD, "closed", reason="solved")
    await pair.settle()
    await pair.settle()
    ends = []
    for each in (LEAD, OTHER):
        stored, _ = await pair.house.store.events.load(each)
        fold = FactsFold(each)
        fold.apply_all(stored)
        (facts,) = fold.facts
        (case,) = facts.cases
        ends.append((case.end_reason, case.first_reply_s is not None))
    assert ends == [("solved", True), ("merged", False)]


async def test_the_desk_is_made_anew_from_the_events(pair):
    await pair.begin()
    await pair.merge()
    before = await pair.cases()
    for each in (LEAD, OTHER):
        await pair.house.parts.cases.erase(each)
    await pair.house.feed.catch_up()
    assert await pair.cases() == before
    found = await pair.merging.together(before[0])
    assert [case.id for case in found.merged] == [pair.other]


async def test_at_the_page_it_is_offered_done_and_undone(pair):
    house = pair.house
    anna = await house.at_desk("Anna")
    await pair.says(LEAD, "Hello from the shop", customer_id="c-1", customer_name="Lena")
    await pair.says(OTHER, "Hello from the phone", customer_id="c-1", customer_name="Lena")
    for each in (LEAD, OTHER):
        await house.happens(each, ev.HandoffChanged("waiting_for_operator", "asked"))
    await anna.act(pair.lead, "take")
    shown = (await anna.case(pair.lead, "/together")).text
    assert "the same identified customer" in shown
    answer = await anna.act(pair.lead, "merge", case=key_of(pair.other), reason="twice")
    assert "Answered here as well" in answer.text
    assert "Hello from the phone" in (await anna.case(pair.lead, "/parts")).text
    assert (await anna.says(pair.lead, "I see both"))[0] == 200
    assert await pair.texts(OTHER) == ["I see both"], "they wrote there last"
    assert "I see both" in (await anna.case(pair.lead, "/parts")).text
    page = (await anna.case(pair.other)).text
    assert page.count("put together")
    link = f"http://127.0.0.1:8080/desk/c/{key_of(pair.other)}"
    again = await anna.act(pair.lead, "merge", id=link)
    assert "answered in another one" in again.headers["hx-trigger"]
    apart = await anna.act(pair.other, "unmerge", shown=key_of(pair.lead))
    assert "Answered here as well" not in apart.text
    assert "Taken apart" in apart.headers["hx-trigger"]
    assert "Hello from the phone" not in (await anna.case(pair.lead, "/parts")).text


async def test_a_case_of_another_area_cannot_be_merged_nor_read(pair):
    house = pair.house
    anna = await house.at_desk("Anna", areas=("returns",))
    await pair.begin()
    await house.in_team(pair.other, "legal")
    await anna.act(pair.lead, "take", force="1")
    answer = await anna.act(pair.lead, "merge", id=pair.other)
    assert "no such case" in answer.headers["hx-trigger"]
    assert (await house.case(pair.other)).state == "waiting_for_operator"
