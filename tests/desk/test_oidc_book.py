"""Identities and the provider's sessions, on SQLite and on a real PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest

from bot.messages import utc_now
from desk.accounts_book import AccountBook, Session
from desk.books import OperatorBook
from desk.oidc_book import IdentityBook, IdentityTaken, ProviderSession
from desk.records import Operator

LENA = Operator("op-lena", "lena@shop.example", "Lena")
ISSUER = "https://login.shop.example"


@pytest.fixture
def book(desk_database):
    return IdentityBook(desk_database, ISSUER)


async def counted(tries):
    """Return what came of several tries at once."""
    return [type(each) for each in await asyncio.gather(*tries, return_exceptions=True)]


async def test_an_account_is_made_once(book):
    tries = [book.create(LENA, "u-lena") for _ in range(5)]
    assert sorted(kind.__name__ for kind in await counted(tries)) == [
        *["IdentityTaken"] * 4, "NoneType",
    ]  # fmt: skip
    assert await book.owner("u-lena") == "op-lena"
    other = Operator("op-2", "lena@shop.example", "L")
    with pytest.raises(IdentityTaken):
        await book.create(other, "u-other")
    assert not await book.owner("u-other")


async def test_a_permit_links_once_and_one_identity(book, desk_database):
    await OperatorBook(desk_database).add(LENA, "")
    assert not await book.link("u-lena", "op-lena", needs_permit=True)
    await book.permit("op-lena")
    await book.permit("op-lena")
    assert await book.permitted() == {"op-lena"}
    tries = [book.link(f"u-{n}", "op-lena", needs_permit=True) for n in range(5)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert answers.count(True) == 1
    assert await book.permitted() == set()
    assert await book.linked() == {"op-lena"}
    with pytest.raises(IdentityTaken):
        await book.link("u-more", "op-lena", needs_permit=False)
    assert not await IdentityBook(desk_database, "https://else.example").owner("u-0")
    await book.part("op-lena")
    assert await book.linked() == set()


async def test_the_providers_session_moves_on_and_ends_with_ours(book, desk_database):
    await OperatorBook(desk_database).add(LENA, "")
    accounts, now = AccountBook(desk_database), utc_now()
    later = now + timedelta(hours=1)
    asked = Session("a", "op-lena", "c", "Firefox", now, now, later, is_verified=False)
    await accounts.open(asked)
    await book.began("a", ProviderSession("u-lena", "s1", "id.token."))
    await accounts.open(Session("b", "op-lena", "c", "Firefox", now, now, later), before="a")
    assert await accounts.session("a") is None
    assert list(await book.sessions("u-lena", "")) == ["b"]
    assert list(await book.sessions("", "s1")) == ["b"]
    assert list(await book.sessions("u-lena", "s2")) == []
    assert await book.id_token("b") == "id.token."
    await accounts.end_all("op-lena")
    assert not await book.id_token("b")


async def test_role_and_areas_change_alone(book, desk_database):
    await OperatorBook(desk_database).add(LENA, "")
    after, is_other = await book.renew("op-lena", "supervisor", None)
    assert (after.role, after.areas, after.name, is_other) == ("supervisor", (), "Lena", True)
    after, is_other = await book.renew("op-lena", None, ("returns",))
    assert (after.role, after.areas, is_other) == ("supervisor", ("returns",), True)
    assert not (await book.renew("op-lena", "supervisor", ("returns",)))[1]
