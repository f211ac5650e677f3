"""Templates that Meta approved: what they need, and messages as one outside the window. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from bot.messages import Json, OutboundMessage
from channels.push import WindowClosed
from channels.whatsapp_render import template_of

MAX_PARAMETER_CHARS = 1024
Name = Annotated[str, Meta(min_length=1, max_length=512)]


class TemplateParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variable of a template.

    `value` says what fills it when a message becomes the template: `text` is the message's text,
    anything else a key of the message's `custom.parameters`. `name` is the variable's own, in
    templates whose variables have names instead of numbers.
    """

    type: Literal["text", "currency", "date_time", "image", "document", "video"] = "text"
    value: str = "text"
    name: str = ""


class TemplateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An approved template, as it stands in WhatsApp Manager.

    `languages` are Meta's codes, such as `de` or `en_US`. `buttons` is the number of quick
    replies; their payloads are those of the message's own buttons.
    """

    name: Name
    languages: Annotated[tuple[Name, ...], Meta(min_length=1)]
    parameters: tuple[TemplateParameter, ...] = ()
    header: TemplateParameter | None = None
    buttons: Annotated[int, Meta(ge=0, le=10)] = 0


def as_template(
    outbound: OutboundMessage, templates: Mapping[str, TemplateSettings]
) -> OutboundMessage:
    """Return a message as the template that stands for its response.

    Raises:
        WindowClosed: if there is none, or the message does not fill it.
    """
    known = templates.get(outbound.response)
    if known is None:
        raise WindowClosed("window_closed", "no template for this message")
    language = outbound.language.replace("-", "_")
    spoken = [code for code in known.languages if code == language]
    spoken += [code for code in known.languages if code.partition("_")[0] == language[:2]]
    if not spoken:
        raise WindowClosed("window_closed", f"no template {known.name} in {language or '?'}")
    template: dict[str, Json] = {"name": known.name, "language": spoken[0]}
    template["parameters"] = [_value(outbound, known, item) for item in known.parameters]
    if known.header is not None:
        template["header"] = _value(outbound, known, known.header)
    template["buttons"] = [button.payload for button in outbound.buttons[: known.buttons]]
    if problem := problem_of(template_of(template), templates):
        raise WindowClosed("window_closed", problem)
    return msgspec.structs.replace(outbound, custom={**outbound.custom, "template": template})


def problem_of(template: Mapping[str, object], templates: Mapping[str, TemplateSettings]) -> str:
    """Return what is wrong with a template object; empty if it fits one in the settings."""
    name, language = template.get("name"), template.get("language")
    code = language.get("code") if isinstance(language, Mapping) else None
    named = [known for known in templates.values() if known.name == name]
    if not named:
        return f"template {name}: not in the settings"
    spoken = [known for known in named if code in known.languages]
    if not spoken:
        return f"template {name}: not approved in {code}"
    problems = [_misfit(template, known) for known in spoken]
    return "" if "" in problems else f"template {name}: {problems[0]}"


def _misfit(template: Mapping[str, object], known: TemplateSettings) -> str:
    """Return how the parameters differ from those of a template."""
    groups: dict[str, list[object]] = {"header": [], "body": [], "button": []}
    components = template.get("components")
    for group in components if isinstance(components, list) else ():
        groups.setdefault(str(group.get("type")), []).extend(group.get("parameters") or ())
    header = (known.header,) if known.header is not None else ()
    wanted = {
        "header": [f"{item.type} {item.name}".strip() for item in header],
        "body": [f"{item.type} {item.name}".strip() for item in known.parameters],
        "button": ["payload"] * known.buttons,
    }
    for part, kinds in wanted.items():
        given = [_kind(item) for item in groups[part]]
        if given != kinds:
            return f"{part} takes {kinds or 'nothing'}, got {given or 'nothing'}"
        for item in groups[part]:
            if problem := _unfit(item):
                return f"{part}: {problem}"
    return ""


def _kind(parameter: object) -> str:
    fields = parameter if isinstance(parameter, Mapping) else {}
    return f"{fields.get('type')} {fields.get('parameter_name', '')}".strip()


def _unfit(parameter: object) -> str:
    """Return what Meta would refuse about one parameter."""
    fields = parameter if isinstance(parameter, Mapping) else {}
    kind = str(fields.get("type"))
    value = fields.get(kind)
    if kind not in {"text", "payload"}:
        return "" if isinstance(value, Mapping) else f"a parameter of type {kind} needs {kind}"
    if not isinstance(value, str) or not value.strip():
        return f"a {kind} is empty"
    if len(value) > MAX_PARAMETER_CHARS:
        return f"a {kind} has more than {MAX_PARAMETER_CHARS} characters"
    broken = kind == "text" and ("\n" in value or "\t" in value or " " * 5 in value)
    return "a text has line breaks, tabs or more than four spaces in a row" if broken else ""


def _value(
    outbound: OutboundMessage, known: TemplateSettings, parameter: TemplateParameter
) -> Json:
    """Return what fills a parameter.

    Raises:
        WindowClosed: if the message does not have it.
    """
    given: object = outbound.text
    if parameter.value != "text":
        values = outbound.custom.get("parameters")
        given = values.get(parameter.value) if isinstance(values, Mapping) else None
    if given is None or (isinstance(given, str) and not given.strip()):
        problem = f"template {known.name} needs custom.parameters.{parameter.value}"
        raise WindowClosed("window_closed", problem)
    filled: Json = given
    if parameter.type == "text":
        filled = " ".join(str(given).split())
    elif parameter.type in {"image", "document", "video"}:
        filled = {"link": str(given)}
    named = {"parameter_name": parameter.name} if parameter.name else {}
    return {"type": parameter.type, **named, parameter.type: filled}
