"""PDF and DOCX files as Markdown; needs the extra "documents"."""

import io
import logging
import zipfile
from collections.abc import Iterator

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.readers.sections import Page

MAX_PAGES = 500
MAX_UNPACKED_BYTES = 200_000_000
_MAX_CHARS = 5_000_000


def read_pdf(content: bytes, path: str) -> Page:
    """Return the text of a PDF's pages, each below a heading with its number.

    Raises:
        ExtraMissing: When the extra "documents" is not installed.
        SourceUnreadable: When it is broken, locked, or has too many pages.
    """
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ModuleNotFoundError as error:
        raise ExtraMissing(f"{path}: a PDF", "documents") from error
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceUnreadable(path, "is locked with a password")
        if len(reader.pages) > MAX_PAGES:
            raise SourceUnreadable(path, f"has more than {MAX_PAGES} pages")
        title = str((reader.metadata.title if reader.metadata else "") or "")
        parts, size = [], 0
        for number, page in enumerate(reader.pages, 1):
            text = page.extract_text().strip()
            size += len(text)
            if size > _MAX_CHARS:
                raise SourceUnreadable(path, f"holds more than {_MAX_CHARS} characters")
            if text:
                parts.append(f"# {number}\n\n{text.replace('#', ' ')}")
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        NotImplementedError,
        OverflowError,
    ) as error:
        raise SourceUnreadable(
            path, f"is a broken PDF: {str(error) or type(error).__name__}"
        ) from error
    return Page(title=title, text="\n\n".join(parts))


def read_docx(content: bytes, path: str) -> Page:
    """Return the paragraphs and tables of a Word document, its headings as such.

    Raises:
        ExtraMissing: When the extra "documents" is not installed.
        SourceUnreadable: When it is broken, or unpacks to too much.
    """
    try:
        from docx import Document
        from docx.opc.exceptions import OpcError
    except ModuleNotFoundError as error:
        raise ExtraMissing(f"{path}: a Word document", "documents") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise SourceUnreadable(path, f"unpacks to {unpacked} bytes: more than the limit")
        document = Document(io.BytesIO(content))
        lines = list(_lines(document.iter_inner_content()))
        properties = document.core_properties
        return Page(
            title=properties.title or "",
            text="\n\n".join(lines),
            language=(properties.language or "")[:2].lower(),
        )
    except (zipfile.BadZipFile, OpcError, ValueError, KeyError, SyntaxError) as error:
        raise SourceUnreadable(path, f"is a broken Word document: {error}") from error


def _lines(blocks: object) -> Iterator[str]:
    from docx.text.paragraph import Paragraph

    for block in blocks:  # type: ignore[attr-defined]
        if not isinstance(block, Paragraph):
            for row in block.rows:
                yield " | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells))
            continue
        text, style = block.text.strip(), str(block.style.name if block.style else "")
        if not text:
            continue
        level = style.removeprefix("Heading ").strip()
        if style == "Title":
            yield f"# {text}"
        elif style.startswith("Heading ") and level.isdigit():
            yield f"{'#' * min(6, int(level) + 1)} {text}"
        else:
            yield text
