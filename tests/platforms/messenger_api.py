"""Meta's Send API as documented: who may call it, what a message may hold, which errors come."""

import hashlib
import hmac
import json

import msgspec

SECOND_MS = 1_000
DAY_MS = 24 * 3_600 * SECOND_MS
TOP_FIELDS = {"recipient", "messaging_type", "tag", "message", "sender_action"}
MESSAGE_FIELDS = {"text", "attachment", "quick_replies", "metadata"}
ACTIONS = {"mark_seen", "typing_on", "typing_off"}
LIMITS = {
    "messenger": {"text": 2_000, "files": {"image", "audio", "video", "file"}},
    "instagram": {"text": 1_000, "files": {"image", "audio", "video"}},
}


class Refused(Exception):
    """The API answers with an error."""

    def __init__(self, status, code, subcode=0, message="refused", headers=None):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
        self.error["fbtrace_id"] = "Atrace"
        if subcode:
            self.error["error_subcode"] = subcode


class Caller(msgspec.Struct, frozen=True):
    """What a call must prove."""

    token: str
    app_secret: str

    def check(self, request):
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(400, 190, message="Invalid OAuth access token.")
        proof = hmac.new(self.app_secret.encode(), self.token.encode(), hashlib.sha256).hexdigest()
        if request.query_params.get("appsecret_proof") != proof:
            raise Refused(400, 100, message="Invalid appsecret_proof provided in the API argument")
        if "access_token" in request.query_params:
            raise Refused(400, 100, message="a token in the address is logged everywhere")


def decoded(body):
    try:
        value = json.loads(body)
    except ValueError:
        raise Refused(400, 100, message="body is not JSON") from None
    if not isinstance(value, dict):
        raise Refused(400, 100, message="body is no object")
    return value


def wrong(problem):
    return Refused(400, 100, message=problem)


def need(holds, problem):
    if not holds:
        raise wrong(problem)


def known(fields, names, where):
    need(isinstance(fields, dict), f"{where} must be an object")
    need(set(fields) <= set(names), f"{where}: unknown {sorted(set(fields) - set(names))}")


def words(value, most, where):
    need(isinstance(value, str) and value.strip(), f"{where} must not be empty")
    size = len(value.encode("utf-16-le")) // 2
    need(size <= most, f"{where} must be at most {most} characters")
    return value


def check_window(body, age_ms, *, human_tag):
    """Check the messaging type against the time since the customer wrote."""
    kind, tag = body.get("messaging_type"), body.get("tag")
    need(kind in {"RESPONSE", "MESSAGE_TAG"}, "messaging_type must be RESPONSE or MESSAGE_TAG")
    need((kind == "MESSAGE_TAG") == (tag is not None), "a tag belongs to MESSAGE_TAG")
    if tag is not None:
        need(tag == "HUMAN_AGENT" and human_tag, "the tag is not granted")
    if age_ms > (7 * DAY_MS if tag else DAY_MS):
        raise Refused(400, 10, 2018278, "This message is sent outside of allowed window.")


def check_message(message, kind):
    """Check one message and return what the customer reads of it."""
    known(message, MESSAGE_FIELDS, "message")
    text, attachment = message.get("text"), message.get("attachment")
    need((text is None) != (attachment is None), "message needs text or attachment")
    if kind == "instagram":
        need("metadata" not in message, "message: unknown metadata")
        need("quick_replies" not in message or text is not None, "quick replies need a text")
    else:
        need(len(message.get("metadata", "")) <= 1_000, "metadata is too long")
    if text is None:
        shown = [_attachment(attachment, kind)]
    else:
        size = len(text.encode()) if kind == "instagram" else None
        need(size is None or size <= LIMITS[kind]["text"], "text is too long in bytes")
        shown = [words(text, LIMITS[kind]["text"], "text")]
    replies = message.get("quick_replies", [])
    need(isinstance(replies, list) and len(replies) <= 13, "at most 13 quick replies")
    for reply in replies:
        known(reply, {"content_type", "title", "payload"}, "quick_reply")
        need(reply.get("content_type") == "text", "content_type must be text")
        shown.append(f"[{words(reply.get('title'), 20, 'quick_reply.title')}]")
        words(reply.get("payload"), 1_000, "quick_reply.payload")
    return "\n".join(shown)


def _attachment(attachment, kind):
    known(attachment, {"type", "payload"}, "attachment")
    payload = attachment.get("payload")
    need(isinstance(payload, dict), "attachment.payload must be an object")
    if attachment.get("type") == "template":
        checks = {"generic": _generic, "button": _buttons}
        if kind == "messenger":
            checks["receipt"] = _receipt
        need(payload.get("template_type") in checks, "template_type is not supported")
        return checks[payload["template_type"]](payload)
    need(attachment.get("type") in LIMITS[kind]["files"], "attachment.type is not supported")
    known(payload, {"url", "is_reusable"}, "attachment.payload")
    need(str(payload.get("url", "")).startswith("https://"), "url must be https")
    return payload["url"]


def _generic(payload):
    known(payload, {"template_type", "elements", "image_aspect_ratio"}, "generic")
    elements = payload.get("elements")
    need(isinstance(elements, list) and 1 <= len(elements) <= 10, "1 to 10 elements")
    shown = []
    for element in elements:
        fields = {"title", "subtitle", "image_url", "default_action", "buttons"}
        known(element, fields, "element")
        need(len(element) > 1, "an element needs more than a title")
        shown.append(words(element.get("title"), 80, "element.title"))
        if "subtitle" in element:
            shown.append(words(element["subtitle"], 80, "element.subtitle"))
        for name in {"image_url", "default_action"} & set(element):
            value = element[name]
            url = value["url"] if name == "default_action" else value
            need(url.startswith("https://"), f"{name} must be https")
        if "buttons" in element:
            shown += _pressable(element["buttons"])
    return "\n".join(shown)


def _buttons(payload):
    known(payload, {"template_type", "text", "buttons"}, "button template")
    return "\n".join([words(payload.get("text"), 640, "text"), *_pressable(payload.get("buttons"))])


def _pressable(buttons):
    need(isinstance(buttons, list) and 1 <= len(buttons) <= 3, "1 to 3 buttons")
    shown = []
    for button in buttons:
        if button.get("type") == "web_url":
            known(button, {"type", "title", "url"}, "button")
            need(button.get("url", "").startswith("https://"), "url must be https")
        else:
            known(button, {"type", "title", "payload"}, "button")
            need(button.get("type") == "postback", "button.type is not supported")
            words(button.get("payload"), 1_000, "button.payload")
        shown.append(f"[{words(button.get('title'), 20, 'button.title')}]")
    return shown


def _receipt(payload):
    for name in ("recipient_name", "order_number", "currency", "payment_method"):
        words(payload.get(name), 300, name)
    summary = payload.get("summary")
    need(isinstance(summary, dict) and "total_cost" in summary, "summary.total_cost is missing")
    elements = payload.get("elements", [])
    need(len(elements) <= 100, "at most 100 elements")
    for element in elements:
        words(element.get("title"), 300, "element.title")
        need(isinstance(element.get("price"), (int, float)), "element.price must be a number")
    lines = [f"{e.get('quantity', 1)} × {e['title']}" for e in elements]
    total = f"{summary['total_cost']:.2f} {payload['currency']}"
    return "\n".join([payload["order_number"], *lines, total])
