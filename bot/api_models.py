"""The bodies of the documented API, as OpenAPI shows them."""

from typing import Annotated, Any

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
    uploads: int = 0
    carts: int = 0
    cases: int = 0
    feedback: int = 0


class ConversationExport(BaseModel):
    """Everything that is stored about a conversation."""

    conversation_id: str
    version: int
    events: list[dict[str, Any]]
    inbox: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    uploads: list[dict[str, Any]]
    cart: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    feedback: list[dict[str, Any]]
