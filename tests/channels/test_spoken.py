"""Words for the ear: what is left out, what is read how, and markup that never breaks."""

import re
from xml.etree import ElementTree  # noqa: S405 - our own documents

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Button, Card, OutboundMessage
from channels.spoken import (
    MAX_SSML_CHARS,
    as_written,
    asks,
    holds_link,
    plain_speech,
    spoken_text,
    ssml,
)

ORDER = r"[A-Z]{2}-?\d{6}"
KNOWN_TAGS = {"speak", "break", "say-as"}


def said(text="", language="de", **fields):
    return spoken_text(OutboundMessage(text=text, **fields), language)


def heard(document):
    return " ".join("".join(ElementTree.fromstring(document).itertext()).split())  # noqa: S314


def read(text, language):
    return heard(ssml(text, language, ORDER))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Fett** und _kursiv_, `code` 👍🏽 🇩🇪 ✓", "Fett und kursiv, code."),
        ("# Titel\n\n- eins\n* zwei\n1. drei\n• vier", "Titel.\neins.\nzwei.\ndrei.\nvier."),
        ("[Hilfe](https://a.example/x) hier", "Hilfe hier."),
        ("Ihr Link: https://a.example/p?x=1 – er gilt heute.", "Ihr Link: er gilt heute."),
        ("Siehe (www.a.example/hilfe).", "Siehe."),
        ("Bestellung TR-104711 – unterwegs", "Bestellung TR-104711, unterwegs."),
        ("• 22. Nov., 14:30, Berlin: Da", "22. November, 14:30, Berlin: Da."),
        ("z. B. inkl. MwSt.", "zum Beispiel inklusive Mehrwertsteuer."),
        ("2 × Parka & Hut", "2 mal Parka und Hut."),
        ("service@kontor.example", "service ät kontor Punkt example."),
        ("„Ja“ (oder nein)", "Ja, oder nein."),
        ("Am 4. Juni (vor 5 Tagen). Schade (sehr)!", "Am 4. Juni, vor 5 Tagen. Schade, sehr!"),
        ("😀\n---\n***", ""),
        ("", ""),
    ],
)
def test_only_what_ears_can_use_is_left(text, expected):
    assert said(text) == expected


def test_snake_case_and_minus_stay():
    assert said("order_number_1 kostet -5,00 €", "de") == "order_number_1 kostet -5,00 €."


def test_voice_form_is_said_alone():
    outbound = OutboundMessage(
        text="Langer Text?", voice="Kurz gesagt: ja.", buttons=(Button("A", "/a"),)
    )
    assert spoken_text(outbound, "de") == "Kurz gesagt: ja."


def test_cards_are_counted_off():
    cards = tuple(Card(title=f"Parka {n}", price="89,00 €", url="/x") for n in "ABCDE")
    assert said(cards=cards[:1]) == "Parka A, 89,00 €."
    assert said(cards=cards) == (
        "Erstens, Parka A, 89,00 €; zweitens, Parka B, 89,00 €; "
        "drittens, Parka C, 89,00 €; und 2 weitere."
    )
    english = said("Two fit", "en", cards=cards[:2])
    assert english == "Two fit.\nFirst, Parka A, 89,00 €; second, Parka B, 89,00 €."


def test_buttons_are_choices_only_where_something_is_asked():
    buttons = (Button("Ja, bitte 👍", "/affirm"), Button("Nein", "/deny"))
    assert said("Passt das?", buttons=buttons) == (
        "Passt das?\nSie können sagen: Ja, bitte oder Nein."
    )
    assert said("Das ist es.", buttons=buttons) == "Das ist es."
    assert said("I can do this:", "en", buttons=buttons[1:]).endswith("You can say: Nein.")
    assert asks(OutboundMessage(text="Passt das?"))
    assert asks(OutboundMessage(text="Ihre Postleitzahl bitte.", response="utter_ask_identity"))
    assert not asks(OutboundMessage(text="Hier: https://a.example/?a=1"))


def test_many_buttons_are_not_all_read():
    buttons = tuple(Button(f"TR-10000{n}", f"/{n}") for n in range(9))
    assert said("Which?", "en", buttons=buttons) == (
        "Which?\nYou can say: TR-100000, TR-100001, TR-100002, TR-100003 or one of 5 more choices."
    )


def test_links_are_noticed():
    assert holds_link(OutboundMessage(text="Hier: https://pay.example/1."))
    assert not holds_link(OutboundMessage(cards=(Card(title="a", url="/shop"),)))
    assert not holds_link(OutboundMessage(text="Nichts."))


