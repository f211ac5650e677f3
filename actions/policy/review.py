"""What `tresen check` finds in a rule file, each with line, rule and cure."""

import difflib
from collections.abc import Iterator

from actions.commerce.shipping import all_countries
from actions.policy.axis_values import Known, names_in
from actions.policy.contradictions import Contradictions, Finding
from actions.policy.expression import Call, path_of, walk
from actions.policy.places import expressions_of, texts_of
from actions.policy.rules import RuleFile, Steps
from actions.policy.space import Space
from actions.policy.specs import OPERATIONS, WITHDRAWAL_DAYS
from actions.policy.typing_rules import comparisons, misfits
from actions.policy.vocabulary import known_fields


def review(file: RuleFile, known: Known, languages: tuple[str, ...]) -> list[Finding]:
    """Return what is wrong in a rule file, the plain mistakes first.

    Contradictions are only looked for where every expression can be evaluated.

    Args:
        file: the rules.
        known: of the shop.
        languages: that every text must have.
    """
    space = Space(file, known)
    checks = _Review(file, known, languages, space)
    found = list(checks.expressions())
    sound = not found
    found += [*checks.names(), *checks.offers(), *checks.texts()]
    wrong = {finding.rule_id for finding in found if finding.rule_id and not finding.warning}
    if sound:
        contradictions = Contradictions(file, space).findings()
        found += [finding for finding in contradictions if finding.rule_id not in wrong]
    return found


class _Review:
    """The checks that need no cases."""

    def __init__(
        self, file: RuleFile, known: Known, languages: tuple[str, ...], space: Space
    ) -> None:
        self._file = file
        self._known = known
        self._languages = languages
        self._space = space
        limits, lists = frozenset(file.spec.limits), frozenset(file.spec.lists)
        self._fields = known_fields(limits, lists)
        self._seen: set[tuple[str, str]] = set()
        self._places = list(expressions_of(file))

    def expressions(self) -> Iterator[Finding]:
        """Find fields that do not exist and types that do not fit."""
        for steps, rule_id, expression, wanted in self._places:
            tree = self._space.tree(expression)
            if tree is None:
                cure = "use only comparisons, lists, numbers, texts and the variables"
                yield self._at(steps, rule_id, f"`{expression}` is not understood", cure)
                continue
            for misfit in misfits(tree, self._fields, wanted):
                yield self._at(steps, rule_id, misfit.problem, misfit.cure)
            read = {path_of(node) for node in walk(tree)}
            if any(p.startswith("item.") for p in read) and not self._has_item(steps):
                problem = "`item` is only known to rules of `scope: item`"
                yield self._at(steps, rule_id, problem, "add `scope: item`")

    def names(self) -> Iterator[Finding]:
        """Find countries, tiers and categories that do not exist."""
        countries = frozenset(all_countries())
        for name, limit in self._file.spec.limits.items():
            for country in sorted(names_in(limit, "country") - countries):
                cure = _closest(country, countries)
                yield self._at(["limits", name], "", f"there is no country {country}", cure)
            for tier in sorted(names_in(limit, "tier")):
                yield from self._tier(["limits", name], "", tier)
        for steps, rule_id, expression, _ in self._places:
            tree = self._space.tree(expression)
            for path, value in comparisons(tree) if tree else ():
                yield from self._named(steps, rule_id, path, str(value), countries)
            for node in walk(tree) if tree else ():
                if isinstance(node, Call) and node.name == "in":
                    yield from self._listed(node, countries)

    def _listed(self, node: Call, countries: frozenset[str]) -> Iterator[Finding]:
        """Look at a list's words once for each fact that they are compared with."""
        path = path_of(node.parts[0])
        name = path_of(node.parts[1]).removeprefix("lists.")
        if (name, path) not in self._seen:
            self._seen.add((name, path))
            for value in self._file.spec.lists.get(name, ()):
                yield from self._named(["lists", name], "", path, value, countries)

    def offers(self) -> Iterator[Finding]:
        """Find alternatives that name neither an operation nor a skill."""
        known = self._known.skills | set(OPERATIONS)
        for name, operation in self._file.spec.operations.items():
            for number, rule in enumerate(operation.rules):
                for offer in rule.alternatives:
                    if offer.operation not in known:
                        problem = f"there is no operation or skill {offer.operation}"
                        steps: Steps = ["operations", name, "rules", number, "alternative"]
                        yield self._at(steps, rule.id, problem, _closest(offer.operation, known))

    def texts(self) -> Iterator[Finding]:
        """Find texts that lack a language, and a period of withdrawal that is too short."""
        for steps, rule_id, text in texts_of(self._file):
            for language in self._languages:
                if not text.get(language, "").strip():
                    problem = f"the text is missing in '{language}'"
                    yield self._at(steps, rule_id, problem, f"add `{language}:`")
        days = self._file.spec.withdrawal.days
        if days < WITHDRAWAL_DAYS:
            problem = f"the right of withdrawal lasts {WITHDRAWAL_DAYS} days by law, not {days}"
            cure = f"write {WITHDRAWAL_DAYS} or more"
            yield self._at(["withdrawal", "days"], "", problem, cure)

    def _has_item(self, steps: Steps) -> bool:
        if steps[0] == "withdrawal" or "conditions" in steps:
            return True
        if "rules" not in steps:
            return False
        operation, number = str(steps[1]), steps[3]
        rule = self._file.spec.operations[operation].rules[int(number)]
        return rule.scope == "item"

    def _named(
        self, steps: Steps, rule_id: str, path: str, value: str, countries: frozenset[str]
    ) -> Iterator[Finding]:
        if path in {"order.country", "customer.country", "shop.country"}:
            if value not in countries:
                cure = _closest(value, countries)
                yield self._at(steps, rule_id, f"there is no country {value}", cure)
        elif path == "customer.tier":
            yield from self._tier(steps, rule_id, value)
        elif path == "item.category":
            known = self._known.categories
            if known is not None and value not in known:
                cure = _closest(value, known)
                yield self._at(steps, rule_id, f"the shop has no category {value}", cure)

    def _tier(self, steps: Steps, rule_id: str, tier: str) -> Iterator[Finding]:
        known = self._known.tiers
        if known is not None and tier not in known:
            cure = _closest(tier, known)
            problem = f"no customer has the tier {tier}"
            yield self._at(steps, rule_id, problem, cure, warning=True)

    def _at(
        self, steps: Steps, rule_id: str, problem: str, cure: str, *, warning: bool = False
    ) -> Finding:
        return Finding(self._file.line(steps), rule_id, problem, cure, warning)


def _closest(name: str, known: frozenset[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"use one of {', '.join(sorted(known)[:40])}" if known else "there are none"
