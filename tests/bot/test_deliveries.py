from datetime import UTC, datetime

from bot.deliveries import Deliveries
from bot.events import BotUttered, to_wire
from bot.messages import InboundMessage, OutboundMessage
from bot.storage.open import open_store
from bot.storage.ports import NewEvent, NewOutbound, TurnCommit

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONVERSATION = "webchat:anna"


async def test_what_a_widget_saw_of_a_linked_channel_still_has_to_be_sent_there():
    store = await open_store("memory://", lambda: NOW)
    (accepted,) = await store.inbox.accept([InboundMessage("webchat", "anna", "1", "hallo", NOW)])
    said = [BotUttered("Hallo"), BotUttered("Guten Tag")]
    events = [NewEvent(wire["event"], wire, NOW) for wire in map(to_wire, said)]
    outbound = [
        NewOutbound("webchat", "anna", OutboundMessage(text="Hallo")),
        NewOutbound("whatsapp", "49171", OutboundMessage(text="Guten Tag")),
    ]
    await store.turns.commit(TurnCommit(CONVERSATION, 0, events, outbound, accepted.inbox_id))
    _, version = await store.events.load(CONVERSATION)
    deliveries = Deliveries(store)
    deliveries.seen(CONVERSATION, version, "webchat")
    await deliveries.close()
    rows = await store.outbox.after(CONVERSATION, 0, 10)
    assert [(row.channel, row.state) for row in rows] == [
        ("webchat", "sent"),
        ("whatsapp", "pending"),
    ]
    await store.close()
