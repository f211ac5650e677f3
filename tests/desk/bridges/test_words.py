"""What people at another desk read of a customer's files."""

from datetime import UTC, datetime

from desk.bridges.words import message_text
from desk.transcript_records import Message

URLS = (
    "https://shop.example/webhooks/media/x?sig=1",
    "/webhooks/webchat/uploads/x.png?sig=1",
    "geo:52.5,13.4",
    "media:123",
    "javascript:alert(1)",
)


def test_files_that_we_keep_can_be_opened_from_there():
    files = tuple({"kind": "file", "url": url} for url in URLS)
    message = Message(1, datetime.now(UTC), "customer", "See", 1, attachments=files)
    assert message_text(message, "en", "https://shop.example/desk").split("\n") == [
        "See",
        "5 file(s)",
        URLS[0],
        f"https://shop.example{URLS[1]}",
        URLS[2],
    ]
    assert "uploads" not in message_text(message, "de")
