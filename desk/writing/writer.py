"""Has a language model write about cases, and shows only what holds against the material."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Literal

import msgspec
import structlog

from desk.writing.grounding import only_claimed, ungrounded
from desk.writing.hiding import Hiding
from desk.writing.instructions import for_draft, for_summary
from desk.writing.material import Material, fenced, material_of
from desk.writing.ports import Hides, LanguageModel, ModelFailed, Outcome, Source
from desk.writing.shapes import Misshapen, reply_text, summary_parts

Kind = Literal["summary", "draft"]
MOST_KEPT = 200
KEPT_S = 900.0
REST_S = 30.0
"""After a failure, so long no summary is asked for by a page itself."""
PENDING_S = 8.0
"""A page is told after so long that the text is being written."""
log = structlog.get_logger(__name__)


class Limits(msgspec.Struct, frozen=True):
    """How much is asked of the model: texts `at_once`, and `timeout_s` for each, waiting included.

    `rest_s` and `pending_s` are as the constants above.
    """

    timeout_s: float = 60.0
    at_once: int = 2
    rest_s: float = REST_S
    pending_s: float = PENDING_S


class _Kept(msgspec.Struct):
    """A text that was written, or is being written, from a material with this digest."""

    digest: str
    redacted_at: datetime | None
    task: asyncio.Task[Outcome]
    since: float


class Writer:
    """Summaries and drafts. A text is written once for the same material, however many ask."""

    def __init__(
        self,
        model: LanguageModel,
        hides: Hides | None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write with `model`.

        Args:
            model: writes.
            hides: finds personal data, which then is not sent; None sends it.
            limits: of time and number.
            clock: seconds of a clock that never goes back.
        """
        self._model = model
        self._hides = hides
        self._limits = limits or Limits()
        self._clock = clock
        self._places = asyncio.Semaphore(self._limits.at_once)
        self._kept: dict[tuple[str, Kind, str], _Kept] = {}
        self._rest_until = 0.0

    async def summary(self, source: Source, *, renew: bool = True) -> Outcome:
        """Return the summary of a case, or that it is pending.

        Args:
            source: of the case.
            renew: whether one of an older state of the case is written anew.
        """
        return await self._text("summary", source, renew=renew)

    async def draft(self, source: Source, *, renew: bool = True) -> Outcome:
        """Return a reply to the customer, or that it is pending.

        Args:
            source: of the case.
            renew: whether one of an older state of the case is written anew.
        """
        return await self._text("draft", source, renew=renew)

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return no records: what was written is kept for minutes, and made from the events."""
        del conversation_id
        return {}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Forget what was written about a conversation and return how many texts there were."""
        gone = [key for key in self._kept if key[0].rpartition("#")[0] == conversation_id]
        for key in gone:
            self._kept.pop(key).task.cancel()
        return {"written_texts": len(gone)}

    async def close(self) -> None:
        """Stop writing."""
        tasks = [kept.task for kept in self._kept.values() if not kept.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()
        await self._model.close()

    async def _text(self, kind: Kind, source: Source, *, renew: bool) -> Outcome:
        hiding = Hiding(self._hides(source.slots, source.names) if self._hides else None)
        material = await asyncio.to_thread(material_of, source, hiding)
        key, digest = (source.case_id, kind, source.language), _digest(material, hiding)
        kept = self._still(key)
        if kept is not None and kept.redacted_at != source.redacted_at:
            kept, renew = None, True
        is_old = kept is not None and kept.digest != digest
        if kept is None and not renew:
            return Outcome("failed", why="forgotten")
        if kept is None or (is_old and renew):
            if kind == "summary" and self._clock() < self._rest_until:
                return Outcome("failed", why="rests")
            work = self._written(kind, source.language, material, hiding)
            kept, is_old = self._keep(key, (digest, source.redacted_at), work), False
        done, _ = await asyncio.wait({kept.task}, timeout=self._limits.pending_s)
        if not done or kept.task.cancelled():
            return Outcome("pending")
        outcome = kept.task.result()
        if outcome.state == "failed" and self._kept.get(key) is kept:
            del self._kept[key]
        return msgspec.structs.replace(outcome, is_old=is_old)

    def _still(self, key: tuple[str, Kind, str]) -> _Kept | None:
        """Return what is kept of a case, if it is not too old; forget all that is."""
        now = self._clock()
        for known, kept in list(self._kept.items()):
            if kept.task.cancelled() or (kept.task.done() and now - kept.since > KEPT_S):
                del self._kept[known]
        return self._kept.get(key)

    def _keep(
        self,
        key: tuple[str, Kind, str],
        state: tuple[str, datetime | None],
        work: Coroutine[Any, Any, Outcome],
    ) -> _Kept:
        old = self._kept.pop(key, None)
        if old is not None:
            old.task.cancel()
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept))).task.cancel()
        self._kept[key] = _Kept(*state, asyncio.create_task(work), self._clock())
        return self._kept[key]

    async def _written(
        self, kind: Kind, language: str, material: Material, hiding: Hiding
    ) -> Outcome:
        """Return what the model makes of it; whatever goes wrong, no more than that is told."""
        begun = self._clock()
        try:
            text = await self._asked(kind, language, material)
            outcome = await asyncio.to_thread(_held, kind, language, text, (material, hiding))
        except ModelFailed as error:
            self._rest_until = self._clock() + self._limits.rest_s
            outcome = Outcome("failed", why=error.why)
        except Misshapen as error:
            outcome = Outcome("withheld", why=error.why)
        except Exception as error:  # noqa: BLE001 - whatever customers and models write
            log.warning("desk_text_not_read", error=type(error).__name__)
            outcome = Outcome("failed", why="broken")
        took_s = round(self._clock() - begun, 1)
        log.info("desk_text", kind=kind, state=outcome.state, why=outcome.why, took_s=took_s)
        return outcome

    async def _asked(self, kind: Kind, language: str, material: Material) -> str:
        instructions = for_summary(language) if kind == "summary" else for_draft(language)
        try:
            async with asyncio.timeout(self._limits.timeout_s), self._places:
                return await self._model.write(instructions, fenced(material.text))
        except TimeoutError as error:
            raise ModelFailed("slow") from error
        except ModelFailed:
            raise
        except Exception as error:  # a model of somebody's own may raise anything
            log.warning("desk_model_broke", error=type(error).__name__)
            raise ModelFailed("broken") from error


def _held(kind: Kind, language: str, text: str, rests: tuple[Material, Hiding]) -> Outcome:
    """Return a text with its placeholders filled, if it has its form and stands on its material.

    Raises:
        Misshapen: it has another form.
    """
    material, hiding = rests
    parts = summary_parts(text) if kind == "summary" else {"reply": reply_text(text)}
    if not any(parts.values()):
        return Outcome("withheld", why="nothing")
    ground = Material("", hiding.stripped(material.trusted), hiding.stripped(material.claimed))
    said = hiding.stripped("\n".join(parts.values()))
    if (claim := ungrounded(said, ground, language, is_reply=kind == "draft")) is not None:
        return Outcome("withheld", why=claim.kind)
    shown = {name: hiding.show(part) for name, part in parts.items()}
    return Outcome("ready", shown, only_claimed(said, ground))


def _digest(material: Material, hiding: Hiding) -> str:
    """Return what tells this material, with all that is hidden in it, from any other."""
    packed = msgspec.json.encode((material.text, sorted(hiding.hidden.items())))
    return hashlib.sha256(packed).hexdigest()
