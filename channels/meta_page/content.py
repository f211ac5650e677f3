"""What a customer's message holds beside words: files, places, shared posts, where it came from."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from bot.messages import Attachment
from channels.meta_page.event import id_in, object_in, objects_in, text_in

THUMB = "👍"
_THUMB_STICKERS = {369239263222822, 369239343222814, 369239383222810}
_FILES: dict[str, Literal["image", "audio", "video", "file"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "file": "file",
    # Their kind is known once they are fetched: a picture or a film.
    "story_mention": "file",
    "share": "file",
    "ig_post": "file",
    "ig_story": "file",
    "reel": "video",
    "ig_reel": "video",
}
_SHARES = {"story_mention", "share", "ig_post", "ig_story", "reel", "ig_reel", "fallback"}
_MAX_ATTACHMENTS = 30
_MAX_URL_CHARS = 4_000


class Content(msgspec.Struct):
    """What was found in a message; `unread` names the kinds of what could not be read."""

    text: str = ""
    attachments: list[Attachment] = []
    metadata: dict[str, object] = {}
    unread: list[str] = []


def content_of(message: Mapping[str, object]) -> Content:
    """Return what a message holds; pressed quick replies give their payload as the text."""
    content = Content(text=text_in(message, "text"))
    payload = text_in(object_in(message, "quick_reply"), "payload")
    if payload:
        content.metadata["title"] = content.text
        content.text = payload
    for attachment in objects_in(message, "attachments")[:_MAX_ATTACHMENTS]:
        _attach(content, attachment)
    _replied(content, object_in(message, "reply_to"))
    if referral := referral_of(object_in(message, "referral")):
        content.metadata["referral"] = referral
    return content


def referral_of(fields: Mapping[str, object]) -> dict[str, object]:
    """Return where a customer came from: an ad, a link, a product; empty if it is not told."""
    ad = object_in(fields, "ads_context_data")
    product = object_in(fields, "product")
    found = {
        "source": text_in(fields, "source"),
        "type": text_in(fields, "type"),
        "id": text_in(fields, "ad_id") or text_in(product, "id") or text_in(ad, "product_id"),
        "ref": text_in(fields, "ref"),
        "url": text_in(fields, "referer_uri"),
        "headline": text_in(ad, "ad_title"),
        "post_id": text_in(ad, "post_id"),
    }
    return {name: value for name, value in found.items() if value}


def _attach(content: Content, attachment: Mapping[str, object]) -> None:
    kind = text_in(attachment, "type")
    payload = object_in(attachment, "payload")
    url = text_in(payload, "url") or text_in(attachment, "url", "URL")
    title = text_in(payload, "title") or text_in(attachment, "title")
    if kind == "image" and _is_thumb(payload.get("sticker_id")):
        content.text = content.text or THUMB
    elif kind == "location":
        _place(content, object_in(payload, "coordinates"), title)
    elif kind == "template" and objects_in(object_in(payload, "product"), "elements"):
        _products(content, objects_in(object_in(payload, "product"), "elements"))
    elif kind in _FILES and url.startswith(("https://", "http://")) and len(url) < _MAX_URL_CHARS:
        content.attachments.append(Attachment(_FILES[kind], f"media:{url}", name=title))
    elif kind != "fallback":
        content.unread.append(kind or "attachment")
    if kind in _SHARES:
        _shared(content, kind, {"title": title, "url": url}, payload)


def _place(content: Content, coordinates: Mapping[str, object], title: str) -> None:
    lat, long = coordinates.get("lat"), coordinates.get("long")
    if _within(lat, 90) and _within(long, 180):
        place = f"geo:{lat:.6f},{long:.6f}"
        content.attachments.append(Attachment("location", place, name=title))
    else:
        content.unread.append("location")


def _within(degrees: object, most: int) -> bool:
    return isinstance(degrees, (int, float)) and abs(degrees) <= most


def _is_thumb(sticker: object) -> bool:
    return isinstance(sticker, int) and sticker in _THUMB_STICKERS


def _products(content: Content, elements: list[dict[str, object]]) -> None:
    """Take products that were sent from the shop's catalogue; without words, their titles."""
    products = [
        {
            "id": text_in(element, "retailer_id", "id"),
            "title": text_in(element, "title"),
        }
        for element in elements[:_MAX_ATTACHMENTS]
    ]
    content.metadata["products"] = products
    titles = ", ".join(product["title"] for product in products if product["title"])
    content.text = content.text or titles


def _shared(
    content: Content, kind: str, told: Mapping[str, str], payload: Mapping[str, object]
) -> None:
    """Take a shared post, reel, story or link; a link without words is the words."""
    media_id = text_in(payload, "ig_post_media_id", "reel_video_id", "id")
    share = {"kind": kind, "id": media_id, **told}
    shares = content.metadata.setdefault("shares", [])
    if isinstance(shares, list):
        shares.append({name: value for name, value in share.items() if value})
    if kind == "fallback" and not content.text:
        content.text = " ".join(value for value in (told["title"], told["url"]) if value)
        if not content.text:
            content.unread.append(kind)


def _replied(content: Content, reply_to: Mapping[str, object]) -> None:
    if replied := id_in(reply_to, "mid"):
        content.metadata["reply_to"] = replied
    if story := object_in(reply_to, "story"):
        told = {"id": text_in(story, "id"), "url": text_in(story, "url")}
        content.metadata["story"] = {name: value for name, value in told.items() if value}
