"""`kind: articles`: exports of help centres as JSON: Zendesk, Intercom, Gorgias and their like."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.feeds.base import Document, Source, Surroundings, failed, fingerprint_of
from knowledge.feeds.location import Located, Location
from knowledge.readers.html import fragment_text
from knowledge.readers.sections import Page, moment, passages_of
from knowledge.readers.text import decode_first
from knowledge.sources import SourceProblem

_LISTS = ("articles", "data", "items", "results")
_DRAFTS = {"draft", "unpublished", "archived", "private", "internal"}


class Config(Location, frozen=True, kw_only=True):
    """The settings; `language` and `country` hold for articles that do not tell theirs."""

    language: str = ""
    country: str = ""


class ArticleExport(Source):
    """The published articles of an export, one document each."""

    def __init__(self, name: str, config: Config, around: Surroundings) -> None:
        """Read the export that the settings name."""
        super().__init__(name)
        self._config = config
        self._around = around
        self._place = Located(config, around)

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield a document for each article and language; drafts are left out.

        Raises:
            SourceUnreadable: When the file cannot be read, or is no export of articles.
        """
        read = self._place.read()
        text = decode_first(read.content, (read.charset,), self._place.shown)
        seen: set[str] = set()
        for number, article in enumerate(self._articles(text)):
            if not isinstance(article, dict):
                yield failed(f"#{number}", "is no object")
                continue
            for key, one in _translations(article, f"#{number}"):
                if key in seen:
                    reason = "this article came before; kept the first"
                    yield Document(f"{key}#{number}", problems=(SourceProblem(key, "", reason),))
                    continue
                seen.add(key)
                if _is_public(one):
                    yield self._document(one, key, known)

    def _articles(self, text: str) -> list[Any]:
        try:
            data = msgspec.json.decode(text.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            data = _lines(text, self._place.shown)
        if isinstance(data, dict):
            data = next((data[name] for name in _LISTS if isinstance(data.get(name), list)), None)
        if not isinstance(data, list):
            lists = ", ".join(_LISTS)
            raise SourceUnreadable(self._place.shown, f"has no list of articles (under {lists})")
        return data

    def _document(self, article: Mapping[str, Any], key: str, known: Mapping[str, str]) -> Document:
        fingerprint = fingerprint_of(msgspec.json.encode(article, order="deterministic"))
        if known.get(key) == fingerprint:
            return Document(key, fingerprint, state="unchanged")
        told = _first(article, "locale", "language", "default_locale") or self._config.language
        language = told.replace("_", "-").partition("-")[0].lower() or self._around.languages[0]
        if language not in self._around.languages:
            reason = f"is in the language '{language}', which the shop does not speak"
            return Document(key, fingerprint, problems=(SourceProblem(key, "", reason),))
        try:
            body = fragment_text(
                _first(article, "body", "content", "html_content", "body_html"), key
            )
        except (SourceUnreadable, ExtraMissing) as error:
            return failed(key, str(error))
        page = Page(
            title=_first(article, "title", "name", "subject"),
            text=body,
            language=language,
            country=self._config.country.upper(),
            url=_first(article, "html_url", "url", "permalink", "link"),
            updated_at=_when(article),
            topic=_first(article, "id", "source_id", "slug"),
        )
        passages, problems = passages_of(page, self.name, key)
        return Document(key, fingerprint, passages=tuple(passages), problems=tuple(problems))


def _lines(text: str, path: str) -> list[Any]:
    """Return the objects of JSON lines.

    Raises:
        SourceUnreadable: When a line is no JSON.
    """
    try:
        return [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceUnreadable(path, f"is no JSON: {error}") from error


def _translations(article: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an article in each of its languages, with a key."""
    key = _first(article, "id", "source_id", "slug") or place
    own = _first(article, "locale", "language", "default_locale")
    others = article.get("translated_content") or article.get("translations") or {}
    shared = {k: v for k, v in article.items() if k not in {"translated_content", "translations"}}
    yield f"{key}:{own}", shared
    named = (
        others.items()
        if isinstance(others, dict)
        else ((_first(o, "locale", "language"), o) for o in others if isinstance(o, dict))
    )
    for language, text in named:
        if isinstance(text, dict) and language and language not in {"type", own}:
            yield (
                f"{key}:{language}",
                {**shared, **text, "id": article.get("id"), "locale": language},
            )


def _is_public(article: Mapping[str, Any]) -> bool:
    state = _first(article, "state", "status", "visibility", "visibility_status").lower()
    return not article.get("draft") and state not in _DRAFTS


def _first(article: Mapping[str, Any], *names: str) -> str:
    values = (article.get(name) for name in names)
    return next((str(v).strip() for v in values if isinstance(v, str | int) and str(v).strip()), "")


def _when(article: Mapping[str, Any]) -> datetime | None:
    """Return when it was last changed: ISO, or seconds since 1970 as Intercom writes it."""
    for name in ("edited_at", "updated_at", "updated_datetime", "created_at"):
        value = article.get(name)
        if isinstance(value, int) and 0 < value < 10**11:
            return datetime.fromtimestamp(value, UTC)
        if value and (when := moment(value)):
            return when
    return None


def connect(name: str, config: Config, around: Surroundings) -> Source:
    """Return the source."""
    return ArticleExport(name, config, around)
