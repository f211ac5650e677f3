"""The customer's time zone on the running server: told, kept, exported and erased."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from websockets.sync.client import connect

REST = "/webhooks/rest/webhook"
EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart: never the same day


def yesterdays(zone):
    """Return yesterday there; two days if this is said at midnight."""
    now = datetime.now(ZoneInfo(zone))
    moments = (now - timedelta(minutes=2), now)
    return {(at.date() - timedelta(days=1)).isoformat() for at in moments}


def says(client, sender, text, **fields):
    answer = client.post(REST, json={"sender": sender, "message": text, **fields})
    assert answer.status_code == 200, answer.text


def days(client, sender):
    tracker = client.get(f"/conversations/{sender}/tracker").json()
    entities = tracker["latest_message"]["entities"]
    return {entity["value"] for entity in entities if entity["entity"] == "date"}


def kept(client, sender):
    return client.get(f"/conversations/{sender}/tracker").json()["slots"].get("time_zone")


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_yesterday_is_the_customers_from_the_first_message_on(client, zone):
    sender = zone.replace("/", "-")
    says(client, sender, "wo ist die Bestellung von gestern?", time_zone=zone)
    assert days(client, sender) <= yesterdays(zone)
    assert kept(client, sender) == zone
    says(client, sender, "die Bestellung von gestern bitte")
    found = days(client, sender)
    assert found
    assert found <= yesterdays(zone)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "Moon/Sea", "x" * 5_000, 5, None])
def test_a_forged_zone_is_ignored_and_the_message_answered(client, name):
    sender = f"forger-{str(name)[:8].replace('/', '_')}"
    says(client, sender, "die Bestellung von gestern bitte", time_zone=name)
    assert days(client, sender) <= yesterdays("Europe/Berlin")
    assert kept(client, sender) is None


def test_the_web_chat_tells_it_and_it_is_exported_and_erased(client, server):
    session = client.post("/webhooks/webchat/session").json()
    address = server.url.replace("http", "ws") + "/webhooks/webchat/ws"
    said = {
        "type": "message",
        "id": "1",
        "text": "Wo ist das Paket von gestern?",
        "time_zone": EAST,
    }
    with connect(address) as socket:
        socket.send(json.dumps({"type": "resume", **session, "after_seq": 0}))
        socket.send(json.dumps(said))
        while (frame := json.loads(socket.recv(timeout=60))).get("direction") != "out":
            assert EAST not in json.dumps(frame)
    name = f"webchat:{session['session_id']}"
    assert days(client, name) <= yesterdays(EAST)
    exported = client.get(f"/conversations/{name}/export").json()
    assert exported["inbox"][0]["message"]["time_zone"] == EAST
    slots = [e["data"] for e in exported["events"] if e["type"] == "slot"]
    assert [slot["value"] for slot in slots if slot["name"] == "time_zone"] == [EAST]
    client.delete(f"/conversations/{name}")
    assert EAST not in json.dumps(client.get(f"/conversations/{name}/export").json())
    assert kept(client, name) is None
