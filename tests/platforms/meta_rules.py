"""What Meta's Cloud API takes as a message, and how it refuses the rest."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

TOP = {
    *("messaging_product", "recipient_type", "to", "recipient", "type", "context"),
    "biz_opaque_callback_data",
}
TITLES = {
    100: "Invalid parameter",
    190: "Access token has expired",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
}


class Refused(Exception):
    """Meta's answer to a request that it does not take."""

    def __init__(self, code: int, details: str = "", status: int = 400, retry_after_s: int = 0):
        super().__init__(f"{code}: {details}")
        self.code, self.details, self.status = code, details, status
        self.headers = {"retry-after": str(retry_after_s)} if retry_after_s else {}

    def body(self) -> dict:
        title = TITLES.get(self.code, "Unknown")
        return {
            "error": {
                "message": f"(#{self.code}) {title}",
                "type": "OAuthException",
                "code": self.code,
                "error_data": {"messaging_product": "whatsapp", "details": self.details},
                "fbtrace_id": "AbCdEfGhIjKlMnOp",
            }
        }


class Template:
    """A template that Meta approved."""

    def __init__(self, languages: Sequence[str], body: Sequence[str] = (), header="", buttons=0):
        self.languages, self.body, self.header, self.buttons = languages, body, header, buttons


def check_message(
    payload: Mapping, templates: Mapping[str, Template], catalog: Mapping[str, set]
) -> str:
    """Return what the customer reads; refuse what Meta refuses."""
    kind = payload.get("type", "text")
    for name in payload:
        if name not in TOP and name != kind:
            raise Refused(100, f"Unexpected key {name!r} on param")
    wants(payload.get("messaging_product") == "whatsapp", "messaging_product", 100)
    wants(payload.get("recipient_type", "individual") == "individual", "recipient_type", 100)
    wants(bool(payload.get("to")) != bool(payload.get("recipient")), "to", 131008)
    if payload.get("to"):
        wants(bool(re.fullmatch(r"\+?\d{5,20}", payload["to"])), "to")
    else:
        wants(bool(re.fullmatch(r"[A-Z]{2}\.\w{1,128}", payload["recipient"])), "recipient")
    text_within(payload.get("biz_opaque_callback_data", ""), 512, "biz_opaque", least=0)
    if "context" in payload:
        wants(set(payload["context"]) == {"message_id"}, "context.message_id")
    wants(kind in CHECKS and isinstance(payload.get(kind), dict), kind, 131008)
    if kind == "template":
        return _template(payload[kind], templates)
    if kind == "interactive":
        return _interactive(payload[kind], catalog)
    return CHECKS[kind](payload[kind])


def wants(holds: bool, field: str, code: int = 131009) -> None:
    if not holds:
        raise Refused(code, f"{field} is missing or not valid")


def text_within(value: object, most: int, field: str, least: int = 1) -> str:
    wants(isinstance(value, str), field, 131008)
    if len(value) > most:
        raise Refused(131009, f"{field} must be at most {most} characters, got {len(value)}")
    wants(len(value.strip()) >= least, field, 131008)
    return value


def only(fields: Mapping, known: set, field: str) -> None:
    for name in fields:
        if name not in known:
            raise Refused(100, f"Unexpected key {name!r} on param {field!r}")


def _link(url: object, field: str) -> str:
    wants(isinstance(url, str) and urlsplit(url).scheme in {"http", "https"}, field)
    return url


def _text(text: Mapping) -> str:
    only(text, {"body", "preview_url"}, "text")
    return text_within(text.get("body"), 4096, "text.body")


def _media(kind: str, known: set):
    def check(media: Mapping) -> str:
        only(media, {"link", *known}, kind)
        url = _link(media.get("link"), f"{kind}.link")
        if kind == "image":
            wants(not urlsplit(url).path.endswith((".svg", ".gif", ".webp")), "image.link", 131053)
        caption = media.get("caption", "")
        text_within(caption, 1024, f"{kind}.caption", least=1 if "caption" in media else 0)
        text_within(media.get("filename", ""), 240, f"{kind}.filename", least=0)
        return caption or url

    return check


def _location(place: Mapping) -> str:
    only(place, {"latitude", "longitude", "name", "address"}, "location")
    wants(abs(float(place["latitude"])) <= 90, "location.latitude")
    wants(abs(float(place["longitude"])) <= 180, "location.longitude")
    return place.get("name") or "location"


