"""One customer who waits twice: two cases are answered as one.

One of them leads. The other one leaves the queue; its conversation stays what it is, and the
operator of the leading case has it as well. An act in each of the two conversations holds the same
random link, so whatever a crash leaves undone is seen from the events and made up for (`settle`).
"""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence

import msgspec
import structlog

from bot.merging import customer_mark
from bot.operators import Act, Doing, act_id
from desk.desk import Desk, Outcome
from desk.errors import ActUncertain, DeskError
from desk.merge_links import LinkBook, Together
from desk.records import Case, CaseQuery, Operator

AGAIN_S = 60.0
"""How often merged cases are looked at for what another process, or an erasure, did."""
MOST = 1000
MOST_DONE = 10_000
log = structlog.get_logger(__name__)


class Merging:
    """Puts cases together and keeps them so."""

    def __init__(self, desk: Desk, links: LinkBook) -> None:
        """Act through `desk`; `links` know what belongs together."""
        self._desk = desk
        self._links = links
        self._done: dict[str, None] = {}
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Keep together in the background what belongs together."""
        self._desk.parts.feed.on_case(self._heard)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._look_again())]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def together(self, case: Case) -> Together:
        """Return what belongs to a case.

        Raises:
            DeskStoreFailed: it cannot be read.
        """
        return await self._links.of(case)

    async def merge(self, by: Operator, lead: Case, other: Case, reason: str, name: str) -> str:
        """Have a case answered in another one; return why it was refused, empty if it was not.

        Args:
            by: who does it.
            lead: in which both are answered from now on.
            other: the one that is merged.
            reason: why, in their words.
            name: of the act; repeated, it is done once.

        Raises:
            ActUncertain: it is carried out later.
            StorageError: a conversation cannot be read or written.
            DeskStoreFailed: a case cannot be kept.
        """
        if lead.conversation_id == other.conversation_id:
            return "same_case"
        group = (await self.together(lead)).all
        customers = {each.customer_id for each in (*group, other)} - {""}
        if len(customers) > 1:
            return "other_customer"
        if any(each.team != other.team for each in group):
            return "other_team"  # whoever may see one would have the other as well
        customer = next(iter(customers), "")
        asked = Doing(
            by.id,
            by.name,
            to=lead.operator if lead.state == "with_operator" else "",
            to_name=lead.operator_name if lead.state == "with_operator" else "",
            link=(link := secrets.token_hex(12)),
            customer=customer_mark(link, customer),
            reason=reason,
            force=by.is_supervisor,
        )
        merged = await self._act(other, "merged", asked, f"merge:{name}")
        if merged.refusal or merged.case is None or merged.case.state != "merged":
            return merged.refusal
        link = merged.case.link  # of the first try
        mark = customer_mark(link, customer)
        asked = msgspec.structs.replace(asked, link=link, customer=mark)
        led = await self._act(lead, "led", asked, f"lead:{name}")
        if led.refusal:
            alone = Doing(by.id, by.name, link=asked.link, reason=led.refusal, force=True)
            await self._act(other, "unmerged", alone, f"undo:{name}")
            return led.refusal
        if other.awaits_reply:
            await self._count(lead, merged.case, "heard")
        if led.case is not None:
            await self.settle(led.case)
        return ""

    async def unmerge(self, by: Operator, case: Case, name: str) -> str:
        """Have a merged case wait on its own again; return why it was refused.

        Args:
            by: who does it.
            case: the merged one.
            name: of the act.

        Raises:
            ActUncertain: it is carried out later.
            StorageError: a conversation cannot be read or written.
            DeskStoreFailed: a case cannot be kept.
        """
        doing = Doing(by.id, by.name, link=case.link, force=by.is_supervisor)
        return await self._part(case, doing, name)

    async def place(self, case: Case, name: str) -> Case:
        """Return where a reply in a case goes: where its customer wrote last.

        Args:
            case: in which it is written.
            name: of the act; one that comes again goes where it went before.

        Raises:
            DeskStoreFailed: the cases cannot be read.
            StorageError: a conversation cannot be read or written.
        """
        live = [case, *await self._merged(case)]
        for each in live if len(live) > 1 else ():
            stored = await self._desk.events(each.conversation_id)
            if any(item.data.get("message_id") == act_id(name) for item in stored):
                return each
        last = max(live, key=_wrote_at)
        if last.operator != case.operator:
            await self.said(last)
        return last

    async def said(self, case: Case) -> None:
        """Have the cases that belong to one know by now what was said in it.

        Raises:
            DeskStoreFailed: the cases cannot be read or kept.
            StorageError: a conversation cannot be read or written.
        """
        if case.state == "merged":
            with contextlib.suppress(ActUncertain):  # it is made up for in the background
                await self.settle(await self._desk.parts.cases.get(case.id))

    async def elsewhere(self, case: Case) -> str:
        """Return the link to where the customer of a case wrote last; "" for its own conversation.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """
        last = await self.written_in(case)
        return "" if last is case else last.link

    async def written_in(self, case: Case) -> Case:
        """Return the one of a case and those answered in it whose customer wrote last.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """
        return max([case, *await self._merged(case)], key=_wrote_at)

    async def _merged(self, case: Case) -> list[Case]:
        found = (await self.together(case)).merged
        return [each for each in found if each.state == "merged" and each.team == case.team]

    async def settle(self, case: Case) -> None:
        """Bring the cases that belong to one in step with it.

        Raises:
            ActUncertain: something is carried out later.
            StorageError: a conversation cannot be read or written.
            DeskStoreFailed: a case cannot be kept.
        """
        found = await self.together(case)
        if case.state == "merged":
            await self._follow(found.lead, case)
        for each in found.merged:
            if each.state == "merged":
                await self._follow(case, each)

    async def _follow(self, lead: Case | None, case: Case) -> None:
        """Bring a merged case in step with the one that leads it."""
        if lead is None or lead.state == "merged":
            if lead is not None or self._is_old(case):
                why = Doing(link=case.link, reason="lead_gone", force=True)
                await self._part(case, why, "gone")
        elif not lead.is_open:
            await self._end(lead, case)
        elif lead.customer_id and case.customer_id and lead.customer_id != case.customer_id:
            why = Doing(link=case.link, reason="other_customer", force=True)
            await self._part(case, why, "other")
        elif lead.team != case.team:
            why = Doing(link=case.link, reason="other_team", force=True)
            await self._part(case, why, "team")
        else:
            await self._keep_up(lead, case)

    async def _keep_up(self, lead: Case, case: Case) -> None:
        """Give a merged case the operator of its lead, and count there what is said in it."""
        has = lead.state == "with_operator"
        holder = (lead.operator, lead.operator_name) if has else ("", "")
        if case.operator != holder[0]:
            doing = Doing(to=holder[0], to_name=holder[1], link=case.link, force=True)
            await self._once(case, "followed", doing, f"follow:{case.link}:{lead.version}")
        since = case.merged_at
        told: list[tuple[float, Act]] = []
        if since and case.last_customer_at and case.last_customer_at > since:
            told.append((case.last_customer_at.timestamp(), "heard"))
        if since and case.last_reply_at and case.last_reply_at > since:
            told.append((case.last_reply_at.timestamp(), "replied"))
        for _, act in sorted(told):
            await self._count(lead, case, act)

    async def _count(self, lead: Case, case: Case, act: Act) -> None:
        """Note in the leading case, once, that something was said in the merged one."""
        number = case.messages if act == "heard" else case.replies
        doing = Doing(link=case.link, force=True)
        await self._once(lead, act, doing, f"{act}:{case.link}:{number}")

    async def _end(self, lead: Case, case: Case) -> None:
        """End a merged case with its lead; who has written since then waits on their own."""
        if lead.ended_at and case.last_customer_at and case.last_customer_at > lead.ended_at:
            why = Doing(link=case.link, reason="customer_wrote", force=True)
            await self._part(case, why, f"wrote:{case.messages}")
            return
        doing = Doing(
            lead.last_operator,
            lead.operator_name,
            reason=lead.end_reason,
            quiet=lead.told_in != case.link,
            force=True,
        )
        act: Act = "closed" if lead.state == "closed" else "gave_back"
        await self._once(case, act, doing, f"end:{case.link}:{lead.number}")

    async def _part(self, case: Case, doing: Doing, name: str) -> str:
        found = await self.together(case)
        outcome = await self._act(case, "unmerged", doing, f"part:{case.link}:{name}")
        if not outcome.refusal and found.lead is not None and found.lead.is_live:
            doing = Doing(link=case.link, force=True)
            await self._act(found.lead, "parted", doing, f"let-go:{case.link}")
        return outcome.refusal

    def _is_old(self, case: Case) -> bool:
        """Return whether a case has been merged so long that its lead must be known by now."""
        now = self._desk.parts.clock()
        return case.merged_at is not None and (now - case.merged_at).total_seconds() > AGAIN_S

    async def _once(self, case: Case, act: Act, doing: Doing, name: str) -> None:
        """Do what keeps cases together, unless this process has done it already."""
        if name in self._done:
            return
        await self._act(case, act, doing, name)
        self._done[name] = None
        while len(self._done) > MOST_DONE:
            self._done.pop(next(iter(self._done)))

    async def _act(self, case: Case, act: Act, doing: Doing, name: str) -> Outcome:
        return await self._desk.act(case.conversation_id, act, doing, name)

    def _heard(self, case: Case) -> None:
        if case.link or case.leads:
            self._due[case.id] = None
            self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                case_id = next(iter(self._due))
                del self._due[case_id]
                await self._safely([case_id])

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await self._look()

    async def _look(self) -> None:
        """Look at every merged case."""
        try:
            found = await self._desk.parts.cases.find(CaseQuery(("merged",), limit=MOST))
        except DeskError as error:
            log.warning("merged_cases_not_read", error=type(error).__name__)
            return
        await self._safely([case.id for case in found])

    async def _safely(self, case_ids: Sequence[str]) -> None:
        for case_id in case_ids:
            try:
                await self.settle(await self._desk.parts.cases.get(case_id))
            except Exception as error:  # noqa: BLE001 - one case must not end it for all
                log.warning("cases_not_kept_together", error=type(error).__name__)


def _wrote_at(case: Case) -> float:
    at = case.wrote_here_at or case.opened_at
    return at.timestamp()
