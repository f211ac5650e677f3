"""Names in the effect ledger."""

import hashlib


def ledger_name(name: str) -> str:
    """Return what stands in the ledger for an id that may name a person: its hash."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]
