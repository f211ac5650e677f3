"""What every route shares: the largest body, and refusals in one shape that leak nothing."""

import json
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_000_000


def add_guards(api: FastAPI, own_limit: tuple[str, ...] = ()) -> None:
    """Limit bodies and shape refusals on an application.

    Args:
        api: the application.
        own_limit: paths whose routes limit the body themselves.
    """
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(Exception, _broken)
    api.add_middleware(BodyLimit, own_limit=own_limit)


class BodyLimit:
    """Middleware that refuses bodies which are too long, without reading all of them."""

    def __init__(
        self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES, own_limit: tuple[str, ...] = ()
    ) -> None:
        """Stand before `app`; paths in `own_limit` look after themselves."""
        self._app = app
        self._max_bytes = max_bytes
        self._own_limit = own_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it.

        Raises:
            HTTPException: 413, inside the application, once more was read than is allowed.
        """
        if scope["type"] != "http" or scope["path"] in self._own_limit:
            await self._app(scope, receive, send)
            return
        problem = f"body: must be at most {self._max_bytes} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await failure(413, problem)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise HTTPException(413, problem)
            return message

        await self._app(scope, counted, send)


def failure(code: int, message: str, reason: str = "", field: str = "") -> JSONResponse:
    """Return a refusal in the shape that all routes and channels use."""
    reason = reason or HTTPStatus(code).phrase.title().replace(" ", "")
    content = {"status": "failure", "code": code, "reason": reason, "message": message}
    return JSONResponse(content | ({"field": field} if field else {}), code)


def _refused(request: Request, error: Exception) -> JSONResponse:
    """Shape what a route or the router refused."""
    del request
    code, message, headers = 500, "something went wrong", None
    if isinstance(error, HTTPException):
        code, message, headers = error.status_code, str(error.detail), error.headers
    answer = failure(code, message)
    answer.headers.update(headers or {})
    return answer


def _broken(request: Request, error: Exception) -> JSONResponse:
    """Say that something went wrong, and nothing of what it was."""
    del request, error
    return failure(500, "something went wrong here; it has been noted")


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Name the field that is wrong, without echoing what was sent."""
    del request
    problems = []
    for item in error.errors() if isinstance(error, RequestValidationError) else ():
        broken_json = item["type"] == "json_invalid"
        where = ".".join(str(part) for part in item["loc"] if part != "body")
        problem = item["msg"]
        if broken_json:
            problem = f"must be JSON: {(item.get('ctx') or {}).get('error', 'it is not')}"
        field = "body" if broken_json or not where else _plain(where)
        problems.append({"field": field, "problem": problem})
    first = problems[0] if problems else {"field": "body", "problem": "is invalid"}
    message = f"{first['field']}: {first['problem']}"
    content = json.loads(bytes(failure(422, message, "BadRequest", first["field"]).body))
    return JSONResponse({**content, "problems": problems}, 422)


def _plain(name: str) -> str:
    """Return a caller's field name so that it can be shown."""
    return name.encode("ascii", "backslashreplace").decode()[:80]
