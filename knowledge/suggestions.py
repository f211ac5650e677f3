"""FAQ entries suggested by questions that were answered; nothing goes live unreviewed."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from rapidfuzz import fuzz

from knowledge.errors import KnowledgeError, SourceUnreadable
from knowledge.readers.text import gives_orders, read_file
from knowledge.words import clean, fold

State = Literal["open", "approved", "rejected"]
Marker = Literal["customer", "operator"]
MASKED = re.compile(r"\b(?:[A-Z]{2,}NUMBER|EMAILADDRESS|POSTCODE|PERSON|ADDRESS|NUMBER)\b")
_ALIKE = 88.0
_MIN_CHARS, _MAX_CHARS = 12, 300
_MAX_VARIANTS = 8
_LEAST_ANSWER_CHARS = 20
_HEAD = (
    "# Suggested by what customers asked. Edit the texts here, then: tresen ingest suggestions\n"
    "# approve ID, or reject ID. Capitals such as PERSON stand for what was masked.\n"
)


class UnknownSuggestion(KnowledgeError):
    """There is no open suggestion with this id."""

    def __init__(self, key: str) -> None:
        """Name it."""
        super().__init__(f"there is no open suggestion '{key}'; list them with: list")


class SuggestionUnfit(KnowledgeError):
    """A suggestion cannot go live as it is."""

    def __init__(self, key: str, reason: str, path: Path) -> None:
        """Say why, and where to edit it."""
        super().__init__(f"{key}: {reason}; edit it in {path}")


class AnsweredQuestion(msgspec.Struct, frozen=True):
    """A question of a customer, its answer, and who marked it as answered."""

    question: str
    answer: str
    language: str
    marked_by: Marker
    at: datetime


class Suggestion(msgspec.Struct, frozen=True):
    """A question asked `count` times in the wordings of `variants`, with its latest answer.

    `same_as` is the FAQ entry that gave the answer: then only the wordings are new.
    """

    id: str
    question: str
    answer: str
    language: str
    variants: tuple[str, ...] = ()
    count: int = 1
    marked_by: Marker = "customer"
    last_at: datetime | None = None
    state: State = "open"
    same_as: str = ""
    note: str = ""


class SuggestionBook:
    """The review file: what was suggested, and what became of it."""

    def __init__(self, path: Path, mask: Callable[[str], str]) -> None:
        """Keep suggestions in a YAML file.

        Args:
            path: The file; it need not exist.
            mask: Replaces personal data by what it is, in capitals.
        """
        self.path = path
        self._mask = mask

    def suggestions(self, state: State | None = "open") -> list[Suggestion]:
        """Return suggestions, those asked most often first; None means all.

        Raises:
            SourceUnreadable: When the file was broken by hand.
        """
        if not self.path.is_file():
            return []
        try:
            raw = yaml.load(read_file(self.path), Loader=yaml.CSafeLoader) or []
            found = msgspec.convert(raw, list[Suggestion])
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            raise SourceUnreadable(str(self.path), str(error)) from error
        ranked = sorted(found, key=lambda item: (-item.count, item.id))
        return [item for item in ranked if state in {None, item.state}]

    def gather(
        self,
        answered: Iterable[AnsweredQuestion],
        known: Iterable[str] = (),
        answers: Mapping[str, str] | None = None,
    ) -> int:
        """Make the open suggestions those of these questions; return how many are new.

        What was edited, approved or rejected stays so.

        Args:
            answered: All that are marked as answered.
            known: Questions that the FAQ already has, word for word.
            answers: The id of the FAQ entry that has an answer, by the answer's text.

        Raises:
            SourceUnreadable: When the file was broken by hand.
        """
        before = {item.id: item for item in self.suggestions(None)}
        taken = {_key(question) for question in known}
        fresh: dict[str, Suggestion] = {}
        for item in sorted(answered, key=lambda item: item.at):
            question, answer = (self._mask(clean(t).strip()) for t in (item.question, item.answer))
            length_fits = _MIN_CHARS <= len(question) <= _MAX_CHARS
            if not length_fits or len(answer) < _LEAST_ANSWER_CHARS or _key(question) in taken:
                continue
            same = _alike(question, item.language, (*fresh.values(), *before.values()))
            if same is None:
                made = _suggestion(question, answer, item, (answers or {}).get(item.answer, ""))
                fresh[made.id] = made
            else:
                counted = fresh.get(same.id, msgspec.structs.replace(same, count=0, variants=()))
                fresh[same.id] = _more(counted, question, answer, item)
        new = sum(key not in before for key in fresh)
        decided = {key: item for key, item in before.items() if item.state != "open"}
        edited = {key: _kept(item, before.get(key)) for key, item in fresh.items()}
        self._write([*{**edited, **decided}.values()])
        return new

    def approve(self, key: str, faq_file: Path, today: date) -> None:
        """Add an open suggestion to an FAQ file, and mark it approved.

        Raises:
            UnknownSuggestion: When there is none of that id.
            SuggestionUnfit: When it still holds masks, or reads like orders to a language model.
            SourceUnreadable: When a file is broken.
        """
        item = self._open(key)
        texts = (item.question, item.answer)
        if any(MASKED.search(text) for text in texts):
            raise SuggestionUnfit(key, "holds what was masked", self.path)
        if any(map(gives_orders, texts)):
            raise SuggestionUnfit(key, "reads like orders to a language model", self.path)
        entries: list[dict[str, Any]] = []
        if faq_file.is_file():
            try:
                raw = yaml.load(read_file(faq_file), Loader=yaml.CSafeLoader) or []
                entries = msgspec.convert(raw, list[dict[str, Any]])
            except (yaml.YAMLError, msgspec.ValidationError) as error:
                raise SourceUnreadable(str(faq_file), str(error)) from error
        name = f"suggested-{key}"
        wordings = [text for text in item.variants if not MASKED.search(text)]
        entry: dict[str, Any] = {
            "id": name,
            "question": {item.language: item.question},
            "variants": {item.language: wordings},
            "answer": {item.language: item.answer},
            "updated_at": today.isoformat(),
        }
        if item.same_as:
            entry = {
                "same_as": item.same_as,
                "variants": {item.language: [item.question, *wordings]},
            }
        if entry not in entries and not any(known.get("id") == name for known in entries):
            _write_yaml(faq_file, [*entries, entry])
        self._decide(key, "approved")

    def reject(self, key: str) -> None:
        """Mark an open suggestion rejected; it is not made again.

        Raises:
            UnknownSuggestion: When there is none of that id.
            SourceUnreadable: When the file is broken.
        """
        self._open(key)
        self._decide(key, "rejected")

    def _open(self, key: str) -> Suggestion:
        for item in self.suggestions("open"):
            if item.id == key:
                return item
        raise UnknownSuggestion(key)

    def _decide(self, key: str, state: State) -> None:
        self._write([
            msgspec.structs.replace(item, state=state) if item.id == key else item
            for item in self.suggestions(None)
        ])

    def _write(self, items: list[Suggestion]) -> None:
        ranked = sorted(items, key=lambda item: (item.state != "open", -item.count, item.id))
        _write_yaml(self.path, msgspec.json.decode(msgspec.json.encode(ranked)), _HEAD)


def _write_yaml(path: Path, data: object, head: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)
    draft = path.with_suffix(".draft")
    draft.write_text(head + text, encoding="utf-8")
    draft.replace(path)


def _key(question: str) -> str:
    return " ".join(re.findall(r"\w+", fold(question)))


def _suggestion(question: str, answer: str, item: AnsweredQuestion, same_as: str) -> Suggestion:
    raw = f"{item.language}\0{_key(question)}".encode()
    note = "reads like orders to a language model" if gives_orders(f"{question} {answer}") else ""
    key = blake2b(raw, digest_size=4).hexdigest()
    return Suggestion(
        id=key, question=question, answer=answer, language=item.language,
        marked_by=item.marked_by, last_at=item.at, same_as=same_as, note=note,
    )  # fmt: skip


def _alike(question: str, language: str, among: Iterable[Suggestion]) -> Suggestion | None:
    """Return the suggestion of the nearest wording, if it is near enough."""
    words = _key(question)
    scored = [
        (max(fuzz.token_sort_ratio(words, _key(t)) for t in (item.question, *item.variants)), item)
        for item in among
        if item.language == language
    ]
    score, best = max(scored, key=itemgetter(0), default=(0.0, None))
    return best if score >= _ALIKE else None


def _more(same: Suggestion, question: str, answer: str, item: AnsweredQuestion) -> Suggestion:
    is_new = _key(question) not in {_key(text) for text in (same.question, *same.variants)}
    variants = (*same.variants, question) if is_new else same.variants
    marked_by: Marker = "operator" if "operator" in {same.marked_by, item.marked_by} else "customer"
    return msgspec.structs.replace(
        same, answer=answer, count=same.count + 1, variants=variants[:_MAX_VARIANTS],
        marked_by=marked_by, last_at=item.at,
    )  # fmt: skip


def _kept(item: Suggestion, before: Suggestion | None) -> Suggestion:
    """Return a suggestion with the texts that a person may have edited."""
    if before is None:
        return item
    return msgspec.structs.replace(item, question=before.question, answer=before.answer)
