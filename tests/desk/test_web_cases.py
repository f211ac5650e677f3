"""Queue, conversation and acts over HTTP: who sees what, what comes of it, what is hostile."""

import asyncio

import pytest

from bot import events as ev
from desk.bus import case_topic, operator_topic
from desk.web.pages import key_of
from desk.web.ports import CustomerCard, Outside
from tests.desk.house import DeskHouse


async def card(customer_id, language):
    del language
    if customer_id == "down":
        raise ConnectionError(customer_id)
    return CustomerCard("Lena", "lena@example.org")


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path, Outside(customers=card))
    yield house
    await house.close()


async def test_a_case_from_the_queue_to_its_end(house):
    case_id = await house.waits(text="Where is my parcel?")
    anna = await house.at_desk()
    assert "Where is my parcel?" in (await anna.get("/desk")).text
    assert "Where is my parcel?" in (await anna.case(case_id)).text
    assert await anna.says(case_id, "Hello?") == (409, "nobody_has_it")
    taken = await anna.act(case_id, "take", act="take-00001")
    assert taken.status_code == 200
    assert "Taken" in taken.headers["hx-trigger"]
    assert (await house.case(case_id)).operator_name == "Anna"
    assert await anna.says(case_id, "It is on its way.", "another-name") == (200, "")
    shown = (await anna.case(case_id, "/parts")).text
    assert "It is on its way." in shown
    assert "on its way</span>" in shown, "delivery state"
    closed = await anna.act(case_id, "close", reason="solved", act="close-0001")
    assert "Closed" in closed.headers["hx-trigger"]
    assert (await house.case(case_id)).end_reason == "solved"
    assert "Where is my parcel?" in (await anna.get("/desk?tab=closed")).text


async def test_what_is_sent_twice_is_said_once(house):
    case_id = await house.waits()
    anna = await house.at_desk()
    await anna.act(case_id, "take")
    for _ in range(3):
        assert await anna.says(case_id, "Once", "the-same-name") == (200, "")
    both = [anna.says(case_id, "Twice", "another-name") for _ in range(4)]
    assert set(await asyncio.gather(*both)) == {(200, "")}
    said = [e.text for e in await house.events(case_id, ev.BotUttered)]
    assert said == ["Once", "Twice"]


async def test_of_two_operators_one_speaks(house):
    case_id = await house.waits()
    anna, ben = await house.at_desk("Anna"), await house.at_desk("Ben")
    both = await asyncio.gather(anna.act(case_id, "take"), ben.act(case_id, "take"))
    assert sorted("Taken" in answer.headers["hx-trigger"] for answer in both) == [False, True]
    holder = (await house.case(case_id)).operator_name
    loser, winner = (ben, anna) if holder == "Anna" else (anna, ben)
    assert await loser.says(case_id, "Me first") == (409, "not_yours")
    assert await winner.says(case_id, "Me") == (200, "")
    assert f"{holder} serves this conversation" in (await loser.case(case_id)).text
    for act, form in (
        ("close", {"reason": "solved"}),
        ("give-back", {}),
        ("transfer", {"to": "queue"}),
    ):
        answer = await loser.act(case_id, act, **form)
        assert "text is still here" in answer.headers["hx-trigger"]
    assert (await house.case(case_id)).operator_name == holder


async def test_a_supervisor_takes_it_from_somebody(house):
    case_id = await house.waits()
    anna = await house.at_desk("Anna")
    await anna.act(case_id, "take")
    ben = await house.at_desk("Ben")
    await ben.act(case_id, "take", force="1")
    assert (await house.case(case_id)).operator_name == "Anna", "force is not an operator's"
    clara = await house.at_desk("Clara", "supervisor")
    await clara.act(case_id, "take", force="1")
    assert (await house.case(case_id)).operator_name == "Clara"
    assert await anna.says(case_id, "Still me?") == (409, "not_yours")


async def test_a_case_goes_to_a_colleague_with_a_note(house):
    case_id = await house.waits()
    anna = await house.at_desk("Anna")
    ben = await house.at_desk("Ben")
    record = next(o for o in await house.parts.operators.all() if o.name == "Ben")
    await anna.act(case_id, "take")
    news = house.bus.listen(operator_topic(record.id))
    told = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)
    await anna.act(case_id, "transfer", to=f"operator:{record.id}", reason="expert", note="VIP!")
    assert (await asyncio.wait_for(told, 1)).kind == "assigned"
    assert (await house.case(case_id)).operator_name == "Ben"
    assert "VIP!" in (await ben.case(case_id)).text
    assert await ben.says(case_id, "Hello") == (200, "")


