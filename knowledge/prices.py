"""Reads price bounds from a sentence, in whatever way a number is written."""

import re
from collections.abc import Mapping, Sequence

import msgspec

_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_ABOUT_SHARE = 0.2
_MAX_MINOR = 10**12


class PriceBounds(msgspec.Struct, frozen=True):
    """Bounds in minor units, and where in the text they were said."""

    min_minor: int | None = None
    max_minor: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


def parse_amount_minor(text: str) -> int:
    """Return an amount in hundredths; a separator before three digits groups thousands."""
    digits = re.sub(r"[' ]", "", text)
    cut = max(digits.rfind("."), digits.rfind(","))
    if cut >= 0 and len(digits) - cut - 1 <= 2:
        whole, fraction = digits[:cut], digits[cut + 1 :].ljust(2, "0")
    else:
        whole, fraction = digits, "00"
    return min(int(re.sub(r"[.,]", "", whole) or "0") * 100 + int(fraction), _MAX_MINOR)


def alternation(words: Sequence[str]) -> str:
    """Return a regex part that matches any of the words, longest first; `*` is any ending."""
    ordered = sorted(words, key=len, reverse=True)
    parts = (re.escape(w).replace(r"\ ", r"\s+").replace(r"\*", r"\w*") for w in ordered)
    return "(?:" + "|".join(parts) + ")"


class PriceReader:
    """Price bounds in German and English sentences."""

    def __init__(self, words: Mapping[str, Sequence[str]], size_words: Sequence[str]) -> None:
        """Compile the patterns from the `price` part of search_words.yml."""
        money = alternation(words["currency"])
        units = alternation(words["other_units"])
        amount = rf"(?:{money}\s*)?(?:{_NUMBER})(?:\s*,-+)?(?:\s*{money}(?!\w))?"
        plain = rf"({amount})(?!\s*{units}(?!\w))(?![\w%])"
        paid = rf"((?:{money}\s*(?:{_NUMBER}))|(?:(?:{_NUMBER})(?:\s*,-+)?\s*{money}(?!\w)))"
        join = alternation(words["and"])
        self._size = re.compile(rf"{alternation(size_words)}\s*$", re.IGNORECASE)
        start = r"(?<!\w)"
        article = r"\s*(?:the|den|die|der|einem|einer|of|von)?\s*"
        self._rules: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
            (name, re.compile(start + pattern, re.IGNORECASE))
            for name, pattern in (
                ("between", rf"{alternation(words['between'])}\s+{plain}\s*{join}\s*{plain}"),
                ("between", rf"({_NUMBER})(?:\s*{money})?\s*{join}\s*{paid}"),
                ("below", rf"{alternation(words['below'])}{article}{plain}"),
                ("above", rf"{alternation(words['above'])}{article}{plain}"),
                ("about", rf"{alternation(words['about'])}{article}{paid}"),
                ("below", rf"{paid}\s*{alternation(words['after'])}(?!\w)"),
                ("below", rf"{alternation(words['exact'])}\s+{paid}"),
            )
        )

    def read(self, text: str) -> PriceBounds:
        """Return the bounds a sentence states; of two upper bounds the lower counts."""
        low: int | None = None
        high: int | None = None
        spans: list[tuple[int, int]] = []
        for name, pattern in self._rules:
            for match in pattern.finditer(text):
                if self._taken(match, spans) or self._size.search(text[: match.start()]):
                    continue
                spans.append(match.span())
                amounts = [_amount(group) for group in match.groups()]
                if name == "between":
                    low, high = min(amounts), max(amounts)
                elif name == "below":
                    high = amounts[0] if high is None else min(high, amounts[0])
                elif name == "above":
                    low = amounts[0] if low is None else max(low, amounts[0])
                else:
                    low = round(amounts[0] * (1 - _ABOUT_SHARE))
                    high = round(amounts[0] * (1 + _ABOUT_SHARE))
        return PriceBounds(low, high, tuple(spans))

    @staticmethod
    def _taken(match: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
        return any(match.start() < end and start < match.end() for start, end in spans)


def _amount(text: str) -> int:
    found = re.search(_NUMBER, text)
    return parse_amount_minor(found[0]) if found else 0
