"""The shop's own words, as the entity extractors of understanding need them."""

from collections.abc import Iterable, Mapping

from actions.commerce.models import Category, Product, Vocabulary

Gazetteer = dict[str, dict[str, dict[str, list[str]]]]
"""Entity type → canonical value → language → words; the first word is the display form."""

_KINDS = {
    "color": "color",
    "colour": "color",
    "size": "size",
    "shoe_size": "size",
    "material": "material",
}


def shop_gazetteer(
    vocabulary: Vocabulary, categories: Iterable[Category], products: Iterable[Product]
) -> Gazetteer:
    """Return the words for colours, sizes, materials and products that the shop sells."""
    gazetteer: Gazetteer = {"color": {}, "size": {}, "material": {}, "product": {}}
    for option, values in vocabulary.values.items():
        kind = _KINDS.get(option)
        if kind is not None:
            for value, words in values.items():
                gazetteer[kind][value] = _merged(gazetteer[kind].get(value, {}), words)
    for category in categories:
        words = {
            language: [title, *category.synonyms.get(language, [])]
            for language, title in category.title.items()
        }
        gazetteer["product"][f"category:{category.id}"] = words
    for product in products:
        gazetteer["product"][product.id] = {
            la: [text] for la, text in product.title.items() if text
        }
    return gazetteer


def _merged(known: Mapping[str, list[str]], more: Mapping[str, list[str]]) -> dict[str, list[str]]:
    merged = {language: list(words) for language, words in known.items()}
    for language, words in more.items():
        merged[language] = list(dict.fromkeys([*merged.get(language, []), *words]))
    return merged
