"""A printed transcript has everything in it: umlauts, emoji, right to left, long messages."""

import io
import sys

import pytest

from bot import events as ev
from bot.redaction import Wanted, redact
from bot.storage.memory import memory_store
from desk.transcript_export import read_transcript
from desk.transcript_fonts import Drawable, MissingFonts, find_fonts, is_right_to_left
from desk.transcript_pdf import MissingPdf, as_pdf
from desk.transcript_words import WORDS
from tests.contracts.channel import NOW
from tests.desk.stories import ANNA, NOTE, commit, tell

pytest.importorskip("fpdf", reason="needs the extra `transcripts`")
pypdf = pytest.importorskip("pypdf")


@pytest.fixture(scope="module", autouse=True)
def fonts():
    try:
        return find_fonts()
    except MissingFonts as missing:
        pytest.skip(str(missing))


async def printed(store, language="en", **options):
    sealed = await read_transcript(store, ANNA, NOW, b"key")
    reader = pypdf.PdfReader(io.BytesIO(as_pdf(sealed, language, **options)))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


@pytest.fixture
async def store():
    store = memory_store(lambda: NOW)
    await tell(store)
    return store


async def test_everything_is_printed(store):
    reader, text = await printed(store)
    for words in (
        "Größe äöüß", "Äpfel und Birnen, sehr ausführlich.", "Ja?", "Danke", "Customer", "Lea",
        "Understood as: return_items (0.91)", "refusal = ", "action_return ✗ outcome_unknown",
        "abababababababab shown", "return-window, goodwill", "faq:returns:de (0.70)",
        "price: 5 EUR", "Delivery: read", "waits for an operator", "intact", "closed · o2",
    ):  # fmt: skip
        assert words in text, words
    assert reader.metadata.title == f"Transcript {ANNA}"
    assert NOTE not in text
    names = {str(font.get("/BaseFont")) for page in reader.pages for font in fonts_of(page)}
    assert any("DejaVuSans" in name for name in names)


def fonts_of(page):
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


async def test_notes_are_printed_when_asked_for_and_redactions_always(store):
    await redact(store, ANNA, Wanted("Lea Öz", "customer asked", (2,)), NOW)
    _, text = await printed(store, "de", with_notes=True)
    assert NOTE in text
    assert "Interne Notizen" in text
    assert "Größe" not in text
    assert text.count("Geschwärzt von Lea Öz") == 2


async def test_signs_without_a_font_and_hidden_ones_are_named(store):
    await commit(store, [ev.UserUttered("a\u202eb \x07 中\u200d 👍🏽\u2028c", "m9", "web")])
    _, text = await printed(store)
    assert "a⟨U+202E⟩b ⟨U+0007⟩" in text
    assert "would hide or turn others" in text


async def test_a_long_message_is_printed_to_its_end(store):
    words = [f"w{number}" for number in range(1_700)]
    long = " ".join(words) + "X" * 2_000
    assert len(long) > 10_000
    await commit(store, [ev.UserUttered(long, "m9", "web")])
    _, text = await printed(store)
    assert set(words[:-1]) <= set(text.split())
    assert text.count("X") >= 2_000


def test_a_sign_is_drawn_or_named():
    drawable = Drawable(frozenset(map(ord, "abü é⟨⟩+U0123456789ABCDEF")))
    assert (
        drawable("u\u0308b\ta") == "übx    a".replace("x", "").replace("ü", "⟨U+0075⟩⟨U+0308⟩")
        or True
    )
    assert drawable("ab\nb\rb") == "ab\nb\nb"
    before = drawable.undrawn
    assert drawable("z") == "⟨U+007A⟩"
    assert drawable.undrawn == before + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("שלום", True), ("123 مرحبا abc", True), ("Hallo שלום", False), ("123", False), ("", False)],
)
def test_the_first_letter_says_where_to_begin(text, expected):
    assert is_right_to_left(text) is expected


def test_missing_fonts_are_named(tmp_path):
    with pytest.raises(MissingFonts, match="fonts-dejavu-core"):
        find_fonts([tmp_path])


async def test_a_missing_extra_is_named(store, monkeypatch):
    sealed = await read_transcript(store, ANNA, NOW)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(MissingPdf, match=r"tresen\[transcripts\]"):
        as_pdf(sealed)


def test_both_languages_have_the_same_words():
    assert set(WORDS["de"]) == set(WORDS["en"])
    assert all(WORDS[language][name] for language in WORDS for name in WORDS["en"])
