"""What a page shows before anybody said anything: start button, greeting, menu, first questions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from channels.base import Payload
from channels.meta_page.account import MenuItem, Page, Question
from channels.push import SettingsInvalid

T = TypeVar("T")
_LOCALES = {"de": "de_DE", "en": "en_US"}


def profile_payload(page: Page, languages: Sequence[str]) -> Payload:
    """Return what is posted to the `messenger_profile` edge; empty if nothing is set.

    Args:
        page: with the profile's texts in its settings.
        languages: the bot's languages; the first that has a text is everybody else's as well.

    Raises:
        SettingsInvalid: if a text is too long, or there are too many; names the key.
    """
    profile, traits = page.settings.profile, page.traits
    _check(page, "get_started", [profile.get_started], traits.payload_chars)
    _check(page, "greeting", profile.greeting.values(), traits.greeting_chars)
    for language, items in profile.menu.items():
        _check_menu(page, f"menu.{language}", items)
    for language, questions in profile.ice_breakers.items():
        _check_questions(page, f"ice_breakers.{language}", questions)
    if profile.menu and not profile.get_started and "get_started" in traits.profile_fields:
        raise SettingsInvalid(_problem(page, "get_started", "is needed for a menu"))
    whole: dict[str, object] = {
        "get_started": {"payload": profile.get_started} if profile.get_started else None,
        "greeting": [
            {"locale": locale, "text": text}
            for locale, text in _by_locale(profile.greeting, languages)
        ],
        "persistent_menu": [
            {
                "locale": locale,
                "composer_input_disabled": False,
                "call_to_actions": [_menu_item(item) for item in items],
            }
            for locale, items in _by_locale(profile.menu, languages)
        ],
        "ice_breakers": [
            {
                "locale": locale,
                "call_to_actions": [{"question": q.question, "payload": q.payload} for q in items],
            }
            for locale, items in _by_locale(profile.ice_breakers, languages)
        ],
    }
    payload = {name: whole[name] for name in traits.profile_fields if whole[name]}
    if payload and traits.profile_platform:
        payload["platform"] = traits.profile_platform
    return payload


def _by_locale(texts: Mapping[str, T], languages: Sequence[str]) -> list[tuple[str, T]]:
    """Return the texts by Meta's locales, the one for everybody else first."""
    if not texts:
        return []
    known = [texts[language] for language in ("default", *languages) if language in texts]
    default = known[0] if known else next(iter(texts.values()))
    named = [(_LOCALES.get(tag, tag), text) for tag, text in texts.items() if tag != "default"]
    return [("default", default), *named]


def _menu_item(item: MenuItem) -> Payload:
    if item.url:
        return {"type": "web_url", "title": item.title, "url": item.url}
    return {"type": "postback", "title": item.title, "payload": item.payload}


def _check_menu(page: Page, key: str, items: Sequence[MenuItem]) -> None:
    """Check a menu.

    Raises:
        SettingsInvalid: naming the key and what is wrong with it.
    """
    if len(items) > page.traits.menu_items:
        raise SettingsInvalid(_problem(page, key, f"has over {page.traits.menu_items} lines"))
    _check(page, key, [item.title for item in items], page.traits.menu_chars)
    _check(page, key, [item.payload for item in items], page.traits.payload_chars)
    if any(bool(item.payload) == bool(item.url) for item in items):
        problem = "needs a payload or a url for each line, not both"
        raise SettingsInvalid(_problem(page, key, problem))


def _check_questions(page: Page, key: str, questions: Sequence[Question]) -> None:
    """Check first questions.

    Raises:
        SettingsInvalid: naming the key and what is wrong with it.
    """
    if len(questions) > page.traits.questions:
        raise SettingsInvalid(_problem(page, key, f"has over {page.traits.questions} questions"))
    _check(page, key, [question.question for question in questions], page.traits.question_chars)
    _check(page, key, [question.payload for question in questions], page.traits.payload_chars)


def _check(page: Page, key: str, texts: Iterable[str], most: int) -> None:
    """Check lengths.

    Raises:
        SettingsInvalid: naming the key whose text is too long.
    """
    if any(len(text) > most for text in texts):
        raise SettingsInvalid(_problem(page, key, f"holds a text of over {most} characters"))


def _problem(page: Page, key: str, problem: str) -> str:
    return f"channels.{page.channel}.profile.{key}: {problem}"