async def test_a_mention_calls_a_colleague(house):
    case_id = await house.waits()
    anna = await house.at_desk("Anna")
    await house.add("Ben")
    answer = await anna.act(case_id, "note", text="@Ben, do you know @nobody?", act="note-00001")
    assert not answer.json()["refusal"]
    acted = (await house.events(case_id, ev.OperatorActed))[-1]
    ben = next(o for o in await house.parts.operators.all() if o.name == "Ben")
    assert acted.data["mentions"] == [ben.id]
    shown = (await anna.case(case_id)).text
    assert "do you know @nobody?" in shown
    heard = [e.text for e in await house.events(case_id, ev.BotUttered)]
    assert heard == [], "the customer hears nothing of it"


class TestAreas:
    """An operator with areas sees the cases of these teams only."""

    @pytest.fixture
    async def other(self, house):
        case_id = await house.waits("mara", "Money of others")
        await house.in_team(case_id, "finance")
        return case_id

    async def test_others_cases_do_not_exist(self, house, other):
        anna = await house.at_desk(areas=("returns",))
        for tab in ("waiting", "all", "mine", "closed"):
            assert "Money of others" not in (await anna.get(f"/desk?tab={tab}")).text
        answers = [await anna.case(other, part) for part in ("", "/parts", "/customer")]
        answers += [
            await anna.act(other, act, text="x", reason="solved", to="queue")
            for act in ("say", "note", "take", "transfer", "give-back", "close")
        ]
        answers.append(await anna.act(other, "mark", verdict="right", seq="1"))
        missing = await anna.case("webchat:nobody#1")
        assert {a.status_code for a in answers} == {404}
        assert {a.text for a in answers} == {missing.text}, "it cannot be told from no case"
        assert (await house.audited()).count("outside_area") == len(answers)
        assert await house.events(other, ev.OperatorActed) == []

    async def test_who_has_the_area_sees_it(self, house, other):
        anna = await house.at_desk(areas=("finance",))
        assert "Money of others" in (await anna.case(other)).text

    async def test_files_and_suggestions_are_theirs_too(self, house, other):
        anna = await house.at_desk(areas=("returns",))
        answer = await anna.post(f"/desk/uploads?case={key_of(other)}")
        assert answer.status_code == 404
        assert not (await anna.case(other, "/suggestions")).text

    async def test_nothing_is_given_to_who_may_not_see_it(self, house, other):
        await house.add("Ben", areas=("returns",))
        ben = next(o for o in await house.parts.operators.all() if o.name == "Ben")
        clara = await house.at_desk("Clara", "supervisor")
        await clara.act(other, "take")
        answer = await clara.act(other, "transfer", to=f"operator:{ben.id}")
        assert answer.status_code == 422
        assert "@Ben" not in (await clara.case(other)).text


async def test_bad_texts_are_refused(house):
    case_id = await house.waits()
    anna = await house.at_desk()
    await anna.act(case_id, "take")
    assert await anna.says(case_id, "  ") == (422, "empty")
    assert await anna.says(case_id, "x" * 5001) == (422, "too_long")
    assert (await anna.act(case_id, "close", reason="<b>")).status_code == 422
    assert (await anna.act(case_id, "mark", verdict="maybe", seq="1")).status_code == 422
    assert (await anna.act(case_id, "transfer", to="operator:nobody")).status_code == 422
    assert (await anna.act(case_id, "transfer", to="team:unknown")).status_code == 422


async def test_a_mark_is_kept(house):
    case_id = await house.waits()
    anna = await house.at_desk()
    await anna.act(case_id, "mark", verdict="wrong", seq="1")
    acted = (await house.events(case_id, ev.OperatorActed))[-1]
    assert (acted.act, acted.data["verdict"], acted.data["seq"]) == ("marked", "wrong", 1)


