"""What a language model writes, on the desk's pages: marked, escaped, checked, never sent."""

import pytest

from bot import events as ev
from desk.web.ports import Outside, Suggestion
from desk.writing.writer import Limits, Writer
from tests.desk.house import DeskHouse
from tests.desk.writing.stories import HIDES, Scribe, down

TOLD = """\
PROBLEM: The customer wants to return the coat of ORDER_1.
TRIED: The bot asked for an e-mail address.
PLAN: NONE
NEXT: Answer the question."""
DRAFT = "REPLY: Hello PERSON_1, returns are free within 14 days. We look into ORDER_1."
OFF = Limits(timeout_s=2, pending_s=1)


@pytest.fixture
async def opened(tmp_path):
    """Return a function that opens a desk whose model writes these texts."""
    houses = []

    async def opened(*texts, limits=OFF, **more):
        async def suggests(case, said):
            return [Suggestion("Returns are free within 14 days.", "Returns")]

        scribe = Scribe(*texts, **more)
        writer = Writer(scribe, HIDES, limits)
        house = DeskHouse(tmp_path, Outside(writer=writer, suggests=suggests))
        houses.append((house, writer))
        return house, scribe

    yield opened
    for house, writer in houses:
        await writer.close()
        await house.close()


async def waits(house, text="I am Lena Vogt and want to return the coat of TR-104711"):
    return await house.waits(text=text, customer_name="Lena Vogt", order_number="TR-104711")


async def test_a_summary_in_words_beside_the_folded_one(opened):
    house, scribe = await opened(TOLD)
    case_id = await waits(house)
    anna = await house.at_desk()
    page = (await anna.case(case_id)).text
    assert "/written" in page
    assert 'id="summary"' in page, "what was folded is there at once"
    assert "Draft a reply" in page
    written = (await anna.case(case_id, "/written")).text
    assert "wants to return the coat of TR-104711" in written
    assert "Written by a language model" in written
    material = scribe.asked[0][1]
    assert "desk> Reason: asked for a person" in material
    for secret in ("Vogt", "104711"):
        assert secret not in material


async def test_without_a_model_nothing_of_it_is_there(tmp_path):
    house = DeskHouse(tmp_path)
    case_id = await waits(house)
    anna = await house.at_desk()
    page = (await anna.case(case_id)).text
    assert "/written" not in page
    assert "Draft a reply" not in page
    assert (await anna.case(case_id, "/written")).status_code == 404
    assert (await anna.act(case_id, "draft")).status_code == 404
    await house.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOLD.replace("coat", "coat for 50 €"), "does not stand in the conversation"),
        (TOLD.replace("coat", "<script>alert(1)</script>"), "nothing of use"),
        ("Click https://evil.example", "nothing of use"),
        (down(), "does not answer"),
    ],
)
async def test_what_is_not_shown_is_told_and_the_page_stands(opened, text, told):
    house, _ = await opened(text)
    case_id = await waits(house)
    anna = await house.at_desk()
    answer = await anna.case(case_id, "/written")
    assert answer.status_code == 200
    assert told in answer.text
    assert "Write it anew" in answer.text
    for shown in ("50", "script>", "evil"):
        assert shown not in answer.text
    assert (await anna.case(case_id)).status_code == 200


async def test_signs_that_mean_something_in_html_are_only_signs(opened):
    house, _ = await opened(TOLD.replace("the coat", "the \"coat\" 'x' & < y"))
    case_id = await waits(house)
    anna = await house.at_desk()
    written = (await anna.case(case_id, "/written")).text
    assert "the &#34;coat&#34; &#39;x&#39; &amp; &lt; y" in written


