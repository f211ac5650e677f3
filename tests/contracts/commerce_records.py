"""What every adapter of `ConversationRecords` must do."""

from actions.commerce.ledger import ledger_name
from actions.commerce.requests import Intent, OpenCase, RecordFeedback


class ConversationRecordsContract:
    async def test_a_conversations_records_are_shown_and_erased_alone(self, shop):
        for name in ("webchat:1", "webchat:10"):
            await shop.carts.put(name, "P1-BLU-M", 1)
            await shop.feedback.record(
                RecordFeedback(name, 4, "my words"), f"{ledger_name(name)}:m1:rate"
            )
            await shop.cases.open(
                OpenCase(name, "customer", "my wish"), f"{ledger_name(name)}:m2:case"
            )
        found = await shop.records.find("webchat:1")
        assert found["carts"][0]["lines"][0]["variant_id"] == "P1-BLU-M"
        assert found["feedback"][0]["comment"] == "my words"
        assert found["cases"][0]["wish"] == "my wish"
        assert await shop.records.erase("webchat:1") == {"carts": 1, "cases": 1, "feedback": 1}
        assert not any((await shop.records.find("webchat:1")).values())
        keys = [f"{ledger_name(name)}:m1:rate" for name in ("webchat:1", "webchat:10")]
        gone, kept = [await shop.effects.find(Intent(key, "rate", {})) for key in keys]
        assert gone is None
        assert kept is not None
        assert all((await shop.records.find("webchat:10")).values())

    async def test_an_unknown_conversation_has_none(self, shop):
        assert not any((await shop.records.find("webchat:none")).values())
        assert not any((await shop.records.erase("webchat:none")).values())
