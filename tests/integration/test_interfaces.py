"""Every interface that issue 2 fixes, by its field names and types, on the running server."""

import json
import time

from websockets.sync.client import connect

from tests.integration.server import say

SKILLS = """
identify_customer list_orders track_order cancel_order change_address return_items exchange_items
refund_status find_product product_question check_stock compare_products cart_add cart_show
cart_remove checkout reorder complaint_damaged complaint_wrong_item complaint_missing_item
complaint_late store_faq talk_to_human give_feedback greet goodbye thanks chitchat bot_identity
"""
ANSWER_FIELDS = {"recipient_id", "text", "buttons", "image", "custom"}


def test_the_rest_webhook_answers_as_rasa_does(client):
    answers = say(client, "shape", "ich möchte meine Bestellung stornieren")
    assert "Bestellnummer" in " ".join(answer.get("text", "") for answer in answers)
    for answer in answers:
        assert answer["recipient_id"] == "shape"
        assert set(answer) <= ANSWER_FIELDS
        for button in answer.get("buttons", []):
            assert set(button) == {"title", "payload"}
            assert all(isinstance(value, str) for value in button.values())


def test_payloads_are_accepted_as_messages(client):
    say(client, "payload", "/cancel_order")
    tracker = client.get("/conversations/payload/tracker").json()
    started = [e["flow_id"] for e in tracker["events"] if e["event"] == "flow_started"]
    assert started[0] == "cancel_order"


def test_parse_returns_rasas_fields_and_ours(client):
    answer = client.post("/model/parse", json={"text": "Wo ist meine Bestellung TR-104711?"})
    parsed = answer.json()
    assert answer.status_code == 200
    assert parsed["text"] == "Wo ist meine Bestellung TR-104711?"
    assert parsed["intent"]["name"] == "track_order"
    assert 0 <= parsed["intent"]["confidence"] <= 1
    assert parsed["intent_ranking"][0] == parsed["intent"]
    (number,) = [e for e in parsed["entities"] if e["entity"] == "order_number"]
    assert (number["value"], parsed["text"][number["start"] : number["end"]]) == ("TR-104711",) * 2
    assert parsed["language"] == "de"
    assert -1 <= parsed["sentiment"]["score"] <= 1
    assert parsed["sentiment"]["anger"] is False
    assert parsed["commands"][0]["command"] == "start flow"
    assert parsed["commands"][0]["flow"] == "track_order"


def test_parse_knows_what_is_out_of_scope_and_who_is_angry(client):
    asked = client.post("/model/parse", json={"text": "What is the capital of Mongolia?"}).json()
    assert asked["intent"]["name"] == "out_of_scope"
    angry = client.post(
        "/model/parse", json={"text": "This is an absolute disgrace, you useless idiots!!!"}
    ).json()
    assert angry["sentiment"]["anger"] is True
    assert angry["sentiment"]["score"] < 0


def test_the_tracker_speaks_rasas_vocabulary(client):
    say(client, "tracked", "Bestellung stornieren", message_id="m1")
    tracker = client.get("/conversations/tracked/tracker").json()
    assert tracker["sender_id"] == "tracked"
    assert {"slots", "latest_message", "latest_event_time", "paused", "events", "stack"} <= set(
        tracker
    )
    kinds = [event["event"] for event in tracker["events"]]
    assert kinds[:3] == ["session_started", "action", "user"]
    known = {"session_started", "action", "user", "bot", "slot", "pause", "resume"}
    assert {kind for kind in kinds if not kind.startswith("flow_")} <= known
    user = next(event for event in tracker["events"] if event["event"] == "user")
    assert user["text"] == "Bestellung stornieren"
    assert user["parse_data"]["intent"]["name"] == "cancel_order"
    assert user["input_channel"] == "rest"
    bot = next(event for event in tracker["events"] if event["event"] == "bot")
    assert bot["text"]
    assert bot["metadata"]["utter_action"].startswith("utter_")
    assert all(isinstance(event["timestamp"], float) for event in tracker["events"])
    assert tracker["latest_message"]["text"] == "Bestellung stornieren"
    for event in tracker["events"]:
        if event["event"] == "slot":
            assert {"name", "value"} <= set(event)


def test_an_unknown_sender_has_an_empty_tracker(client):
    tracker = client.get("/conversations/nobody/tracker").json()
    assert (tracker["events"], tracker["latest_message"]) == ([], {})


