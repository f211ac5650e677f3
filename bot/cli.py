"""The `tresen` command; heavy imports wait until a command needs them."""

import argparse
import asyncio
import getpass
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.yaml_source import SourceError

if TYPE_CHECKING:
    from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not _is_expected(error):
            raise
        sys.stderr.write(f"{error}\n")
        return 1


def _is_expected(error: Exception) -> bool:
    """Return whether an error explains itself to whoever typed the command."""
    from actions.commerce.errors import CommerceError
    from actions.policy.rules import PolicyInvalid
    from bot.storage.errors import StorageError
    from bot.understanding.examples import TrainingDataError
    from bot.understanding.standard import LexiconError
    from bot.understanding.training import TooFewExamplesError
    from desk.errors import DeskError
    from knowledge.errors import KnowledgeError
    from simulation.errors import SimulationError

    kinds = (
        SourceError, OSError, CommerceError, PolicyInvalid, StorageError, KnowledgeError,
        SimulationError, TrainingDataError, TooFewExamplesError, LexiconError, DeskError,
    )  # fmt: skip
    return isinstance(error, kinds)


def _parser() -> argparse.ArgumentParser:
    from bot.channel_cli import add_channel_tools
    from bot.desk_cli import add_desk_commands
    from bot.effects_cli import add_options
    from bot.gaps_cli import add_options as add_gap_options
    from bot.ingest_cli import add_options as add_ingest_options
    from bot.nlu_cli import add_nlu_commands
    from bot.transcript_cli import add_transcript_tools

    parser = argparse.ArgumentParser(prog="tresen", description="Conversational commerce.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _add(commands, "run", _run, "start the bot with the shop and its web chat")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=8080)
    _add(commands, "chat", _chat, "talk to the bot in the terminal")
    add_nlu_commands(commands, _add, _settings)
    _add(commands, "check", _check, "validate skills, patterns, settings, policy, shop data")
    text = "read the sources of knowledge, and index what is new"
    add_ingest_options(_add(commands, "ingest", _ingest, text), _add, _settings)
    add_options(
        _add(commands, "effects", _effects, "show what was done outside, and what came of it")
    )
    text = "tell what the bot could not answer, and which texts and products need work"
    add_gap_options(_add(commands, "gaps", _gaps, text))
    _add_simulate(commands)
    _add_policy(commands)
    _add_alexa(commands)
    add_channel_tools(commands, _add, _settings)
    add_transcript_tools(commands, _add, _settings)
    add_desk_commands(commands, _add, _settings)
    shop = commands.add_parser("shop", help="work with the shop's data")
    parts = shop.add_subparsers(required=True, metavar="COMMAND")
    _add(parts, "sync", _sync, "copy an outside shop's catalogue, and index what changed")
    export = _add(parts, "export", _export, "write the shop's present state as JSON files")
    export.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where state lives (default: .data)"
    )
    command.add_argument(
        "--demo-shop", type=Path, metavar="DIR", help="the shop's folder (default: data/demo_shop)"
    )
    command.add_argument(
        "--root",
        type=Path,
        default=ROOT,
        metavar="DIR",
        help="where config.yml, endpoints.yml, data/ and models/ are (default: this program's)",
    )
    command.set_defaults(run=run)
    return command


