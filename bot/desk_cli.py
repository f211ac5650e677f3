"""`tresen desk`: accounts of operators from the command line."""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from bot.desk_setup import desk_url
from bot.messages import utc_now
from bot.settings import Settings
from desk.accounts_passwords import new_password
from desk.records import ROLES, Operator

if TYPE_CHECKING:
    from desk.accounts_people import People

PASSWORD = "TRESEN_DESK_PASSWORD"  # noqa: S105 - the variable's name
Add = Callable[..., argparse.ArgumentParser]
T = TypeVar("T")


def add_desk_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add: Add,
    settings_of: Callable[[argparse.Namespace], Settings],
) -> None:
    """Add `tresen desk …` to the commands.

    Args:
        commands: of the program.
        add: adds a command with the options that all have.
        settings_of: returns the settings that the options name.
    """
    parts = commands.add_parser("desk", help="manage the operators' desk").add_subparsers(
        required=True, metavar="COMMAND"
    )

    def added(options: argparse.Namespace) -> int:
        return add_operator(settings_of(options), options)

    def reset(options: argparse.Namespace) -> int:
        return reset_password(settings_of(options), options)

    text = f"make an operator's account; the password comes from {PASSWORD}, or is asked for"
    command = add(parts, "add-operator", added, text)
    command.add_argument("--email", required=True)
    command.add_argument("--name", required=True, help="as customers read it")
    command.add_argument("--role", choices=ROLES, default="operator")
    command.add_argument("--language", choices=("de", "en"), default="")
    text = "give an operator a new password, shown once, and take away the second factor"
    command = add(parts, "reset-password", reset, text)
    command.add_argument("--email", required=True)


def add_operator(settings: Settings, options: argparse.Namespace) -> int:
    """Make an account; a password that nobody chose is shown once.

    Raises:
        DeskError: the account cannot be made.
        DeskNotInstalled: the extra "desk" is missing.
    """
    chosen = os.environ.get(PASSWORD, "") or _asked()
    password = chosen or new_password()
    operator = Operator("", options.email, options.name, options.role, language=options.language)

    async def work(people: "People") -> Operator:
        return await people.add(operator, password)

    made = _with_people(settings, work)
    sys.stdout.write(f"{made.name} <{made.email}> may sign in at /desk ({made.role})\n")
    if not chosen:
        sys.stdout.write(f"password, shown only now: {password}\n")
    return 0


def reset_password(settings: Settings, options: argparse.Namespace) -> int:
    """Give an operator a new password and show it once.

    Raises:
        DeskError: there is no such account.
        DeskNotInstalled: the extra "desk" is missing.
    """

    async def work(people: "People") -> str:
        return await people.reset_by_email(options.email)

    password = _with_people(settings, work)
    sys.stdout.write(f"password, shown only now: {password}\n")
    return 0


def _with_people(settings: Settings, work: Callable[["People"], Coroutine[Any, Any, T]]) -> T:
    from desk.accounts import Accounts
    from desk.accounts_passwords import Passwords
    from desk.accounts_people import People
    from desk.books import AuditLog, OperatorBook
    from desk.database import DeskDatabase

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = DeskDatabase(desk_url(settings), utc_now)
    try:
        audit = AuditLog(database)
        accounts = Accounts(database, Passwords(), audit, utc_now)
        people = People(accounts, OperatorBook(database), audit, utc_now)
        return asyncio.run(work(people))
    finally:
        database.close()


def _asked() -> str:
    """Return the password that is typed in; empty where nobody can be asked."""
    if not sys.stdin.isatty():
        return ""
    password = getpass.getpass("Password (empty: one is made): ")
    if password and getpass.getpass("Once more: ") != password:
        sys.stdout.write("these were two different ones; one is made\n")
        return ""
    return password
