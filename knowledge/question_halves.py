"""Two questions in one sentence: "how long is shipping to Ireland and how much"."""

import re

_ASKS = (
    r"(?:how(?:\s+(?:much|long|many|soon|fast|often|far))?|what|when|where|which|who"
    r"|wie(?:\s+(?:viel|viele|lange|teuer|schnell|hoch|oft))?|was|wann|wo|wohin|welche[rnms]?|wer)"
)
_HALVES = re.compile(
    rf"^(?P<first>.+?)[,;]?\s+(?:and|und|&|\+)\s+(?P<second>{_ASKS}\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ASKED = re.compile(rf"^\s*{_ASKS}\b\s*", re.IGNORECASE)
_POINTS_BACK = re.compile(r"\b(?:it|that|they|es|das|er|sie)\b", re.IGNORECASE)
_WHOLE_WORDS = 4
"""From so many words on, the second half says what it is about by itself."""


def halves(question: str) -> tuple[str, ...]:
    """Return both questions of a sentence, the second with what the first was about; else none."""
    found = _HALVES.match(question.strip())
    if found is None:
        return ()
    first, second = found["first"].strip(), found["second"].strip(" ?!.")
    about = _ASKED.sub("", first)
    if about == first or not about:
        return (first, second) if len(second.split()) >= _WHOLE_WORDS else ()
    is_whole = len(second.split()) >= _WHOLE_WORDS and not _POINTS_BACK.search(second)
    return first, second if is_whole else f"{second} {about}"
