"""`tresen replay` and `tresen new channel`: what helps to write and to try a channel."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from bot.settings import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run: TypeAlias = Callable[[argparse.Namespace], int | None]
Add: TypeAlias = Callable[[Commands, str, Run, str], argparse.ArgumentParser]


def add_channel_tools(
    commands: Commands, add: Add, settings: Callable[[argparse.Namespace], "Settings"]
) -> None:
    """Add both commands.

    Args:
        commands: those of `tresen`.
        add: adds one with the options that all share.
        settings: reads both YAML files as the options say.
    """

    def replayed(options: argparse.Namespace) -> int:
        from bot.logs import configure_logs
        from bot.replay import replay

        configure_logs(quiet=True)
        return replay(settings(options), options)

    command = add(commands, "replay", replayed, "play a platform's recorded requests to the bot")
    command.add_argument("file", type=Path, metavar="FILE", help="JSON, JSON lines or a form body")
    command.add_argument("--channel", required=True, metavar="NAME", help="as in endpoints.yml")
    command.add_argument("--check", action="store_true", help="check recorded signatures as well")
    command.add_argument(
        "--parse-only", action="store_true", help="only show what the channel reads"
    )
    parts = commands.add_parser("new", help="begin something new").add_subparsers(
        required=True, metavar="COMMAND"
    )
    channel = add(parts, "channel", _new_channel, "write a channel and its tests, to be adapted")
    channel.add_argument("name", metavar="NAME", help="lower case, such as signal")


def _new_channel(options: argparse.Namespace) -> int:
    from bot.scaffold import new_channel

    for path in new_channel(options.root.resolve(), options.name):
        sys.stdout.write(f"{path}\n")
    return 0
