"""What is tried in the runs: which wish, which misbehaviour, which moment to die, by seed."""

import random
from collections.abc import Mapping

import msgspec

from bench.faults.board import AT_SHOP, IN_BOT
from tests.platforms.faults import Fault

Kind = str
ADDRESS_WORDS = "Neue Gasse 1, 10115 Berlin"
NEW_ADDRESS = {"line1": "Neue Gasse 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
IN_TIME = "in time"
LATE = (1.2, 2.5)
"""When a late answer comes, in the time that the bot waits for one."""
ONE_ALONE = 0.5
"""How often only one of the requests that an effect consists of meets the fault."""
DOWN_S = (0.0, 5.0, 30.0, 300.0, 3600.0)
"""How long the bot stays away after it was killed."""


PRESS = "press "
SQL = "SQL"
PLAIN = frozenset({"loopback without keys", "WooCommerce", "Shopify"})
"""Shops that know no keys: HTTP lets nobody on the way repeat a POST, only a PUT comes twice."""


class Wish(msgspec.Struct, frozen=True):
    """What a customer does until the plan is shown.

    `says` are payloads, words for an open question, or `press X`: the first button shown last
    whose payload begins with X. `customer_id` is that of shop_small.
    """

    says: tuple[str, ...]
    customer_id: str = "C1"


WISHES: Mapping[Kind, Wish] = {
    "cancel": Wish((
        '/cancel_order{"order_number": "TR-100001"}',
        "press /SetSlots(reason=",
    )),
    "address": Wish((
        '/change_address{"order_number": "TR-100001", "scope": "order"}',
        ADDRESS_WORDS,
    )),
    "return": Wish((
        '/return_items{"order_number": "TR-100002"}',
        "press /SetSlots(line_ids=",
        "/SetSlots(pieces=1)",
        '/SetSlots(reason="changed_mind")',
        "press /SetSlots(method_id=",
    )),
    "refund": Wish((
        '/complaint_missing_item{"order_number": "TR-100002"}',
        "press /SetSlots(line_ids=",
        "/SetSlots(pieces=1)",
        "/skip",
        '/SetSlots(remedy="refund")',
    )),
    "link": Wish(("/checkout",)),
}
"""The kinds of effects; the receipt by e-mail belongs to each of them."""

BEHAVIOURS = (
    IN_TIME,
    "late, done at once",
    "late, done at the end",
    "twice",
    "never, done",
    "never, not done",
    "cut off",
    "garbage",
    "error 503",
    "throttled",
)
SCENARIOS = ("double click", "two channels", "another channel later", "down for an hour")


class Case(msgspec.Struct, frozen=True):
    """One run.

    `kills` are points of `bench.faults.board` or "random", one for each life that ends by force;
    `away_s` is how long the bot stays away after each. `passing` points at the shop are passed
    before one counts. `scenario` is "" or one of `SCENARIOS`.
    """

    number: int
    seed: int
    shop: str
    kind: Kind
    behaviour: str
    kills: tuple[str, ...] = ()
    away_s: float = 0.0
    times: int = 1
    scenario: str = ""
    passing: int = 0

    @property
    def kill(self) -> str:
        """Return the moment of death, as the table names it."""
        if not self.kills:
            return "not killed"
        return " + ".join(self.kills) if len(self.kills) == 1 else "twice in a row"


def plan_cases(kinds: Mapping[str, tuple[Kind, ...]], runs: int, seed: int) -> list[Case]:
    """Return the runs: every shop and kind in turn, the rest by lot.

    Args:
        kinds: what each shop can do.
        runs: how many.
        seed: of the lots.
    """
    chance = random.Random(seed)
    pairs = [(shop, kind) for shop, known in kinds.items() for kind in known]
    cases = []
    for number in range(runs):
        shop, kind = pairs[number % len(pairs)]
        behaviour = chance.choice((IN_TIME,) if shop == SQL else BEHAVIOURS)
        scenario = chance.choice(("",) * 12 + SCENARIOS)
        if scenario == "down for an hour" and shop == SQL:
            scenario = ""
        cases.append(
            Case(
                number=number,
                seed=chance.randrange(2**31),
                shop=shop,
                kind=kind,
                behaviour=behaviour,
                kills=_kills(chance, shop),
                away_s=chance.choice(DOWN_S),
                times=chance.choice((1, 1, 2, 6)),
                scenario=scenario,
                passing=chance.choice((0, 0, 1, 2)),
            )
        )
    return cases


def _kills(chance: random.Random, shop: str) -> tuple[str, ...]:
    points = ("random",) * 6 + (IN_BOT if shop == SQL else (*IN_BOT, *AT_SHOP, *AT_SHOP))
    lives = chance.choice((0, 1, 1, 1, 1, 1, 2, 2))
    return tuple(chance.choice(points) for _ in range(lives))


def faults_of(
    case: Case, writes: tuple[tuple[str, str, str], ...], timeout_s: float
) -> list[Fault]:
    """Return what the shop's door does wrong with the requests that have an effect.

    Args:
        case: what is tried.
        writes: the requests that have an effect.
        timeout_s: how long the bot waits for an answer.
    """
    chance = random.Random(case.seed)
    late_s = timeout_s * chance.uniform(*LATE)
    kinds: Mapping[str, Fault] = {
        "late, done at once": Fault("slow", delay_s=late_s),
        "late, done at the end": Fault("late", delay_s=late_s),
        "twice": Fault("twice"),
        "never, done": Fault("lost", delay_s=late_s),
        "never, not done": Fault("silent", delay_s=late_s),
        "cut off": Fault("partial"),
        "garbage": Fault("garbage"),
        "error 503": Fault("status", status=503),
        "throttled": Fault("status", status=429, retry_after_s=0.01),
    }
    if case.behaviour == IN_TIME:
        return []
    if case.behaviour == "twice" and case.shop in PLAIN:
        writes = tuple(write for write in writes if write[0] == "PUT")
    if len(writes) > 1 and chance.random() < ONE_ALONE:
        writes = (chance.choice(writes),)
    fault = kinds[case.behaviour]
    return [
        msgspec.structs.replace(fault, method=method, path=path, body=body, times=case.times)
        for method, path, body in writes
    ]