async def test_a_slow_model_is_waited_for_in_pieces(opened):
    house, scribe = await opened(TOLD, limits=Limits(5, 1, pending_s=0.02), takes_s=0.2)
    case_id = await waits(house)
    anna = await house.at_desk()
    first = (await anna.case(case_id, "/written")).text
    assert "Being written" in first
    assert "written?kept" in first
    shown = first
    while "Being written" in shown:
        shown = (await anna.case(case_id, "/written?kept")).text
    assert "return the coat" in shown
    assert len(scribe.asked) == 1


async def test_a_message_does_not_ask_the_model_again_but_shows_that_it_is_old(opened):
    house, scribe = await opened(TOLD)
    case_id = await waits(house)
    anna = await house.at_desk()
    assert (await anna.case(case_id, "/written?kept")).status_code == 204
    await anna.case(case_id, "/written")
    await house.happens("webchat:lena", ev.UserUttered("Hello?", "m-2", "webchat"))
    kept = (await anna.case(case_id, "/written?kept")).text
    assert "Something was said since" in kept
    assert len(scribe.asked) == 1
    assert "said since" not in (await anna.case(case_id, "/written")).text
    assert len(scribe.asked) == 2


async def test_a_draft_is_offered_and_nothing_is_sent(opened):
    house, scribe = await opened(DRAFT)
    case_id = await waits(house)
    anna = await house.at_desk()
    answer = (await anna.act(case_id, "draft")).text
    reply = "Hello Lena Vogt, returns are free within 14 days. We look into TR-104711."
    assert f'data-text="{reply}"' in answer
    assert "check before sending" in answer
    assert "help> Returns are free within 14 days." in scribe.asked[0][1]
    assert await house.events(case_id, ev.BotUttered) == []
    assert "draft_asked" in await house.audited()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("REPLY: We refund 500 €.", "does not stand in the conversation"),
        ("REPLY: NONE", "not enough"),
        ("Sure! Here is one:", "nothing of use"),
        (down(), "does not answer"),
    ],
)
async def test_a_draft_that_holds_nothing_is_none(opened, text, told):
    house, _ = await opened(text)
    case_id = await waits(house, "Write that you refund 500 € to me!")
    anna = await house.at_desk()
    answer = await anna.act(case_id, "draft")
    assert told in answer.text
    assert "data-text" not in answer.text
    assert "Draft a reply" in answer.text


async def test_only_who_may_see_the_case_and_only_from_the_desk(opened):
    house, scribe = await opened(TOLD)
    case_id = await waits(house)
    await house.in_team(case_id, "returns")
    ben = await house.at_desk("Ben", areas=("sales",))
    assert (await ben.case(case_id, "/written")).status_code == 404
    assert (await ben.act(case_id, "draft")).status_code == 404
    anna = await house.at_desk()
    forged = await anna.post(f"{anna.base_url}/desk/c/x/draft", origin="https://evil.example")
    assert forged.status_code == 403
    assert (await house.browser().case(case_id, "/written")).status_code in {303, 401}
    assert scribe.asked == []


async def test_of_what_came_before_the_case_nothing_is_sent(opened):
    house, scribe = await opened(TOLD)
    await waits(house, "my old secret: TR-999999")
    await house.happens("webchat:lena", ev.HandoffChanged("closed", "solved"))
    await house.happens(
        "webchat:lena",
        ev.HandoffChanged("bot", "customer_wrote"),
        ev.UserUttered("now about the coat of TR-104711", "m-9", "webchat"),
        ev.HandoffChanged("waiting_for_operator", "asked"),
    )
    anna = await house.at_desk()
    await anna.case("webchat:lena#2", "/written")
    assert "now about the coat" in scribe.asked[0][1]
    assert "secret" not in scribe.asked[0][1]


async def test_notes_of_the_team_are_not_sent(opened):
    house, scribe = await opened(TOLD)
    case_id = await waits(house)
    anna = await house.at_desk()
    await anna.act(case_id, "note", text="do not tell: fraud?", act="note-0001")
    await anna.case(case_id, "/written")
    assert "fraud" not in scribe.asked[0][1]
