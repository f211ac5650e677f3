"""What every adapter of `OneTimeCodes` and `IdentityGuard` must do."""

from datetime import timedelta

from actions.commerce.identity import CheckCode, IssueCode, Subject, TryIdentity

KNOWN = "joerg@mail.example"
UNKNOWN = "nobody@mail.example"


class OneTimeCodesContract:
    async def test_a_code_is_good_once_and_a_retried_turn_gets_the_same_answer(self, shop):
        code = await _code(shop)
        assert (await _check(shop, f" {code} ", "k1")).customer_id == "C1"
        assert (await _check(shop, f" {code} ", "k1")).state == "right"
        assert (await _check(shop, code, "k2")).state == "expired"

    async def test_a_retried_turn_sends_once(self, shop):
        for _ in range(2):
            assert (await _issue(shop, key="same")).sent
        assert len(await shop.notifications.sent_to(KNOWN)) == 1

    async def test_a_code_expires(self, shop, clock):
        code = await _code(shop)
        clock.now += timedelta(minutes=10, seconds=1)
        assert (await _check(shop, code)).state == "expired"

    async def test_a_code_is_used_up_by_wrong_tries_and_a_new_one_has_few_left(self, shop):
        code = await _code(shop)
        states = [(await _check(shop, "none", f"a{n}")).state for n in range(3)]
        assert states == ["wrong", "wrong", "used_up"]
        assert (await _check(shop, code, "a4")).state == "used_up"
        code = await _code(shop, "again")
        states = [(await _check(shop, "none", f"b{n}")).state for n in range(2)]
        assert states == ["wrong", "wrong"]
        assert (await _check(shop, code, "b3")).state == "limited"

    async def test_only_so_many_codes_an_hour(self, shop, clock):
        sent = [(await _issue(shop, key=f"k{n}")).sent for n in range(4)]
        assert sent == [True, True, True, False]
        assert len(await shop.notifications.sent_to(KNOWN)) == 3
        clock.now += timedelta(minutes=61)
        assert (await _issue(shop, key="later")).sent

    async def test_a_code_serves_only_the_conversation_that_asked(self, shop):
        code = await _code(shop)
        assert (await _issue(shop, key="stranger", conversation="web:2")).sent
        assert (await _check(shop, code, "k2", "web:2")).state == "wrong"
        assert (await _check(shop, code, "k1")).state == "right"

    async def test_an_unknown_contact_looks_like_a_known_one(self, shop):
        sent = [(await _issue(shop, UNKNOWN, key=f"k{n}")).sent for n in range(4)]
        assert sent == [True, True, True, False]
        assert await shop.notifications.sent_to(UNKNOWN) == ()
        request = CheckCode("web:1", UNKNOWN, "000000")
        states = [(await shop.codes.check(request, f"c{n}")).state for n in range(4)]
        assert states == ["wrong", "wrong", "used_up", "used_up"]

    async def test_a_code_goes_by_sms(self, shop):
        await shop.codes.issue(IssueCode("web:1", "+491701234567", "sms", "en"), "k")
        (message,) = await shop.notifications.sent_to("+491701234567")
        assert message.kind == "sms"


class IdentityGuardContract:
    async def test_five_failures_lock_for_half_an_hour(self, shop, clock):
        order = Subject("order_number", "TR-100001")
        for number in range(5):
            asked = TryIdentity((Subject("conversation", f"web:{number}"), order))
            assert await shop.guard.attempt(asked, f"k{number}")
        written = TryIdentity((Subject("order_number", "#tr 100001"),))
        assert not await shop.guard.attempt(written, "k6")
        assert await shop.guard.locked_until((order,)) == clock.now + timedelta(minutes=30)
        clock.now += timedelta(minutes=31)
        assert await shop.guard.locked_until((order,)) is None
        assert await shop.guard.attempt(written, "k7")

    async def test_a_retried_turn_counts_once(self, shop):
        asked = TryIdentity((Subject("email", KNOWN),))
        for _ in range(9):
            assert await shop.guard.attempt(asked, "same")

    async def test_success_forgets_the_conversations_failures_alone(self, shop):
        talk, order = Subject("conversation", "web:1"), Subject("order_number", "TR-100001")
        asked = TryIdentity((talk, order))
        for number in range(5):
            assert await shop.guard.attempt(asked, f"k{number}")
        await shop.guard.succeeded(asked, "done")
        assert await shop.guard.locked_until((talk, order)) is None
        assert await shop.guard.attempt(asked, "k6")
        assert not await shop.guard.attempt(asked, "k7")
        assert await shop.guard.attempt(TryIdentity((talk,)), "k8")


async def _issue(shop, contact=KNOWN, *, key, conversation="web:1"):
    return await shop.codes.issue(IssueCode(conversation, contact, "email", "de"), key)


async def _code(shop, key="issue"):
    assert (await _issue(shop, key=key)).sent
    message = (await shop.notifications.sent_to(KNOWN))[-1]
    return message.body.split("lautet ")[1][:6]


async def _check(shop, code, key="check", conversation="web:1"):
    return await shop.codes.check(CheckCode(conversation, KNOWN, code), key)
