"""The real server as its own process on a free port of loopback, and a customer's line to it."""

import contextlib
import re
import signal
import subprocess  # noqa: S404 - the server is a process of its own
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from simulation.customer import Heard
from simulation.errors import ServerFailed

_READY = re.compile(r"Shop and chat\s+(http://\S+)/")
_START_S = 180.0
_ANSWER_S = 60.0
_STOP_S = 20.0


class Server:
    """Runs `tresen run` on one shop with its data in a scratch folder."""

    def __init__(self, root: Path, folder: Path, shop_dir: Path | None) -> None:
        """Prepare the server; `with` starts and stops it.

        Args:
            root: where config.yml and data/ are.
            folder: a scratch folder for its data and logs.
            shop_dir: the shop's folder; None for the demo shop.
        """
        self._data_dir = folder / "data"
        self._log = folder / "server.log"
        self._out = folder / "server.out"
        options = ["--demo-shop", str(shop_dir)] if shop_dir else []
        self._command = [
            sys.executable, "-m", "bot.cli", "run", "--port", "0",
            "--root", str(root), "--data-dir", str(self._data_dir), *options,
        ]  # fmt: skip
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def shop_file(self) -> Path:
        """Return where the shop's SQLite file is."""
        return self._data_dir / "shop.sqlite3"

    def __enter__(self) -> "Server":
        """Start the process and wait until it answers.

        Raises:
            ServerFailed: it ended, or was not ready in time.
        """
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command, cwd=self._root, stdout=out, stderr=log
            )
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if found := _READY.search(self._out.read_text(encoding="utf-8", errors="replace")):
                self.url = found.group(1)
                return self
            time.sleep(0.05)
        self.stop()
        log_text = self._log.read_text(encoding="utf-8", errors="replace")
        msg = f"the server did not start: {log_text[-2000:].strip()}"
        raise ServerFailed(msg)

    def __exit__(self, *_: object) -> None:
        """Stop the process."""
        self.stop()

    def stop(self) -> None:
        """Stop the process, by force if it does not end in time."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Line:
    """One customer's conversation over REST."""

    def __init__(self, client: httpx.Client, sender: str) -> None:
        """Talk as `sender`."""
        self._client = client
        self._sender = sender
        self._known = 0

    def say(self, text: str) -> list[Heard]:
        """Say something and return the answers.

        Raises:
            ServerFailed: the server refused the message or did not answer.
        """
        try:
            body = {"sender": self._sender, "message": text}
            answer = self._client.post("/webhooks/rest/webhook", json=body, timeout=_ANSWER_S)
            answer.raise_for_status()
            tracker = self._client.get(f"/conversations/{self._sender}/tracker")
            tracker.raise_for_status()
        except httpx.HTTPError as error:
            msg = f"the server did not answer {text!r}: {error}"
            raise ServerFailed(msg) from error
        shown: list[dict[str, Any]] = answer.json()
        names = self._names(tracker.json()["events"], len(shown))
        return [
            Heard(name, item.get("text", ""), tuple(b["title"] for b in item.get("buttons", ())))
            for item, name in zip(shown, names, strict=True)
        ]

    def _names(self, events: list[dict[str, Any]], count: int) -> list[str]:
        """Return which response each of the last messages was."""
        said = [event for event in events if event["event"] == "bot"]
        new, self._known = said[self._known :], len(said)
        names = [str((event.get("metadata") or {}).get("utter_action", "")) for event in new]
        return names if len(names) == count else [""] * (count - len(names)) + names[:count]