def _interactive(interactive: Mapping, catalog: Mapping[str, set]) -> str:
    only(interactive, {"type", "header", "body", "footer", "action"}, "interactive")
    kind = interactive.get("type")
    wants(kind in {"button", "list", "cta_url", "product", "product_list"}, "interactive.type")
    body = ""
    if kind != "product" or "body" in interactive:
        body = text_within(interactive.get("body", {}).get("text"), 1024, "body.text")
    header = interactive.get("header")
    if header:
        wants(kind != "product", "header")
        wants(header.get("type") == "text" or kind in {"button", "cta_url"}, "header.type")
        if header["type"] == "text":
            text_within(header.get("text"), 60, "header.text")
        else:
            wants(set(header) == {"type", header["type"]}, "header")
            _media(header["type"], set())(header[header["type"]])
    action = interactive.get("action")
    wants(isinstance(action, dict), "action", 131008)
    labels = {"button": _buttons, "list": _rows, "cta_url": _cta}.get(kind)
    if labels:
        return "\n".join([body, *labels(action)])
    wants(kind == "product" or bool(header), "header", 131008)
    return "\n".join([body, *_products(kind, action, catalog)])


def _buttons(action: Mapping) -> list[str]:
    only(action, {"buttons"}, "action")
    replies = [button["reply"] for button in action["buttons"]]
    wants(1 <= len(replies) <= 3, "action.buttons")
    for button in action["buttons"]:
        wants(set(button) == {"type", "reply"} and button["type"] == "reply", "buttons.type")
    return _unique(replies, ("id", 256), ("title", 20), titles_too=True)


def _rows(action: Mapping) -> list[str]:
    only(action, {"button", "sections"}, "action")
    text_within(action.get("button"), 20, "action.button")
    sections = action["sections"]
    wants(1 <= len(sections) <= 10, "sections")
    for section in sections:
        text_within(section.get("title", ""), 24, "sections.title", least=int(len(sections) > 1))
    rows = [row for section in sections for row in section["rows"]]
    wants(1 <= len(rows) <= 10, "rows")
    for row in rows:
        only(row, {"id", "title", "description"}, "rows")
        text_within(row.get("description", ""), 72, "rows.description", least=0)
    return _unique(rows, ("id", 200), ("title", 24), titles_too=False)


def _unique(items: list, identity: tuple, label: tuple, *, titles_too: bool) -> list[str]:
    for name, most in (identity, label):
        values = [text_within(item.get(name), most, name) for item in items]
        wants(all(value == value.strip() for value in values), name)
        if name == "id" or titles_too:
            wants(len(set(values)) == len(values), f"unique {name}")
    return [item.get("description") or item["title"] for item in items]


def _cta(action: Mapping) -> list[str]:
    wants(action.get("name") == "cta_url", "action.name")
    only(action["parameters"], {"display_text", "url"}, "parameters")
    text_within(action["parameters"].get("display_text"), 20, "display_text")
    return [_link(action["parameters"].get("url"), "url")]


def _products(kind: str, action: Mapping, catalog: Mapping[str, set]) -> list[str]:
    known = catalog.get(action.get("catalog_id"))
    wants(known is not None, "catalog_id")
    if kind == "product":
        only(action, {"catalog_id", "product_retailer_id"}, "action")
        ids = [action["product_retailer_id"]]
    else:
        only(action, {"catalog_id", "sections"}, "action")
        for section in action["sections"]:
            text_within(section.get("title"), 24, "sections.title")
        items = [item for section in action["sections"] for item in section["product_items"]]
        ids = [item["product_retailer_id"] for item in items]
        wants(1 <= len(ids) <= 30, "product_items")
    wants(set(ids) <= known, "product_retailer_id")
    return ids


def _template(template: Mapping, templates: Mapping[str, Template]) -> str:
    only(template, {"name", "language", "components"}, "template")
    known = templates.get(template.get("name", ""))
    if known is None or template["language"]["code"] not in known.languages:
        raise Refused(132001, "template name does not exist in this language", status=404)
    given: dict[str, list] = {"header": [], "body": [], "button": []}
    for component in template.get("components", []):
        given[component["type"]] += component["parameters"]
    if len(given["body"]) != len(known.body):
        details = f"number of localizable_params ({len(given['body'])}) does not match"
        raise Refused(132000, f"{details} the expected number of params ({len(known.body)})")
    kinds = [parameter["type"] for parameter in given["body"]]
    header = [parameter["type"] for parameter in given["header"]]
    wants(kinds == list(known.body), "body", 132012)
    wants(header == ([known.header] if known.header else []), "header", 132012)
    wants(len(given["button"]) == known.buttons, "button", 132012)
    texts = [item["text"] for item in (*given["header"], *given["body"]) if item["type"] == "text"]
    for text in texts:
        text_within(text, 1024, "parameter.text")
        wants("\n" not in text and "\t" not in text and " " * 5 not in text, "text", 132012)
    return "\n".join([template["name"], *texts])


CHECKS = {
    "text": _text,
    "image": _media("image", {"caption"}),
    "video": _media("video", {"caption"}),
    "audio": _media("audio", set()),
    "document": _media("document", {"caption", "filename"}),
    "location": _location,
    "interactive": _interactive,
    "template": _template,
}
