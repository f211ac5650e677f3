"""What customers write to a shop, each text once: wishes with real names, numbers and products."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

OPENERS = (
    "", "Hallo, ", "Guten Tag, ", "Hi! ", "Moin, ", "Kurze Frage: ", "Bitte, ", "Entschuldigung, ",
)  # fmt: skip
CLOSERS = (
    "", " Danke!", " Vielen Dank im Voraus.", " Ist dringend.", " Es eilt etwas.", " Bitte!",
    " Das wäre nett.", " Können Sie helfen?",
)  # fmt: skip
WISHES = (
    "wo ist meine Bestellung {number}?",
    "where is my order {number}, it was due on {day} May",
    "ich möchte {number} stornieren, meine E-Mail ist {email}",
    "please cancel order {number}, I ordered it by mistake on day {day}",
    "wann bekomme ich mein Geld für {number} zurück? Das war vor {day} Tagen",
    "I want to return the {product}, it does not fit",
    "haben Sie {product} unter {price} Euro?",
    "do you have a {product} below {price} euros in size {size}?",
    "ich suche ein Geschenk für {price} Euro, vielleicht {product}",
    "ist {product} in Größe {size} lieferbar?",
    "wie lange dauert der Versand nach {city}?",
    "how much is shipping to {city}?",
    "kann ich in {city} auch auf Rechnung zahlen?",
    "bitte die Lieferadresse auf {street}, {postcode} {city} ändern",
    "mein {product} kam beschädigt an, Bestellung {number}",
    "the {product} I got is the wrong colour",
    "legen Sie {product} in den Warenkorb",
    "was ist der Unterschied zwischen {product} und {other}?",
    "mein Name ist {first} {last}, Postleitzahl {postcode}",
    "I am {first} {last} from {city}",
    "nein, lieber {product}",
    "zeigen Sie mir meine Bestellungen seit {day}. März, {email}",
)


def messages(shop: Path, seed: int) -> Iterator[str]:
    """Yield texts that are all different.

    Args:
        shop: a folder in the format of data/demo_shop.
        seed: another one gives other texts.
    """
    chance = random.Random(seed)
    orders = json.loads((shop / "orders.json").read_bytes())
    customers = json.loads((shop / "customers.json").read_bytes())
    titles = [
        title
        for product in json.loads((shop / "products.json").read_bytes())
        for title in product["title"].values()
    ]
    said: set[str] = set()
    while True:
        customer = chance.choice(customers)
        address = customer["address"]
        text = chance.choice(OPENERS) + chance.choice(WISHES) + chance.choice(CLOSERS)
        text = text.format(
            number=chance.choice(orders)["number"], email=customer["email"],
            first=customer["first_name"], last=customer["last_name"], city=address["city"],
            street=address["line1"], postcode=address["postcode"], day=chance.randint(1, 28),
            product=chance.choice(titles), other=chance.choice(titles),
            price=chance.randint(15, 400), size=chance.choice(("S", "M", "L", "XL", "38", "42")),
        )  # fmt: skip
        if text not in said:
            said.add(text)
            yield text
