"""What a person wrote in a mail: decoded, unwrapped, without quotes and what phones add. Pure."""

import re
from collections.abc import Iterator
from email.message import EmailMessage, Message

from desk.bridges.html_text import text_of_html

MOST_LOGO_BYTES = 40_000
"""A picture within the text that is not larger belongs to a signature."""
_SIGNATURES = frozenset({
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
})
_WROTE = re.compile(r"\b(?:wrote|schrieb)\b", re.IGNORECASE)
_BEGINNINGS = "On ", "Am "
_ATTRIBUTION_LINES, _ATTRIBUTION_CHARS, _LINES_BETWEEN = 3, 500, 4
_HEADER = re.compile(
    r"[\s*]*(?:(From|Von)|(Sent|Date|Gesendet|Datum)|(To|An)|(Subject|Betreff))[\s*]*:",
    re.IGNORECASE,
)
_HEADER_LINES = 8
_FORWARDED = re.compile(
    r"-{2,}\s*(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Original-Nachricht"
    r"|Weitergeleitete Nachricht)\s*-{2,}",
    re.IGNORECASE,
)
_AT_THE_END = re.compile(
    r"_{5,}"
    r"|(?:Sent|Get) (?:from|Outlook)\b.{0,80}"
    r"|(?:Von meinem|Gesendet (?:von|mit)|Outlook für|Holen Sie sich Outlook)\b.{0,80}",
    re.IGNORECASE,
)


def body_of(mail: EmailMessage) -> str:
    """Return the text of a mail, plain where it has such a part; quotes of HTML become `>`."""
    body = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    if body.get_content_type() == "text/html":
        return text_of_html(_decoded(body), mark_quotes=True)
    texts = [_plain(body)]
    if mail.get_content_type() == "multipart/mixed":  # programs put pictures between texts
        texts += [_plain(part) for part in mail.iter_attachments() if _is_more_text(part)]
    return "\n".join(texts)


def files_of(mail: EmailMessage) -> int:
    """Return how many files a mail brings; what belongs to a signature is not counted."""
    return sum(_is_file(part) for part in _leaves(mail))


def own_words(text: str) -> str:
    """Return what a reply says itself: no quotes above, between or below, and no signature."""
    lines = _unquoted(text)
    for number, line in enumerate(lines):
        is_over = line in {"--", "-- "} or _FORWARDED.fullmatch(line.strip())
        if is_over or _begins_header(lines, number) or _begins_quote(lines, number):
            del lines[number:]
            break
    while lines and (not lines[-1].strip() or _AT_THE_END.fullmatch(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines).strip()


def _unquoted(text: str) -> list[str]:
    """Return the lines that do not begin with `>`, without what announces those."""
    kept: list[str] = []
    is_quote = False
    for line in text.splitlines():
        was_quote, is_quote = is_quote, line.startswith(">")
        if is_quote and not was_quote:
            _drop_attribution(kept)
        elif not is_quote and (line.strip() or any(kept[-1:])):
            kept.append(line.rstrip())
    return kept


def _drop_attribution(kept: list[str]) -> None:
    """Take away a line such as "On Monday Tresen wrote:" at the end, also where it is wrapped."""
    end, first = len(kept), max(len(kept) - _LINES_BETWEEN, 0)
    while end > first and not kept[end - 1]:
        end -= 1
    found: list[int] = []
    for start in range(end - 1, max(end - 1 - _ATTRIBUTION_LINES, -1), -1):
        if not kept[start]:
            break
        if _is_attribution(kept[start:end]):
            found.append(start)
    begins = [start for start in found if kept[start].startswith(_BEGINNINGS)]
    if found:
        del kept[(begins or found)[0] :]


def _is_attribution(lines: list[str]) -> bool:
    joined = " ".join(lines)
    return (
        joined.endswith(":") and len(joined) <= _ATTRIBUTION_CHARS and bool(_WROTE.search(joined))
    )


def _begins_quote(lines: list[str], number: int) -> bool:
    """Return whether a date, an address and "wrote:" stand here: what follows is not marked."""
    if not lines[number].startswith(_BEGINNINGS):
        return False
    for end in range(number + 1, number + 1 + _ATTRIBUTION_LINES):
        found = lines[number:end]
        if _is_attribution(found):
            joined = " ".join(found)
            return "@" in joined and any(each.isdigit() for each in joined)
    return False


def _begins_header(lines: list[str], number: int) -> bool:
    """Return whether the header of another mail begins here, as Outlook writes it."""
    first = _HEADER.match(lines[number])
    if first is None or not first[1]:
        return False
    found = [_HEADER.match(line) for line in lines[number + 1 : number + _HEADER_LINES]]
    return len({match.lastindex for match in found if match and match.lastindex != 1}) > 1


def _plain(part: Message) -> str:
    text = _decoded(part)
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    deletes_space = str(part.get_param("delsp") or "").lower() == "yes"
    lines: list[str] = []
    goes_on = False
    for raw in text.split("\n"):
        line = raw.removeprefix(" ")  # RFC 3676: lines that begin with a space are stuffed
        is_soft = line.endswith(" ") and line != "-- " and not line.startswith(">")
        shown = line[:-1] if is_soft and deletes_space else line
        if goes_on and not line.startswith(">") and line != "-- ":
            lines[-1] += shown
        else:
            lines.append(shown)
        goes_on = is_soft
    return "\n".join(lines)


def _decoded(part: Message) -> str:
    """Return a part's text; where its charset is unknown or wrong, as what it most likely is."""
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else b""
    for charset in (str(part.get_content_charset() or "utf-8"), "utf-8"):
        try:
            text = data.decode(charset)
        except (LookupError, UnicodeError, ValueError):
            continue
        break
    else:
        text = data.decode("cp1252", "replace")
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def _leaves(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(payload, list):
        for inner in payload:
            if isinstance(inner, Message):
                yield from _leaves(inner)
    else:
        yield part


def _is_file(part: Message) -> bool:
    kind, disposition = part.get_content_type(), part.get_content_disposition()
    if kind in _SIGNATURES:
        return False
    if (
        disposition != "attachment"
        and part.get_content_maintype() == "image"
        and part["content-id"]
    ):
        raw = part.get_payload(decode=True)
        return isinstance(raw, bytes) and len(raw) > MOST_LOGO_BYTES
    is_text = part.get_content_maintype() == "text" and not part.get_filename()
    return disposition == "attachment" or not is_text


def _is_more_text(part: Message) -> bool:
    is_plain = part.get_content_type() == "text/plain" and not part.get_filename()
    return is_plain and part.get_content_disposition() != "attachment"
