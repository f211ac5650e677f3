"""The options of `tresen simulate`; apart, so that other commands need not load the rest."""

import argparse
from pathlib import Path

from simulation.voice import STYLES

ALL = "all"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("tasks", type=Path, metavar="TASKS.jsonl")
    parser.add_argument("--k", type=int, default=4, help="trials of each task (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="of the customers' dice (default: 0)")
    parser.add_argument(
        "--style", action="append", choices=(*STYLES, ALL), help="may be repeated; default: plain"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything as JSON")
    parser.add_argument("--require", type=float, default=0.0, metavar="SHARE",
                        help="end with 1 if pass^k of a style is below this")  # fmt: skip
    parser.add_argument("--limit", type=int, default=0, help="play only the first tasks")
    parser.add_argument("--task", action="append", metavar="ID", help="play only this task")
    parser.add_argument("--db", type=Path, metavar="DB.json", help="the database of tau-retail")
    parser.add_argument("--show", action="store_true", help="print every transcript")
