"""What the demo shop's pages share: their templates, and the language a visitor reads."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request

from channels.demo_texts import pick_language

LANGUAGE_COOKIE = "tresen_language"


def page_templates() -> Environment:
    """Return the templates of `channels/templates`, which escape what they are given."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_language(request: Request) -> str:
    """Return the language in the address, else the one chosen before, else the browser's."""
    return pick_language(
        request.query_params.get("lang", ""),
        request.cookies.get(LANGUAGE_COOKIE, ""),
        request.headers.get("accept-language", ""),
    )
