"""Rasa's side; runs in Rasa's own Python 3.10 and imports nothing of ours.

`python rasa_side.py train FOLDER` makes FOLDER/model.tar.gz of FOLDER/{config,nlu}.yml;
`python rasa_side.py parse FOLDER MESSAGES` loads it, answers FOLDER/texts.json one by one and
writes what it said.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rasa.core.processor import MessageProcessor

WARM_UP = 5


def main() -> int:
    """Do what the arguments say and write the outcome into the folder."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    outcome = train(folder) if what == "train" else asyncio.run(parse(folder))
    (folder / f"rasa-{what}.json").write_text(json.dumps(outcome), encoding="utf-8")
    return 0


def train(folder: Path) -> dict[str, float]:
    """Train the pipeline; return the seconds, those of the imports apart."""
    from rasa.model_training import train_nlu

    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    train_nlu(
        str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder), fixed_model_name="model"
    )
    return {
        "training_s": time.perf_counter() - started_s,
        "training_cpu_s": time.process_time() - started_cpu_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


async def parse(folder: Path) -> dict[str, object]:
    """Answer the texts one by one; return what was said and the time of each."""
    from rasa.core.channels.channel import UserMessage

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    processor = load(folder / "model.tar.gz")
    for text in texts[:WARM_UP]:
        await processor.parse_message(UserMessage(text))
    said, clock_ms, cpu_ms = [], [], []
    for text in texts:
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        found = await processor.parse_message(UserMessage(text))
        clock_ms.append((time.perf_counter() - started_s) * 1e3)
        cpu_ms.append((time.process_time() - started_cpu_s) * 1e3)
        ranking = [(one["name"], one["confidence"]) for one in found["intent_ranking"][:4]]
        said.append({
            "intent": found["intent"]["name"],
            "ranking": ranking,
            "spans": [[e["start"], e["end"], e["entity"]] for e in found.get("entities", ())],
        })
    return {
        "said": said,
        "clock_ms": clock_ms,
        "cpu_ms": cpu_ms,
        "resident_mb": resident_mb(),
    }


def load(model: Path) -> "MessageProcessor":
    """Return what Rasa's server parses messages with."""
    from rasa.core.lock_store import InMemoryLockStore
    from rasa.core.nlg import TemplatedNaturalLanguageGenerator
    from rasa.core.processor import MessageProcessor
    from rasa.core.tracker_store import InMemoryTrackerStore

    return MessageProcessor(
        model,
        InMemoryTrackerStore(None),
        InMemoryLockStore(),
        TemplatedNaturalLanguageGenerator({}),
    )


def resident_mb() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
