"""What replaces entities before an intent is read."""

from bot.understanding.normalise import mask
from bot.understanding.result import Entity


def _entity(text, said, kind):
    start = text.index(said)
    return Entity(kind, said, said, start, start + len(said))


def test_a_product_said_with_its_full_name_is_masked():
    text = "was kostet Kuppelzelt Waldlichtung 2 in TR-104711"
    found = [
        _entity(text, "Kuppelzelt Waldlichtung 2", "product"),
        _entity(text, "TR-104711", "order_number"),
    ]
    assert mask(text, found) == "was kostet PRODUCT in ORDERNUMBER"


def test_a_product_of_one_word_tells_more_than_its_kind():
    text = "ich suche eine Jacke"
    assert mask(text, [_entity(text, "Jacke", "product")]) == text


def test_a_product_that_is_all_that_is_said_keeps_its_name():
    text = "Kuppelzelt Waldlichtung, 50 €!"
    found = [
        _entity(text, "Kuppelzelt Waldlichtung", "product"),
        _entity(text, "50 €", "price_max"),
    ]
    assert mask(text, found) == "Kuppelzelt Waldlichtung, PRICE!"


def test_a_part_of_a_text_has_its_own_offsets():
    text = "Danke. Ist das Sonnensegel Strand noch da?"
    found = [_entity(text, "Sonnensegel Strand", "product")]
    assert mask(text[7:], found, 7) == "Ist das PRODUCT noch da?"
