"""The processes of one run: a shop, and a bot that is killed and started again."""

import http.client
import os
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from bench.faults.board import Board
from bench.faults.bot_process import Preloaded, live
from bench.faults.cases import Case, faults_of
from bench.faults.door import serve
from bench.faults.folder import STORE
from bench.faults.shop_kind import ShopKind
from bench.faults.shops import SHOPS
from bot.messages import InboundMessage

LONGEST_S = 90.0


class RunFailed(RuntimeError):
    """The run could not be carried out; it says nothing about effects."""


class Processes:
    """The processes of a run, and the wire to the bot."""

    def __init__(self, case: Case, preloaded: Preloaded, folder: Path, board: Board) -> None:
        """Begin with none."""
        self._case = case
        self._kind: ShopKind = SHOPS[case.shop]
        self._preloaded = preloaded
        self._folder = folder
        self._board = board
        self._shop_pid = 0
        self._bot_pid = 0
        self.url = ""
        self._wire: socket.socket | None = None

    def open_shop(self) -> None:
        """Start the shop's server, where there is one."""
        build, case = self._kind.serve, self._case
        if build is None:
            return
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        faults = faults_of(case, self._kind.writes, self._board.get("timeout_s"))
        self._shop_pid = _forked(
            lambda: serve(
                lambda: build(case, self._folder, self._board), listening, self._board, faults
            )
        )
        listening.close()

    def start_bot(self) -> None:
        """Start the bot; it takes up what an earlier life left."""
        if self._wire:
            self._wire.close()
        ours, theirs = socket.socketpair()
        self._wire = ours
        kind, folder, board, url = self._kind, self._folder, self._board, self.url

        def be() -> NoReturn:
            ours.close()
            board.put("bot", os.getpid())
            live(
                self._preloaded,
                lambda: kind.connect(url, folder, board),
                folder / STORE,
                board,
                theirs,
            )

        self._bot_pid = _forked(be)
        self._board.put("bot", self._bot_pid)
        theirs.close()

    def tell(self, *messages: InboundMessage) -> bool:
        """Give the bot messages, all at once; False when it died before it took them."""
        if self._wire is None:
            return False
        try:
            self._wire.sendall(msgspec.json.encode(messages) + b"\n")
            ready, _, _ = select.select([self._wire], [], [], LONGEST_S)
            return bool(ready and self._wire.recv(100))
        except OSError:
            return False

    def is_bot_alive(self) -> bool:
        """Return whether the bot runs; a bot that ended by itself fails the run.

        Raises:
            RunFailed: nobody killed it.
        """
        pid, status = os.waitpid(self._bot_pid, os.WNOHANG)
        if not pid:
            return True
        self._bot_pid = 0
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            msg = f"the bot ended by itself ({status})"
            raise RunFailed(msg)
        return False

    def signal_shop(self, number: int) -> None:
        """Stop or continue the shop's process."""
        if self._shop_pid:
            os.kill(self._shop_pid, number)

    def shop_counts(self) -> tuple[int, ...]:
        """Return how often the shop has the effect."""
        if not self._shop_pid:
            return ()
        return tuple(msgspec.json.decode(_get(self.url, "/-/count"), type=list[int]))

    def end(self) -> None:
        """Kill whoever still runs."""
        for pid in (self._bot_pid, self._shop_pid):
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        if self._wire:
            self._wire.close()


def _forked(be: Callable[[], NoReturn]) -> int:
    """Return the id of a copy of this process that is something else."""
    pid = os.fork()
    if pid:
        return pid
    try:
        be()
    finally:
        os._exit(1)


def _get(url: str, path: str) -> bytes:
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=LONGEST_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
