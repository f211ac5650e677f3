"""Several runs at a time, each carried out by one of a few worker processes."""

import os
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.faults.bot_process import Preloaded
from bench.faults.cases import IN_TIME, Case
from bench.faults.folder import PATIENT_S
from bench.faults.processes import RunFailed
from bench.faults.run import Run
from bench.faults.shop_kind import TRIES
from bench.faults.verdict import Verdict

WIDER = 1.3
SHORTEST_S, LONGEST_S = 0.4, 2.0
"""How long the bot waits for an answer: by what this machine needs when nothing goes wrong."""


class Line(msgspec.Struct, frozen=True):
    """What a worker writes down of a run."""

    case: Case
    verdict: Verdict | None = None
    error: str = ""


class Pool:
    """Forks workers; worker n of w carries out the runs n, n + w, n + 2w and so on."""

    def __init__(self, preloaded: Preloaded, templates: Path, folder: Path, workers: int) -> None:
        """Keep the runs' files in `folder`."""
        self._preloaded = preloaded
        self._templates = templates
        self._folder = folder
        self._workers = workers
        self._windows_s: dict[str, float] = {}

    def run(self, cases: list[Case]) -> tuple[list[Verdict], list[tuple[Case, str]]]:
        """Return the verdicts, and the runs that could not be carried out with their errors."""
        self._measure(cases)
        pids = []
        for number in range(self._workers):
            pid = os.fork()
            if not pid:
                self._work(number, cases[number :: self._workers])
            pids.append(pid)
        while pids:
            pids = [pid for pid in pids if not os.waitpid(pid, os.WNOHANG)[0]]
            self._report(len(cases), last=not pids)
            time.sleep(0.5)
        lines = self._lines()
        verdicts = [line.verdict for line in lines if line.verdict is not None]
        return verdicts, [(line.case, line.error) for line in lines if line.verdict is None]

    def _measure(self, cases: list[Case]) -> None:
        """Find out how long it takes from a yes to the answer when nothing goes wrong."""
        for case in cases:
            if case.shop in self._windows_s:
                continue
            calm = Case(-1, 1, case.shop, case.kind, IN_TIME)
            folder = self._folder / f"measure-{len(self._windows_s)}"
            run = Run(calm, self._preloaded, self._templates, folder, PATIENT_S)
            try:
                self._windows_s[case.shop] = run.carry_out(0).took_s
            except RunFailed:  # the runs themselves will say why
                self._windows_s[case.shop] = SHORTEST_S

    def _work(self, number: int, cases: Iterable[Case]) -> None:
        with (self._folder / f"worker-{number}.jsonl").open("wb", buffering=0) as file:
            for case in cases:
                file.write(msgspec.json.encode(self._line(case)) + b"\n")
        os._exit(0)

    def _line(self, case: Case) -> Line:
        took_s = self._windows_s[case.shop]
        timeout_s = min(max(took_s, SHORTEST_S), LONGEST_S)
        window_s = took_s * WIDER
        if case.behaviour != IN_TIME:
            window_s += timeout_s * TRIES
        folder = self._folder / f"run-{case.number}"
        try:
            run = Run(case, self._preloaded, self._templates, folder, timeout_s)
            return Line(case, run.carry_out(window_s))
        except RunFailed as error:
            return Line(case, error=str(error))
        except Exception:  # noqa: BLE001 - the other runs go on
            return Line(case, error=traceback.format_exc())

    def _lines(self) -> list[Line]:
        found = []
        for path in self._folder.glob("worker-*.jsonl"):
            whole = path.read_bytes().rpartition(b"\n")[0]
            found += [msgspec.json.decode(line, type=Line) for line in whole.splitlines()]
        return sorted(found, key=lambda line: line.case.number)

    def _report(self, runs: int, *, last: bool) -> None:
        done = sum(path.read_bytes().count(b"\n") for path in self._folder.glob("worker-*.jsonl"))
        if sys.stderr.isatty() or last:
            sys.stderr.write(f"\r{done}/{runs} runs" + "\n" * last)
