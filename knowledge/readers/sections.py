"""Help texts cut into passages by heading, each with the path of titles above it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec
from semantic_text_splitter import TextSplitter

from knowledge.documents import Category, Passage, Product
from knowledge.readers.rows import slug
from knowledge.readers.text import gives_orders
from knowledge.sources import SourceProblem

MAX_PASSAGE_CHARS = 1500
MAX_PASSAGES = 2000
PATH_SIGN = " › "
_MIN_CHARS = 20
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*(?:\{#[\w-]+\})?\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_MARKUP = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`|^>\s?", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\[]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BLANKS = re.compile(r"\n\s*\n\s*")
_HTML = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)|</?[a-zA-Z][^<>]{0,500}>", re.DOTALL)


class Question(msgspec.Struct, frozen=True):
    """A question with its answer, as a page states them."""

    question: str
    answer: str


class Page(msgspec.Struct, frozen=True):
    """What was read of a page or document: its text is Markdown."""

    title: str
    text: str = ""
    language: str = ""
    country: str = ""
    url: str = ""
    updated_at: datetime | None = None
    topic: str = ""
    questions: tuple[Question, ...] = ()
    products: tuple[Product, ...] = ()
    categories: tuple[Category, ...] = ()
    problems: tuple[SourceProblem, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """A piece of a text below the headings that lead to it."""

    path: tuple[str, ...]
    text: str


def cut(markdown: str) -> Iterator[Section]:
    """Yield the sections of a text; a long one in pieces of at most 1,500 characters."""
    splitter = TextSplitter(MAX_PASSAGE_CHARS)
    path: list[tuple[int, str]] = []
    body: list[str] = []
    is_code = False
    for line in [*_COMMENT.sub("", markdown).splitlines(), "# "]:
        is_code ^= bool(_FENCE.match(line))
        heading = None if is_code else _HEADING.match(line)
        if heading or line == "# ":
            text = quotable("\n".join(body))
            for piece in splitter.chunks(text) if len(text) >= _MIN_CHARS else ():
                yield Section(tuple(title for _, title in path), piece)
            body = []
        if heading:
            level = len(heading[1])
            path = [(n, title) for n, title in path if n < level]
            path.append((level, quotable(heading[2])))
        else:
            body.append(line)


def quotable(markdown: str) -> str:
    """Return a text as it may be shown to customers: without markup, scripts and comments."""
    text = _HTML.sub("", _COMMENT.sub("", markdown))
    text = _MARKUP.sub("", _LINK.sub(r"\1", text))
    return _BLANKS.sub("\n\n", text).strip()


def passages_of(page: Page, source: str, key: str) -> tuple[list[Passage], list[SourceProblem]]:
    """Return the passages of a page, and what is to be said about them.

    Pages in several languages share topics if they have the same `topic` and as many sections.

    Args:
        page: With its language.
        source: The source's name, which begins every id.
        key: The page within the source.
    """
    problems: list[SourceProblem] = []
    sections = list(cut(page.text))
    if len(sections) > MAX_PASSAGES:
        reason = f"has {len(sections)} sections; kept the first {MAX_PASSAGES}"
        problems.append(SourceProblem(key, "", reason, kept=True))
        sections = sections[:MAX_PASSAGES]
    count = len(sections)
    topic = f"{source}:{page.topic or slug(key)}"
    found = [
        _passage(page, f"{topic}:{number}/{count}", _title(section.path, page.title), section.text)
        for number, section in enumerate(sections, 1)
    ]
    found += [
        _passage(page, f"{topic}:q{number}/{len(page.questions)}", item.question, item.answer)
        for number, item in enumerate(page.questions, 1)
    ]
    problems += [
        SourceProblem(key, item.title, "reads like orders to a language model", kept=True)
        for item in found
        if gives_orders(f"{item.title}\n{item.text}")
    ]
    if not found and not page.products:
        problems.append(SourceProblem(key, "", "holds no text"))
    return found, problems


def moment(value: object) -> datetime | None:
    """Return an ISO date or time as aware UTC, or None."""
    if isinstance(value, date):
        value = value.isoformat()
    try:
        when = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _title(path: tuple[str, ...], title: str) -> str:
    below = path[1:] if path and path[0] == title else path
    return PATH_SIGN.join(below) or title


def _passage(page: Page, topic: str, title: str, text: str) -> Passage:
    is_question = topic.rpartition(":")[2].startswith("q")
    return Passage(
        id=f"{topic}:{page.language}" + (f"-{page.country}" if page.country else ""),
        topic_id=topic,
        kind="faq" if is_question else "help",
        language=page.language,
        title=title,
        text=text,
        source_title=page.title,
        source_url=page.url,
        updated_at=page.updated_at,
        country=page.country,
    )