async def test_a_shop_that_is_down_leaves_the_page(house):
    case_id = await house.waits(customer_id="down")
    anna = await house.at_desk()
    answer = await anna.case(case_id, "/customer")
    assert answer.status_code == 200
    assert "does not answer" in answer.text


async def test_a_card_that_was_looked_at_is_in_the_log(house):
    case_id = await house.waits(customer_id="c1")
    anna = await house.at_desk()
    assert "lena@example.org" in (await anna.case(case_id, "/customer")).text
    assert "card_seen" in await house.audited()


class TestRoles:
    """Pages that need more rights."""

    @pytest.mark.parametrize("role", ["operator", "supervisor", "admin"])
    async def test_who_may_open_what(self, house, role):
        browser = await house.at_desk("Anna", role)
        rank = ["operator", "supervisor", "admin"].index(role)
        needed = {"/desk/account": 0, "/desk/canned": 1, "/desk/audit": 1, "/desk/people": 2}
        for path, least in needed.items():
            assert (await browser.get(path)).status_code == (200 if rank >= least else 403), path
        made = await browser.post(
            "/desk/people",
            {"name": "Eve", "email": "eve@shop.example", "role": "admin", "active": "1"},
        )
        assert made.status_code == (200 if role == "admin" else 403)

    async def test_an_admin_gives_passwords_that_work(self, house):
        root = await house.at_desk("Root", "admin")
        form = {"name": "Eve", "email": "eve@shop.example", "role": "operator", "active": "1"}
        page = (await root.post("/desk/people", form)).text
        password = page.partition('role="status">')[2].partition("<code>")[2].partition("<")[0]
        eve = house.browser()
        await eve.sign_in("Eve", password)
        assert (await eve.look()).status_code == 200
        record = next(o for o in await house.parts.operators.all() if o.name == "Eve")
        await root.post("/desk/people", form | {"id": record.id, "active": "0"})
        assert (await eve.look()).status_code == 303, "who is locked is signed out"

    async def test_prepared_replies_are_checked(self, house):
        clara = await house.at_desk("Clara", "supervisor")
        for form in (
            {"shortcut": "A B", "text_en": "x"},
            {"shortcut": "ok", "text_en": ""},
            {"shortcut": "ok", "text_en": "{{ password }}"},
        ):
            assert (await clara.post("/desk/canned", form)).status_code == 422
        good = {"shortcut": "/hello", "text_en": "Hello {{ customer_name }}"}
        assert (await clara.post("/desk/canned", good)).status_code == 303
        assert (await clara.post("/desk/canned", good)).status_code == 422, "the shortcut is taken"


async def test_the_stream_says_what_to_read_again(house):
    case_id = await house.waits()
    anna, ben = await house.at_desk("Anna"), await house.at_desk("Ben")
    ready, lines = asyncio.Event(), []

    async def listen():
        scope_path = f"/desk/live?case={key_of(case_id)}"
        async for name in stream_of(anna, scope_path):
            lines.append(name)
            ready.set()

    task = asyncio.create_task(listen())
    await asyncio.wait_for(ready.wait(), 5)
    assert house.bus.listeners(case_topic(case_id)) == 1
    assert "Anna is looking, too" in (await ben.case(case_id)).text
    lines.clear()
    await ben.act(case_id, "take")
    await until(lambda: {"case", "queue"} <= set(lines))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not house.bus.listeners(case_topic(case_id)))
    assert "is looking" not in (await ben.case(case_id)).text


async def until(is_so):
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


async def stream_of(browser, path):
    """Yield the names of a stream's events as they come."""
    names = asyncio.Queue()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
    name, _, query = path.partition("?")
    scope = {
        "type": "http", "method": "GET", "path": name, "raw_path": name.encode(),
        "query_string": query.encode(), "http_version": "1.1", "scheme": "http",
        "server": ("127.0.0.1", 8080), "client": ("127.0.0.1", 1), "root_path": "",
        "headers": [(b"cookie", cookie.encode()), (b"user-agent", b"Firefox"),
                    (b"host", b"127.0.0.1:8080"), (b"accept-language", b"en")],
    }  # fmt: skip

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        for line in message.get("body", b"").decode().splitlines():
            if line.startswith("event: "):
                names.put_nowait(line.removeprefix("event: "))

    serving = asyncio.create_task(browser.house.app(scope, receive, send))
    try:
        while True:
            yield await names.get()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
