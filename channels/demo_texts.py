"""The words of the demo shop's pages in German and English, and how they write money."""

from collections.abc import Mapping

from babel.numbers import format_currency, get_currency_precision

LANGUAGES = ("de", "en")
_TERMS = {
    "home": ("Startseite", "Home"),
    "all": ("Alles", "Everything"),
    "help": ("Hilfe", "Help"),
    "help_title": ("Hilfe & Kontakt", "Help & contact"),
    "help_lead": (
        "Antworten auf häufige Fragen. Der Chat unten rechts hilft rund um die Uhr weiter.",
        "Answers to common questions. The chat at the bottom right helps around the clock.",
    ),
    "search": ("Suchen", "Search"),
    "search_hint": ("Jacke, Kopfhörer, Lampe …", "Jacket, headphones, lamp …"),
    "hero_title": ("Gute Dinge, gut erklärt.", "Good things, well explained."),
    "hero_lead": (
        (
            "Ein Demo-Shop mit einer echten Beratung: Fragen Sie nach Produkten, Bestellungen, "
            "Lieferungen, Umtausch oder Rückgabe."
        ),
        (
            "A demo shop with real service: ask about products, orders, deliveries, "
            "exchanges or returns."
        ),
    ),
    "hero_button": ("Chat öffnen", "Open the chat"),
    "products": ("Produkte", "products"),
    "none_found": (
        "Dazu haben wir nichts gefunden. Fragen Sie gern im Chat.",
        "We found nothing for that. Feel free to ask in the chat.",
    ),
    "from": ("ab", "from"),
    "in_stock": ("Auf Lager", "In stock"),
    "sold_out": ("Zurzeit ausverkauft", "Sold out at present"),
    "vat_note": ("inkl. MwSt., zzgl. Versand", "incl. VAT, plus shipping"),
    "variants": ("Ausführungen", "Variants"),
    "similar": ("Das könnte auch passen", "You might also like"),
    "ask": ("Im Chat zu diesem Produkt fragen", "Ask about this product in the chat"),
    "ask_text": ("Ich habe eine Frage zu: {title}", "I have a question about: {title}"),
    "previous": ("Zurück", "Previous"),
    "next": ("Weiter", "Next"),
    "page_of": ("Seite {page} von {pages}", "Page {page} of {pages}"),
    "try_title": ("Zum Ausprobieren", "Things to try"),
    "try_lead": (
        "Erfundene Kundschaft mit Bestellungen in jedem Zustand. Ein Klick stellt die Frage.",
        "Invented customers with orders in every state. A click asks the question.",
    ),
    "missing": ("Diese Seite gibt es nicht.", "This page does not exist."),
    "back": ("Zum Shop", "Back to the shop"),
    "footer": (
        "Demo-Shop von Tresen. Alle Produkte, Personen und Bestellungen sind erfunden.",
        "Demo shop of Tresen. All products, people and orders are invented.",
    ),
    "language": ("Sprache", "Language"),
    "categories": ("Kategorien", "Categories"),
    "skip": ("Zum Inhalt", "Skip to content"),
    "topic_shipping": ("Versand & Lieferung", "Shipping & delivery"),
    "topic_returns": ("Rückgabe", "Returns"),
    "topic_payments": ("Bezahlung", "Payment"),
    "topic_exchanges": ("Umtausch", "Exchanges"),
    "topic_refunds": ("Erstattungen", "Refunds"),
    "topic_orders": ("Bestellungen", "Orders"),
    "topic_products": ("Produkte", "Products"),
    "topic_account": ("Konto & Daten", "Account & data"),
    "topic_shop": ("Über den Shop", "About the shop"),
    "topic_warranty": ("Garantie & Mängel", "Warranty & defects"),
    "topic_contact": ("Kontakt", "Contact"),
    "topic_privacy": ("Datenschutz", "Privacy"),
    "topic_vouchers": ("Gutscheine", "Vouchers"),
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: {key: words[place] for key, words in _TERMS.items()}
    for place, language in enumerate(LANGUAGES)
}


def local(value: object, language: str) -> str:
    """Return a text of the shop's data in the language, or in another if it is missing."""
    if isinstance(value, Mapping):
        return str(value.get(language) or next((text for text in value.values() if text), ""))
    return "" if value is None else str(value)


def money(amount_minor: int, currency: str, language: str) -> str:
    """Return an amount as the language writes it, such as 129,90 €."""
    amount = amount_minor / 10 ** get_currency_precision(currency)
    return str(format_currency(amount, currency, locale="de_DE" if language == "de" else "en_IE"))


def pick_language(asked: str, remembered: str, accepted: str) -> str:
    """Return the language of a page.

    Args:
        asked: the language in the address, if any.
        remembered: the language of the visitor's cookie, if any.
        accepted: the browser's Accept-Language header.
    """
    for language in (asked, remembered):
        if language in LANGUAGES:
            return language
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower()[:2]
        if language in LANGUAGES:
            return language
    return "en"
