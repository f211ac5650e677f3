"""A real Vendure server from npm as a child process, and its Admin API as the tests use it.

`make test-vendure` installs it; without `.make/vendure/node_modules` or node the tests are skipped.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".make" / "vendure"
SCRIPT = Path(__file__).with_name("vendure") / "index.mjs"
STARTS_WITHIN_S = 180.0


def missing() -> str:
    """Return why no server can be started here, empty when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (HOME / "node_modules" / "@vendure" / "core").is_dir():
        return "Vendure is not installed: run `make test-vendure`"
    return ""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class VendureServer:
    """A running server: its address, its administrator, and a database that can be put back."""

    def __init__(self, process: subprocess.Popen[str], url: str, password: str) -> None:
        """Speak to a started process."""
        self._process = process
        self._password = password
        self.url = url
        self.versions = self._answer()
        self._http = httpx.Client(base_url=url, timeout=30)

    def admin(self, document: str, **variables) -> dict:
        """Run a document as the super administrator and return its data."""
        answer = self._http.post(
            "/admin-api", json={"query": document, "variables": variables}
        ).json()
        assert "errors" not in answer, (document, answer["errors"])
        for name, value in answer["data"].items():
            assert not (isinstance(value, dict) and value.get("errorCode")), (name, value)
        return answer["data"]

    def login(self) -> None:
        """Open the super administrator's session."""
        answer = self._http.post(
            "/admin-api",
            json={
                "query": 'mutation($p: String!) { login(username: "tests", password: $p)'
                " { __typename } }",
                "variables": {"p": self._password},
            },
        )
        self._http.headers["authorization"] = "Bearer " + answer.headers["vendure-auth-token"]

    def snapshot(self) -> None:
        """Keep the database as it is."""
        self._tell("snapshot")

    def reset(self) -> None:
        """Put the database back as it was kept."""
        self._tell("reset")

    def close(self) -> None:
        """Close the connections to it."""
        self._http.close()

    def _tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        assert self._answer() == {"done": word}

    def _answer(self) -> dict:
        assert self._process.stdout is not None
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            line = self._process.stdout.readline()
            if not line:
                break
            if line.startswith("{"):
                return json.loads(line)
        msg = f"Vendure ended with {self._process.poll()}"
        raise RuntimeError(msg)


@contextlib.contextmanager
def vendure(events_url: str = "", events_secret: str = "") -> Generator[VendureServer]:
    """Run a fresh, empty server on a free port of loopback; it ends with the block.

    Args:
        events_url: where its plug-in posts events, if anywhere.
        events_secret: what it signs them with.
    """
    port, password = free_port(), secrets.token_hex(8)
    environment = os.environ | {
        "VENDURE_HOME": str(HOME),
        "VENDURE_PORT": str(port),
        "VENDURE_PASSWORD": password,
        "EVENTS_URL": events_url,
        "EVENTS_SECRET": events_secret,
        "NODE_ENV": "production",
        "VENDURE_DISABLE_TELEMETRY": "true",
    }
    process = subprocess.Popen(
        [shutil.which("node") or "node", str(SCRIPT)],
        cwd=HOME,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = VendureServer(process, f"http://127.0.0.1:{port}", password)
        server.login()
        try:
            yield server
        finally:
            server.close()
    finally:
        process.stdin.close()  # type: ignore[union-attr]  # a pipe
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # a pipe
