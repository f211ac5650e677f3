"""Meta's Conversations API as documented: which conversations there are, and what was said in them.

Of the 20 latest messages it tells who, when and what; of older ones it says that they were deleted.
A new message is shown a little later than it was sent.
"""

import random
import re
import time
from collections import defaultdict, deque
from datetime import UTC, datetime

import msgspec

from tests.platforms.messenger_api import Refused, need

MOST_SHOWN = 20
MOST_A_SECOND = 2
FIELDS = {"id", "created_time", "from", "to", "message", "attachments", "is_unsupported"}
_NESTED = re.compile(r"messages(?:\.limit\((\d+)\))?(?:\{([a-z_,]+)\})?")


class Kept(msgspec.Struct, frozen=True):
    """One message of a conversation; times in milliseconds."""

    mid: str
    customer: str
    at_ms: int
    shown_ms: int
    from_page: bool
    text: str = ""
    kind: str = ""


class HistoryFake:
    """The conversations of one account."""

    def __init__(self, platform, account_id, now_ms, seed=0, late_ms=700):
        self.late_ms = late_ms
        self.allowed = True
        self.counted_s = 0.7  # a call may take a little longer than the one before
        self._platform = platform
        self._account_id = account_id
        self._now_ms = now_ms
        self._random = random.Random(seed)
        self._kept = defaultdict(list)
        self._calls = deque(maxlen=MOST_A_SECOND)

    def keep(self, mid, customer, at_ms, *, from_page, text="", kind=""):
        """Keep a message; it is shown at most `late_ms` later."""
        shown_ms = at_ms + int(self._random.random() * self.late_ms)
        kept = Kept(mid, customer, at_ms, shown_ms, from_page, text, kind)
        self._kept[customer].append(kept)

    def answer(self, path, query):
        """Answer a GET below the version."""
        if not self.allowed:
            raise Refused(403, 200, message="Requires instagram_manage_messages permission")
        now = time.monotonic()
        within_s = self.counted_s if len(self._calls) == MOST_A_SECOND else 0.0
        if within_s and now - self._calls[0] < within_s:
            raise Refused(400, 613, message="Calls to this api have exceeded the rate limit.")
        self._calls.append(now)
        if path == "me/conversations":
            return self._conversations(query)
        for customer in self._kept:
            if path == conversation_id(customer):
                return self._conversation(customer, query)
        for customer in self._kept:
            for kept in self._kept[customer]:
                if path == kept.mid and kept in self._latest(customer):
                    return self._told(kept, query.get("fields", "id,created_time").split(","))
        raise Refused(400, 100, 33, "Object does not exist, or was deleted.")

    def _conversations(self, query):
        need(query.get("platform") == self._platform, "platform must be instagram")
        customer = query.get("user_id")
        known = [customer] if customer in self._kept else []
        listed = list(self._kept) if customer is None else known
        return {"data": [{"id": conversation_id(name)} for name in listed]}

    def _conversation(self, customer, query):
        asked = _NESTED.fullmatch(query.get("fields", ""))
        need(asked, "fields: only messages are known here")
        limit = int(asked[1] or MOST_SHOWN)
        fields = (asked[2] or "id,created_time").split(",")
        need(set(fields) <= FIELDS, "fields: unknown field")
        need(limit <= MOST_SHOWN or not asked[2], "older messages have no details")
        latest = self._latest(customer)[:limit]
        messages = {"data": [self._told(kept, fields) for kept in latest]}
        return {"messages": messages, "id": conversation_id(customer)}

    def _latest(self, customer):
        now_ms = self._now_ms()
        shown = [kept for kept in self._kept[customer] if kept.shown_ms <= now_ms]
        return sorted(shown, key=lambda kept: -kept.at_ms)[:MOST_SHOWN]

    def _told(self, kept, fields):
        page = {"id": self._account_id, "username": "shop"}
        person = {"id": kept.customer, "username": "somebody"}
        sender, recipient = (page, person) if kept.from_page else (person, page)
        created = datetime.fromtimestamp(kept.at_ms // 1_000, UTC)
        told = {
            "id": kept.mid,
            "created_time": created.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "from": sender,
            "to": {"data": [recipient]},
            "message": kept.text,
        }
        if kept.kind:
            told["attachments"] = {"data": [{kept.kind: {"url": "https://lookaside.fbsbx.com/1"}}]}
        return {name: told[name] for name in ["id", *fields] if name in told}


def conversation_id(customer):
    """Return the id of the conversation with a customer."""
    return f"aWdfZAG06{customer.encode().hex()}"