@pytest.mark.parametrize(
    ("written", "german", "english"),
    [
        ("49,90 €", "49 Euro 90", "49 euros and 90 cents"),
        ("€49.90", "49 Euro 90", "49 euros and 90 cents"),
        ("1,00\u00a0€", "1 Euro", "1 euro"),
        ("0,50 €", "50 Cent", "50 cents"),
        ("0,01 €", "1 Cent", "1 cent"),
        ("49,05 €", "49 Euro 5", "49 euros and 5 cents"),
        ("1.249,90 €", "1249 Euro 90", "1249 euros and 90 cents"),
        ("-$1,299.05", "minus 1299 Dollar 5", "minus 1299 dollars and 5 cents"),
        ("1.299 €", "1299 Euro", "1299 euros"),
        ("CHF 12.40", "12 Franken 40", "12 francs and 40 rappen"),
        ("£3.00", "3 Pfund", "3 pounds"),
        ("20,00 PLN", "20 Polnische Złoty", "20 Polish zlotys"),
        ("Größe 38 129 €", "Größe 38 129 Euro", "Größe 38 129 euros"),
        ("2026-11-24", "24. November 2026", "24 November 2026"),
        ("24.11.2026", "24. November 2026", "24 November 2026"),
        ("99.99.2026", "99.99.2026", "99.99.2026"),
        ("14:30", "14 Uhr 30", "2:30 p.m."),
        ("9:00 Uhr", "9 Uhr", "9 a.m."),
        ("5 & 6 <7>", "5 & 6 <7>", "5 & 6 <7>"),
    ],
)
def test_prices_days_and_times_read_well(written, german, english):
    assert read(written, "de-DE") == german
    assert read(written, "en-US") == english


def test_order_numbers_are_spelled_in_groups():
    document = ssml("Bestellung TR-104711 kommt.", "de", ORDER)
    spelled = re.findall(r'<say-as interpret-as="characters">(\w+)</say-as>', document)
    assert spelled == ["TR", "104", "711"]
    assert heard(document) == "Bestellung TR104711 kommt."
    assert plain_speech("Order tr-104711.", "en", ORDER) == "Order t r, 1 0 4, 7 1 1."
    assert plain_speech("#W3381029", "en", r"#?W\d{7}") == "W, 3 3 8, 1 0 2 9"


def test_tracking_and_telephone_numbers_are_spelled():
    tracking = plain_speech("Sendung 00340434161094042557 da", "de", ORDER)
    assert tracking == "Sendung 0 0 3 4, 0 4 3 4, 1 6 1 0, 9 4 0 4, 2 5 5 7 da"
    assert plain_speech("+494066969000", "de") == "plus 4 9 4 0, 6 6 9 6, 9 0 0 0"
    assert plain_speech("1Z999AA10123456784", "de").startswith("1, Z, 9 9 9, A A, ")


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("meine Bestellung t. r. 104711", "meine Bestellung TR104711"),
        ("t r 1 0 4 7 1 1 bitte", "TR104711 bitte"),
        ("TR-104711", "TR104711"),
        ("w 338 1029", "W3381029"),
        ("tr 104711", "tr 104711"),
        ("w. 3381029.", "W3381029."),
        ("104 711", "104711"),
        ("ich habe 2 bestellt", "ich habe 2 bestellt"),
        ("am 24.11.2026", "am 24.11.2026"),
        ("für 12345,50 €", "für 12345,50 €"),
        ("es kam am 3. Mai", "es kam am 3. Mai"),
        ("Ab 10115 Berlin", "Ab 10115 Berlin"),
    ],
)
def test_heard_numbers_become_written_ones(heard, written):
    assert as_written(heard) == written


def test_lines_are_pauses():
    assert ssml("Eins.\nZwei.", "de").count("<break") == 1
    assert plain_speech("Eins.\nZwei.", "de") == "Eins. Zwei."


@pytest.mark.parametrize(
    "text", ["Ein Satz. " * 2_000, "<&>" * 5_000, "TR-104711 " * 900, "\n" * 9000]
)
def test_too_long_speech_ends_in_time_and_whole(text):
    document = ssml(text, "de", ORDER)
    assert len(document) <= MAX_SSML_CHARS
    words = heard(document)
    assert words in " ".join(text.split()) or "TR104711" in words
    assert not text.startswith("Ein") or words.endswith("Satz.")


anything = st.text(st.characters(exclude_categories=[])) | st.text(
    "<>&'\"TR-104711 €$,.\n*_[](){}#|:/0123456789äß😀\x00\ud800\ufffe", max_size=400
)


@settings(deadline=None)
@given(text=anything, language=st.sampled_from(["de", "en", "fr", ""]))
def test_markup_is_never_broken(text, language):
    for words in (text, spoken_text(OutboundMessage(text=text), language)):
        document = ssml(words, language, ORDER)
        root = ElementTree.fromstring(document)  # noqa: S314 - our own document
        assert root.tag == "speak"
        assert {element.tag for element in root.iter()} <= KNOWN_TAGS
        assert len(document) <= MAX_SSML_CHARS
        document.encode()


@settings(deadline=None)
@given(
    text=anything,
    cards=st.lists(st.builds(Card, title=anything, subtitle=anything, price=anything), max_size=6),
    buttons=st.lists(st.builds(Button, title=anything, payload=st.just("/x")), max_size=9),
)
def test_anything_can_be_said(text, cards, buttons):
    outbound = OutboundMessage(text=text, cards=tuple(cards), buttons=tuple(buttons))
    words = spoken_text(outbound, "de")
    assert not re.search(r"https?://|\*\*|😀", words)
    assert words == words.strip()
    assert "\n" not in plain_speech(words, "de", ORDER)


@settings(deadline=None)
@given(number=st.from_regex(r"[A-Z]{2}-\d{6}", fullmatch=True))
def test_every_character_of_an_order_number_is_said(number):
    text = f"Ihre Bestellung {number} ist da."
    assert spoken_text(OutboundMessage(text=text), "de") == text
    assert heard(ssml(text, "de", ORDER)) == text.replace("-", "")
    assert plain_speech(text, "de", ORDER).replace(",", "").replace(" ", "").isprintable()
