"""A conversation with everything in it that a transcript tells."""

from datetime import timedelta

from bot import events as ev
from bot.messages import Attachment, InboundMessage, OutboundMessage
from bot.storage.channel_ports import SentPart
from bot.storage.ports import Delivery, NewEvent, NewOutbound, TurnCommit
from tests.contracts.channel import NOW

ANNA = "web:anna"
WISH = "Wo ist mein 📦? Größe äöüß"
ARABIC = "مرحبا أين طلبي 104711"
LONG = "Äpfel und Birnen, sehr ausführlich. " * 9
NOTE = "Customer was very upset on the phone"
PARSE = {
    "intent": {"name": "return_items", "confidence": 0.91},
    "intent_ranking": [
        {"name": name, "confidence": 0.1} for name in ("return_items", "refund", "greet", "bye")
    ],
    "entities": [{"entity": "order_number", "value": "TR-104711"}],
    "language": "de",
    "sentiment": {"score": -0.4, "anger": True},
    "commands": [{"command": "start flow", "flow": "return_items"}],
}


def wire(event, at=NOW):
    told = ev.to_wire(event)
    return NewEvent(told["event"], told, at)


async def commit(store, events, said=(), inbox_id=None, at=NOW, to="web"):
    """Write one turn."""
    _, version = await store.events.load(ANNA)
    new = [wire(event, at) for event in events]
    out = [NewOutbound(to, "anna", message) for message in said]
    return await store.turns.commit(TurnCommit(ANNA, version, new, out, inbox_id))


async def tell(store):
    """Let a customer, the bot and an operator talk."""
    wrote = NOW - timedelta(seconds=3)
    [kept] = await store.inbox.accept([InboundMessage("web", "anna", "m1", WISH, wrote)])
    turn = [
        ev.SessionStarted(),
        ev.UserUttered(WISH, "m1", "web", parse_data=PARSE),
        ev.FlowStarted("return_items", "f1"),
        ev.StepReached("f1", "steps.0"),
        ev.SlotSet("refusal", {"code": "policy", "rule_ids": ["return-window"]}, "f1"),
        ev.ActionIntended("action_return", ("k1",)),
        ev.ActionExecuted("action_return", "outcome_unknown"),
        ev.PlanShown("f1", "ab" * 32),
        ev.Grounding(
            "utter_x", 2, ("price: 5 EUR",),
            ({"passage_id": "faq:returns:de", "score": 0.7}, {"rule": "goodwill"}),
        ),
        ev.BotUttered("Ja?", {"buttons": [{"title": "Ja", "payload": "/affirm"}]}),
    ]  # fmt: skip
    answer = OutboundMessage(text="Ja?")
    done = await commit(store, turn, [answer], kept.inbox_id)
    sent = done.outbound[0].outbox_id
    await store.outbox.mark(Delivery(sent, "sent", "r1"))
    await store.receipts.sent(SentPart(sent, 0, "web", "r1", "read", NOW))
    photo = Attachment("image", "/uploads/a.png", "Foto.png")
    files = ({"kind": "image", "url": photo.url, "name": photo.name},)
    await commit(store, [ev.UserUttered(ARABIC, "m2", "whatsapp", "49", {}, files)])
    await commit(store, [ev.NotUnderstood(), ev.ConsentRefused("f1", "ab" * 32)])
    await commit(store, [ev.HandoffChanged("waiting_for_operator", "anger", team="returns")])
    joined = [
        ev.OperatorActed("assigned", "o1", "\x1fdesk:1"),
        ev.HandoffChanged("with_operator", "assigned", operator="o1", operator_name="Lea"),
        ev.Triggered("pattern_operator_joined", "\x1fdesk:1"),
    ]
    await commit(store, joined)
    await commit(store, [ev.OperatorActed("noted", "o1", "\x1fdesk:2", data={"text": NOTE})])
    by = {"operator": "o1", "name": "Lea", "message_id": "\x1fdesk:3"}
    said = [ev.OperatorActed("said", "o1", "\x1fdesk:3"), ev.BotUttered(LONG, metadata=by)]
    await commit(store, said, [OutboundMessage(text=LONG)], to="whatsapp")
    refused = ev.OperatorActed("closed", "o2", "\x1fdesk:4", "not_yours")
    await commit(store, [refused, ev.UserUttered("Danke", "m3", "web")])
