"""A transcript shows what an operator wrote beside the translation that was sent."""

import io

import msgspec
import pytest

from bot import events as ev
from bot.messages import OutboundMessage
from bot.redaction import Wanted, redact
from bot.storage.memory import memory_store
from desk.transcript_export import exported, read_transcript, verify_file
from desk.transcript_fonts import MissingFonts, find_fonts
from desk.transcript_pdf import as_pdf
from tests.contracts.channel import NOW
from tests.desk.stories import ANNA, commit, tell

OWN, SENT = "Es kommt heute, Frau Muster.", "Il arrive aujourd'hui, Mme Muster."


@pytest.fixture
async def store():
    store = memory_store(lambda: NOW)
    await tell(store)
    by = {"operator": "o1", "name": "Lea", "original": OWN, "original_language": "de"}
    said = ev.BotUttered(SENT, {"language": "fr"}, by)
    await commit(store, [said], [OutboundMessage(text=SENT)])
    return store


async def test_an_export_has_both_and_proves_itself(store):
    told = exported(await read_transcript(store, ANNA, NOW, b"key"))
    last = told["transcript"]["messages"][-1]
    assert (last["text"], last["original"], last["original_language"]) == (SENT, OWN, "de")
    assert last["data"]["language"] == "fr"
    file = msgspec.json.encode(told)
    assert verify_file(file, b"key").is_good
    forged = verify_file(file.replace(b"kommt heute", b"kommt morgen", 1), b"key")
    assert not forged.is_good


async def test_a_redaction_takes_both(store):
    _, version = await store.events.load(ANNA)
    await redact(store, ANNA, Wanted("dpo", "asked for", seqs=(version,)), NOW)
    file = msgspec.json.encode(exported(await read_transcript(store, ANNA, NOW, b"key")))
    assert b"Muster" not in file
    assert verify_file(file, b"key").is_good


async def test_it_is_printed(store):
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("fpdf", reason="needs the extra `transcripts`")
    try:
        find_fonts()
    except MissingFonts as missing:
        pytest.skip(str(missing))
    sealed = await read_transcript(store, ANNA, NOW, b"key")
    pages = pypdf.PdfReader(io.BytesIO(as_pdf(sealed, "de"))).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert f"Geschrieben als (de): {OWN}" in text
    assert SENT in text
