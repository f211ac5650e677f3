"""What both sides said, between messages, readings and events."""

from typing import Any

import msgspec

from bot import events as ev
from bot.messages import Button, InboundMessage, OutboundMessage
from bot.understanding.result import ParseResult, Sentiment
from bot.understanding.router import Understood

PLAN_CHARS = 16


def own_words(parse: ParseResult) -> int:
    """Return how many words of a text are not part of a name, address or number."""
    text = parse.text
    for entity in parse.entities:
        text = text.replace(entity.text, " ")
    return sum(word.isalpha() for word in text.split())


def uttered(message: InboundMessage, parsed: dict[str, Any]) -> ev.UserUttered:
    """Return the event of a message that came in with its reading."""
    return ev.UserUttered(
        text=message.text,
        message_id=message.message_id,
        input_channel=message.channel,
        input_sender=message.sender_id if message.conversation else "",
        parse_data=parsed,
        attachments=tuple(msgspec.to_builtins(a) for a in message.attachments),
        metadata=message.metadata,
    )


def parse_data(understood: Understood) -> dict[str, Any]:
    """Return a reading in the fields of Rasa's `/model/parse`, and ours."""
    parse = understood.parse
    return {
        "text": parse.text,
        "intent": {"name": parse.intent.name, "confidence": parse.intent.confidence},
        "intent_ranking": [
            {"name": intent.name, "confidence": intent.confidence} for intent in parse.ranking[:10]
        ],
        "entities": [
            {
                "entity": entity.type,
                "value": entity.value,
                "start": entity.start,
                "end": entity.end,
                "text": entity.text,
                "confidence_entity": entity.score,
                **({"unit": entity.unit} if entity.unit else {}),
            }
            for entity in parse.entities
        ],
        "language": parse.language,
        "sentiment": feelings(parse.sentiment),
        "commands": [msgspec.to_builtins(command) for command in understood.commands],
    }


def feelings(sentiment: Sentiment) -> dict[str, Any]:
    """Return the mood of a message as events hold it: its score and anger, and what else is so."""
    told = msgspec.structs.asdict(sentiment)
    return {name: value for name, value in told.items() if value or name in {"score", "anger"}}


def speaking(message: OutboundMessage, metadata: dict[str, Any] | None = None) -> ev.BotUttered:
    """Return the event of a message that goes out.

    Args:
        message: what is said.
        metadata: who said it, where that is not the bot.
    """
    data: dict[str, Any] = msgspec.to_builtins(message)
    text = data.pop("text", "")
    response = data.pop("response", "")
    return ev.BotUttered(text, data, metadata or ({"utter_action": response} if response else {}))


def as_message(event: ev.BotUttered) -> OutboundMessage:
    """Return what the bot said as it was sent."""
    response = event.metadata.get("utter_action") or ""
    data = {**event.data, "text": event.text, "response": response}
    return msgspec.convert(data, OutboundMessage)


def bound(message: OutboundMessage, plan: str) -> OutboundMessage:
    """Return a message whose yes button confirms this plan and no other."""
    payload = f'/affirm{{"plan": "{plan[:PLAN_CHARS]}"}}'
    buttons = tuple(
        Button(button.title, payload) if button.payload == "/affirm" else button
        for button in message.buttons
    )
    return msgspec.structs.replace(message, buttons=buttons)
