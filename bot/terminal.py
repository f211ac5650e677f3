"""Texts of others on a terminal."""


def printable(text: str) -> str:
    """Return a text on one line that cannot steer the terminal: a customer chose its signs."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
