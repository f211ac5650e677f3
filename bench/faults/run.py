"""One run: a plan is shown, agreed to, and the bot dies; then everything is counted."""

import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Any

import msgspec

from actions.commerce.planner import STRAGGLERS
from bench.faults.board import POINTS, Board
from bench.faults.bot_process import Preloaded
from bench.faults.cases import PRESS, WISHES, Case
from bench.faults.folder import CHANNELS, STORE, copy_templates
from bench.faults.processes import LONGEST_S, Processes, RunFailed
from bench.faults.shop_kind import mails
from bench.faults.shops import SHOPS
from bench.faults.verdict import Found, Verdict, judge
from bot.messages import InboundMessage

STEP_S = 20.0
"""How far the clock is put forward when everybody only waits for time to pass."""
HOUR_S = 3600.0
POLL_S = 0.003
TRIES = 3
"""How often a customer begins anew when a slow machine makes the shop seem away."""


class Run:
    """A case that is being carried out."""

    def __init__(
        self, case: Case, preloaded: Preloaded, templates: Path, folder: Path, timeout_s: float
    ) -> None:
        """Make the run's files.

        Args:
            case: what is tried.
            preloaded: what all bots share.
            templates: of the files.
            folder: for the files.
            timeout_s: how long the bot waits for an answer of the shop.
        """
        copy_templates(templates, folder, case.shop)
        self.case = case
        self.board = Board()
        self.board.put("timeout_s", timeout_s)
        self.folder = folder
        self.processes = Processes(case, preloaded, folder, self.board)
        self._chance = random.Random(case.seed)
        self._wish = WISHES[case.kind]
        self._customer_id = SHOPS[case.shop].customers[self._wish.customer_id]
        self._book = sqlite3.connect(f"file:{folder / STORE}?mode=ro", uri=True, timeout=10)
        self._numbers = 0
        self._shown_at: dict[str, int] = {}
        self._kills = list(case.kills)
        self._kill_at: float | None = None

    def carry_out(self, window_s: float) -> Verdict:
        """Return what became of it.

        Args:
            window_s: how long after the yes a random kill may come.

        Raises:
            RunFailed: it could not be carried out.
        """
        try:
            self.processes.open_shop()
            self.processes.start_bot()
            talks = CHANNELS if "channel" in self.case.scenario else CHANNELS[:1]
            yeses = [self._shown(channel) for channel in talks]
            began = time.monotonic()
            if self.case.scenario == "another channel later":
                answered = self._agree(yeses[:1], window_s)
                self._agree(yeses[1:], window_s)
            else:
                answered = self._agree(yeses, window_s)
            found = self._found(len(yeses))
        finally:
            self.processes.end()
            self._book.close()
        shutil.rmtree(self.folder)
        return judge(self.case, found, answered - began, int(self.board.get("kills")))

    def _shown(self, channel: str) -> InboundMessage:
        """Talk until a plan is shown; return the yes to it.

        Raises:
            RunFailed: no plan is shown.
        """
        for _ in range(TRIES):
            for said in self._wish.says:
                if not self.processes.tell(self._message(channel, self._pressed(channel, said))):
                    raise RunFailed("the bot took no message")
                self._wait(lambda: not self._pending())
            told = self._told(channel)
            buttons = [str(b["payload"]) for m in told for b in m.get("buttons") or ()]
            yes = next((payload for payload in buttons if payload.startswith("/affirm{")), "")
            if yes:
                self._shown_at[channel] = len(told)
                return self._message(channel, yes)
        heard = [(m.get("response"), m.get("text", "")[:200]) for m in told]
        msg = f"no plan was shown for {self.case.kind} at {self.case.shop}: {heard}"
        raise RunFailed(msg)

    def _pressed(self, channel: str, said: str) -> str:
        """Return what a customer says, or the payload of the button that they press."""
        if not said.startswith(PRESS):
            return said
        told = self._told(channel)
        for button in told[-1].get("buttons") or () if told else ():
            if str(button["payload"]).startswith(said.removeprefix(PRESS)):
                return str(button["payload"])
        return "/skip"

    def _agree(self, yeses: list[InboundMessage], window_s: float) -> float:
        """Say yes, let the bot die as planned, and time pass until nothing is open any more.

        Returns:
            when the bot had taken the yes and had nothing more to do at once.
        """
        messages = list(yeses)
        if self.case.scenario == "double click":
            messages += [self._message("rest", yes.text) for yes in yeses]
        self.board.put("down", self.case.scenario == "down for an hour")
        self._arm(window_s)
        taken = self.processes.tell(*messages)
        began, until = self.board.now(), time.monotonic() + LONGEST_S
        answered = 0.0
        while time.monotonic() < until:
            if not self.processes.is_bot_alive():
                self.board.arm("")
                self._stay_away()
                self.processes.start_bot()
                self._arm(window_s)
                taken = taken or self.processes.tell(*messages)
            elif self._kill_at and time.monotonic() >= self._kill_at:
                self._kill_at = None
                self.board.kill()
            elif not taken or self._is_busy() or self._kill_at:
                time.sleep(POLL_S)
            else:
                answered = answered or time.monotonic()
                if not self._is_open():
                    break
                if (self.board.now() - began).total_seconds() > HOUR_S:
                    self.board.put("down", 0)
                self.board.put_forward(STEP_S)
                time.sleep(POLL_S * 10)
        self.board.put("down", 0)
        return answered or time.monotonic()

    def _stay_away(self) -> None:
        """Let time pass before the bot comes back; no request takes longer than a minute or so."""
        if self.case.away_s > STRAGGLERS.total_seconds() / 2:
            self._wait(lambda: not self.board.get("open_requests"), bot=False)
        self.board.put_forward(self.case.away_s)

    def _arm(self, window_s: float) -> None:
        """Prepare the next death of the bot, if one is left."""
        if not self._kills:
            return
        point = self._kills.pop(0)
        if point in POINTS:
            self.board.arm(point, self.case.passing)
        else:
            self._kill_at = time.monotonic() + self._chance.uniform(0, window_s)

    def _found(self, plans: int) -> Found:
        own = SHOPS[self.case.shop].own_count(self.case, self.folder, self.board)
        rows = self._rows("SELECT step, state, error FROM effects ORDER BY intended_us, step")
        return Found(
            plans=plans,
            counts=(*self.processes.shop_counts(), *own),
            writes=tuple((state, error) for step, state, error in rows if step == "write"),
            mails=tuple(state for step, state, _ in rows if step == "mail"),
            sent=mails(self.folder, self.board),
            told=tuple(
                tuple(self._told(channel)[shown:]) for channel, shown in self._shown_at.items()
            ),
            is_open=bool(self._pending()),
        )

    def _message(self, channel: str, text: str) -> InboundMessage:
        self._numbers += 1
        sender, number = self._customer_id, f"m{self._numbers}"
        return InboundMessage(channel, sender, number, text, self.board.now())

    def _pending(self) -> int:
        return int(self._rows("SELECT count(*) FROM inbox WHERE handled_us IS NULL")[0][0])

    def _is_busy(self) -> bool:
        return bool(self._pending() or self.board.get("open_requests"))

    def _is_open(self) -> bool:
        states = {state for (state,) in self._rows("SELECT state FROM effects")}
        return bool(states - {"done", "refused"})

    def _told(self, channel: str) -> list[dict[str, Any]]:
        query = "SELECT message FROM outbox WHERE channel = ? ORDER BY seq"
        return list(starmap(msgspec.json.decode, self._rows(query, channel)))

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        return self._book.execute(query, values).fetchall()

    def _wait(self, done: Callable[[], bool], *, bot: bool = True) -> None:
        until = time.monotonic() + LONGEST_S
        while not done():
            if time.monotonic() > until or (bot and not self.processes.is_bot_alive()):
                raise RunFailed("the bot did not answer" if bot else "a request does not end")
            time.sleep(POLL_S)
