"""A Shopify Admin API on loopback: the published schema over a store in memory.

Documents are validated and executed by graphql-core against Shopify's own schema. Costs, the
leaky bucket, access tokens and webhooks are as Shopify documents them.
"""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.platforms import shopify_views, shopify_writes
from tests.platforms.faults import Faults
from tests.platforms.shopify_schema import VERSION, cost_of, run

TOKEN = "shpat_of_the_fake"
SECRET = "shpss_of_the_fake"
FORMER_SECRET = "shpss_of_last_year"
MOST_POINTS = 1000


class Bucket:
    """Shopify's leaky bucket."""

    def __init__(self, maximum=20000.0, rate=1000.0):
        self.maximum, self.rate = maximum, rate
        self.left, self.at = maximum, time.monotonic()

    def take(self, points):
        now = time.monotonic()
        self.left = min(self.maximum, self.left + (now - self.at) * self.rate)
        self.at = now
        if points > self.left:
            return False
        self.left -= points
        return True

    def status(self):
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": self.left,
            "restoreRate": self.rate,
        }


class FakeShopify:
    """The application; `faults` stands before it."""

    def __init__(self, schema, store):
        self.schema, self.store = schema, store
        self.bucket = Bucket()
        self.throttled = 0
        self.asked = []
        self.drained = set()  # operations before which another part of the app uses all points up
        self.costs = {}
        path = f"/admin/api/{VERSION}/graphql.json"
        self.faults = Faults(Starlette(routes=[Route(path, self.answer, methods=["POST"])]))
        self._queries = shopify_views.roots(store)
        self._mutations = shopify_writes.roots(store)

    async def answer(self, request):
        if request.headers.get("x-shopify-access-token") != TOKEN:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": message}, 401)
        given = await request.json()
        name, document, variables = given["operationName"], given["query"], given["variables"]
        points = cost_of(self.schema, document, variables)
        self.costs[name] = points
        if points > MOST_POINTS:
            return JSONResponse(_refused("Query cost is too high", "MAX_COST_EXCEEDED"))
        cost = {"requestedQueryCost": points, "actualQueryCost": None}
        if name in self.drained:
            self.drained.remove(name)
            self.bucket.left, self.bucket.at = 0, time.monotonic()
        if not self.bucket.take(points):
            self.throttled += 1
            body = _refused("Throttled", "THROTTLED")
            body["extensions"] = {"cost": cost | {"throttleStatus": self.bucket.status()}}
            return JSONResponse(body)
        self.asked.append(name)
        self.store.tick()
        roots = self._mutations if "mutation" in document[:20] else self._queries
        body = run(self.schema, document, variables, roots, self.store)
        cost["actualQueryCost"] = min(points, _objects(body.get("data")))
        self.bucket.left += points - cost["actualQueryCost"]
        body["extensions"] = {"cost": cost | {"throttleStatus": self.bucket.status()}}
        return JSONResponse(body)


def _objects(value):
    """Return how many objects an answer holds: what it really cost."""
    if isinstance(value, list):
        return sum(_objects(item) for item in value)
    return 1 + sum(_objects(v) for v in value.values()) if isinstance(value, dict) else 0


def _refused(message, code):
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def webhook(topic, payload, *, secret=SECRET, host="127.0.0.1", webhook_id="wh-1"):
    """Return headers and body of a webhook as Shopify sends it."""
    body = json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    at = datetime(2026, 1, 15, 12, tzinfo=UTC).isoformat()
    headers = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-shop-domain": host,
        "x-shopify-webhook-id": webhook_id,
        "x-shopify-triggered-at": at,
    }
    return headers, body
