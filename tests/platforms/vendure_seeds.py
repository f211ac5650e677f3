"""What Vendure calls the things of shop_small, and the files that they come from."""

import json
from dataclasses import dataclass, field

from tests.fixtures.small_shop import FOLDER

ID = "{ id }"


@dataclass
class Seeds:
    """What Vendure calls the things of shop_small."""

    api_key: str = ""
    customers: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    variants: dict[str, str] = field(default_factory=dict)
    lines: dict[tuple[str, str], str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)


def load(name: str) -> list[dict]:
    """Return a file of the folder."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def texts(values: dict, **more) -> list[dict]:
    """Return translations with a name in each language."""
    return [{"languageCode": la, "name": text, **more} for la, text in values.items()]
