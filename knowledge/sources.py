"""Reads a shop directory: products, categories, vocabulary, questions and policies."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from knowledge.documents import (
    UNANSWERED,
    Catalogue,
    Category,
    Passage,
    Product,
    ShopVocabulary,
    Texts,
)
from knowledge.errors import EmptyShop, SourceUnreadable
from knowledge.words import fold

_POLICY_NAME = re.compile(r"^(?P<name>.+)\.(?P<language>[a-z]{2})\.md$")
_MARKUP = re.compile(r"\*\*|__|`|^>\s?", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ASKED = re.compile(r"<!--\s*asked:(.*?)-->", re.DOTALL)
_UPDATED = re.compile(
    r"(?:updated_at|stand|updated|last updated)\W+(\d{4}-\d\d-\d\d)", re.IGNORECASE
)
_MAX_FILE_BYTES = 200_000_000
_UNANSWERED = "unanswered/*.yml"
SUGGESTED = "suggested.yml"
"""The FAQ file that approved suggestions are written to."""
T = TypeVar("T")


class SourceProblem(msgspec.Struct, frozen=True):
    """An item or file that was left out, and why; with `kept` it went in all the same."""

    path: str
    item: str
    reason: str
    kept: bool = False


class SourceDirs(msgspec.Struct, frozen=True):
    """Where a shop's texts are; a missing directory is an empty one."""

    shop: Path
    faq: Path | None = None
    policies: Path | None = None

    def files(self) -> list[Path]:
        """Return every file that is read, in a stable order."""
        names = ("shop", "products", "categories", "vocabulary")
        found = [self.shop / f"{name}.json" for name in names]
        found += _listed(self.faq, "*.yml") + _listed(self.faq, _UNANSWERED)
        found += _listed(self.policies, "*.md")
        return [path for path in found if path.is_file()]

    def fingerprint(self) -> str:
        """Return a hash over the names and contents of all files."""
        digest = blake2b(digest_size=16)
        for path in self.files():
            digest.update(path.name.encode() + b"\0" + blake2b(path.read_bytes()).digest())
        return digest.hexdigest()


class _FaqSource(msgspec.Struct):
    title: Texts = {}
    url: str = ""


class _FaqEntry(msgspec.Struct):
    id: str
    question: Texts
    answer: Texts
    variants: dict[str, list[str]] = {}
    source: _FaqSource = msgspec.field(default_factory=_FaqSource)
    updated_at: date | None = None
    products: tuple[str, ...] = ()


class _FaqWordings(msgspec.Struct):
    """Further wordings for the question of another entry, as approved suggestions give them."""

    same_as: str
    variants: dict[str, list[str]]


class _VocabularyFile(msgspec.Struct):
    """vocabulary.json as found; numbers among the forms are words too."""

    option_names: dict[str, Texts] = {}
    values: dict[str, dict[str, dict[str, list[str | int | float]]]] = {}

    def vocabulary(self) -> ShopVocabulary:
        values = {
            name: {
                key: {language: tuple(map(str, forms)) for language, forms in groups.items()}
                for key, groups in named.items()
            }
            for name, named in self.values.items()
        }
        return ShopVocabulary(self.option_names, values)


class _ShopFile(msgspec.Struct):
    currency: str = "EUR"


def _listed(directory: Path | None, pattern: str) -> list[Path]:
    return sorted(directory.glob(pattern)) if directory and directory.is_dir() else []


