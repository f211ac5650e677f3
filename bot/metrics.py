"""What operations see at /metrics, in Prometheus' text format."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import events as ev

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The counters of one running bot."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Start with everything at zero, in a registry of its own."""
        self.registry = CollectorRegistry()
        self.turns = Counter(
            "tresen_turns", "Turns by outcome", ["channel", "outcome"], registry=self.registry
        )
        self.turn_seconds = Histogram(
            "tresen_turn_seconds", "Time of a turn", registry=self.registry, buckets=_SECONDS
        )
        self.intents = Counter(
            "tresen_intents", "Messages by intent", ["intent"], registry=self.registry
        )
        self.handoffs = Counter(
            "tresen_handoffs", "Conversations given to a person", registry=self.registry
        )
        self.webhooks = Counter(
            "tresen_webhooks",
            "Requests of platforms",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.received = Counter(
            "tresen_received",
            "What platforms reported, by kind",
            ["channel", "kind"],
            registry=self.registry,
        )
        self.sends = Counter(
            "tresen_sends", "Deliveries by outcome", ["channel", "outcome"], registry=self.registry
        )
        self.withheld = Counter(
            "tresen_withheld",
            "Messages not sent because nothing supported what they claim",
            ["response"],
            registry=self.registry,
        )
        self.running = Gauge("tresen_turns_running", "Turns under way", registry=self.registry)

    def observe(self, events: Iterable[ev.Event]) -> None:
        """Count what a turn committed."""
        for event in events:
            if isinstance(event, ev.UserUttered):
                intent = event.parse_data.get("intent") or {}
                self.intents.labels(intent.get("name") or "none").inc()
            elif isinstance(event, ev.HandoffChanged) and event.state == "waiting_for_operator":
                self.handoffs.inc()
            elif isinstance(event, ev.Grounding) and event.withheld:
                self.withheld.labels(event.response or "none").inc()

    def text(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self.registry)
