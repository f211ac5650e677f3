"""The desk's templates, and what every page of it shows."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from desk.web.guard import Visit, refusal
from desk.web.texts import LANGUAGES, TEXTS, pick_language

_FOLDER = Path(__file__).resolve().parents[1]
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wav": "audio/wav",
}


class Pages:
    """Renders templates; everything that they are given is escaped."""

    def __init__(self, shop_name: str) -> None:
        """Show `shop_name` on the pages."""
        self.shop_name = shop_name
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=select_autoescape(["html", "svg"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": asset, "shop_name": shop_name, "all": LANGUAGES}
        self.offer(None, has_passwords=True)

    def offer(self, provider: Mapping[str, str] | None, *, has_passwords: bool) -> None:
        """Have the pages offer a provider to sign in with.

        Args:
            provider: what it is called in each language; None for none.
            has_passwords: whether there are passwords besides.
        """
        self._environment.globals |= {"single_sign_on": provider, "passwords": has_passwords}

    def show(self, visit: Visit, template: str, status: int = 200, **values: object) -> Response:
        """Return a page, or a part of one, for somebody who is signed in."""
        html = self.html(visit, template, **values)
        return HTMLResponse(html, status)

    def html(self, visit: Visit, template: str, **values: object) -> str:
        """Return the text of a page, or of a part of one, for somebody who is signed in."""
        return self._environment.get_template(template).render(
            t=TEXTS[visit.language],
            lang=visit.language,
            me=visit.operator,
            csrf=visit.current.session.csrf,
            **values,
        )

    def open(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> Response:
        """Return a page for somebody who is not signed in."""
        accepted = request.headers.get("accept-language", "")
        language = pick_language(request.query_params.get("lang", ""), accepted=accepted)
        html = self._environment.get_template(template).render(
            t=TEXTS[language], lang=language, me=None, csrf="", **values
        )
        return HTMLResponse(html, status)


def static_routes() -> list[BaseRoute]:
    """Return the routes of style sheets, scripts, icons and sounds."""
    return [Route("/desk/static/{name:path}", _static, methods=["GET"])]


async def _static(request: Request) -> Response:
    path = (_FOLDER / "static" / request.path_params["name"]).resolve()
    kind = _TYPES.get(path.suffix, "")
    if not kind or not path.is_relative_to(_FOLDER / "static") or not path.is_file():
        return refusal(request, 404, "not_found")
    age = "max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    headers = {"cache-control": age, "x-content-type-options": "nosniff"}
    return FileResponse(path, media_type=kind, headers=headers)


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """Return the address of a static file, which changes with its content.

    Raises:
        OSError: there is no such file.
    """
    digest = hashlib.sha256((_FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/desk/static/{name}?v={digest}"


def key_of(case_id: str) -> str:
    """Return a case's id as it stands in addresses."""
    return base64.urlsafe_b64encode(case_id.encode()).decode().rstrip("=")


def case_path(case_id: str) -> str:
    """Return the address of a case's page."""
    return f"/desk/c/{key_of(case_id)}"


def id_of(key: str) -> str:
    """Return the case's id that stands in an address; empty if there is none."""
    try:
        return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
