"""Run the house checks without pytest: `python tests/house [FOLDER …]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.house.inspection import CHECKS, EXCEPTIONS, inspect, read_exceptions
from tests.house.source import read_repository


def main(folders: tuple[str, ...]) -> int:
    sources = [source for source in read_repository() if source.path.startswith(folders)]
    granted = read_exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
    findings = inspect(sources, [entry for entry in granted if entry.path.startswith(folders)])
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(
        f"house: {len(CHECKS)} checks, {len(sources)} files, {len(findings)} findings\n"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(tuple(sys.argv[1:]) or ("",)))
