"""All recorded WhatsApp webhooks: nothing dropped, and read as the library pywa reads them."""

import json
from datetime import UTC, datetime

import pytest
from pywa import WhatsApp
from pywa.types.base_update import RawUpdate

from bot.messages import InboundMessage, Note, Receipt
from channels.whatsapp_parse import Reader

pytestmark = pytest.mark.shared

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read"}
SIGNALS = {
    "reaction": "reaction",
    "deleted_message": "deleted",
    "call_connect": "call",
    "flow_completion": "unsupported",
}


@pytest.fixture(scope="module")
def recorded(shared_data):
    lines = (shared_data / "webhooks" / "whatsapp_pywa.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["channel"] == "whatsapp_cloud"]


def read(payload):
    value = payload["entry"][0]["changes"][0]["value"]
    number = value.get("metadata", {}).get("phone_number_id", "none")
    return Reader("whatsapp", number, NOW).read(json.dumps(payload).encode())


@pytest.fixture(scope="module")
def pywa():
    return WhatsApp(phone_id="1", token="none", filter_updates=False)


def as_pywa_reads(client, payload):
    update = RawUpdate(json.dumps(payload).encode(), hmac_header=None, update_hash="")
    handler = client._get_handler_type(update)
    return client._handlers_to_updates[handler].from_update(client=client, update=update)


def leaves(payload):
    """Return every event of a webhook, as the list it stands in and itself."""
    for entry in payload["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            lists = [key for key in value if isinstance(value[key], list) and key != "contacts"]
            if "metadata" not in value:
                yield change["field"], value
                continue
            for key in lists:
                for item in value[key]:
                    yield key, item


def test_there_are_74(recorded):
    assert len(recorded) == 74


def test_nothing_is_dropped(recorded):
    for row in recorded:
        payload, told = row["payload"], read(row["payload"])
        expected = list(leaves(payload))
        assert expected
        prices = [n for n in told if isinstance(n, Note) and n.kind == "pricing"]
        assert len(told) - len(prices) == len(expected), row["name"]
        for (place, leaf), item in zip(expected, without(told, prices), strict=True):
            if isinstance(item, InboundMessage):
                assert place in {"messages", "calls", "user_preferences"}
                assert item.text or item.attachments or item.signal
                assert item.sender_id == (leaf.get("from") or leaf["wa_id"])
                assert item.sequence == int(leaf["timestamp"])
            elif isinstance(item, Receipt):
                assert (place, item.receipt_id) == ("statuses", leaf["id"])
            elif place in {"messages", "statuses", "calls", "message_echoes", "errors"}:
                assert isinstance(item, Note)
            else:
                assert item.kind == place


def without(items, others):
    return [item for item in items if item not in others]


def test_pywa_reads_the_same(recorded, pywa):
    compared = 0
    for row in recorded:
        theirs, kind = as_pywa_reads(pywa, row["payload"]), row["kind"]
        ours = read(row["payload"])[0]
        if isinstance(ours, Note):
            compare_note(ours, theirs)
        elif isinstance(ours, Receipt):
            compare_receipt(ours, theirs)
        else:
            compare_message(ours, theirs, kind)
        compared += 1
    assert compared == 74


def compare_note(ours, theirs):
    names = {
        "PhoneNumberChange": "number_changed",
        "IdentityChange": "identity_changed",
        "AccountUpdate": "account_update",
        "TemplateStatusUpdate": "message_template_status_update",
        "TemplateQualityUpdate": "message_template_quality_update",
        "TemplateCategoryUpdate": "template_category_update",
        "TemplateComponentsUpdate": "message_template_components_update",
        "CallConnect": "call",
        "CallTerminate": "call",
        "CallStatus": "call_status",
        "CallPermissionUpdate": "call_permission",
        "OutgoingMessage": "echo",
        "OutgoingDeletedMessage": "echo",
        "OutgoingEditedMessage": "echo",
    }
    assert ours.kind == names[type(theirs).__name__]
    for field in ("template_name", "event"):
        value = getattr(theirs, field, None)
        if ours.kind.startswith("message_template") and isinstance(value, str):
            assert value in ours.detail
    assert "97298" not in ours.detail


def compare_receipt(ours, theirs):
    if type(theirs).__name__ == "GroupMessageStatuses":
        (theirs,) = theirs.statuses
    assert ours.receipt_id == theirs.id
    assert ours.state == STATES.get(theirs.status.value, "failed")
    assert ours.at == theirs.timestamp
    assert ours.reference == (theirs.tracker or "")
    assert ours.code == (str(theirs.error.code) if theirs.error else "")


def compare_message(ours, theirs, kind):
    name = type(theirs).__name__
    if name == "UserMarketingPreferences":
        assert ours.signal == ("opt_in" if theirs else "opt_out")
        return
    assert ours.message_id == theirs.id
    assert ours.metadata["sent_at"] == theirs.timestamp.isoformat()
    if name in {"CallbackButton", "CallbackSelection"}:
        assert (ours.text, ours.metadata["title"]) == (theirs.data, theirs.title)
        return
    if name == "DeletedMessage":
        assert ours.metadata["deletes"] == theirs.original_message_id
    if name == "EditedMessage":
        assert ours.metadata["edits"] == theirs.original_message_id
        theirs = theirs.message
    if name == "FlowCompletion":
        form = {key: value for key, value in ours.metadata["form"].items() if key != "flow_token"}
        assert form == theirs.response
        assert ours.metadata["form"].get("flow_token") == theirs.token
    if name == "Message":
        compare_content(ours, theirs)
        return
    assert ours.signal == SIGNALS.get(kind, "")


def compare_content(ours, theirs):
    metadata, kind = ours.metadata, theirs.type.value
    assert metadata.get("forwarded", False) == theirs.forwarded
    if theirs.reply_to_message:
        assert metadata["reply_to"] == theirs.reply_to_message.id
    if theirs.has_media:
        (file,) = ours.attachments
        assert file.url == f"media:{theirs.media.id}"
        assert file.mime_type == theirs.media.mime_type
        assert ours.text == (theirs.caption or "")
        assert metadata.get("voice", False) == bool(theirs.audio and theirs.audio.voice)
    elif kind == "text":
        assert ours.text == theirs.text
    elif kind == "location":
        place = theirs.location
        assert ours.attachments[0].url == f"geo:{place.latitude},{place.longitude}"
    elif kind == "reaction":
        assert metadata["emoji"] == (theirs.reaction.emoji or "")
        assert metadata["reply_to"] == theirs.reaction.message_id
    elif kind == "contacts":
        assert len(ours.text.splitlines()) == len(theirs.contacts)
        assert all(person.name.formatted_name in ours.text for person in theirs.contacts)
    elif kind == "order":
        wanted = [(line["variant_id"], line["quantity"]) for line in metadata["order"]]
        assert wanted == [(item.sku, item.quantity) for item in theirs.order.products]
        prices = [line["unit_price_minor"] for line in metadata["order"]]
        assert prices == [round(item.price * 100) for item in theirs.order.products]
        assert ours.text.startswith('/cart_add{"items"')
    else:
        assert (kind, ours.signal) in {
            ("unsupported", "unsupported"),
            ("interactive", "unsupported"),
        }
    if theirs.referral:
        assert metadata["referral"]["id"] == theirs.referral.source_id
        assert metadata["referral"]["headline"] == theirs.referral.headline