def read_shop(dirs: SourceDirs) -> tuple[Catalogue, list[SourceProblem]]:
    """Read everything; what is broken is reported and the rest is returned.

    Raises:
        EmptyShop: When products.json is missing.
        SourceUnreadable: When products.json cannot be read as a list.
    """
    problems: list[SourceProblem] = []
    path = dirs.shop / "products.json"
    if not path.is_file():
        raise EmptyShop(str(dirs.shop))
    products = _unique(_items(path, Product, problems), dirs, problems)
    if not products and any(problem.path == str(path) and not problem.item for problem in problems):
        raise SourceUnreadable(str(path), problems[0].reason)
    categories: list[Category] = []
    if (dirs.shop / "categories.json").is_file():
        categories = list(_items(dirs.shop / "categories.json", Category, problems))
    passages = [*_read_faq(dirs.faq, problems), *_read_policies(dirs.policies, problems)]
    catalogue = Catalogue(
        products=tuple(products),
        categories=tuple(categories),
        vocabulary=_read_one(
            dirs.shop / "vocabulary.json", _VocabularyFile(), problems
        ).vocabulary(),
        passages=tuple(passages),
        currency=_read_one(dirs.shop / "shop.json", _ShopFile(), problems).currency,
    )
    return catalogue, problems


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise SourceUnreadable(str(path), f"larger than {_MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or "unreadable") from error


def _read_one(path: Path, default: T, problems: list[SourceProblem]) -> T:
    if not path.is_file():
        return default
    try:
        return msgspec.json.decode(_read_bytes(path), type=type(default))
    except (SourceUnreadable, msgspec.DecodeError, UnicodeDecodeError) as error:
        problems.append(SourceProblem(str(path), "", str(error)))
        return default


def _items(path: Path, kind: type[T], problems: list[SourceProblem]) -> Iterator[T]:
    try:
        raws = msgspec.json.decode(_read_bytes(path), type=list[msgspec.Raw])
    except (SourceUnreadable, msgspec.DecodeError, UnicodeDecodeError) as error:
        problems.append(SourceProblem(str(path), "", str(error)))
        return
    for number, raw in enumerate(raws):
        try:
            yield msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(SourceProblem(str(path), f"#{number}", str(error)))


def _unique(
    products: Iterable[Product], dirs: SourceDirs, problems: list[SourceProblem]
) -> list[Product]:
    seen: dict[str, Product] = {}
    path = str(dirs.shop / "products.json")
    for product in products:
        if product.id in seen:
            problems.append(SourceProblem(path, product.id, "this id came before; kept the first"))
        elif not any(product.title.values()):
            problems.append(SourceProblem(path, product.id, "has no title"))
        elif not product.variants:
            problems.append(SourceProblem(path, product.id, "has no variants"))
        else:
            seen[product.id] = product
    return list(seen.values())


def _read_faq(directory: Path | None, problems: list[SourceProblem]) -> Iterator[Passage]:
    entries: dict[str, _FaqEntry] = {}
    for path, item, raw in _faq_items(directory, problems):
        is_wordings = isinstance(raw, dict) and "same_as" in raw
        try:
            if is_wordings:
                _add_wordings(entries, msgspec.convert(raw, _FaqWordings))
            else:
                entry = msgspec.convert(raw, _FaqEntry)
                if entries.setdefault(entry.id, entry) is not entry:
                    problems.append(SourceProblem(path, entry.id, "this id came before"))
        except (msgspec.ValidationError, LookupError) as error:
            problems.append(SourceProblem(path, item, str(error)))
    for entry in entries.values():
        yield from _faq_passages(entry)
    yield from _unanswered(directory, problems)


def _unanswered(directory: Path | None, problems: list[SourceProblem]) -> Iterator[Passage]:
    """Return the questions that the shop knows no text to answer, by language."""
    for path in _listed(directory, _UNANSWERED):
        try:
            raw = yaml.load(_read_bytes(path), Loader=yaml.CSafeLoader)
            questions = msgspec.convert(raw or {}, dict[str, tuple[str, ...]])
        except (SourceUnreadable, ValueError, yaml.YAMLError) as error:
            problems.append(SourceProblem(str(path), "", str(error)))
            continue
        for language, texts in questions.items():
            key = f"{UNANSWERED}:{path.stem}"
            yield Passage(f"{key}:{language}", key, UNANSWERED, language, "", "", texts)


def _add_wordings(entries: dict[str, _FaqEntry], wordings: _FaqWordings) -> None:
    """Add wordings to the entry that they name.

    Raises:
        LookupError: There is no such entry before.
    """
    entry = entries.get(wordings.same_as)
    if entry is None:
        msg = f"there is no entry '{wordings.same_as}' before this one"
        raise LookupError(msg)
    for language, texts in wordings.variants.items():
        entry.variants = {**entry.variants, language: [*entry.variants.get(language, ()), *texts]}


def _faq_items(
    directory: Path | None, problems: list[SourceProblem]
) -> Iterator[tuple[str, str, object]]:
    """Yield (file, number, item) of every FAQ file, those that were suggested last."""
    files = _listed(directory, "*.yml")
    for path in sorted(files, key=lambda path: (path.name == SUGGESTED, path)):
        try:
            entries = yaml.load(_read_bytes(path), Loader=yaml.CSafeLoader)
        except (SourceUnreadable, yaml.YAMLError, UnicodeDecodeError) as error:
            problems.append(SourceProblem(str(path), "", str(error)))
            continue
        for number, raw in enumerate(entries if isinstance(entries, list) else []):
            yield str(path), f"#{number}", raw


def _faq_passages(entry: _FaqEntry) -> Iterator[Passage]:
    for language, answer in entry.answer.items():
        if answer.strip():
            yield Passage(
                id=f"faq:{entry.id}:{language}",
                topic_id=f"faq:{entry.id}",
                kind="faq",
                language=language,
                title=entry.question.get(language, ""),
                text=answer.strip(),
                variants=tuple(entry.variants.get(language, ())),
                source_title=entry.source.title.get(language, ""),
                source_url=entry.source.url,
                updated_at=_when(str(entry.updated_at or "")),
                product_ids=entry.products,
            )


def _when(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _read_policies(directory: Path | None, problems: list[SourceProblem]) -> Iterator[Passage]:
    for path in _listed(directory, "*.md"):
        named = _POLICY_NAME.match(path.name)
        if not named:
            problems.append(SourceProblem(str(path), "", "name is not NAME.LANGUAGE.md"))
            continue
        try:
            text = _read_bytes(path).decode("utf-8-sig")
        except (SourceUnreadable, UnicodeDecodeError) as error:
            problems.append(SourceProblem(str(path), "", str(error)))
            continue
        yield from _policy_passages(text, named["name"], named["language"])


def _policy_passages(text: str, name: str, language: str) -> Iterator[Passage]:
    dated = _UPDATED.search(text)
    head, *sections = re.split(r"^##\s+", text, flags=re.MULTILINE)
    title = next((line[2:].strip() for line in head.splitlines() if line.startswith("# ")), name)
    for number, section in enumerate(sections, start=1):
        heading, _, body = section.partition("\n")
        asked = [wording for said in _ASKED.findall(body) for wording in said.split("|")]
        quoted = _LINK.sub(r"\1", _MARKUP.sub("", _COMMENT.sub("", body))).strip()
        if not quoted:
            continue
        anchor = re.sub(r"[^a-z0-9]+", "-", fold(heading)).strip("-")
        yield Passage(
            id=f"policy:{name}:{number}:{language}",
            topic_id=f"policy:{name}:{number}",
            kind="policy",
            language=language,
            title=heading.strip(),
            text=quoted,
            variants=tuple(wording.strip() for wording in asked if wording.strip()),
            source_title=title,
            source_url=f"/shop/policies/{name}#{anchor}",
            updated_at=_when(dated[1]) if dated else None,
        )