def _add_policy(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parts = commands.add_parser("policy", help="see what the shop's rules say").add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "tell for an order what is allowed, by which rules, and what else is possible"
    command = _add(parts, "explain", _explain, text)
    command.add_argument("order", metavar="ORDER", help="the order's number")
    command.add_argument("item", nargs="*", metavar="ITEM", help="words or line id of an item")
    command.add_argument("--language", choices=("de", "en"), default="en")
    command.add_argument(
        "--customer", default="", metavar="ID", help="whose order; needed if the shop is elsewhere"
    )
    command.add_argument(
        "--at", type=datetime.fromisoformat, metavar="TIME",
        help="decide as if it were then, such as 2026-12-01T10:00 (the shop's local time)",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="everything, as one JSON object")


def _add_alexa(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from bot.alexa_model import add_options

    parts = commands.add_parser("alexa", help="prepare an Alexa skill").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add_options(_add(parts, "model", _alexa_model, "make the interaction model of the skills"))


def _alexa_model(options: argparse.Namespace) -> int:
    from bot.alexa_model import show_model

    return show_model(_settings(options), options)


def _add_simulate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from simulation.options import add_options

    add_options(_add(commands, "simulate", _simulate, "have simulated customers do tasks"))


def _simulate(options: argparse.Namespace) -> int:
    from simulation.command import simulate

    return simulate(options)


def _settings(options: argparse.Namespace) -> "Settings":
    from bot.settings import load_settings

    return load_settings(options.root.resolve(), options.data_dir, options.demo_shop)


def _run(options: argparse.Namespace) -> int:
    from bot.app import build_bot, make_app
    from bot.logs import configure_logs
    from bot.serving import listen, prepare_data_dir, run_loop, serve

    configure_logs()
    started_s = time.perf_counter()
    settings = _settings(options)
    prepare_data_dir(settings.data_dir)
    listening = listen(options.host, options.port)
    base_url = f"http://{_shown_host(options.host)}:{listening.getsockname()[1]}"

    async def work() -> bool:
        app = make_app(await build_bot(settings, base_url))
        return await serve(app, listening, lambda: _announce(base_url, started_s))

    return 0 if run_loop(work()) else 1


def _announce(base_url: str, started_s: float) -> None:
    """Tell where the shop is, now that it can be visited."""
    seconds = time.perf_counter() - started_s
    sys.stdout.write(
        f"\n  Tresen is ready after {seconds:.1f} s.\n"
        f"  Shop and chat   {base_url}/\n"
        f"  Operators' desk {base_url}/desk\n"
        f"  API             {base_url}/docs\n\n"
    )
    sys.stdout.flush()


def _shown_host(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - only compared
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _chat(options: argparse.Namespace) -> int:
    from bot.app import build_bot
    from bot.logs import configure_logs
    from channels.terminal import TerminalChannel, TerminalChat

    configure_logs(quiet=True)

    async def talk() -> None:
        bot = await build_bot(_settings(options))
        sender = f"{getpass.getuser()}-{int(time.time())}"
        try:
            await TerminalChat(TerminalChannel(sender), bot.exchange).run()
        finally:
            await bot.close()

    asyncio.run(talk())
    return 0


def _check(options: argparse.Namespace) -> int:
    from bot.checking import check_everything

    problems = check_everything(_settings(options))
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    errors = sum(not problem.warning for problem in problems)
    warnings = len(problems) - errors
    sys.stdout.write(f"{errors} errors, {warnings} warnings\n")
    return 1 if errors else 0


def _ingest(options: argparse.Namespace) -> int:
    from bot.ingest_cli import ingest
    from bot.logs import configure_logs

    configure_logs(quiet=True)
    return ingest(_settings(options), options)


def _gaps(options: argparse.Namespace) -> int:
    from bot.gaps_cli import show_gaps
    from bot.logs import configure_logs

    configure_logs(quiet=True)
    return show_gaps(_settings(options), options)


def _effects(options: argparse.Namespace) -> int:
    from bot.effects_cli import show_effects

    return show_effects(_settings(options), options)


def _explain(options: argparse.Namespace) -> int:
    from actions.payments.demo import DemoPaymentProvider
    from actions.policy.command import Question, answer, owner_of
    from bot.checking import policy_path
    from bot.logs import configure_logs
    from bot.serving import prepare_data_dir
    from bot.shops import open_shop

    configure_logs(quiet=True)
    settings = _settings(options)
    prepare_data_dir(settings.data_dir)

    async def ask() -> str:
        opened = await open_shop(settings, DemoPaymentProvider("http://127.0.0.1"))
        try:
            customer_id = options.customer or owner_of(opened.database, options.order)
            question = Question(
                options.order, customer_id, " ".join(options.item),
                options.language, options.at, options.json,
            )  # fmt: skip
            return await answer(question, opened.shop, policy_path(settings))
        finally:
            await opened.close()

    sys.stdout.write(f"{asyncio.run(ask())}\n")
    return 0


def _sync(options: argparse.Namespace) -> int:
    from bot.brain_setup import open_encoder, open_library
    from bot.logs import configure_logs
    from bot.serving import prepare_data_dir
    from bot.shops import copy_catalogue

    configure_logs(quiet=True)
    settings = _settings(options)
    if not settings.is_outside_shop:
        sys.stdout.write("the shop is a folder of files: there is nothing to copy\n")
        return 0
    prepare_data_dir(settings.data_dir)
    products = asyncio.run(copy_catalogue(settings))
    encoder = open_encoder(settings)
    report = open_library(settings, encoder).ingest()
    sys.stdout.write(
        f"copied {products} products to {settings.catalogue_dir}; index: added {report.added}, "
        f"changed {report.changed}, removed {report.removed}\n"
    )
    return 1 if report.errors else 0


def _export(options: argparse.Namespace) -> int:
    from actions.commerce.seeds import export_shop, load_shop

    settings = _settings(options)
    path = settings.data_dir / "shop.sqlite3"
    if path.is_file() and options.demo_shop is None:
        from actions.commerce.sql import ShopDatabase

        database = ShopDatabase(path)
    else:
        database = load_shop(settings.shop_dir, path)
    export_shop(database, options.folder)
    sys.stdout.write(f"wrote the shop's present state to {options.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
