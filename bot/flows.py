"""Flows as the engine runs them: slots, steps compiled to nodes, responses.

`bot/flow_files.py` reads them from YAML; nothing here touches a file.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from bot.conditions import Expression
from bot.events import HandoffState

SlotType = Literal[
    "any",
    "text",
    "yes_no",
    "number",
    "order_number",
    "email",
    "phone",
    "postcode",
    "name",
    "date",
    "quantity",
    "rating",
    "code",
    "address",
    "category",
    "choice",
    "choices",
    "variant",
    "product",
    "facts",
]


class SlotOption(msgspec.Struct, frozen=True):
    """A fixed option of a `category` slot with the words that name it, per language.

    `intents` are skills whose wish, said where a yes is due, rather changes the answer to this.
    """

    value: str
    title: dict[str, str]
    words: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    intents: tuple[str, ...] = ()


class Slot(msgspec.Struct, frozen=True):
    """A value that a flow collects or computes.

    `options_from` names the slot with the list of options (dicts with `value` and `title`).
    `remember` lets the value come from anything the customer said in the conversation.
    `check` is a CEL condition over the slots with the new value under `value`.
    """

    name: str
    type: SlotType = "any"
    options: tuple[SlotOption, ...] = ()
    options_from: str = ""
    current_from: str = ""
    item_from: str = ""
    initial: Any = None
    remember: bool = False
    from_payload: bool = False
    check: Expression | None = None
    invalid: str = ""
    words: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class _Located(msgspec.Struct, frozen=True, kw_only=True):
    """Where in its file a step stands."""

    line: int = 0


class _Node(_Located, frozen=True):
    """A step: its id, and the id of the step after it."""

    id: str
    next: str


class Say(_Node, frozen=True):
    """Utter a response."""

    response: str


class Act(_Node, frozen=True):
    """Run an action."""

    action: str


class Collect(_Node, frozen=True):
    """Make sure a slot is filled: from what was said, else by asking.

    `auto_single` takes the only option without asking; `dont_know` is the step to go to when
    the customer does not know the answer. `default` is taken without asking, and can be changed
    like any other answer.
    """

    slot: str
    ask: str
    optional: bool = False
    from_mentions: bool = True
    auto_single: bool = False
    dont_know: str = ""
    default: Expression | None = None


class Confirm(_Node, frozen=True):
    """Show a response and go on at `next` after a yes, at `refused` after a no."""

    refused: str
    response: str
    plan: str = ""


class Branch(_Node, frozen=True):
    """Go to `next` when the condition holds, else to `otherwise`."""

    otherwise: str
    condition: Expression


class Assign(_Node, frozen=True):
    """Set slots to computed values."""

    values: dict[str, Expression]


class Call(_Node, frozen=True):
    """Run another flow and take values back from it."""

    flow: str
    inputs: dict[str, Expression]
    returns: dict[str, str]


class Loop(_Node, frozen=True):
    """Run the steps from `body` once for each item of a list slot, then go on at `next`."""

    body: str
    items: str
    item: str
    inner_slots: tuple[str, ...]


class StartOther(_Node, frozen=True):
    """End this flow and start the one that a slot names."""

    slot: str


class HandOver(_Node, frozen=True):
    """Give the conversation to a person, or back to the bot.

    With another `to` than waiting for one it has happened outside already: what was open is given
    up, and the slot `order` of the flow says when, so that what came late changes nothing.
    """

    reason: str
    to: HandoffState = "waiting_for_operator"


class End(_Node, frozen=True):
    """End the flow; with `failed` the calling flow ends as well."""

    failed: bool = False


Node = Say | Act | Collect | Confirm | Branch | Assign | Call | Loop | StartOther | HandOver | End


class ButtonTemplate(msgspec.Struct, frozen=True):
    """A quick reply with placeholders."""

    title: str
    payload: str


class Variation(msgspec.Struct, frozen=True):
    """One wording of a response in one language.

    `buttons_from` and `cards_from` name slots holding lists to make buttons or cards of. `voice`
    is the short form for the ear, a template like `text`; empty where the text can be spoken.
    With a `tone` it is for customers in that mood only, and before the others.
    """

    text: str
    buttons: tuple[ButtonTemplate, ...] = ()
    buttons_from: str = ""
    cards_from: str = ""
    image: str = ""
    custom: dict[str, Any] = msgspec.field(default_factory=dict)
    voice: str = ""
    tone: str = ""


Responses = dict[str, dict[str, tuple[Variation, ...]]]


class PersonDecides(msgspec.Struct, frozen=True):
    """A condition under which a person decides what a skill is about to propose, and why."""

    when: Expression
    reason: str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether it holds; not where the skill knows nothing of what it reads.

        Raises:
            ConditionError: it cannot be evaluated.
        """
        return self.when.names <= values.keys() and self.when.holds(values)


