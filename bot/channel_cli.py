"""`tresen channel register`, `replay` and `new channel`: to set up, try and write a channel."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from bot.channels import AnyChannel
    from bot.settings import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run: TypeAlias = Callable[[argparse.Namespace], int | None]
Add: TypeAlias = Callable[[Commands, str, Run, str], argparse.ArgumentParser]


def add_channel_tools(
    commands: Commands, add: Add, settings: Callable[[argparse.Namespace], "Settings"]
) -> None:
    """Add the commands.

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
    parts = commands.add_parser("channel", help="set channels up").add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "tell a platform where to deliver, and what it should show"
    command = add(parts, "register", lambda options: _register(options, settings(options)), text)
    command.add_argument("name", metavar="NAME", help="as in endpoints.yml")
    command.add_argument("--dry-run", action="store_true", help="only look, and say what is to do")
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


def _register(options: argparse.Namespace, settings: "Settings") -> int:
    """Set one channel up at its platform and say what was done; return 1 if that failed."""
    import msgspec

    from bot.channels import connect_channels, webhook_path
    from bot.logs import configure_logs
    from channels.base import ChannelError
    from channels.push import ChannelContext

    configure_logs(quiet=True)
    name, public_url = options.name, settings.endpoints.public_url.rstrip("/")
    if name not in settings.endpoints.channels:
        known = ", ".join(sorted(settings.endpoints.channels)) or "none"
        sys.stderr.write(f"endpoints.yml has no channel {name}; it has: {known}\n")
        return 1
    if not public_url.startswith("https://"):
        sys.stderr.write("endpoints.yml needs public_url: where platforms reach the bot, https\n")
        return 1
    own = {name: settings.endpoints.channels[name]}
    endpoints = msgspec.structs.replace(settings.endpoints, channels=own)
    context = ChannelContext(public_url, settings.config.languages)
    channel = connect_channels(msgspec.structs.replace(settings, endpoints=endpoints), context)[
        name
    ]
    url = public_url + webhook_path(name)
    try:
        lines = asyncio.run(_registered(channel, url, dry_run=options.dry_run))
    except ChannelError as error:
        code = getattr(error, "code", "")
        sys.stderr.write(f"{name}: {error}{f' ({code})' if code else ''}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


async def _registered(channel: "AnyChannel", url: str, *, dry_run: bool) -> list[str]:
    from channels.push import PushChannel

    if not isinstance(channel, PushChannel):
        return [f"by hand: enter {url} as the webhook's address; see docs/howto/"]
    try:
        return await channel.register(url, dry_run=dry_run)
    finally:
        await channel.close()
