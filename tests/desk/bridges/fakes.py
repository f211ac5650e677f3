"""What the fakes of other desks share: their cases, their faults, and their people."""

from collections import deque
from dataclasses import dataclass, field

import httpx

from desk.bridges.ports import BridgeContext, WebhookCall


@dataclass
class FakeCase:
    """A case as people there see it."""

    story: str = ""
    said: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_open: bool = True


class FakeDesk:
    """A desk that behaves as documented, and fails as told."""

    def __init__(self, clock):
        self.clock = clock
        self.cases: dict[str, FakeCase] = {}
        self.faults: deque = deque()
        self.is_down = False
        self.loses_answers = False
        self.asked = 0
        self._ids = 100

    def context(self):
        transport = httpx.MockTransport(self.handle)
        return BridgeContext("en", "Kontor", "https://shop.example/desk", self.clock, transport)

    def next_id(self):
        self._ids += 1
        return self._ids

    def handle(self, request):
        self.asked += 1
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        if self.faults:
            status, headers = self.faults.popleft()
            return httpx.Response(status, headers=headers, text="Mika Muster did something")
        answer = self.serve(request)
        if self.loses_answers and request.method != "GET":
            raise httpx.ReadTimeout("too slow", request=request)
        return answer

    def fails(self, status, **headers):
        self.faults.append((status, {k.replace("_", "-"): v for k, v in headers.items()}))

    def serve(self, request):
        raise NotImplementedError

    def make(self, context):
        """Return the bridge to this desk."""
        raise NotImplementedError

    def call(self, payload, *, stamp=None, forged=False) -> WebhookCall:
        """Return a payload as this desk sends it."""
        raise NotImplementedError

    def replies(self, remote_id, text, *, own_id=None, at=None, name="Nora", files=()):
        """Return the webhook of a reply to the customer."""
        raise NotImplementedError

    def assigns(self, remote_id, name="Nora"):
        """Return the webhook of somebody taking the case."""
        raise NotImplementedError

    def closes(self, remote_id, *, back=False, at=None):
        """Return the webhook of somebody closing the case."""
        raise NotImplementedError

    def own_webhooks(self, remote_id):
        """Return the webhooks that this desk sends of what must not reach the customer.

        Echoes of what we sent, private notes, what its own automations say.
        """
        raise NotImplementedError

    def only_case(self):
        assert len(self.cases) == 1, self.cases
        return next(iter(self.cases.items()))
