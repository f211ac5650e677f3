"""Postal addresses in the German and the American way."""

import pytest

from bot.understanding.address import read_address


@pytest.mark.parametrize(
    ("text", "line1", "postcode", "city"),
    [
        ("Hauptstraße 5, 10115 Berlin", "Hauptstraße 5", "10115", "Berlin"),
        ("Am Alten Speicher 4a\n21335 Lüneburg", "Am Alten Speicher 4a", "21335", "Lüneburg"),
        ("Lindenweg 12, 8010 Graz, Österreich", "Lindenweg 12", "8010", "Graz"),
        ("101 Oak Street, Suite 2, Denver, CO 80202, USA", "101 Oak Street", "80202", "Denver"),
    ],
)
def test_addresses_are_read(text, line1, postcode, city):
    address = read_address(text, asked=True)
    assert address is not None
    assert (address["line1"], address["postcode"], address["city"]) == (line1, postcode, city)


@pytest.mark.parametrize("text", ["", "Berlin", "10115 Berlin", "Hauptstraße 5", "TR-104711"])
def test_what_is_not_a_whole_address_is_none(text):
    assert read_address(text, asked=True) is None


def test_unasked_only_a_complete_address_counts():
    assert read_address("Hauptstraße 5, 10115", asked=False) is None
    assert read_address("Hauptstraße 5, 10115", asked=True) is not None
