"""Order numbers as people write them → the codes that Vendure may know them by."""


def codes_for(number: str, example: str) -> list[str]:
    """Return the codes to look for, the likeliest first; none for nothing.

    Args:
        number: as people write it: `#`, spaces, hyphens and case do not matter.
        example: an order number as the shop writes it.
    """
    plain = "".join(c for c in number if c.isalnum()).upper()
    if not plain:
        return []
    return list(dict.fromkeys([_like(plain, example), plain, number.strip().lstrip("#").strip()]))


def _like(plain: str, example: str) -> str:
    """Return letters and digits with the example's signs between them, where they fit."""
    if sum(c.isalnum() for c in example) != len(plain):
        return plain
    rest = iter(plain)
    return "".join(next(rest) if c.isalnum() else c for c in example)
