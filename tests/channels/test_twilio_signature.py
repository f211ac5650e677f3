import functools
import json

import msgspec
import pytest

from channels.base import Unverified, WebhookRequest
from channels.push import (
    ChannelContext,
)
from channels.twilio import connect
from channels.twilio_signature import check_signature, signature_of
from tests.contracts.channel import NOW
from tests.platforms.twilio import (
    PUBLIC,
    TOKEN,
    WEBHOOK,
    TwilioFake,
    signed,
)

SMS, WHATSAPP = "+4915112345678", "whatsapp:+4915112345678"
CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)


def opened(fake=None, **more):
    settings = {**(fake or TwilioFake()).settings(), **more}
    if not settings["api_url"]:
        del settings["api_url"]
    return connect(settings, CONTEXT)


@functools.cache
def parser():
    return opened()


class TestSignature:
    @pytest.mark.shared
    def test_vectors_of_the_sdk_are_reproduced(self, shared_data):
        path = shared_data / "webhooks" / "twilio_signature_vectors.json"
        known = json.loads(path.read_text())
        token, uri, fields = known["auth_token"], known["uri"], list(known["params"].items())
        ports = {
            "expected_signature": uri,
            "http_port_1234_signature": uri.replace("https://", "http://").replace(
                ".com", ".com:1234"
            ),
            "http_port_80_signature": uri.replace("https://", "http://").replace(".com", ".com:80"),
            "https_port_443_signature": uri.replace(".com", ".com:443"),
        }
        for name, address in ports.items():
            assert signature_of(token, address, fields) == known[name], name
        hashed = f"{uri}&bodySHA256={known['body_sha256']}"
        assert signature_of(token, hashed) == known["uri_with_body_signature"]
        twice = [tuple(pair) for pair in known["duplicate_params"]]
        assert signature_of(token, uri, twice) == known["duplicate_expected"]

    @pytest.mark.shared
    def test_requests_of_the_vectors_are_taken(self, shared_data):
        path = shared_data / "webhooks" / "twilio_signature_vectors.json"
        known = json.loads(path.read_text())
        page = "https://mycompany.com/myapp.php"
        query = {"foo": "1", "bar": "2"}
        form = "&".join(
            f"{name}={value.replace('+', '%2B')}" for name, value in known["params"].items()
        )

        def request(signature, body, **more):
            return WebhookRequest(
                "POST",
                "/myapp.php",
                {**query, **more},
                {"x-twilio-signature": signature},
                body,
            )

        for name in ("expected_signature", "https_port_443_signature"):
            check_signature(request(known[name], form.encode()), page, [known["auth_token"]])
            with pytest.raises(Unverified):
                check_signature(request(known[name], form.encode()), page, ["54321"])
        json_request = request(
            known["uri_with_body_signature"],
            known["body"].encode(),
            bodySHA256=known["body_sha256"],
        )
        check_signature(json_request, page, [known["auth_token"]])
        http = "http://mycompany.com:1234/myapp.php"
        check_signature(
            request(known["http_port_1234_signature"], form.encode()), http, [known["auth_token"]]
        )

    def test_agrees_with_the_sdk(self):
        from twilio.request_validator import RequestValidator

        fields = {"Body": "Grüße 📦", "From": SMS, "Empty": ""}
        for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
            ours = signature_of(TOKEN, f"{WEBHOOK}?a=1", list(fields.items()), algorithm)
            assert RequestValidator(TOKEN).validate(f"{WEBHOOK}?a=1", fields, ours, algorithm)

    @pytest.mark.parametrize(
        "called",
        [
            WEBHOOK,
            WEBHOOK.replace(".example", ".example:443"),
            f"{WEBHOOK}/",
            f"{WEBHOOK}?reference=tresen%3A7%3A0",
            f"{WEBHOOK}?a=b%20c",
            f"{WEBHOOK}?a=b+c",
        ],
    )
    def test_forms_of_our_address_are_taken(self, called):
        parser().verify(signed({"MessageSid": "SM1", "Empty": ""}, url=called))

    @pytest.mark.parametrize("signed_as", [WEBHOOK, f"{WEBHOOK}#rc=5&rp=all"])
    def test_connection_overrides_do_no_harm(self, signed_as):
        channel = opened(webhook_url=f"{WEBHOOK}#rc=5&rp=all")
        request = signed({"MessageSid": "SM1"}, url=signed_as)
        channel.verify(msgspec.structs.replace(request, path="/webhooks/twilio/webhook"))
        callback = channel._callback("tresen:1:0")["status_callback"]
        assert callback == f"{WEBHOOK}?reference=tresen%3A1%3A0#rc=5&rp=all"

    def test_host_header_counts_for_nothing(self):
        request = signed({"MessageSid": "SM1"}, url="https://10.0.0.7/webhooks/twilio/webhook")
        with pytest.raises(Unverified):
            opened().verify(request)

    def test_shared_key_with_sha256_is_taken(self):
        fields = {"MessageSid": "SM1"}
        good = signature_of("shared-secret", WEBHOOK, list(fields.items()), "HMAC_SHA256")
        headers = {
            "x-twilio-signature": good,
            "x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256",
        }
        request = msgspec.structs.replace(signed(fields), headers=headers)
        opened(shared_key_secret="shared-secret").verify(request)
        with pytest.raises(Unverified):
            opened().verify(request)
        unknown = {**headers, "x-twilio-webhooks-signature-settings": "algorithm=NONE"}
        with pytest.raises(Unverified):
            opened().verify(msgspec.structs.replace(request, headers=unknown))
