"""What Alexa is answered: speech, reprompt, card, and whether the microphone opens again. Pure."""

import re
from collections.abc import Sequence

import msgspec

from bot.messages import OutboundMessage
from channels.base import Payload
from channels.shaping import shorten, with_listing
from channels.spoken import asks, holds_link, spoken_text, ssml
from channels.wire import clean_text

MAX_CARD_CHARS = 8_000
MAX_URL_CHARS = 2_000
SILENCE: Payload = {"version": "1.0", "response": {}}
"""The answer to everything that waits for no words, such as the end of a session."""

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_PHRASES = {
    "de": {
        "not_heard": "Das habe ich nicht verstanden. Beginnen Sie zum Beispiel mit: ich möchte. "
        "Oder fragen Sie: wo ist mein Paket?",
        "later": "Das dauert noch einen Moment. Sagen Sie gleich: wiederholen, dann sage ich es "
        "Ihnen und zeige es in der Alexa-App. Möchten Sie warten?",
        "bye": "Bis bald.",
        "again": "Was möchten Sie tun?",
        "wait": "Einen Moment, ich sehe nach.",
        "link": "Den Link finden Sie in der Alexa-App.",
        "account": "Sie können auch in der Alexa-App Ihr Konto verknüpfen.",
    },
    "en": {
        "not_heard": "I didn't get that. Begin with: I want to. Or ask: where is my parcel?",
        "later": "That takes a moment longer. Say repeat, and I'll tell you, and show it in the "
        "Alexa app. Would you like to wait?",
        "bye": "See you soon.",
        "again": "What would you like to do?",
        "wait": "One moment, I'm looking it up.",
        "link": "You find the link in the Alexa app.",
        "account": "You can also link your account in the Alexa app.",
    },
}


class Manner(msgspec.Struct, frozen=True):
    """How a request is answered.

    `may_link` asks to link the account where the customer has to say who they are: one of
    `identity_responses`, or a message with `custom.link_account`.
    """

    language: str
    order_number_pattern: str = ""
    card_title: str = ""
    stays: bool = False
    may_link: bool = False
    identity_responses: tuple[str, ...] = ()


def phrase(name: str, language: str) -> str:
    """Return one of Alexa's own phrases in German, else in English."""
    return _PHRASES["de" if language.startswith("de") else "en"][name]


def own_words(name: str, manner: Manner, *, stays: bool) -> Payload:
    """Return the answer that consists of one of Alexa's own phrases."""
    said = OutboundMessage(text=phrase(name, manner.language))
    return spoken_answer((said,), msgspec.structs.replace(manner, stays=stays), with_card=False)


def spoken_answer(
    said: Sequence[OutboundMessage], manner: Manner, *, with_card: bool = True
) -> Payload:
    """Return the answer that says all messages in one go.

    Args:
        said: what the bot says, in order; one that is said twice is said once.
        manner: how.
        with_card: whether the whole text is shown in the Alexa app.
    """
    said = list({msgspec.json.encode(message): message for message in said}.values())
    links = manner.may_link and any(_needs_account(message, manner) for message in said)
    texts = [spoken_text(message, manner.language) for message in said]
    texts += [phrase("link", manner.language)] * any(map(holds_link, said))
    texts += [phrase("account", manner.language)] * links
    speech = "\n".join(text for text in texts if text)
    response: Payload = {}
    if speech:
        response["outputSpeech"] = _spoken(speech, manner)
    card = {"type": "LinkAccount"} if links else _card(said, manner) if with_card else None
    if card:
        response["card"] = card
    stays = manner.stays or any(asks(message) for message in said)
    if stays:
        response["reprompt"] = {"outputSpeech": _spoken(_question(texts, manner), manner)}
    response["shouldEndSession"] = not stays
    return {"version": "1.0", "response": response}


def _needs_account(message: OutboundMessage, manner: Manner) -> bool:
    return message.custom.get("link_account") is True or (
        bool(message.response) and message.response in manner.identity_responses
    )


def _spoken(text: str, manner: Manner) -> Payload:
    document = ssml(text, manner.language, manner.order_number_pattern)
    return {"type": "SSML", "ssml": document}


def _question(texts: Sequence[str], manner: Manner) -> str:
    """Return the last question that was asked, and what follows it, to be asked once more."""
    sentences = [part.strip() for text in texts for part in _SENTENCE.findall(text)]
    last = max((n for n, part in enumerate(sentences) if part.endswith("?")), default=-1)
    return " ".join(sentences[last:]) if last >= 0 else phrase("again", manner.language)


def _card(said: Sequence[OutboundMessage], manner: Manner) -> Payload | None:
    shown = (with_listing(item.text, item.buttons, item.cards) or item.voice for item in said)
    text = clean_text("\n\n".join(part for part in shown if part))
    image = next((url for item in said if (url := _image(item))), "")
    if not text and not image:
        return None
    title = shorten(manner.card_title, 200)
    text = shorten(text, MAX_CARD_CHARS - len(title))
    if not image:
        return {"type": "Simple", "title": title, "content": text}
    images = {"smallImageUrl": image, "largeImageUrl": image}
    return {"type": "Standard", "title": title, "text": text, "image": images}


def _image(message: OutboundMessage) -> str:
    """Return the first picture that the app may load: over https, at a short address."""
    urls = (message.image_url, *(card.image_url for card in message.cards))
    fit = (url for url in urls if url.startswith("https://") and len(url) <= MAX_URL_CHARS)
    return next(fit, "")
