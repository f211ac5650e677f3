"""The real server as its own process, on a free port of loopback."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"Shop and chat\s+(http://\S+)/")


class Server:
    """Starts and stops `tresen run` on one data folder."""

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        self.data_dir = folder / "data"
        self.log = folder / "stderr.log"
        self._out = folder / "stdout.log"
        self._options = options
        self._environ = {**os.environ, **environ}
        self.url = ""
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, limit_s: float = 120) -> "Server":
        arguments = ["run", "--data-dir", str(self.data_dir), "--port", "0", *self._options]
        with self._out.open("wb") as out, self.log.open("ab") as err:
            command = [sys.executable, "-m", "bot.cli", *arguments]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environ, stdout=out, stderr=err
            )
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := READY.search(self._out.read_text()):
                self.url = found.group(1)
                return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60)


def say(client: httpx.Client, sender: str, message: str, **metadata: str) -> list[dict]:
    """Say something over REST and return the answers."""
    body = {"sender": sender, "message": message, **({"metadata": metadata} if metadata else {})}
    answer = client.post("/webhooks/rest/webhook", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()
