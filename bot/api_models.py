"""The bodies of the documented API, as OpenAPI shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_TEXT_CHARS = 10_000

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class ParseRequest(BaseModel):
    """A text to be understood without saying it in a conversation."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=MAX_TEXT_CHARS, description="What a customer might say")
    message_id: str | None = Field(default=None, max_length=255)


class RestMessage(BaseModel):
    """One message of one customer; the REST channel reads it itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"sender": "anna", "message": "Wo ist meine Bestellung?"}]},
    )
    sender: Name = Field(description="Who writes, as the caller tells customers apart")
    message: str = Field(
        max_length=MAX_TEXT_CHARS, description="What they say, or the payload of a button"
    )
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="Kept with the message; the same `message_id` again gets the same answers",
    )
    time_zone: str | None = Field(
        default=None,
        description="The customer's, an IANA name such as `America/Los_Angeles`: what “tomorrow” "
        "means, and the clock of times in answers. Kept for the conversation; unknown names are "
        "ignored, and without one it is that of the customer's country, else the shop's",
    )


class RestButton(BaseModel):
    """A quick reply; its payload is sent back as the next message."""

    title: str
    payload: str


class RestAnswer(BaseModel):
    """One of the bot's answers, in Rasa's shape; absent fields are left out."""

    recipient_id: str
    text: str | None = None
    buttons: list[RestButton] | None = None
    image: str | None = None
    custom: dict[str, Any] | None = Field(default=None, description="`cards`, `attachments`, …")


class Failure(BaseModel):
    """Why a request was refused."""

    status: str = "failure"
    code: int
    reason: str
    message: str
    field: str | None = None


class Erasure(BaseModel):
    """How many records of a conversation were erased."""

    events: int
    inbox: int
    outbox: int
    effects: int = 0
    contacts: int = 0
    media: int = 0
    uploads: int = 0
    carts: int = 0
    cases: int = 0
    feedback: int = 0
    desk_cases: int = 0
    desk_solved: int = 0


class ConversationExport(BaseModel):
    """Everything that is stored about a conversation."""

    conversation_id: str
    version: int
    events: list[dict[str, Any]]
    inbox: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    uploads: list[dict[str, Any]]
    cart: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    desk_cases: list[dict[str, Any]]
    desk_solved: list[dict[str, Any]]
    chain: dict[str, Any]
    feedback: list[dict[str, Any]]


EffectStateName = Literal["intended", "sent", "done", "refused", "unknown"]


class EffectPaging(BaseModel):
    """Which page of effects is asked for."""

    model_config = ConfigDict(extra="forbid")
    state: list[EffectStateName] = Field(
        default=[], description="Only these states; repeat it for several"
    )
    limit: int = Field(default=100, ge=1, le=500)
    after: str = Field(default="", description="`next` of the page before")


class EffectFilter(EffectPaging):
    """Which effects are asked for."""

    conversation_id: str = Field(default="", description="Whole, as in an effect")


class Effect(BaseModel):
    """One outside effect: a refund, a cancellation, an e-mail; no field tells of a person."""

    key: str = Field(description="The idempotency key that the shop was given, too")
    conversation_id: str
    step: str
    operation: str = Field(description="The kind of the plan: cancel, return, …")
    subject: str = Field(description="The order number or other id it is about; may be empty")
    state: EffectStateName = Field(
        description="`unknown`: sent, and the shop has to be asked what became of it"
    )
    intended_at: datetime
    attempts: int = Field(description="How often it was sent")
    sent_at: datetime | None = Field(description="When it was sent last")
    settled_at: datetime | None = Field(description="When it was done or refused")
    error: str = Field(description="A code; empty without an error")
    pays_minor: int | None = Field(description="What the customer pays, in minor units")
    refunds_minor: int | None = Field(description="What the customer gets back, in minor units")
    currency: str | None


class EffectDetails(Effect):
    """An effect with what was agreed and what the shop answered."""

    data: dict[str, Any] = Field(description="The plan the customer agreed to")
    result: dict[str, Any]


class EffectPage(BaseModel):
    """Effects in the order in which they were intended."""

    effects: list[Effect]
    next: str | None = Field(description="Pass it as `after` for the next page; null on the last")
