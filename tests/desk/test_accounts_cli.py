"""`tresen desk`: accounts from the command line."""

import asyncio

import pytest

from bot.cli import main
from bot.messages import utc_now
from desk.accounts import Accounts, Visitor
from desk.accounts_passwords import Passwords
from desk.books import AuditLog
from desk.database import DeskDatabase

HERE = Visitor("127.0.0.1", "test")


@pytest.fixture
def tresen(tmp_path, monkeypatch, capsys):
    """Return a function that runs `tresen desk …` and gives its status and what it wrote."""
    monkeypatch.delenv("TRESEN_DESK_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    def tresen(*arguments):
        status = main(["desk", *arguments, "--data-dir", str(tmp_path)])
        written = capsys.readouterr()
        return status, written.out + written.err

    return tresen


async def signs_in(folder, password):
    database = DeskDatabase(f"sqlite:///{folder / 'desk.sqlite3'}", utc_now)
    try:
        accounts = Accounts(database, Passwords(), AuditLog(database), utc_now)
        return (await accounts.sign_in("anna@shop.example", password, HERE)).operator
    finally:
        database.close()


ANNA = ("add-operator", "--email", "anna@shop.example", "--name", "Anna", "--role", "admin")


async def test_an_account_with_a_password_of_ones_own(tresen, tmp_path, monkeypatch):
    monkeypatch.setenv("TRESEN_DESK_PASSWORD", "horse battery staple")
    status, said = await asyncio.to_thread(tresen, *ANNA)
    assert (status, "horse" in said) == (0, False)
    assert (await signs_in(tmp_path, "horse battery staple")).role == "admin"


async def test_a_made_password_is_shown_once_and_can_be_reset(tresen, tmp_path):
    status, said = await asyncio.to_thread(tresen, *ANNA)
    first = said.strip().rpartition(" ")[2]
    assert status == 0
    assert await signs_in(tmp_path, first)
    reset = ("reset-password", "--email", "anna@shop.example")
    status, said = await asyncio.to_thread(tresen, *reset)
    second = said.strip().rpartition(" ")[2]
    assert status == 0
    assert first != second
    assert await signs_in(tmp_path, second)


def test_what_is_wrong_is_said_plainly(tresen, monkeypatch):
    assert tresen(*ANNA)[0] == 0
    status, said = tresen(*ANNA)
    assert (status, "has this e-mail address" in said) == (1, True)
    status, said = tresen("reset-password", "--email", "nobody@shop.example")
    assert (status, "no such operator" in said) == (1, True)
    monkeypatch.setenv("TRESEN_DESK_PASSWORD", "short")
    status, said = tresen("add-operator", "--email", "b@shop.example", "--name", "Ben")
    assert (status, "12 to 512 characters" in said) == (1, True)
