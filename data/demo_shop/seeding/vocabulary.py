"""Read the word lists of the demo shop and build categories and vocabulary."""

from pathlib import Path

import yaml

HERE = Path(__file__).parent


def load(name: str) -> dict:
    """Return one of the YAML banks next to this module.

    Args:
        name: file name without suffix.
    """
    return yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))


def pair(en: object, de: object) -> dict:
    """Return a text in both languages."""
    return {"en": en, "de": de}


def categories(catalogue: dict) -> list[dict]:
    """Return the category tree in the shop format."""
    return [
        {"id": key, "parent": parent, "title": pair(en, de), "synonyms": pair(en_more, de_more)}
        for key, parent, en, de, en_more, de_more in catalogue["categories"]
    ]


def _measure_words(option: str, value: str) -> dict:
    """Return the words of a numeric option value such as a shoe size or a weight."""
    german = value.replace(".", ",")
    if option == "size":
        return pair(
            [value, f"size {value}", f"EU {value}"], [german, f"Größe {german}", f"Gr. {german}"]
        )
    if option == "waist":
        return pair(
            [value, f"W{value}", f"waist {value}"], [german, f"W{value}", f"Bundweite {german}"]
        )
    if option == "length":
        return pair(
            [value, f"L{value}", f"length {value}"], [german, f"L{value}", f"Länge {german}"]
        )
    english = value.replace(" x ", " × ")
    german = german.replace(" x ", " × ")
    words = [english, value, value.replace(" ", "")]
    return pair(
        list(dict.fromkeys(words)), list(dict.fromkeys([german, value, german.replace(" ", "")]))
    )


def vocabulary(
    catalogue: dict, used: dict[str, set[str]], worded: dict[str, dict[str, str]]
) -> dict:
    """Return option names and the words of every value.

    Args:
        catalogue: the bank `catalogue.yml`.
        used: option name → values that occur in products.
        worded: attribute → English value → German value.
    """
    values = {"color": {key: pair(en, de) for key, (_, en, de) in catalogue["colors"].items()}}
    for name, table in catalogue["values"].items():
        values[name] = {key: pair(en, de) for key, (en, de) in table.items()}
    for name in sorted(used):
        table = values.setdefault(name, {})
        for value in sorted(used[name] - table.keys()):
            table[value] = _measure_words(name, value)
    for name, words in worded.items():
        table = values.setdefault(name, {})
        table.update({english: pair([english], [german]) for english, german in words.items()})
    names = {key: pair(en, de) for key, (en, de) in catalogue["option_names"].items()}
    return {"option_names": names, "values": values}
