"""The bridge of signed webhooks."""

from desk.bridges.webhook import signature
from tests.contracts.bridge import BridgeContract
from tests.desk.bridges.webhook_desk import WebhookDesk


class TestWebhookBridge(BridgeContract):
    fake = WebhookDesk


def test_it_signs_as_the_specification_s_own_example():
    from base64 import b64decode

    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
