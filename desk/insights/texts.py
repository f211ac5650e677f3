"""The words of the insights, and what each figure means, in German and English."""

from collections.abc import Mapping
from pathlib import Path

import yaml

_TOLD: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(
    (Path(__file__).parent / "texts.yml").read_text(encoding="utf-8")
)


def _in(language: str, section: str) -> Mapping[str, str]:
    return {key: words[language] for key, words in _TOLD[section].items()}


WORDS: Mapping[str, Mapping[str, str]] = {code: _in(code, "words") for code in ("de", "en")}
MEANINGS: Mapping[str, Mapping[str, str]] = {
    code: _in(code, "definitions") for code in ("de", "en")
}
