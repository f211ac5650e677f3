"""Reads a help text of any kind by its file's ending or media type."""

import re
from functools import cache
from pathlib import PurePosixPath

import msgspec
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.feeds.base import Document, Surroundings, fingerprint_of
from knowledge.readers.fetch import Fetched
from knowledge.readers.html import open_html, read_html
from knowledge.readers.jsonld import read_structured
from knowledge.readers.markdown import read_markdown
from knowledge.readers.office import read_docx, read_pdf
from knowledge.readers.sections import Page, passages_of
from knowledge.readers.text import decode
from knowledge.sources import SourceProblem

ENDINGS = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx")
_NAMED = re.compile(r"^(?P<topic>.+)[._](?P<language>[a-z]{2})(?:-(?P<country>[A-Z]{2}))?$")
_TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf",
    "text/markdown": ".md", "text/plain": ".txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip


class Defaults(msgspec.Struct, frozen=True):
    """What holds where a document does not say it, and what is taken of HTML pages."""

    source: str
    language: str = ""
    country: str = ""
    products: bool = True
    texts: bool = True


def ending_of(read: Fetched) -> str:
    """Return the ending that tells how to read something; empty if nothing here can."""
    ending = _TYPES.get(read.content_type, "")
    named = PurePosixPath(read.url.partition("?")[0]).suffix.lower()
    return ending or (named if named in ENDINGS and not read.content_type else "")


def read_document(read: Fetched, key: str, defaults: Defaults, around: Surroundings) -> Document:
    """Return the passages and products of a file or page.

    Args:
        read: Its content, and an address or path by whose ending its kind is known.
        key: The document within its source.
        defaults: For what it does not tell.
        around: The shop.

    Raises:
        ExtraMissing: When it is of a kind whose extra is not installed.
        SourceUnreadable: When it is broken.
    """
    try:
        page = _page(read, key, defaults, around)
    except (ExtraMissing, SourceUnreadable):
        raise
    except Exception as error:  # what readers of broken files raise has no end
        raise SourceUnreadable(key, f"is broken: {type(error).__name__}: {error}") from error
    named = _NAMED.match(PurePosixPath(key).stem)
    topic, language, country = page.topic, page.language, page.country
    if named and not read.url.startswith("http"):
        topic = topic or str(PurePosixPath(key).with_name(named["topic"]))
        language, country = language or named["language"], country or (named["country"] or "")
    language = language or defaults.language or _guess(page.text, around.languages)
    country = country or defaults.country
    title = page.title or PurePosixPath(key).stem or key
    page = msgspec.structs.replace(
        page, topic=topic, language=language, country=country, title=title
    )
    passages, problems = passages_of(page, defaults.source, key)
    if language not in around.languages and passages:
        reason = f"is in the language '{language}', which the shop does not speak"
        passages, problems = [], [SourceProblem(key, "", reason)]
    return Document(
        key, fingerprint_of(read.content), page.products, page.categories, tuple(passages),
        (*page.problems, *problems),
    )  # fmt: skip


def _page(read: Fetched, key: str, defaults: Defaults, around: Surroundings) -> Page:
    ending = ending_of(read)
    if ending == ".pdf":
        return read_pdf(read.content, key)
    if ending == ".docx":
        return read_docx(read.content, key)
    if ending != ".html":
        return read_markdown(decode(read.content, read.charset, key), key)
    tree = open_html(read.content, read.charset, key)
    language = (tree.get("lang") or "")[:2].lower() or defaults.language or around.languages[0]
    stated = read_structured(tree, key, around.currency, language)
    page = read_html(tree, read.url if read.url.startswith("http") else "")
    return msgspec.structs.replace(
        page,
        text=page.text if defaults.texts and not stated.made.products else "",
        questions=stated.questions if defaults.texts else (),
        products=stated.made.products if defaults.products else (),
        categories=stated.made.categories if defaults.products else (),
        problems=stated.made.problems if defaults.products else (),
    )


def _guess(text: str, languages: tuple[str, ...]) -> str:
    return str(_identifier(languages).classify(text[:2000])[0])


@cache
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE)
    found.set_languages(list(languages))
    return found
