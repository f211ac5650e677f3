"""Text out of the HTML of a mail: what was quoted, scripts and styles are left out."""

import re
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "title", "blockquote", "template"})
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})


class _Reader(HTMLParser):
    def __init__(self, quote: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._quote = quote
        self._silent: list[str] = []
        self._link = ""
        self._linked = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._silent.clear()
        elif tag in _SILENT:
            if tag == "blockquote" and not self._silent:
                self.parts.append(self._quote)
            self._silent.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "a":
            self._link, self._linked = (dict(attrs).get("href") or "").strip(), len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
        elif tag == "p":
            self.parts.append("\n")
        elif tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(" ".join(data.split(" ")).replace("\n", " "))

    def _end_link(self) -> None:
        """Show where a link leads, unless its words say it."""
        if not self._link:
            return
        shown = "".join(self.parts[self._linked :]).strip()
        is_web = self._link.startswith(("https://", "http://"))
        bare = re.sub(r"^https?://|/$", "", self._link)
        if is_web and not self._silent and shown and bare not in shown:
            self.parts.append(f" ({self._link})")
        self._link = ""


def text_of_html(html: str, *, mark_quotes: bool = False) -> str:
    """Return what a reader sees of HTML, line by line.

    Args:
        html: of a mail.
        mark_quotes: whether a line `>` stands where something quoted was left out.
    """
    reader = _Reader("\n>\n" if mark_quotes else "\n")
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return "\n".join(lines).strip()
