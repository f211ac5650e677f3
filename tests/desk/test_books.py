"""What the desk keeps, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from desk.books import AuditLog, CannedBook, CaseBook, OperatorBook
from desk.database import DeskDatabase
from desk.errors import BadDeskUrl, EmailTaken, ShortcutTaken, UnknownCase, UnknownOperator
from desk.records import CannedReply, Case, CaseQuery, Operator

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def case(number=1, conversation="rest:a", minutes=0, **more):
    at = NOON + timedelta(minutes=minutes)
    values = {
        "state": "waiting_for_operator", "reason": "asked", "opened_at": at, "changed_at": at,
        "version": 5, "waiting_since": at, **more,
    }  # fmt: skip
    return Case(f"{conversation}#{number}", conversation, number, **values)


async def test_cases_come_back_as_they_were(desk_database):
    book = CaseBook(desk_database)
    kept = case(wish="Größe 👟 \x00?".replace("\x00", ""), customer_id="c1")
    await book.put("rest:a", 5, [kept])
    assert await book.get("rest:a#1") == kept
    with pytest.raises(UnknownCase):
        await book.get("rest:a#2")


async def test_an_older_folding_never_overwrites_a_newer(desk_database):
    book = CaseBook(desk_database)
    await book.put("rest:a", 9, [case(state="closed", version=9)])
    await book.put("rest:a", 5, [case()])
    assert (await book.get("rest:a#1")).state == "closed"
    assert await book.seen() == {"rest:a": 9}


async def test_two_processes_keep_the_newest_folding(desk_database, request):
    books = [CaseBook(desk_database), CaseBook(second(desk_database, request))]
    for name in ("rest:a", "rest:b", "rest:c"):
        versions = [3, 9, 5, 8, 4, 7, 6, 2]
        puts = [
            books[n % 2].put(name, version, [case(conversation=name, version=version)])
            for n, version in enumerate(versions)
        ]
        await asyncio.gather(*puts)
        assert (await books[0].get(f"{name}#1")).version == 9
    assert set((await books[0].seen()).values()) == {9}


def second(database, request):
    """Return the same database as another process opens it."""
    if request.node.callspec.params["desk_database"] == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'desk.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres_url")
    other = DeskDatabase(url, database.clock)
    request.addfinalizer(other.close)
    return other


async def test_a_conversation_that_began_anew_leaves_no_old_case(desk_database):
    book = CaseBook(desk_database)
    await book.put("rest:a", 9, [case(state="closed"), case(2)])
    await book.put("rest:b", 9, [case(conversation="rest:b")])
    await book.put("rest:a", 12, [case()])
    assert {c.id for c in await book.find(CaseQuery())} == {"rest:a#1", "rest:b#1"}


async def test_who_waits_longest_comes_first(desk_database):
    book = CaseBook(desk_database)
    await book.put("rest:a", 1, [case(minutes=3)])
    await book.put("rest:b", 1, [case(conversation="rest:b", minutes=1)])
    taken = case(conversation="rest:c", state="with_operator", waiting_since=None, operator="o1")
    await book.put("rest:c", 1, [taken])
    assert [c.conversation_id for c in await book.find(CaseQuery())] == [
        "rest:b", "rest:a", "rest:c",
    ]  # fmt: skip
    mine = await book.find(CaseQuery(states=("with_operator",), operator="o1"))
    assert [c.id for c in mine] == ["rest:c#1"]
    assert await book.counts() == {"waiting_for_operator": 2, "with_operator": 1}
    assert [c.conversation_id for c in await book.find(CaseQuery(limit=1, offset=1))] == ["rest:a"]


async def test_erasing_leaves_nothing(desk_database):
    book, audit = CaseBook(desk_database), AuditLog(desk_database)
    await book.put("rest:a", 1, [case(), case(2)])
    await book.put("rest:b", 1, [case(conversation="rest:b")])
    await audit.add("o1", "closed", "rest:a#1")
    await audit.add("o1", "assigned", "rest:a#0")
    await audit.add("o1", "closed", "rest:ab#1")
    assert await book.erase("rest:a") == 2
    assert [entry.case_id for entry in await audit.find()] == ["rest:ab#1"]
    assert not await book.find(CaseQuery(conversation_id="rest:a"))
    assert not await audit.find("rest:a#1")
    assert set(await book.seen()) == {"rest:b"}


async def test_operators_are_known_by_their_address_once(desk_database):
    book = OperatorBook(desk_database)
    anna = Operator("o1", "anna@shop.example", "Anna", languages=("de",))
    await book.add(msgspec.structs.replace(anna, email=" Anna@Shop.example "), "hash")
    assert await book.get("o1") == anna
    with pytest.raises(EmailTaken):
        await book.add(Operator("o2", "anna@shop.example", "Other"), "hash")
    await book.add(Operator("o2", "ben@shop.example", "Ben"), "hash")
    with pytest.raises(EmailTaken):
        await book.save(Operator("o2", "anna@shop.example", "Ben"))
    seen = await book.present("o1", "available", NOON)
    assert (seen.presence, seen.seen_at) == ("available", NOON)
    assert [o.name for o in await book.all()] == ["Anna", "Ben"]
    with pytest.raises(UnknownOperator):
        await book.get("nobody")


async def test_the_audit_log_tells_the_latest_first(desk_database):
    audit = AuditLog(desk_database)
    for number in range(5):
        await audit.add("o1", "taken", f"rest:{number % 2}#1", number=number)
    assert [entry.details["number"] for entry in await audit.find()] == [4, 3, 2, 1, 0]
    assert [entry.details["number"] for entry in await audit.find("rest:0#1")] == [4, 2, 0]
    (latest,) = await audit.find(limit=1)
    assert len(await audit.find(before=latest.id)) == 4


async def test_a_prepared_reply_has_its_own_shortcut(desk_database):
    book = CannedBook(desk_database)
    hello = CannedReply("r1", "hello", {"en": "Hello"}, {"en": "Hello {{ name }}"})
    await book.put(hello)
    await book.put(msgspec.structs.replace(hello, title={"en": "Hi"}))
    assert [reply.title for reply in await book.all()] == [{"en": "Hi"}]
    with pytest.raises(ShortcutTaken):
        await book.put(CannedReply("r2", "hello", {}, {}))
    await book.remove("r1")
    assert not await book.all()


@pytest.mark.parametrize("url", ["mysql://x/y", "nothing", "sqlite://"])
def test_a_wrong_address_is_named(url):
    with pytest.raises(BadDeskUrl):
        DeskDatabase(url, lambda: NOON)
