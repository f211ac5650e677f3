"""What products, options and values are called, in every language the shop speaks."""

from collections.abc import Mapping
from itertools import starmap

from actions.commerce.models import Texts, Vocabulary
from knowledge.shades import shades_of

LANGUAGES = ("de", "en")


class Wording:
    """Names taken from the shop's own vocabulary; unknown values stay as they are."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Use the words of `vocabulary`."""
        self._vocabulary = vocabulary

    def value(self, option: str, value: str) -> Texts:
        """Return how an option's value is called, per language."""
        known = self._vocabulary.values.get(option, {}).get(value, {})
        return {language: (known.get(language) or [value])[0] for language in LANGUAGES}

    def all_words(self, option: str, value: str) -> list[str]:
        """Return every word for a value, in all languages, the value itself included."""
        known = self._vocabulary.values.get(option, {}).get(value, {})
        words = [word for language in known.values() for word in language]
        return list(dict.fromkeys([value, *words]))

    def shades(self, option: str, value: str) -> tuple[str, ...]:
        """Return the values that are a kind of another: "navy" and "light_blue" of "blue"."""
        return shades_of(value, self._vocabulary.values.get(option, {}))

    def values(self, option: str) -> tuple[str, ...]:
        """Return every value that an option has anywhere in the shop."""
        return tuple(self._vocabulary.values.get(option, {}))

    def option_name(self, option: str) -> Texts:
        """Return how an option is called, per language."""
        known = self._vocabulary.option_names.get(option, {})
        return {language: known.get(language, option) for language in LANGUAGES}

    def options(self, options: Mapping[str, str]) -> Texts:
        """Return option values as `blue, M`, per language."""
        values = list(starmap(self.value, options.items()))
        return {language: ", ".join(v[language] for v in values) for language in LANGUAGES}

    def item(self, title: Texts, options: Mapping[str, str]) -> Texts:
        """Return `Rain jacket (blue, M)`, per language."""
        named = self.options(options)
        return {
            language: f"{text} ({named[language]})" if named[language] else text
            for language in LANGUAGES
            if (text := title.get(language) or next(iter(title.values()), ""))
        }
