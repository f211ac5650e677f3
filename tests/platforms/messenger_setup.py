"""What Meta lets an app set up: its webhooks, the page's subscription, the page's profile."""

import hashlib
import hmac

from channels.base import ChannelError, WebhookRequest
from tests.platforms.messenger_api import Refused, known, need

FIELDS = {
    "page": {
        *("messages", "messaging_postbacks", "message_echoes", "message_deliveries"),
        *("message_reads", "message_reactions", "message_edits", "messaging_referrals"),
        *("messaging_optins", "messaging_handovers", "standby", "messaging_feedback"),
        *("messaging_policy_enforcement", "feed"),
    },
    "instagram": {
        *("messages", "messaging_postbacks", "messaging_seen", "message_reactions"),
        *("messaging_referral", "messaging_handover", "standby", "comments"),
    },
}


class SetupFake:
    """The set-up of one app and one page."""

    def __init__(self, app_id, app_secret):
        self.webhooks = {}
        self.subscribed = []
        self.profile = {}
        self.calls = []
        #: The bot behind the webhook's address; None where nobody answers.
        self.channel = None
        self._app_id = app_id
        self._token = f"{app_id}|{app_secret}"
        self._secret = app_secret

    def knows(self, path):
        """Return whether this is about the set-up."""
        return path in {"me/subscribed_apps", "me/messenger_profile"} or self.is_of_app(path)

    def is_of_app(self, path):
        """Return whether the app calls here, rather than the page."""
        return path.endswith("/subscriptions")

    def check_app(self, request):
        """Check the token of an app, which is its id and its secret."""
        if request.headers.get("authorization") != f"Bearer {self._token}":
            raise Refused(400, 101, message="Missing or invalid client id or secret")
        digest = hmac.new(self._secret.encode(), self._token.encode(), hashlib.sha256).hexdigest()
        if request.query_params.get("appsecret_proof") != digest:
            raise Refused(400, 100, message="Invalid appsecret_proof")

    def told(self, path, query, *, platform):
        """Answer a GET."""
        if path == "me/subscribed_apps":
            ours = {"id": self._app_id, "name": "Tresen", "subscribed_fields": self.subscribed}
            return {"data": [ours] if self.subscribed else []}
        if path == "me/messenger_profile":
            is_instagram = platform == "instagram"
            need((query.get("platform") == "instagram") == is_instagram, "platform")
            fields = query["fields"].split(",")
            shown = {name: self.profile[name] for name in fields if name in self.profile}
            return {"data": [shown] if shown else []}
        need(path == f"{self._app_id}/subscriptions", "no such app")
        return {"data": list(self.webhooks.values())}

    def taken(self, path, body, *, platform):
        """Take a POST."""
        self.calls.append(path)
        if path == "me/subscribed_apps":
            known(body, {"subscribed_fields"}, "body")
            fields = body["subscribed_fields"].split(",")
            need(set(fields) <= FIELDS["page"], "subscribed_fields: unknown field")
            self.subscribed = fields
            return {"success": True}
        need(path == f"{self._app_id}/subscriptions", "no such app")
        known(body, {"object", "callback_url", "verify_token", "fields", "include_values"}, "body")
        kind = "instagram" if platform == "instagram" else "page"
        need(body["object"] == kind, f"object must be {kind}")
        fields = body["fields"].split(",")
        need(set(fields) <= FIELDS[kind], "fields: unknown field")
        need(body["callback_url"].startswith("https://"), "callback_url must be https")
        self._check_address(body)
        self.webhooks[kind] = {
            "object": kind,
            "callback_url": body["callback_url"],
            "active": True,
            "fields": [{"name": name, "version": "v25.0"} for name in fields],
        }
        return {"success": True}

    def _check_address(self, body):
        """Ask the webhook for Meta's challenge, as Meta does before it takes an address."""
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
        request = WebhookRequest(
            "GET", "/", query={**query, "hub.verify_token": body["verify_token"]}
        )
        failed = Refused(400, 2200, message="Callback verification failed")
        if self.channel is None:
            raise failed
        try:
            self.channel.verify(request)
        except ChannelError:
            raise failed from None
        need(self.channel.reply(request).body == b"1158201444", "challenge")
