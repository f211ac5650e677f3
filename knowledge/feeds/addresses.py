"""Addresses of pages made comparable, and those that lead a crawl into a trap."""

import re
from collections import Counter
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_MAX_CHARS = 500
_MAX_PARTS = 10
_MAX_QUERIES = 30
_TRACKING = re.compile(
    r"^(?:utm_.*|gclid|fbclid|msclkid|mc_[ce]id|ref|referrer|source|sid|s?session_?id|phpsessid"
    r"|jsessionid|aspsessionid.*|cfid|cftoken|token|sort|order|dir|view|print|replytocom|share)$",
    re.IGNORECASE,
)
_IN_PATH = re.compile(r";(?:jsessionid|sid|phpsessid)=[^/?]*", re.IGNORECASE)
_CALENDAR = re.compile(
    r"/(?:19|20)\d\d[/-](?:0?[1-9]|1[0-2])(?:[/-]|$)|/calendar\b|/kalender\b"
    r"|[?&](?:date|month|year|day|monat|jahr|week)=",
    re.IGNORECASE,
)
_NO_PAGE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|ico|css|js|json|xml|zip|gz|tar|mp[34]|webm|avi|mov|woff2?|ttf|exe"
    r"|dmg|apk|ics|rss|atom)$|/(?:cart|warenkorb|checkout|kasse|login|logout|wp-admin|wp-json)\b",
    re.IGNORECASE,
)


def canonical(url: str) -> str:
    """Return an address without fragment, session ids and what only tracks; empty if it is none."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
        port = parts.port
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in {"http", "https"} or not host or parts.username:
        return ""
    standard = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in {None, standard} else f"{host}:{port}"
    path = quote(unquote(_IN_PATH.sub("", parts.path)), safe="/:@!$&'()*+,;=~-._") or "/"
    pairs = [pair for pair in parse_qsl(parts.query) if not _TRACKING.match(pair[0])]
    return urlunsplit((
        parts.scheme,
        netloc,
        re.sub(r"/{2,}", "/", path),
        urlencode(sorted(pairs)),
        "",
    ))


def host_of(url: str) -> str:
    """Return an address's host as it is compared, with its port unless that is the usual one."""
    return urlsplit(canonical(url)).netloc


class TrapGuard:
    """Refuses addresses that a site can make without end."""

    def __init__(self) -> None:
        """Begin with none seen."""
        self._queries: Counter[str] = Counter()

    def refusal(self, url: str) -> str:
        """Return why a canonical address is not followed; empty if it is."""
        parts = urlsplit(url)
        names = [part for part in parts.path.split("/") if part]
        if len(url) > _MAX_CHARS:
            return f"its address is longer than {_MAX_CHARS} characters"
        if _NO_PAGE.search(parts.path):
            return "is no page to read"
        if _CALENDAR.search(f"{parts.path}?{parts.query}" if parts.query else parts.path):
            return "looks like a page of a calendar"
        if len(names) > _MAX_PARTS or any(n > 2 for n in Counter(names).values()):
            return "its path goes round in circles"
        if parts.query:
            self._queries[parts.path] += 1
            if self._queries[parts.path] > _MAX_QUERIES:
                return f"{parts.path} has more than {_MAX_QUERIES} forms of its query"
        return ""
