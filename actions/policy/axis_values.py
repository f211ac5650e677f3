"""The values of each fact that can make a difference to a rule file."""

from collections.abc import Hashable, Iterable, Mapping

import msgspec

from actions.policy.expression import Call, Node, Value, path_of, walk
from actions.policy.specs import SKILLS, LimitSpec, PolicySpec
from actions.policy.typing_rules import comparisons
from actions.policy.vocabulary import COMPLAINTS, FIELDS
from actions.policy.withdrawal import EEA

OTHER = "(other)"
METHODS = ("", "original", "gift_card", "store_credit", OTHER)
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})


class Known(msgspec.Struct, frozen=True):
    """What is known of the shop: None where nothing is."""

    countries: frozenset[str] | None = None
    tiers: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    skills: frozenset[str] = frozenset(SKILLS)
    time_zone: str = "Europe/Berlin"


class AxisValues:
    """Looks through all expressions for what a fact is compared with."""

    def __init__(self, spec: PolicySpec, trees: Mapping[str, Node], known: Known) -> None:
        """Read the expressions once.

        Args:
            spec: the rules.
            trees: of the file's expressions.
            known: of the shop.
        """
        self._spec = spec
        self._trees = trees
        self._known = known
        self._words_of: dict[str, dict[str, None]] = {}
        self._comparing: list[tuple[frozenset[str], set[int]]] = []
        self._durations: set[int] = set()
        for tree in trees.values():
            self._read(tree)

    def _read(self, tree: Node) -> None:
        for path, value in comparisons(tree):
            if isinstance(value, str):
                self._words_of.setdefault(path, {})[value] = None
        for node in walk(tree):
            if not isinstance(node, Call):
                continue
            if node.name in _COMPARING:
                below = list(walk(node))
                self._comparing.append((frozenset(map(path_of, below)), self._bounds(below)))
            elif node.name == "in":
                words = self._spec.lists.get(path_of(node.parts[1]).removeprefix("lists."), ())
                self._words_of.setdefault(path_of(node.parts[0]), {}).update(dict.fromkeys(words))
            elif node.name == "duration":
                self._durations |= _hours_as_days(node)

    def of(self, path: str) -> tuple[Hashable, ...]:
        """Return the values of a fact's axis."""
        kind = FIELDS[path]
        special = {
            "request.method_id": self._words(path, METHODS),
            "request.reason": self._words(path, ("", OTHER, *self._reasons())),
            "request.kind": ("", *COMPLAINTS),
            "item.exception": ("", *(e.id for e in self._spec.withdrawal.exceptions)),
            "item.quantity": (1, 2),
            "item.returned": (0, 1, 2),
            "item.settled": (0, 1, 2),
            "item.compensated": (0, 1, 2),
            "order.country": self._countries(),
            "shop.country": self._countries(),
            "customer.tier": self._words(path, (*self._named("tier"), OTHER)),
        }
        if path in special:
            return special[path]
        if kind.type == "bool":
            return (False, True)
        if kind.type == "time":
            return self._days()
        if kind.type == "int":
            numbers = self._numbers(path)
            return (None, *numbers) if kind.nullable else numbers
        if kind.type == "string":
            return kind.values or self._words(path, (OTHER,))
        return ((),)

    def _words(self, path: str, given: Iterable[str]) -> tuple[str, ...]:
        """Return the words that the rules compare a path with, and those given."""
        return tuple({**dict.fromkeys(given), **self._words_of.get(path, {})})

    def _reasons(self) -> list[str]:
        operations = self._spec.operations.values()
        return [choice.id for operation in operations for choice in operation.cancel_reasons]

    def _named(self, by: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for limit in self._spec.limits.values():
            found |= dict.fromkeys(names_in(limit, by))
        return tuple(found)

    def _countries(self) -> tuple[str, ...]:
        named = {*self._named("country"), *self._words("order.country", ())}
        named |= set(self._words("customer.country", ()))
        shop = self._known.countries
        reached = sorted(shop if shop is not None else {"DE", "FR", "US"})
        spare = [c for c in reached if c not in named]
        picked = [c for c in spare if c in EEA][:1] + [c for c in spare if c not in EEA][:1]
        return tuple(sorted(named & set(reached) if shop is not None else named)) + tuple(picked)

    def _numbers(self, path: str) -> tuple[int, ...]:
        """Return the numbers on both sides of whatever the rules compare a path with."""
        bounds = {0}.union(*(found for paths, found in self._comparing if path in paths))
        return tuple(sorted({max(0, bound + step) for bound in bounds for step in (-1, 0, 1)}))

    def _bounds(self, nodes: Iterable[Node]) -> set[int]:
        found: set[int] = set()
        for node in nodes:
            if isinstance(node, Value) and type(node.value) is int:
                found.add(node.value)
            name = path_of(node).removeprefix("limits.")
            found |= all_values(self._spec.limits[name]) if name in self._spec.limits else set()
        return found

    def _days(self) -> tuple[int | None, ...]:
        """Return how many days ago something was, on both sides of each deadline."""
        bounds = {0, self._spec.withdrawal.days}
        for operation in self._spec.operations.values():
            for rule in operation.rules:
                days = rule.deadline.days if rule.deadline else 0
                if isinstance(days, int):
                    bounds.add(days)
                elif (tree := self._trees.get(days)) is not None:
                    bounds |= self._bounds(walk(tree))
        bounds |= self._durations
        return (None, -1, *sorted({b + step for b in bounds for step in (0, 1)}))


def names_in(limit: int | LimitSpec, by: str) -> frozenset[str]:
    """Return the tiers or countries that a limit names."""
    if not isinstance(limit, LimitSpec):
        return frozenset()
    inner = [*limit.values.values(), limit.other]
    own = frozenset(limit.values) if limit.by == by else frozenset()
    return own.union(*(names_in(part, by) for part in inner))


def all_values(limit: int | LimitSpec) -> set[int]:
    """Return every number that a limit can be."""
    if not isinstance(limit, LimitSpec):
        return {limit}
    return set().union(*(all_values(part) for part in (*limit.values.values(), limit.other)))


def _hours_as_days(node: Call) -> set[int]:
    text = node.parts[0].value if node.parts and isinstance(node.parts[0], Value) else ""
    hours = str(text).removesuffix("h")
    return {int(hours) // 24} if str(text).endswith("h") and hours.isdigit() else set()
