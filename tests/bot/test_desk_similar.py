"""What is taken out of solved cases before anything of them is kept."""

from time import process_time

import numpy as np
import pytest

from bot import events as ev
from bot.desk_similar import embedding, masks
from bot.messages import utc_now
from bot.storage.ports import StoredEvent
from bot.understanding.encoder import LexicalEncoder
from desk.similar_texts import timeless


def stored(*events):
    wires = map(ev.to_wire, events)
    return [StoredEvent(seq, wire["event"], wire, utc_now()) for seq, wire in enumerate(wires, 1)]


TALK = stored(
    ev.SlotSet("customer_name", "Lena Hartmann"),
    ev.SlotSet(
        "customer_address", {"street": "Lindenweg 4", "city": "Kassel", "postcode": "34117"}
    ),
    ev.UserUttered(
        "hier Jonas Brandt",
        "m1",
        "webchat",
        parse_data={
            "entities": [{"entity": "name", "value": "Jonas Brandt", "text": "Jonas Brandt"}]
        },
    ),
    ev.HandoffChanged("with_operator", "taken", operator="o", operator_name="Anna Weber"),
    ev.BotUttered("Hallo", metadata={"operator": "p", "name": "Ben Okafor"}),
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Frau Hartmann, das Paket ist da", "Hartmann"),
        ("danke lena!", "lena"),
        ("Jonas hat angerufen", "Jonas"),
        ("Es grüßt Anna", "Anna"),
        ("mein Kollege Okafor hilft", "Okafor"),
        ("Wir liefern nach Kassel", "Kassel"),
        ("an Lindenweg 4 in 34117 Kassel", "Lindenweg"),
        ("Ihre Bestellung TR-104711 ist raus", "104711"),
        ("an lena.h@web.example geschickt", "web.example"),
        ("unter 0561 123 45 67 8 erreichbar", "123 45"),
        ("IBAN DE89 3704 0044 0532 0130 00", "0532"),
        ("Sendung 00340434161094042557", "4042557"),
        ("Link https://pay.example/l/ab12?token=xyz. Danke", "token"),
        ("Ihr Code ist SOMMER-8F3K2", "8F3K2"),
    ],
)
def test_nothing_personal_is_left(text, gone):
    masked = masks(r"TR-\d{6}")(TALK)(text)
    assert gone.casefold() not in masked.casefold()
    assert "«…" in masked


@pytest.mark.parametrize(
    "text", ["Größe XL ist da", "Sie haben 30 Tage Zeit", "Bitte senden Sie ein Foto an uns."]
)
def test_what_is_not_personal_stays(text):
    assert masks(r"TR-\d{6}")(TALK)(text) == text


@pytest.mark.parametrize("piece", ["1.", "1,", "A-", "1-", "A1-a"])
def test_no_text_takes_long_to_read(piece):
    begun = process_time()
    timeless(masks(r"TR-\d{6}")(())(piece * 4_000))
    assert process_time() - begun < 4


def test_vectors_have_length_one_and_compare_what_is_meant(tmp_path):
    made = embedding(LexicalEncoder(), tmp_path)
    rows = made.embed([
        "Wo ist mein Paket?",
        "Wo bleibt mein Paket?",
        "Der Reißverschluss klemmt",
        "",
    ])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows[:3], axis=1), 1.0, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
