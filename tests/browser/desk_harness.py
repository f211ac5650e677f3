"""The whole bot with its desk behind a real server on loopback, for tests in real browsers."""

import asyncio
import contextlib
import gzip
import socket
import threading
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from bot.app import build_bot, make_app
from bot.operators import Doing
from bot.settings import load_settings
from desk.accounts import Accounts
from desk.accounts_passwords import Passwords
from desk.accounts_people import People
from desk.books import AuditLog
from desk.records import CannedReply, CaseQuery, Operator

ROOT = Path(__file__).resolve().parents[2]
MOST_WARMING_S = 45.0
PASSWORD = "horse battery staple"
PEOPLE = (
    Operator("", "anna@kontor.example", "Anna Weber", "admin", language="de"),
    Operator("", "ben@kontor.example", "Ben Okafor", language="en"),
)
OPEN = ("waiting_for_operator", "with_operator")
_AXE = Path(__file__).with_name("axe") / "axe-4.14.1.min.js.gz"


class DeskHarness:
    """A bot, two operators and a prepared reply."""

    def __init__(self, folder: Path) -> None:
        """Listen; the bot is built once it runs."""
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.loop: asyncio.AbstractEventLoop | None = None
        self.bot: Any = None

    def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something on the server's loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close_cases(self) -> None:
        """Close what is open, so that one test's customers do not wait in the next one's queue."""

        async def close() -> None:
            desk = self.bot.desk.desk
            for case in await desk.parts.cases.find(CaseQuery(OPEN)):
                doing = Doing(reason="other", force=True, quiet=True)
                await desk.act(case.conversation_id, "closed", doing, f"end of test {case.id}")
            assert not await desk.parts.cases.find(CaseQuery(OPEN))

        self.wait_for(close())

    @contextlib.contextmanager
    def running(self) -> Generator["DeskHarness", None, None]:
        """Serve while the block runs."""
        ready, servers = threading.Event(), []

        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            app = await self._app()
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
            servers.append(uvicorn.Server(config))
            serving = asyncio.create_task(servers[0].serve(sockets=[self.listener]))
            while not servers[0].started:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.05)
            with contextlib.suppress(TimeoutError):  # an index in the making slows the pages
                async with asyncio.timeout(MOST_WARMING_S):
                    while not self.bot.services.library.is_warm:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
            ready.set()
            await serving

        failed: list[BaseException] = []

        def work() -> None:
            try:
                asyncio.run(serve())
            except BaseException as error:
                failed.append(error)
                ready.set()
                raise

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        assert ready.wait(240)
        assert not failed, failed
        try:
            yield self
        finally:
            servers[0].should_exit = True
            thread.join(20)
            self.listener.close()

    async def _app(self) -> Any:
        settings = load_settings(ROOT, self.folder, None)
        endpoints = msgspec.structs.replace(settings.endpoints, store="memory://")
        settings = msgspec.structs.replace(settings, endpoints=endpoints)
        self.bot = await build_bot(settings, self.url)
        app = make_app(self.bot)
        database, clock = self.bot.desk.database, self.bot.desk.desk.parts.clock
        audit = AuditLog(database)
        cheap = Passwords(time_cost=1, memory_kib=64, lanes=1)
        accounts = Accounts(database, cheap, audit, clock)
        people = People(accounts, self.bot.desk.operators, audit, clock)
        for person in PEOPLE:
            await people.add(person, PASSWORD)
        texts = {"de": "Guten Tag {{ customer_name }}, hier ist {{ operator }}."}
        reply = CannedReply("1", "gruss", {"de": "Begrüßung"}, texts)
        await self.bot.desk.desk.parts.canned.put(reply)
        return app


def axe(page) -> list[str]:
    """Return what axe-core finds wrong with a page as it is now, serious and critical."""
    page.evaluate(gzip.decompress(_AXE.read_bytes()).decode())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
