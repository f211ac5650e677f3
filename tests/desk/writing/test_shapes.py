"""Only plain text in the form that was asked for is shown."""

import pytest

from desk.writing.instructions import MOST_WORDS
from desk.writing.shapes import Misshapen, plain, reply_text, summary_parts

FOUR = "PROBLEM: A wish.\nTRIED: Nothing.\nPLAN: NONE\nNEXT: Reply."


def test_four_parts():
    assert summary_parts(FOUR) == {
        "problem": "A wish.", "tried": "Nothing.", "plan": "", "next": "Reply.",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "<think>Hm, 500 €? <b>no</b></think>\n" + FOUR,
        "**PROBLEM:** A wish.\n**TRIED:** Nothing.\n**PLAN:** none.\n**NEXT:** Reply.",
        "- Problem: A wish.\n- Tried: Nothing.\n- Plan: –\n- Next: Reply.",
    ],
)
def test_what_models_put_around_it_is_left_out(text):
    assert summary_parts(text) == summary_parts(FOUR)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "form"),
        ("I cannot help with that.", "form"),
        ("Sure!\n" + FOUR, "form"),
        (FOUR + "\nNEXT: And again.", "form"),
        (FOUR.replace("A wish.", ""), "form"),
        (FOUR.replace("A wish.", "<img src=x onerror=alert(1)>"), "markup"),
        (FOUR.replace("A wish.", "&lt;b&gt;"), "markup"),
        (FOUR.replace("A wish.", "[here](javascript:x)"), "markup"),
        (FOUR.replace("A wish.", "see https://evil.example/x"), "link"),
        (FOUR.replace("A wish.", "see evil.com"), "link"),
        (FOUR.replace("A wish.", "javascript:alert(1)"), "link"),
        (FOUR.replace("A wish.", "word " * 200), "too_long"),
        ("x" * 30_000, "too_long"),
        (FOUR.replace("A wish.", "a-" * 1000), "too_long"),
        (FOUR + "\n<<<END", "markup"),
    ],
)
def test_anything_else_is_not_shown(text, why):
    with pytest.raises(Misshapen) as caught:
        summary_parts(text)
    assert caught.value.why == why


def test_too_many_words_lose_their_last_sentences():
    told = FOUR.replace("Nothing.", "This is a sentence of seven words. " * 15)
    parts = summary_parts(told)
    assert sum(len(part.split()) for part in parts.values()) <= MOST_WORDS
    assert parts["problem"] == "A wish."
    assert parts["tried"].endswith("seven words.")


def test_a_reply():
    assert reply_text("REPLY: Hello.\n\n\n\nWe look into it.") == "Hello.\n\nWe look into it."
    assert not reply_text("Reply: NONE.")
    for text, why in (("Hello.", "form"), ("REPLY: " + "a " * 200, "too_long")):
        with pytest.raises(Misshapen) as caught:
            reply_text(text)
        assert caught.value.why == why


def test_mail_addresses_are_no_links():
    assert plain("write to lena@vogt.example.com") == "write to lena@vogt.example.com"
