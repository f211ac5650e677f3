"""`tresen check`: everything a shop can get wrong in its files, each with file, line and cure."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from actions.commerce.errors import CommerceError
from actions.commerce.models import Category, Customer, ShopInfo
from actions.commerce.seeds import ShopFolder, read_folder
from actions.commerce.shipping import ANYWHERE, country_code
from actions.policy.axis_values import Known
from actions.policy.review import review
from actions.policy.rules import PolicyInvalid, RuleFile
from actions.policy.statements import statements
from actions.registry import action_names
from bot.bridges_setup import make_bridge
from bot.desk_setup import DeskRules
from bot.flow_checks import check_flows
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.grounding_checks import check_grounding
from bot.grounding_facts import RuleKeys, rule_keys, stated_facts
from bot.knowledge_sources import open_sources
from bot.messages import utc_now
from bot.nlu_cli import training_problems
from bot.settings import Settings
from bot.shops import connect
from bot.sign_in_setup import sign_in_settings
from bot.translation_setup import make_translator
from bot.understanding.examples import TrainingDataError, load_examples
from bot.voice_checks import check_voices
from bot.writing_setup import make_model
from bot.yaml_source import Problem, SourceError, YamlSource
from desk.bridges.ports import BridgeContext
from desk.public_holidays import HolidaysNotInstalled
from knowledge.errors import KnowledgeError
from knowledge.sources import SourceDirs, read_shop

LEAST_EXAMPLES = 5
LEAST_INTENTS = 2


def check_everything(settings: Settings) -> list[Problem]:
    """Return all problems found, the flows' first, each once."""
    return list(dict.fromkeys(_problems(settings)))


def _problems(settings: Settings) -> list[Problem]:
    data = settings.root / "data"
    problems = list(_check_skills(data, settings))
    problems.extend(_check_examples(data, settings))
    problems.extend(_check_sources(settings))
    problems.extend(_check_desk(settings))
    if settings.is_outside_shop:
        problems.extend(_check_connection(settings))
        return [*problems, *_check_policy(settings, None)]
    content = _shop_content(settings)
    if isinstance(content, Problem):
        return [*problems, *_check_policy(settings, None), content]
    return [*problems, *_check_policy(settings, content), *_check_shop(settings)]


def _check_sources(settings: Settings) -> Iterator[Problem]:
    """Find what is wrong with the sources of knowledge; none of them is read."""
    try:
        open_sources(settings)
    except SourceError as error:
        yield from error.problems


def _check_desk(settings: Settings) -> Iterator[Problem]:
    """Find what is wrong with the rules of the desk, the way to another one, and the translator."""
    try:
        rules = DeskRules(settings, "UTC")
        sign_in_settings(settings, rules.settings.teams)
        make_bridge(settings, BridgeContext("en", "", "", utc_now))
        make_translator(settings)
    except SourceError as error:
        yield from error.problems
    except HolidaysNotInstalled as error:
        yield Problem("config.yml", 1, str(error))
    try:
        make_model(settings)
    except SourceError as error:
        yield from error.problems


def _check_connection(settings: Settings) -> Iterator[Problem]:
    """Find what is wrong with the settings of an outside shop; the shop itself is not asked."""
    try:
        connect(settings)
    except SourceError as error:
        yield from error.problems
    except CommerceError as error:
        yield Problem(str(settings.shop_dir / "shop.json"), 1, str(error))


def _shop_content(settings: Settings) -> ShopFolder | Problem:
    try:
        return read_folder(settings.shop_dir, utc_now())
    except CommerceError as error:
        return Problem(str(settings.shop_dir), 1, str(error))


def _check_skills(data: Path, settings: Settings) -> Iterator[Problem]:
    try:
        flows = load_flows(data)
    except SourceError as error:
        yield from error.problems
        return
    yield from check_flows(flows, action_names(), settings.config.languages)
    yield from check_voices(data, settings.root)
    yield from _check_grounding(flows, data, settings)


def _check_grounding(flows: FlowSet, data: Path, settings: Settings) -> Iterator[Problem]:
    """Find what wordings state by themselves, where the shop has texts to state it."""
    try:
        passages = () if settings.is_outside_shop else read_shop(_texts(settings))[0].passages
    except KnowledgeError:
        return  # told by the check of the shop
    if passages:
        stated = stated_facts((passage.text for passage in passages), data)
        yield from check_grounding(flows, data, stated.union(_ruled(settings)))


