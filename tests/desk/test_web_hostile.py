"""What is hostile at the desk: names, messages and files that would be scripts; forged files."""

import pytest

from bot import events as ev
from bot.messages import Attachment
from desk.records import CannedReply
from desk.web.pages import key_of
from desk.web.ports import CustomerCard, OrderView, Outside, Suggestion
from tests.desk.house import DeskHouse

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"


class Shelf:
    """Keeps files in memory."""

    def __init__(self):
        self.kept = []

    def save(self, session_id, name, body):
        if not body.startswith(b"\x89PNG"):
            error = ValueError("not a picture")
            error.status = 400
            raise error
        self.kept.append((session_id, name, body))
        return Attachment("image", "/webhooks/webchat/uploads/x.png?sig=1", name, "image/png", 4)


async def card(customer_id, language):
    del language
    if customer_id == "down":
        raise ConnectionError(customer_id)
    order = OrderView(f"TR-1{HOSTILE}", "shipped", "10 €", (f"1 × {HOSTILE}",))
    return CustomerCard(f"Lena {HOSTILE}", "lena@example.org", address=HOSTILE, orders=(order,))


async def suggests(case, said):
    del case
    return [Suggestion(f"About: {said}", HOSTILE)]


@pytest.fixture
async def house(tmp_path):
    outside = Outside(customers=card, suggests=suggests, files=Shelf())
    house = DeskHouse(tmp_path, outside)
    yield house
    await house.close()


class TestHostile:
    """Names, messages and files that would be scripts."""

    async def test_nothing_of_it_is_markup(self, house):
        case_id = await house.waits(
            "<b>lena", HOSTILE, f"asked: {HOSTILE}", customer_id="c1", customer_name=HOSTILE,
            focus_order=HOSTILE,
        )  # fmt: skip
        anna = await house.at_desk()
        await anna.act(case_id, "take")
        await anna.says(case_id, HOSTILE)
        await anna.act(case_id, "note", text=f'{HOSTILE} https://x.example/"><script>')
        file = {"kind": HOSTILE, "url": "javascript:alert(1)", "name": HOSTILE}
        picture = {"kind": "image", "url": '/x" onerror="alert(1)', "name": HOSTILE}
        await house.happens(
            case_id.partition("#")[0],
            ev.UserUttered("", "m2", "webchat", attachments=(file, picture)),
            ev.BotUttered("", {"buttons": [{"title": HOSTILE, "payload": ""}]}),
        )
        await house.parts.canned.put(
            CannedReply("1", "hello", {"en": HOSTILE}, {"en": f"{HOSTILE} {{{{ customer_name }}}}"})
        )
        pages = [await anna.get("/desk?tab=mine"), await anna.get("/desk/account")]
        parts = ("", "/parts", "/customer", "/suggestions")
        pages += [await anna.case(case_id, part) for part in parts]
        for page in pages:
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "<img src=x" not in page.text
            assert "<svg onload" not in page.text
            assert 'href="javascript' not in page.text
            assert 'onerror="alert' not in page.text

    async def test_links_lead_out_safely(self, house):
        case_id = await house.waits(text="see https://evil.example/?a=<b> and javascript:alert(1)")
        anna = await house.at_desk()
        page = (await anna.case(case_id)).text
        assert 'href="https://evil.example/?a=' in page
        assert 'rel="nofollow noopener noreferrer"' in page or "noopener" in page
        assert 'href="javascript' not in page

    async def test_prepared_replies_are_no_templates(self, house):
        text = "{{ customer_name }} {{ order_number }} {% for x in ().__class__ %}"
        await house.parts.canned.put(CannedReply("1", "hi", {}, {"en": text}))
        case_id = await house.waits(customer_name="{{ operator }}", focus_order="")
        anna = await house.at_desk()
        page = (await anna.case(case_id)).text
        assert "{{ operator }} … {% for x in ().__class__ %}" in page


class TestFiles:
    """Attachments of operators."""

    async def upload(self, browser, case_id, body, name="a.png"):
        return await browser.client.post(
            f"/desk/uploads?case={key_of(case_id)}",
            content=body,
            headers={
                "origin": browser.base_url, "x-desk-token": browser.csrf,
                "x-file-name": name, "content-type": "application/octet-stream",
            },
        )  # fmt: skip

    async def test_a_file_goes_with_a_message(self, house):
        case_id = await house.waits()
        anna = await house.at_desk()
        await anna.act(case_id, "take")
        kept = (await self.upload(anna, case_id, b"\x89PNG")).json()
        answer = await anna.act(case_id, "say", text="", files=kept["receipt"])
        assert not answer.json()["refusal"]
        said = (await house.events(case_id, ev.BotUttered))[-1]
        assert said.data["attachments"][0]["name"] == "a.png"

    async def test_receipts_cannot_be_made_up_or_moved(self, house):
        case_id, other = await house.waits(), await house.waits("tom")
        anna, ben = await house.at_desk("Anna"), await house.at_desk("Ben")
        receipt = (await self.upload(anna, case_id, b"\x89PNG")).json()["receipt"]
        await anna.act(case_id, "take")
        await ben.act(other, "take")
        packed, _, signature = receipt.partition(".")
        for browser, where, sent in (
            (anna, case_id, f"{packed}.{'0' * 64}"),
            (anna, case_id, f"x{packed}.{signature}"),
            (ben, other, receipt),
        ):
            answer = await browser.act(where, "say", text="x", files=sent)
            assert (answer.status_code, answer.json()["refusal"]) == (422, "file")

    async def test_huge_and_strange_files_are_refused(self, house):
        case_id = await house.waits()
        anna = await house.at_desk()
        assert (await self.upload(anna, case_id, b"x" * 10_500_000)).status_code == 413
        assert (await self.upload(anna, case_id, b"MZ...", "a.exe")).status_code == 400
