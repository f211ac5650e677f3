"""One-time permits: a write that arrives twice, or after it was given up, is not done again.

Before a write the adapter puts a private note on the order or customer. The write's document first
touches that note, which fails and ends the document when the note is gone, and then deletes it.
"""

from typing import Literal

from actions.commerce.errors import CommerceError, OutcomeUnknown, ShopRefused, ShopUnavailable
from actions.commerce.requests import Request
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json, VendureApi
from actions.commerce.vendure.marks import mark_in, marked

Owner = Literal["order", "customer"]
BEGUN = "service bot: begun"
TAKEN = "ENTITY_NOT_FOUND"


async def permit(api: VendureApi, owner: Owner, raw: Json, request: Request, key: str) -> str:
    """Return the id of the note that permits a write once; made when there is none yet.

    Args:
        api: the Admin API.
        owner: what carries the note.
        raw: an order or customer with its `history`.
        request: what is to be done.
        key: the idempotency key.

    Raises:
        KeyReused: the permit is for something else.
        ShopRefused: the shop takes no note.
        ShopUnavailable: the note may or may not be there; nothing was done.
    """
    found = _permit_in(raw, key, request)
    if found is not None:
        return found
    note = {"id": raw["id"], "note": begun(request, key), "isPublic": False}
    try:
        data, code = await api.write(documents.ANNOUNCE[owner], note=note)
    except OutcomeUnknown as error:
        raise ShopUnavailable(error.detail) from error
    made = None if code else _permit_in(data["note"], key, request)
    if made is None:
        raise ShopRefused(code)
    return made


def announced(raw: Json, key: str) -> bool:
    """Tell whether a permit is there that no write has used yet.

    Args:
        raw: an order or customer with its `history`.
        key: the idempotency key.
    """
    return _permit_in(raw, key) is not None


async def revoke(api: VendureApi, owner: Owner, raw: Json, key: str) -> None:
    """Take a permit back that was not used, so that a write on its way is not done any more.

    Args:
        api: the Admin API.
        owner: what carries the note.
        raw: an order or customer with its `history`.
        key: the idempotency key.

    Raises:
        ShopUnavailable: it is being used at this moment, or cannot be taken back.
    """
    found = _permit_in(raw, key)
    if found is None:
        return
    try:
        data, code = await api.write(documents.REVOKE[owner], permit=found)
    except OutcomeUnknown as error:
        raise ShopUnavailable(error.detail) from error
    if code or data["once"]["result"] != "DELETED":
        msg = "the write is being done"
        raise ShopUnavailable(msg)


def begun(request: Request, key: str) -> str:
    """Return the text of a permit's note.

    Args:
        request: what is to be done.
        key: the idempotency key.
    """
    return marked(BEGUN, _name(key), request)


def refusal(code: str, kinds: dict[str, type[CommerceError]] | None = None) -> CommerceError:
    """Return the error for a write that left no trace.

    Args:
        code: what Vendure answered.
        kinds: errors of ours for codes.
    """
    if code == TAKEN:  # another request used the permit, and has not come to its end
        return OutcomeUnknown(code)
    return (kinds or {}).get(code, ShopRefused)(code)


def _permit_in(raw: Json, key: str, request: Request | None = None) -> str | None:
    for entry in raw["history"]["items"]:
        mark = mark_in(entry["data"].get("note"), _name(key))
        if mark is not None:
            if request is not None:
                mark.check(request)
            return str(entry["id"])
    return None


def _name(key: str) -> str:
    return f"{key}~begun"
