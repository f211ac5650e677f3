"""What the bot says in a turn: rendered, matched to its evidence, and put on record."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from bot import events as ev
from bot.action_runner import ActionOutcome
from bot.conversation import Draft
from bot.engine import Engine
from bot.engine_stack import STALE
from bot.flows import Flow, FlowSet
from bot.grounding import Gate, Ungrounded, handed_over
from bot.languages import spoken_language
from bot.messages import OutboundMessage
from bot.open_turn import OpenTurn
from bot.responses import Renderer, ResponseError
from bot.utterances import as_message, bound, speaking

AS_OF = "as_of"
"""Where a `bot` event says when the price or stock that it tells was read."""
log = structlog.get_logger(__name__)


class Spoken(msgspec.Struct, frozen=True):
    """A message that nothing speaks against; `as_of` is empty where it cannot become old."""

    message: OutboundMessage
    as_of: str = ""


class Speaker:
    """Renders responses, lets the gate look at them, and records what is said."""

    def __init__(
        self,
        flows: FlowSet,
        engine: Engine,
        renderer: Renderer,
        gate: Gate | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Speak for `engine` in the words of `renderer`; without a `gate` nothing is checked."""
        self._flows = flows
        self._engine = engine
        self._renderer = renderer
        self._gate = gate
        self._clock = clock

    def language(self, turn: OpenTurn) -> str:
        """Return the language the customer is answered in."""
        return spoken_language(turn.draft.conversation, turn.message, self._renderer.languages)

    def utter(self, turn: OpenTurn, name: str) -> tuple[list[Spoken], str]:
        """Return a response, or nothing and why it cannot be said."""
        values = self._engine.values(turn.draft.conversation)
        flow = self._flow(turn.draft)
        try:
            said = self._renderer.render(name, flow, values, self.language(turn), _seed(turn.draft))
            return [self._grounded(turn, said, flow, values)], ""
        except Ungrounded as error:
            return [], str(error)
        except ResponseError as error:
            log.warning(
                "response_failed", response=name, error=type(error.__cause__ or error).__name__
            )
            return [], f"the response '{name}' cannot be rendered"

    def answers(
        self, turn: OpenTurn, outcome: ActionOutcome, values: dict[str, Any]
    ) -> list[Spoken]:
        """Return what an action says.

        Raises:
            ResponseError: It cannot be rendered.
            Ungrounded: It claims what nothing supports.
        """
        flow, slots = self._flow(turn.draft), {**values, **outcome.slots}
        language, seed = self.language(turn), _seed(turn.draft)
        said = []
        for raw in outcome.responses:
            message = self._renderer.from_action(raw, flow, slots, language, seed)
            said.append(self._grounded(turn, message, flow, handed_over(raw, slots)))
        return said

    def again(self, events: Sequence[ev.BotUttered]) -> tuple[list[Spoken], str]:
        """Return what was said before, or nothing if a price or stock in it is too old by now."""
        said = [Spoken(as_message(e), str(e.metadata.get(AS_OF) or "")) for e in events]
        if self._gate is not None and self._gate.is_past((s.as_of for s in said), self._clock()):
            return [], STALE
        return said, ""

    def speak(self, turn: OpenTurn, said: Iterable[Spoken]) -> None:
        """Put on record what is said."""
        plan = self._engine.shown_plan(turn.draft.conversation)
        for one in said:
            message = bound(one.message, plan) if plan else one.message
            metadata = {"utter_action": message.response, AS_OF: one.as_of}
            kept = {name: value for name, value in metadata.items() if value}
            turn.draft.emit(speaking(message, kept))
            turn.said.append(message)

    def _grounded(
        self, turn: OpenTurn, message: OutboundMessage, flow: Flow | None, values: dict[str, Any]
    ) -> Spoken:
        """Return a message that nothing speaks against; keep what it rests on.

        Raises:
            Ungrounded: It claims what nothing supports.
        """
        if self._gate is None:
            return Spoken(message)
        verdict = self._gate.check(message, flow, values, turn.message.text, self._clock())
        if verdict.event is not None:
            turn.draft.emit(verdict.event)
        verdict.insist()
        return Spoken(message, verdict.as_of)

    def _flow(self, draft: Draft) -> Flow | None:
        top = draft.conversation.top
        return self._flows.flows[top.flow_id] if top else None


def _seed(draft: Draft) -> str:
    return f"{draft.conversation.id}:{draft.conversation.turns}"
