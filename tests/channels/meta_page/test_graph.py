import json
from datetime import timedelta

import httpx
import pytest

from bot.messages import Attachment, Button, Card, OutboundMessage
from channels.meta_page.graph import wait_s_in
from channels.push import InDoubt, TryAgain, Undeliverable, WindowClosed
from tests.channels.meta_page.pages import CONTEXT
from tests.platforms.faults import Fault, serve
from tests.platforms.messenger import OTHER_APP_ID
from tests.platforms.platform import Troubles

LONG = "Das ist ein Satz mit Umlauten: äöü. " * 200


async def test_a_message_is_delivered_once_and_named(page):
    fake, ids = await page.sent()
    assert [(d.recipient, d.text) for d in fake.delivered] == [("anna", "Guten Tag")]
    assert [d.platform_id for d in fake.delivered] == ids


async def test_rich_messages_are_taken_by_the_platform(page):
    outbound = OutboundMessage(
        text=LONG,
        buttons=(Button("Ja", "/affirm"), Button("Lieber nicht, danke schön", "/deny")),
        cards=tuple(Card(f"P{n}", price=f"{n} €", url=f"/p/{n}") for n in range(12)),
        image_url="https://shop.example/a.png",
        attachments=(Attachment("file", "https://shop.example/a.pdf", name="Rechnung"),),
    )
    fake, ids = await page.sent(outbound=outbound)
    assert len(ids) == len(fake.delivered) > 5
    assert "P11" in "\n".join(d.text for d in fake.delivered)


async def test_giving_a_conversation_away_silences_the_bot(page):
    outbound = OutboundMessage(custom={"hand_over_to": OTHER_APP_ID})
    fake, ids = await page.sent(outbound=outbound)
    assert (fake.owner, ids) == ({"anna": OTHER_APP_ID}, [""])


async def test_outside_the_window_it_waits(page):
    with pytest.raises(WindowClosed) as raised:
        await page.sent(age=timedelta(hours=24, seconds=1))
    assert raised.value.code == "10/2018278"


async def test_a_wrong_token_waits_for_a_new_one(page):
    with pytest.raises(TryAgain) as raised:
        await page.sent(access_token="expired")
    assert (raised.value.code, raised.value.retry_after_s) == ("190", 300)


ERRORS = [
    (400, 10, 2018278, WindowClosed),
    (403, 10, 2534022, WindowClosed),
    (400, 551, 0, Undeliverable),
    (400, 100, 2018108, Undeliverable),
    (403, 230, 0, Undeliverable),
    (400, 100, 2018001, Undeliverable),
    (400, 10, 2018300, Undeliverable),
    *[(400, code, 0, TryAgain) for code in (2, 4, 17, 32, 613, 1200, 80006)],
    (500, 0, 0, TryAgain),
    (503, 1200, 0, TryAgain),
    (500, 1, 1357046, InDoubt),
]
UNREADABLE = ["<html>", "[]", '{"recipient_id":"1"}', '{"message_id":7}', "[" * 50_000]


async def test_errors_mean_what_is_documented(page):
    answers = [
        Fault(
            "status",
            status=status,
            answer=json.dumps({"error": {"code": code, "error_subcode": subcode}}),
        )
        for status, code, subcode, _ in ERRORS
    ]
    met = await page.met(answers)
    assert [type(error) for error in met] == [kind for *_, kind in ERRORS]
    assert [error.code for error in met[:3]] == ["10/2018278", "10/2534022", "551"]
    assert not any("anna" in str(error) for error in met)


async def test_an_answer_that_cannot_be_read_is_a_doubt(page):
    answers = [Fault("status", status=200, answer=answer) for answer in UNREADABLE]
    answers += [Fault("status", status=504, answer="<html>"), Fault("partial")]
    assert {type(error) for error in await page.met(answers)} == {InDoubt}


async def test_the_platform_says_how_long_to_wait(page):
    (error,) = await page.met([Fault("status", status=429, retry_after_s=7)])
    assert (type(error), error.retry_after_s) == (TryAgain, 7)


@pytest.mark.parametrize(
    ("usage", "wait_s"),
    [
        ({"1": [{"estimated_time_to_regain_access": 3}, {"call_count": 9}], "2": 1}, 180),
        ({"1": [{"estimated_time_to_regain_access": 10**9}]}, 86_400),
        ({"1": [{"estimated_time_to_regain_access": "soon"}, 7]}, 0),
        ([], 0),
    ],
)
def test_the_usage_says_when_calls_are_taken_again(usage, wait_s):
    headers = httpx.Headers({"x-business-use-case-usage": json.dumps(usage)})
    assert wait_s_in(headers) == wait_s


async def test_nobody_there_is_no_doubt(page):
    with pytest.raises(TryAgain):
        await page.channel().send(page.channel().render(OutboundMessage("x"), "anna")[0], "r")


async def test_a_platform_in_trouble_is_told_apart(page):
    fake = page.fake(seed=3)
    outcomes = []
    with serve(fake.app) as url:
        fake.url = url
        fake.says("anna", "Hallo")
        fake.trouble(Troubles(refused=0.4, lost_answers=0.4))
        channel = page.connect(fake.settings(), CONTEXT)
        (payload,) = channel.render(OutboundMessage(text="Guten Tag"), "anna")
        for number in range(40):
            try:
                await channel.send(payload, f"tresen:{number}:0")
            except (TryAgain, InDoubt) as error:
                outcomes.append(type(error))
            else:
                outcomes.append(str)
        await channel.close()
    assert set(outcomes) == {TryAgain, InDoubt, str}
    assert len(fake.delivered) == outcomes.count(InDoubt) + outcomes.count(str)


async def test_typing_marks_the_conversation_as_seen(page):
    fake = page.fake()
    with serve(fake.app) as url:
        fake.url = url
        fake.says("anna", "Hallo")
        channel = page.connect(fake.settings(), CONTEXT)
        await channel.show_typing("anna", "m_1")
        await channel.close()
    assert fake.actions == [("anna", "mark_seen"), ("anna", "typing_on")]
    assert fake.delivered == []