class Flow(msgspec.Struct, frozen=True):
    """A skill or a pattern, ready to run.

    `skip_if` ends the flow at once when it holds, also when it is resumed.
    `listed` shows it where the bot tells what it can do; `yields` lets any other wish of the
    same message go before it, as a greeting does; `each_order` serves several order numbers in
    one message one after the other; `alone` gives up everything else when it begins; skills
    of one `family` are one wish when a message names them side by side; one that goes
    `without_order` gives way to the next best reading when a message names an order; one that
    begins only `when_clear` is asked about before, unless the words are calm and plain.
    `anything_else` lets the bot ask whether there is more to do when the flow is done.
    A flow begun by something outside the conversation leaves an open question unasked unless it
    `asks_again`, and runs while a person has the conversation only if told so (`during_handoff`).
    One that is `for_operators` only an operator can begin, and must say why.
    When one of `hand_off` holds, a person gets the conversation before a plan is put to the
    customer.
    """

    id: str
    title: dict[str, str]
    description: str
    slots: dict[str, Slot]
    nodes: dict[str, Node]
    start: str
    responses: Responses
    path: str = ""
    skip_if: Expression | None = None
    anything_else: bool = True
    listed: bool = True
    yields: bool = False
    each_order: bool = False
    alone: bool = False
    family: str = ""
    without_order: bool = False
    when_clear: bool = False
    during_handoff: bool = False
    asks_again: bool = False
    hand_off: tuple[PersonDecides, ...] = ()
    for_operators: bool = False

    def asks_for(self, slot: str) -> str:
        """Return the id of the step that asks the customer for a slot, empty if none does."""
        for node in self.nodes.values():
            if isinstance(node, Collect) and node.slot == slot:
                return node.id
        return ""

    def takes_from_payload(self, slot: str) -> bool:
        """Return whether a button may fill a slot: only what a customer may say as well."""
        return slot in self.slots and (self.slots[slot].from_payload or bool(self.asks_for(slot)))

    def title_in(self, language: str) -> str:
        """Return the title in a language, else in any language there is."""
        return self.title.get(language) or next(iter(self.title.values()), self.id)


class FlowSet(msgspec.Struct, frozen=True):
    """All flows by id, and the slots that belong to the conversation as a whole.

    What stands in `hand_off` holds for every skill that puts a plan to the customer.
    """

    flows: dict[str, Flow]
    session_slots: dict[str, Slot]
    responses: Responses
    hand_off: tuple[PersonDecides, ...] = ()

    def values(
        self, session: Mapping[str, Any], flow: Flow, own: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what a condition or a template of `flow` may read, declared slots first."""
        values: dict[str, Any] = {name: slot.initial for name, slot in self.session_slots.items()}
        values.update(session)
        values.update({name: slot.initial for name, slot in flow.slots.items()})
        values.update(own)
        return values

    def response(self, name: str, flow: Flow | None) -> dict[str, tuple[Variation, ...]] | None:
        """Return a response by name: the flow's own first, then anybody's."""
        if flow is not None and name in flow.responses:
            return flow.responses[name]
        return self.responses.get(name)
