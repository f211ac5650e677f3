"""HTML pages: main text by trafilatura, structured data, links; needs the extra "pages"."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.readers.sections import Page, moment
from knowledge.readers.text import decode

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DROPPED = ("script", "style", "noscript", "template", "iframe", "object", "svg", "form", "nav")
_FRAME = ("header", "footer", "aside", "dialog", "button", "select")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)
_BLOCKS = {"p", "div", "section", "article", "table", "ul", "ol", "blockquote", "pre", "details"}
_MIN_CHARS = 80
_MAX_DEPTH = 250


def open_html(content: bytes, charset: str = "", path: str = "") -> "HtmlElement":
    """Return a page as a tree without scripts; its structured data is still there.

    Raises:
        ExtraMissing: When the extra "pages" is not installed.
        SourceUnreadable: When it is no HTML, or no text.
    """
    try:
        from lxml import etree, html
    except ModuleNotFoundError as error:
        raise ExtraMissing(f"{path}: an HTML page", "pages") from error
    if not charset and b"charset" not in content[:4096].lower():
        content, charset = decode(content, "", path).encode(), "utf-8"
    try:
        parser = html.HTMLParser(
            encoding=charset or None, remove_comments=True, remove_pis=True, no_network=True
        )
        tree = html.document_fromstring(content, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise SourceUnreadable(path, f"is no HTML: {error}") from error
    return tree


def read_html(tree: "HtmlElement", url: str = "") -> Page:
    """Return the page of a tree; what customers cannot see is left out."""
    title = _title(tree)
    language = (tree.get("lang") or "").replace("_", "-").partition("-")[0]
    times = (
        "//meta[@property='article:modified_time']/@content",
        "//meta[@name='last-modified']/@content",
        "//time[@datetime]/@datetime",
    )
    told = (moment(value) for xpath in times for value in tree.xpath(xpath)[:1])
    updated_at = next((when for when in told if when), None)
    _strip(tree, _DROPPED)
    return Page(
        title=title,
        text=_main_text(tree),
        language=language.lower()[:3],
        url=url,
        updated_at=updated_at,
    )


def fragment_text(content: str, path: str = "") -> str:
    """Return a piece of HTML, such as the body of an article, as Markdown.

    Raises:
        ExtraMissing: When the extra "pages" is not installed.
        SourceUnreadable: When it is no HTML.
    """
    if not content.strip():
        return ""
    tree = open_html(f"<html><body>{content}</body></html>".encode(), "utf-8", path)
    _strip(tree, _DROPPED)
    return to_markdown(tree)


def links(tree: "HtmlElement", url: str) -> Iterator[str]:
    """Yield the absolute addresses that a page links to, without those marked nofollow."""
    base = next(iter(tree.xpath("//base[@href]/@href")), "")
    for link in tree.xpath("//a[@href]"):
        if "nofollow" in (link.get("rel") or ""):
            continue
        try:
            yield urljoin(urljoin(url, base), link.get("href").strip())
        except ValueError:
            continue


def robots_say(tree: "HtmlElement") -> str:
    """Return what the page's robots meta tag says, in lower case."""
    told = tree.xpath("//meta[translate(@name, 'ROBTS', 'robts')='robots']/@content")
    return " ".join(told).lower().replace("none", "noindex, nofollow")


def to_markdown(tree: "HtmlElement") -> str:
    """Return a tree's text with headings, lists and table rows as Markdown."""
    lines: list[str] = []
    _write(tree, lines, 0)
    text = re.sub(r"[ \t\u00a0]+", " ", "".join(lines))
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()


def _main_text(tree: "HtmlElement") -> str:
    """Return the text of a page without its frame.

    Raises:
        ExtraMissing: When the extra "pages" is not installed.
    """
    try:
        from trafilatura import extract
    except ModuleNotFoundError as error:
        raise ExtraMissing("an HTML page", "pages") from error
    inner = tree.xpath("//main|//*[@role='main']") or tree.xpath("//article")
    if len(inner) == 1:
        _strip(inner[0], _FRAME)
        text = to_markdown(inner[0])
        if len(text) >= _MIN_CHARS:
            return text
    found = extract(
        tree, output_format="markdown", include_comments=False, include_links=False,
        include_images=False, favor_recall=True, with_metadata=False,
    )  # fmt: skip
    if found and len(found) >= _MIN_CHARS:
        return str(found)
    _strip(tree, _FRAME)
    return to_markdown(tree)


def _strip(tree: "HtmlElement", names: tuple[str, ...]) -> None:
    for element in list(tree.iter(*names)):
        if element.getparent() is not None:
            element.drop_tree()
    for element in tree.xpath("//*[@hidden or @aria-hidden='true' or @style]"):
        is_hidden = element.get("style") is None or _HIDDEN.search(element.get("style"))
        if (is_hidden or "hidden" in element.attrib) and element.getparent() is not None:
            element.drop_tree()


def _title(tree: "HtmlElement") -> str:
    for xpath in ("//h1", "//title"):
        for element in tree.xpath(xpath):
            if text := " ".join(element.text_content().split()):
                return str(text[:300])
    return ""


def _write(element: "HtmlElement", lines: list[str], depth: int) -> None:
    tag = element.tag if isinstance(element.tag, str) else ""
    if depth > _MAX_DEPTH or not tag or tag in {"head", "title"}:
        lines.append(element.tail or "")
        return
    if re.fullmatch(r"h[1-6]|summary|dt", tag):
        level = int(tag[1]) if tag[0] == "h" else 4
        heading = " ".join(element.text_content().split())
        lines += (f"\n\n{'#' * level} {heading}\n\n", element.tail or "")
        return
    before = {"li": "\n- ", "tr": "\n", "br": "\n", "td": " ", "th": " "}.get(tag, "")
    before = "\n\n" if tag in _BLOCKS else before
    text = element.text or ""
    lines.append(before + (text if tag == "pre" else re.sub(r"\s+", " ", text)))
    for child in element:
        _write(child, lines, depth + 1)
    after = "\n\n" if tag in _BLOCKS else ""
    lines.append(after + re.sub(r"\s+", " ", element.tail or ""))
