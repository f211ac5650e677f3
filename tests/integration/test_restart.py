"""A server killed in the middle of a conversation goes on with it when it is started again."""

import json
import time

import httpx
import pytest

from tests.integration.server import Server, say


@pytest.fixture
def own_server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.kill()


def last_question(answers):
    return [button["payload"] for answer in answers for button in answer.get("buttons", [])]


@pytest.mark.slow
def test_the_flow_goes_on_after_kill_9(own_server, pending_orders):
    order, customer = pending_orders[0]
    with own_server.start().client() as client:
        say(client, "k", f"Bitte Bestellung {order['number']} stornieren, {customer['email']}")
        before = client.get("/conversations/k/tracker").json()
    own_server.kill()
    with own_server.start().client() as client:
        after = client.get("/conversations/k/tracker").json()
        assert after["events"] == before["events"]
        assert after["stack"] == before["stack"] != []
        for _ in range(4):
            frame = client.get("/conversations/k/tracker").json()["stack"]
            if not any(f["flow_id"] == "cancel_order" for f in frame):
                break
            answers = say(client, "k", "ja")
            if buttons := [b for b in last_question(answers) if "SetSlots" in b]:
                say(client, "k", buttons[0])
        events = client.get("/conversations/k/tracker").json()["events"]
    done = [e["flow_id"] for e in events if e["event"] == "flow_completed"]
    assert "cancel_order" in done
    assert "utter_order_cancelled" in json.dumps(events)


@pytest.mark.slow
def test_what_was_accepted_before_the_kill_is_answered_after_it(own_server):
    with own_server.start().client() as client:
        say(client, "warm", "/goodbye")
        with pytest.raises(httpx.HTTPError):
            client.post(
                "/webhooks/rest/webhook",
                json={
                    "sender": "cut",
                    "message": "Wo ist meine Bestellung?",
                    "metadata": {"message_id": "1"},
                },
                timeout=httpx.Timeout(10, read=0.001),
            )
        deadline = time.monotonic() + 5
        while not client.get("/conversations/cut/export").json()["inbox"]:
            assert time.monotonic() < deadline
    own_server.kill()
    with own_server.start().client() as client:
        assert say(client, "cut", "Wo ist meine Bestellung?", message_id="1")
        events = client.get("/conversations/cut/tracker").json()["events"]
    assert [e["event"] for e in events].count("user") == 1