def _ruled(settings: Settings) -> RuleKeys:
    """Return what the rules state; nothing where they are broken, which is told elsewhere."""
    try:
        rules = RuleFile(policy_path(settings))
        info = msgspec.json.decode((settings.shop_dir / "shop.json").read_bytes(), type=ShopInfo)
    except (PolicyInvalid, OSError, msgspec.MsgspecError):
        return {}
    return rule_keys(statements(rules), info.currency)


def _check_examples(data: Path, settings: Settings) -> Iterator[Problem]:
    """Find broken examples, skills that nobody can reach, and sentences claimed twice."""
    try:
        examples = load_examples([data])
    except TrainingDataError as error:
        yield from (_below(settings.root, problem) for problem in error.problems)
        return
    if len(intents := {example.intent for example in examples}) < LEAST_INTENTS:
        message = f"training needs examples of two intents, found {len(intents)}"
        cure = "write examples: in a skill"
        yield Problem("data/skills", 1, message, cure)
    yield from training_problems(settings)
    for path in sorted((data / "skills").glob("*.yml")):
        source = YamlSource.read(path, settings.root)
        content = source.data if isinstance(source.data, dict) else {}
        listed = content.get("examples") or {}
        for language in settings.config.languages if listed else ():
            count = len(listed.get(language) or ())
            if count < LEAST_EXAMPLES:
                message = f"only {count} examples in '{language}'"
                cure = f"give at least {LEAST_EXAMPLES}"
                yield Problem(
                    source.path, source.line(("examples", language)), message, cure, warning=True
                )


def _below(root: Path, problem: Problem) -> Problem:
    """Return a problem with its path as all others show it: below the root."""
    path = Path(problem.path)
    if not path.is_relative_to(root):
        return problem
    return msgspec.structs.replace(problem, path=str(path.relative_to(root)))


def policy_path(settings: Settings) -> Path:
    """Return the rules in force: the shop's own, else those of the demo shop."""
    own = settings.shop_dir / "policy.yml"
    return own if own.is_file() else settings.root / "data" / "policies" / "rules.yml"


def _check_policy(settings: Settings, shop: ShopFolder | None) -> Iterator[Problem]:
    """Find rules that cannot be read, that name what does not exist, and contradictions."""
    path = policy_path(settings)
    shown = (
        str(path.relative_to(settings.root)) if path.is_relative_to(settings.root) else str(path)
    )
    try:
        rules = RuleFile(path)
    except PolicyInvalid as error:
        yield Problem(shown, error.line, error.problem, error.cure)
        return
    for found in review(rules, _known(settings, shop), settings.config.languages):
        about = f"rule {found.rule_id}: " if found.rule_id else ""
        yield Problem(shown, found.line, f"{about}{found.problem}", found.cure, found.warning)


def _known(settings: Settings, shop: ShopFolder | None) -> Known:
    """Return what the rules may name; the demo shop's rules may name more than a shop has."""
    skills = frozenset(path.stem for path in (settings.root / "data" / "skills").glob("*.yml"))
    if shop is None:
        return Known(skills=skills)
    own = policy_path(settings).parent == settings.shop_dir or not settings.is_own_shop
    customers = [c for c in shop.records["customers"] if isinstance(c, Customer)]
    categories = [c.id for c in shop.records["categories"] if isinstance(c, Category)]
    rates = {country for rate in shop.info.shipping for country in rate.countries}
    homes = {country_code(c.address.country) for c in customers} - {""}
    anywhere = not rates or ANYWHERE in rates
    countries = (rates - {ANYWHERE}) | {shop.info.country} | (homes if anywhere else set())
    return Known(
        countries=frozenset(countries),
        tiers=frozenset(customer.tier for customer in customers) if own else None,
        categories=frozenset(categories) if own else None,
        skills=skills,
        time_zone=shop.info.time_zone,
    )


def _texts(settings: Settings) -> SourceDirs:
    data = settings.root / "data"
    own = settings.is_own_shop
    return SourceDirs(
        shop=settings.shop_dir,
        faq=settings.shop_dir / "faq" if own else data / "faq",
        policies=settings.shop_dir / "policies" if own else data / "policies" / "texts",
    )


def _check_shop(settings: Settings) -> Iterator[Problem]:
    _, problems = read_shop(_texts(settings))
    for problem in problems:
        yield Problem(str(problem.path), 1, f"{problem.item}: {problem.reason}")
