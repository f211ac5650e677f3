"""Signing in at the desk: who gets in, for how long, and what it takes."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from msgspec.structs import replace

from desk.accounts import IDLE, LONGEST, Accounts, TooManyTries, Visitor, WrongSignIn
from desk.accounts_book import NotTheFirst, token_hash
from desk.accounts_codes import new_secret
from desk.accounts_passwords import Passwords, WeakPassword
from desk.accounts_people import BadOperator, LastAdmin, People
from desk.accounts_throttle import Throttle
from desk.books import AuditLog, OperatorBook
from desk.database import DeskDatabase
from desk.errors import EmailTaken
from desk.records import Operator

RIGHT = "horse battery staple"
HOME = Visitor("203.0.113.7", "Firefox")
ELSEWHERE = Visitor("198.51.100.9", "curl")


class Watch:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def wait(self, **time):
        self.now += timedelta(**time)


class House:
    """Accounts over a fresh database."""

    def __init__(self, path, passwords):
        self.watch = Watch()
        self.database = DeskDatabase(f"sqlite:///{path}", self.watch)
        self.audit = AuditLog(self.database)
        self.operators = OperatorBook(self.database)
        self.accounts = Accounts(self.database, passwords, self.audit, self.watch)
        self.people = People(self.accounts, self.operators, self.audit, self.watch)

    async def add(self, email="anna@shop.example", name="Anna", role="operator"):
        return await self.people.add(Operator("", email, name, role), RIGHT)

    async def sign_in(self, visitor=HOME, email="anna@shop.example", password=RIGHT):
        return await self.accounts.sign_in(email, password, visitor)

    async def audited(self):
        return [entry.action for entry in await self.audit.find()]


@pytest.fixture(scope="module")
def passwords():
    return Passwords(time_cost=1, memory_kib=64, lanes=1)


@pytest.fixture
def house(tmp_path, passwords):
    house = House(tmp_path / "desk.sqlite3", passwords)
    yield house
    house.database.close()


async def test_a_token_shows_who_is_there_and_only_its_hash_is_kept(house, tmp_path):
    anna = await house.add()
    opened = await house.sign_in(email=" Anna@Shop.Example ")
    assert (await house.accounts.who(opened.token, HOME)).operator == anna
    assert await house.accounts.who(opened.token + "x", HOME) is None
    assert await house.accounts.who("", HOME) is None
    house.database.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token_hash(opened.token).encode() in kept
    assert opened.token.encode() not in kept
    assert RIGHT.encode() not in kept


async def test_every_sign_in_has_another_token(house):
    await house.add()
    first, second = await house.sign_in(), await house.sign_in()
    assert first.token != second.token
    assert first.session.csrf != second.session.csrf


async def test_wrong_is_wrong_and_does_not_say_what(house):
    anna = await house.add()
    said = set()
    for email, password in (("anna@shop.example", "wrong"), ("nobody@shop.example", RIGHT)):
        with pytest.raises(WrongSignIn) as caught:
            await house.sign_in(email=email, password=password)
        said.add(str(caught.value))
    await house.add("root@shop.example", "Root", "admin")

    await house.people.change(replace(anna, is_active=False), "op-root")
    with pytest.raises(WrongSignIn) as caught:
        await house.sign_in()
    assert said == {str(caught.value)}
    assert (await house.audited()).count("sign_in_failed") == 3


async def test_unknown_accounts_take_as_long(tmp_path):
    house = House(tmp_path / "desk.sqlite3", Passwords(time_cost=2, memory_kib=16_384, lanes=1))
    await house.add()

    async def cpu_s(email):
        times = []
        for number in range(7):
            start = time.perf_counter()
            with pytest.raises(WrongSignIn):
                await house.sign_in(Visitor(f"192.0.2.{number}", ""), email, "wrong")
            times.append(time.perf_counter() - start)
        return min(times)

    known, unknown = await cpu_s("anna@shop.example"), await cpu_s("nobody@shop.example")
    house.database.close()
    assert 0.5 < known / unknown < 2, (known, unknown)


async def test_a_session_ends_when_nothing_is_done(house):
    await house.add()
    opened = await house.sign_in()
    house.watch.wait(seconds=IDLE.total_seconds() - 1)
    assert await house.accounts.who(opened.token, HOME, is_quiet=True)
    house.watch.wait(seconds=1)
    assert await house.accounts.who(opened.token, HOME) is None


async def test_a_session_ends_at_last_however_busy(house):
    await house.add()
    opened = await house.sign_in()
    end = house.watch.now + LONGEST
    while house.watch.now + timedelta(minutes=30) < end:
        house.watch.wait(minutes=30)
        assert await house.accounts.who(opened.token, HOME)
    house.watch.wait(minutes=30)
    assert await house.accounts.who(opened.token, HOME) is None


async def test_another_browser_with_the_same_token_is_noted(house):
    await house.add()
    opened = await house.sign_in()
    assert await house.accounts.who(opened.token, ELSEWHERE)
    assert await house.accounts.who(opened.token, ELSEWHERE)
    assert (await house.audited()).count("session_browser_changed") == 1
    entry = (await house.audit.find())[0]
    assert entry.details == {"address": ELSEWHERE.address, "was": "Firefox", "now": "curl"}


async def test_signing_out(house):
    anna = await house.add()
    here, there = await house.sign_in(), await house.sign_in(ELSEWHERE)
    current = await house.accounts.who(here.token, HOME)
    await house.accounts.sign_out(current)
    assert await house.accounts.who(here.token, HOME) is None
    assert await house.accounts.who(there.token, ELSEWHERE)
    await house.accounts.sign_out_everywhere(anna.id)
    assert await house.accounts.who(there.token, ELSEWHERE) is None


async def test_hashes_are_renewed_when_they_are_outdated(house):
    await house.add()
    before = (await house.accounts.book.by_email("anna@shop.example")).password_hash
    house.accounts.passwords = Passwords(time_cost=2, memory_kib=64, lanes=1)
    await house.sign_in()
    after = (await house.accounts.book.by_email("anna@shop.example")).password_hash
    assert "t=1" in before
    assert "t=2" in after
    await house.sign_in()
    assert (await house.accounts.book.by_email("anna@shop.example")).password_hash == after


class TestCodes:
    """Second factors."""

    @pytest.fixture
    async def with_codes(self, house):
        await house.add()
        opened = await house.sign_in()
        house.secret = new_secret()
        current = await house.accounts.who(opened.token, HOME)
        house.recovery = await house.people.set_up_codes(
            current, RIGHT, house.secret, self.code(house)
        )
        house.watch.wait(minutes=2)
        return house

    def code(self, house, steps=0):
        return pyotp.TOTP(house.secret).at(house.watch.now, counter_offset=steps)

    async def test_a_password_alone_opens_nothing(self, with_codes):
        opened = await with_codes.sign_in()
        assert not opened.session.is_verified
        assert await with_codes.accounts.who(opened.token, HOME) is None
        code = self.code(with_codes)
        verified = await with_codes.accounts.confirm(opened.token, f"{code[:3]} {code[3:]}", HOME)
        assert await with_codes.accounts.who(verified.token, HOME)
        assert verified.token != opened.token
        assert await with_codes.accounts.who(opened.token, HOME) is None

    async def test_a_code_counts_once(self, with_codes):
        code = self.code(with_codes)
        opened = await with_codes.sign_in()
        await with_codes.accounts.confirm(opened.token, code, HOME)
        again = await with_codes.sign_in()
        with pytest.raises(WrongSignIn):
            await with_codes.accounts.confirm(again.token, code, HOME)

    async def test_of_two_at_once_one_gets_in(self, with_codes):
        code = self.code(with_codes)
        opened = [await with_codes.sign_in() for _ in range(2)]
        tries = (with_codes.accounts.confirm(each.token, code, HOME) for each in opened)
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, WrongSignIn) for result in results) == 1

    @pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (1, True), (2, False)])
    async def test_clocks_may_differ_a_little(self, with_codes, steps, counts):
        opened = await with_codes.sign_in()
        try:
            await with_codes.accounts.confirm(opened.token, self.code(with_codes, steps), HOME)
        except WrongSignIn:
            assert not counts
        else:
            assert counts

    async def test_a_recovery_code_counts_once(self, with_codes):
        code = with_codes.recovery[3].upper().replace("-", " ")
        opened = await with_codes.sign_in()
        assert await with_codes.accounts.confirm(opened.token, code, HOME)
        again = await with_codes.sign_in()
        with pytest.raises(WrongSignIn):
            await with_codes.accounts.confirm(again.token, code, HOME)
        assert "recovery_code_used" in await with_codes.audited()

    async def test_the_question_for_the_code_ends(self, with_codes):
        opened = await with_codes.sign_in()
        with_codes.watch.wait(minutes=6)
        with pytest.raises(WrongSignIn):
            await with_codes.accounts.confirm(opened.token, self.code(with_codes), HOME)

    async def test_codes_cannot_be_guessed_by_trying(self, with_codes):
        right = self.code(with_codes)
        opened = await with_codes.sign_in()
        guesses = [f"{guess:06}" for guess in range(6) if f"{guess:06}" != right][:5]
        for guess in guesses:
            with pytest.raises(WrongSignIn):
                await with_codes.accounts.confirm(opened.token, guess, HOME)
        with pytest.raises(TooManyTries):
            await with_codes.accounts.confirm(opened.token, right, HOME)


async def test_wrong_ones_have_to_wait(house):
    await house.add()
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            await house.sign_in(password="wrong")
    with pytest.raises(TooManyTries) as caught:
        await house.sign_in()
    assert caught.value.wait_s == 15
    assert await house.sign_in(ELSEWHERE), "who fails elsewhere locks nobody out"
    house.watch.wait(seconds=15)
    assert await house.sign_in()


async def test_many_tries_at_once_are_not_more_than_the_free_ones(house):
    await house.add()
    tries = (house.sign_in(password=f"guess {number}") for number in range(40))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, WrongSignIn) for result in results) == 5
    assert sum(isinstance(result, TooManyTries) for result in results) == 35


def test_one_address_tries_many_accounts():
    watch = Watch()
    throttle = Throttle(watch)
    waits = [throttle.begin(f"{n}@shop.example", f"2001:db8::{n:x}") for n in range(30)]
    assert waits[:25] == [0.0] * 25
    assert min(waits[25:]) > 0, "one network of IPv6 is one address"
    assert throttle.begin("other@shop.example", "2001:db9::1") == 0


class TestPeople:
    """Making and changing accounts."""

    async def test_the_first_is_the_first_only_once(self, house):
        firsts = (
            house.people.add_first(f"{n}@shop.example", f"Nr {n}", RIGHT, "de") for n in range(5)
        )
        results = await asyncio.gather(*firsts, return_exceptions=True)
        assert sum(isinstance(result, NotTheFirst) for result in results) == 4
        assert [operator.role for operator in await house.operators.all()] == ["admin"]

    @pytest.mark.parametrize(
        "password", ["short", "aaaaaaaaaaaaaaaa", "anna@shop.example", "x" * 600 + "abcde"]
    )
    async def test_weak_passwords_are_refused(self, house, password):
        with pytest.raises(WeakPassword):
            await house.people.add(Operator("", "anna@shop.example", "Anna"), password)

    @pytest.mark.parametrize(
        ("email", "name"), [("anna", "Anna"), ("a@b", ""), ("a@b", "x" * 81), ("a b@c", "Anna")]
    )
    async def test_bad_records_are_refused(self, house, email, name):
        with pytest.raises(BadOperator):
            await house.people.add(Operator("", email, name), RIGHT)

    async def test_an_address_belongs_to_one(self, house):
        await house.add()
        with pytest.raises(EmailTaken):
            await house.add(email="ANNA@shop.example")

    async def test_a_new_password_ends_the_other_sessions(self, house):
        await house.add()
        here, there = await house.sign_in(), await house.sign_in(ELSEWHERE)
        current = await house.accounts.who(here.token, HOME)
        with pytest.raises(WrongSignIn):
            await house.people.change_password(current, "wrong", "another good one")
        await house.people.change_password(current, RIGHT, "another good one")
        assert await house.accounts.who(here.token, HOME)
        assert await house.accounts.who(there.token, ELSEWHERE) is None
        with pytest.raises(WrongSignIn):
            await house.sign_in()
        assert await house.sign_in(password="another good one")

    async def test_the_last_admin_stays(self, house):

        root = await house.add("root@shop.example", "Root", "admin")
        with pytest.raises(LastAdmin):
            await house.people.change(replace(root, role="operator"), root.id)
        with pytest.raises(LastAdmin):
            await house.people.change(replace(root, is_active=False), root.id)

    async def test_who_loses_a_role_is_signed_out(self, house):

        anna = await house.add(role="supervisor")
        opened = await house.sign_in()
        await house.people.change(replace(anna, role="operator"), "op-root")
        assert await house.accounts.who(opened.token, HOME) is None

    async def test_a_reset_gives_one_password_and_drops_the_codes(self, house):
        anna = await house.add()
        opened = await house.sign_in()
        password = await house.people.reset(anna.id, "op-root")
        assert await house.accounts.who(opened.token, HOME) is None
        assert (await house.sign_in(password=password)).operator == anna
