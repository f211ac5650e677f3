"""Reading a request of Alexa: whose it is, what it brings, what was said. Pure."""

from collections.abc import Mapping

from channels.base import BadRequest
from channels.spoken import as_written
from channels.wire import MAX_MESSAGE_CHARS, clean_text, string_field

MAX_NAME_CHARS = 255
MAX_TOKEN_CHARS = 8_192
_BUILT_IN = {
    "AMAZON.YesIntent": "/affirm",
    "AMAZON.NoIntent": "/deny",
    "AMAZON.CancelIntent": "/cancel",
    "AMAZON.RepeatIntent": "/repeat",
    "AMAZON.StartOverIntent": "/restart",
}
LANGUAGES = frozenset({"de", "en"})
_HELP = {"de": "Was kannst du?", "en": "What can you do?"}


def object_field(fields: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a required object.

    Raises:
        BadRequest: if it is missing or something else.
    """
    value = fields.get(name)
    if not isinstance(value, dict):
        raise BadRequest(name, "must be an object")
    return value


def _maybe(fields: Mapping[str, object], *names: str) -> dict[str, object]:
    """Return an object some levels down; empty where there is none."""
    found: object = fields
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else {}


def system_of(body: Mapping[str, object]) -> dict[str, object]:
    """Return what the request tells of skill, user and device; empty if nothing."""
    return _maybe(body, "context", "System")


def user_of(body: Mapping[str, object]) -> dict[str, object]:
    """Return the account of the household that speaks; empty where there is none."""
    return _maybe(body, "context", "System", "user") or _maybe(body, "session", "user")


def token_of(body: Mapping[str, object]) -> str:
    """Return the token of the account that is linked with the skill; empty where there is none."""
    token = user_of(body).get("accessToken")
    is_usable = isinstance(token, str) and token.isascii() and token.isprintable()
    return str(token) if is_usable and len(str(token)) <= MAX_TOKEN_CHARS else ""


def skill_ids(body: Mapping[str, object]) -> list[str]:
    """Return the skill ids that the request names, in all places."""
    places = (_maybe(system_of(body), "application"), _maybe(body, "session", "application"))
    return [clean_text(str(place["applicationId"])) for place in places if "applicationId" in place]


def metadata_of(body: Mapping[str, object], asked: Mapping[str, object]) -> dict[str, object]:
    """Return what comes along with the words; never the token of a linked account."""
    found: dict[str, object] = {
        "sent_at": clean_text(str(asked.get("timestamp", "")))[:MAX_NAME_CHARS],
        "locale": clean_text(str(asked.get("locale", "")))[:MAX_NAME_CHARS],
        "session_new": _maybe(body, "session").get("new") is True,
    }
    if intent := intent_name(asked):
        found["intent"] = intent
    return found


def intent_name(asked: Mapping[str, object]) -> str:
    """Return the name of the intent; empty where there is none."""
    return clean_text(str(_maybe(asked, "intent").get("name", "")))[:MAX_NAME_CHARS]


def words_of(asked: Mapping[str, object], language: str) -> str:
    """Return an intent as words or as a payload; empty if nothing was understood.

    In our interaction models (bot/alexa_model.py) an intent `say_wo_ist` brings what followed
    "wo ist", a `tell_…` brings words alone, and any other is a skill's.
    """
    name = intent_name(asked)
    if name == "AMAZON.HelpIntent":
        return _HELP[language]
    if not name or name.startswith("AMAZON."):
        return _BUILT_IN.get(name, "")
    verb, _, carrier = name.partition("_")
    if verb not in {"say", "tell"}:
        return f"/{name}"
    value = _value(_maybe(asked, "intent", "slots"), is_choice=name == "tell_answer")
    if not any(char.isalnum() for char in value):
        return value if value and value.strip() != "?" else ""
    words = value if verb == "tell" else f"{carrier.replace('_', ' ')} {value}"
    return as_written(words.strip())


def _value(slots: Mapping[str, object], *, is_choice: bool) -> str:
    """Return the value of the first slot that has one.

    Args:
        slots: the intent's.
        is_choice: whether what our model calls it goes before what was heard.

    Raises:
        BadRequest: if the value is too long.
    """
    for slot in slots.values():
        fields = slot if isinstance(slot, dict) else {}
        if isinstance(fields.get("value"), str):
            spoken = string_field(fields, "value", MAX_MESSAGE_CHARS)
            return (_resolved(fields) if is_choice else "") or spoken
    return ""


def _resolved(slot: Mapping[str, object]) -> str:
    """Return the entry of a custom slot type that Alexa matched, if any."""
    found = _maybe(slot, "resolutions").get("resolutionsPerAuthority")
    for authority in found if isinstance(found, list) else ():
        values = authority.get("values") if isinstance(authority, dict) else None
        first = values[0] if isinstance(values, list) and values else None
        name = _maybe(first, "value").get("name") if isinstance(first, dict) else None
        if isinstance(name, str) and len(name) <= MAX_MESSAGE_CHARS:
            return clean_text(name)
    return ""
