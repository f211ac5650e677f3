"""The effect ledger in the documented API: what was done outside, for operators and programs."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, HTTPException, Query

from bot.api_models import (
    Effect,
    EffectDetails,
    EffectFilter,
    EffectPage,
    EffectPaging,
    Failure,
)
from bot.effect_amounts import amounts
from bot.storage.effects import EffectEntry, EffectQuery, Ledger

_GONE = {404: {"model": Failure}}


def add_effect_routes(
    api: FastAPI, ledger: Ledger, id_of: Callable[[str], str], guarded: Mapping[str, Any]
) -> None:
    """Add the routes that read the ledger.

    Args:
        api: the application.
        ledger: the effects.
        id_of: gives the id of a sender's conversation.
        guarded: what every guarded route declares: its guard and its refusals.
    """
    options: Any = {**guarded, "responses": {**guarded["responses"], **_GONE}, "tags": ["effects"]}

    @api.get("/effects", **options)
    async def effects(query: Annotated[EffectFilter, Query()]) -> EffectPage:
        """List effects, the oldest first; of those `unknown` the shop has to be asked."""
        return await _page(ledger, query, query.conversation_id)

    @api.get("/effects/{key:path}", **options)
    async def effect(key: str) -> EffectDetails:
        """Show one effect with what was agreed and what the shop answered."""
        entry = await _known(ledger, key, "there is no effect with this key")
        return EffectDetails(**_shown(entry), data=entry.data, result=entry.result)

    @api.get("/conversations/{sender}/effects", **options)
    async def of_conversation(sender: str, query: Annotated[EffectPaging, Query()]) -> EffectPage:
        """List the effects of a sender's conversation; an unknown sender has none."""
        return await _page(ledger, query, id_of(sender))


async def _known(ledger: Ledger, key: str, otherwise: str) -> EffectEntry:
    entry = await ledger.get(key)
    if entry is None:
        raise HTTPException(404, otherwise)
    return entry


async def _page(ledger: Ledger, asked: EffectPaging, conversation_id: str) -> EffectPage:
    if asked.after:
        await _known(ledger, asked.after, "after: there is no such effect; start without it")
    entries = await ledger.find(
        EffectQuery(
            states=tuple(asked.state),
            conversation_id=conversation_id,
            after_key=asked.after,
            limit=asked.limit + 1,
        )
    )
    shown = [Effect(**_shown(entry)) for entry in entries[: asked.limit]]
    return EffectPage(effects=shown, next=shown[-1].key if len(entries) > asked.limit else None)


def _shown(entry: EffectEntry) -> dict[str, Any]:
    """Return what a list may show: nothing of the plan but its amounts."""
    fields = msgspec.structs.asdict(entry)
    del fields["data"], fields["result"]
    return {**fields, **amounts(entry)}
