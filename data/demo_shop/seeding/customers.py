"""Invent the customers of the demo shop."""

import random
import unicodedata

from .clock import hour

COUNT = 232
MAIL_HOSTS = ["example.com", "example.org", "example.net", "post.example", "mail.example"]
LANDLINES = ["+493023125", "+496990009", "+494066969", "+492214710", "+498999998"]
KINDS = ["paypal", "credit_card", "sepa", "invoice"]
SPELLED = str.maketrans({
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "ß": "ss",
    "ı": "i",
    "ł": "l",
    "ø": "o",
    " ": "",
})


def mail_name(first: str, last: str) -> str:
    """Return the part of an e-mail address before the @ sign."""
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".lower().translate(SPELLED))
    return "".join(c for c in plain if c.isascii())


def _method(customer_id: str, kind: str, rng: random.Random) -> dict:
    """Return a payment method of a customer."""
    brand, last_four, balance = "", "", None
    if kind == "credit_card":
        brand, last_four = rng.choice(["Visa", "Mastercard"]), f"{rng.randint(0, 9999):04d}"
    elif kind == "gift_card":
        brand, last_four = "Kontor", f"{rng.randint(0, 9999):04d}"
        balance = rng.choice([1000, 1750, 2500, 3480, 5000, 7500, 10000])
    elif kind == "sepa":
        last_four = f"{rng.randint(0, 9999):04d}"
    return {
        "id": f"{customer_id}-{kind}",
        "kind": kind,
        "brand": brand,
        "last_four": last_four,
        "balance_minor": balance,
    }


def _named(row: list) -> dict:
    """Return a customer of a documented scenario."""
    key, first, last, language, tier, street, postcode, city, region, country, phone, kinds = row
    rng = random.Random(f"customer {key}")
    address = {
        "line1": street,
        "line2": "",
        "postcode": postcode,
        "city": city,
        "region": region,
        "country": country,
    }
    return {
        "id": key,
        "first_name": first,
        "last_name": last,
        "email": f"{mail_name(first, last)}@example.com",
        "phone": phone,
        "language": language,
        "tier": tier,
        "address": address,
        "payment_methods": [_method(key, kind, rng) for kind in kinds],
        "created_at": hour(-rng.randint(600, 900), 9),
    }


def _phone(number: int, country: str, rng: random.Random) -> str:
    """Return a number from a range reserved for fiction, or nothing."""
    if country == "DE" and rng.random() < 0.8:
        if rng.random() < 0.4:
            return f"+4917139200{number % 100:02d}"
        return f"{LANDLINES[number % 5]}{200 + number:03d}"
    return f"+3363998{1000 + number:04d}" if country == "FR" else ""


def _kinds(country: str, rng: random.Random) -> list[str]:
    """Return the kinds of one to three payment methods."""
    offered = KINDS if country in {"DE", "AT"} else KINDS[:2]
    kinds = rng.sample(offered, rng.choice([1, 1, 2]))
    return [*kinds, "gift_card"] if rng.random() < 0.2 else kinds


def _address(country: str, people: dict, rng: random.Random) -> dict:
    """Return an invented address in a real town."""
    city, region, postcodes = rng.choice(people["cities"][country])
    streets = people["streets"]
    street = rng.choice(streets["de"] if country == "DE" else streets[country])
    number = rng.randint(1, 148)
    number_first = country in {"IE", "FR", "LU"}
    extra = rng.random() if country == "DE" else 1
    return {
        "line1": f"{number} {street}" if number_first else f"{street} {number}",
        "line2": rng.choice(["Hinterhaus", "2. Etage links", "c/o Berg", "Aufgang B"])
        if extra < 0.08
        else "",
        "postcode": rng.choice(postcodes),
        "city": city,
        "region": region,
        "country": country,
    }


def _invented(number: int, people: dict, taken: set[str]) -> dict:
    """Return a random customer.

    Args:
        number: running number.
        people: the bank `people.yml`.
        taken: names already used before the @ sign; the new one is added.
    """
    key = f"C{number:04d}"
    rng = random.Random(f"customer {key}")
    country = rng.choices(["DE", "AT", "EU"], [82, 10, 8])[0]
    language = "en" if country == "EU" or (country == "DE" and rng.random() < 0.07) else "de"
    if country == "EU":
        country = rng.choice(["IE", "NL", "FR", "BE", "DK", "SE", "IT", "ES", "PL", "LU"])
    first, last = rng.choice(people["first"][language]), rng.choice(people["last"][language])
    while mail_name(first, last) in taken:
        first, last = rng.choice(people["first"][language]), rng.choice(people["last"][language])
    taken.add(mail_name(first, last))
    return {
        "id": key,
        "first_name": first,
        "last_name": last,
        "email": f"{mail_name(first, last)}@{rng.choice(MAIL_HOSTS)}",
        "phone": _phone(number, country, rng),
        "language": language,
        "tier": "gold" if rng.random() < 0.15 else "standard",
        "address": _address(country, people, rng),
        "payment_methods": [_method(key, kind, rng) for kind in _kinds(country, rng)],
        "created_at": hour(-rng.randint(560, 1400), rng.randint(6, 21)),
    }


def customers(people: dict) -> list[dict]:
    """Return all customers, the documented ones first.

    Args:
        people: the bank `people.yml`.
    """
    made = [_named(row) for row in people["named"]]
    taken = {one["email"].split("@")[0] for one in made}
    made.extend(_invented(number, people, taken) for number in range(len(made) + 1, COUNT + 1))
    return made
