"""How Stripe's API speaks: errors, form-encoded parameters, idempotency keys."""

import asyncio
import re
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse

DAY_S = 86400


class Refused(Exception):
    """An answer with an error object."""

    def __init__(self, status, kind, code="", message="", param=""):
        super().__init__(message or code)
        self.status = status
        error = {"type": kind, "code": code, "message": message or code, "param": param}
        self.body = {"error": {name: value for name, value in error.items() if value}}


def invalid(code, message="", param="", status=400):
    return Refused(status, "invalid_request_error", code, message, param)


class IdempotencyKeys:
    """Answers stored under keys for a day, as documented.

    Kept is what the endpoint answered once it had begun, errors 500 too; what was refused before,
    by validation or because the key is in use, is not.
    """

    def __init__(self, now):
        self.now = now
        self.stored: dict[str, tuple] = {}
        self.busy: set[str] = set()
        self.busy_s = 0.0
        self.store_errors = 0

    async def once(self, key, asked, work, headers):
        """Answer a request; `asked` is its path and body."""
        if key in self.busy:
            raise Refused(409, "idempotency_error", "idempotency_key_in_use")
        if key in self.stored and self.now() - self.stored[key][3] < DAY_S:
            first, status, answer, _ = self.stored[key]
            if first != asked:
                msg = "Keys for idempotent requests can only be used with the same parameters"
                raise Refused(400, "idempotency_error", message=msg)
            replayed = {**headers, "idempotent-replayed": "true", "stripe-should-retry": "false"}
            return JSONResponse(answer, status, replayed)
        self.busy.add(key)
        try:
            await asyncio.sleep(self.busy_s)
            if self.store_errors:
                self.store_errors -= 1
                status, answer = 500, {"error": {"type": "api_error", "message": "sorry"}}
            else:
                status, answer = 200, shown(await work())
        finally:
            self.busy.discard(key)
        self.stored[key] = (asked, status, answer, self.now())
        return JSONResponse(answer, status, headers)


def shown(thing):
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def decoded(text):
    """Return form-encoded parameters with their brackets as nested values."""
    result: dict = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path = re.findall(r"[^\[\]]+", name)
        place = result
        for step in path[:-1]:
            place = place.setdefault(step, {})
        if name.endswith("[]"):
            place.setdefault(path[-1], {})[str(len(place.get(path[-1], {})))] = value
        else:
            place[path[-1]] = value
    return listed(result)


def listed(value):
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [listed(value[key]) for key in sorted(value, key=int)]
    return {key: listed(item) for key, item in value.items()}