def becomes_ready(client, within_s=120.0):
    """Return whether the index and the dictionaries are loaded within some seconds."""
    until = time.monotonic() + within_s
    while client.get("/health/ready").json() != {"status": "ok"}:
        assert client.get("/health/ready").status_code in {200, 503}
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_health_status_and_metrics(client):
    assert client.get("/health/live").json() == {"status": "ok"}
    assert becomes_ready(client)
    status = client.get("/status").json()
    assert set(SKILLS.split()) <= set(status["skills"])
    assert status["languages"] == ["de", "en"]
    assert status["products"] >= 300
    say(client, "counted", "/talk_to_human")
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in metrics.text.splitlines() if line[0] != "#")
    assert float(lines['tresen_turns_total{channel="rest",outcome="answered"}']) > 0
    assert any(name.startswith("tresen_intents_total{") for name in lines)


def test_openapi_documents_every_interface(client):
    assert "swagger" in client.get("/docs").text.lower()
    api = client.get("/openapi.json").json()
    documented = {
        "/webhooks/rest/webhook": "post",
        "/model/parse": "post",
        "/conversations/{sender}/tracker": "get",
        "/conversations/{sender}/export": "get",
        "/conversations/{sender}/effects": "get",
        "/conversations/{sender}": "delete",
        "/effects": "get",
        "/effects/{key}": "get",
        "/knowledge/sources": "get",
        "/knowledge/ingest": "post",
        "/status": "get",
        "/health/live": "get",
        "/health/ready": "get",
        "/metrics": "get",
    }
    for path, method in documented.items():
        assert method in api["paths"][path], path
    webhook = api["paths"]["/webhooks/rest/webhook"]["post"]
    message = webhook["requestBody"]["content"]["application/json"]["schema"]
    assert set(message["properties"]) == {"sender", "message", "metadata", "time_zone"}
    assert message["required"] == ["sender", "message"]
    answers = webhook["responses"]["200"]["content"]["application/json"]["schema"]
    assert answers["type"] == "array"
    answer = api["components"]["schemas"][answers["items"]["$ref"].rsplit("/", 1)[1]]
    assert set(answer["properties"]) == ANSWER_FIELDS


def test_a_repeated_message_gets_the_same_answer_and_no_second_turn(client):
    first = say(client, "twice", "Bestellung stornieren", message_id="one")
    events = client.get("/conversations/twice/tracker").json()["events"]
    assert say(client, "twice", "Bestellung stornieren", message_id="one") == first
    assert client.get("/conversations/twice/tracker").json()["events"] == events
    other = say(client, "twice2", "/goodbye", message_id="one")
    assert {answer["recipient_id"] for answer in other} <= {"twice2"}


def test_export_shows_everything_and_erasure_leaves_nothing(client):
    say(client, "gone", "Meine Adresse ist gone@example.org", message_id="x")
    exported = client.get("/conversations/gone/export").json()
    assert exported["conversation_id"] == "rest:gone"
    assert exported["inbox"][0]["message"]["text"] == "Meine Adresse ist gone@example.org"
    assert exported["version"] == len(exported["events"])
    assert exported["chain"]["events"][-1]["chain"] == exported["chain"]["head"]
    assert len(exported["outbox"]) == sum(e["type"] == "bot" for e in exported["events"])
    erased = client.delete("/conversations/gone").json()
    assert erased["events"] == exported["version"]
    again = client.get("/conversations/gone/export").json()
    assert "gone@example.org" not in json.dumps(again)
    assert client.get("/conversations/gone/tracker").json()["events"] == []
    assert say(client, "gone", "hallo")


def test_answers_handed_over_are_marked_as_sent(client):
    say(client, "sent", "Bestellung stornieren")
    deadline = time.monotonic() + 10
    states = {"pending"}
    while "pending" in states and time.monotonic() < deadline:
        time.sleep(0.1)
        states = {row["state"] for row in client.get("/conversations/sent/export").json()["outbox"]}
    assert states == {"sent"}


def test_what_the_chat_showed_is_marked_as_sent(client, server):
    session = client.post("/webhooks/webchat/session").json()
    address = server.url.replace("http", "ws") + "/webhooks/webchat/ws"
    with connect(address) as socket:
        socket.send(json.dumps({"type": "resume", **session, "after_seq": 0}))
        socket.send(json.dumps({"type": "message", "id": "1", "text": "Bestellung stornieren"}))
        while json.loads(socket.recv(timeout=60)).get("direction") != "out":
            pass
        deadline = time.monotonic() + 10
        states = {"pending"}
        while "pending" in states and time.monotonic() < deadline:
            time.sleep(0.1)
            name = f"webchat:{session['session_id']}"
            rows = client.get(f"/conversations/{name}/export").json()["outbox"]
            states = {row["state"] for row in rows}
    assert states == {"sent"}
