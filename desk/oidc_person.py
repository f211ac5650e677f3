"""What a provider's claims tell of somebody."""

from collections.abc import Mapping
from typing import Any

import msgspec

from desk.oidc_errors import SignInRefused
from desk.oidc_settings import EVERY_AREA, SignInSettings
from desk.oidc_tokens import Claims
from desk.records import ROLES, Role

MOST_NAME_CHARS = 80
_TRUE = (True, "true", 1, "1")
"""As providers write it: Cognito sends texts, Entra ID numbers."""


class Person(msgspec.Struct, frozen=True):
    """Somebody at the provider.

    `email` is empty unless the provider says that it is verified. `role` is None where the shop
    does not take roles from the provider, and `areas` likewise; empty ones are all of them.
    """

    subject: str
    email: str
    name: str
    language: str
    role: Role | None
    areas: tuple[str, ...] | None
    has_unverified: bool = False
    sid: str = ""


def lacks(claims: Claims, settings: SignInSettings) -> bool:
    """Return whether the provider may tell more than it wrote into its token."""
    named = [settings.roles_claim] if settings.roles else []
    named += [settings.areas_claim] if settings.areas else []
    return any(claim(claims, name) is None for name in ("email", "name", *named))


def person(claims: Claims, more: Claims, settings: SignInSettings) -> Person:
    """Return whom the claims describe.

    Args:
        claims: of the ID token.
        more: of the provider's userinfo; an address counts only with the word of whoever tells it.
        settings: say what roles and areas mean.

    Raises:
        SignInRefused: they may do nothing at the desk.
    """
    verified = [
        each["email"].strip().lower()
        for each in (claims, more)
        if isinstance(each.get("email"), str) and _is_true(each.get(settings.email_verified_claim))
    ]
    both = {**more, **claims}
    name = both.get("name") or both.get("preferred_username") or ""
    shown = " ".join(str(name).split())[:MOST_NAME_CHARS]
    return Person(
        subject=claims["sub"],
        email=verified[0] if verified else "",
        name=shown if shown.isprintable() else "",
        language=str(both.get("locale") or "")[:2].lower(),
        role=_role(both, settings),
        areas=_areas(both, settings),
        has_unverified=not verified and bool(both.get("email")),
        sid=str(claims.get("sid") or "")[:255],
    )


def claim(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - as the provider writes it
    """Return a claim by its name, or by a path such as realm_access.roles; None for none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _role(claims: Claims, settings: SignInSettings) -> Role | None:
    """Return the highest role that the claims give; None where the shop takes none from them.

    Raises:
        SignInRefused: they give none.
    """
    if not settings.roles:
        return None
    given = _texts(claim(claims, settings.roles_claim))
    mapped = [settings.roles[value] for value in given if value in settings.roles]
    if not mapped:
        raise SignInRefused("no_role", "provider_no_role")
    return max(mapped, key=ROLES.index)


def _areas(claims: Claims, settings: SignInSettings) -> tuple[str, ...] | None:
    """Return the areas that the claims give; None where the shop takes none from them.

    Raises:
        SignInRefused: they give none, which must not mean all of them.
    """
    if not settings.areas:
        return None
    given = _texts(claim(claims, settings.areas_claim))
    mapped = sorted({settings.areas[value] for value in given if value in settings.areas})
    if not mapped:
        raise SignInRefused("no_area", "provider_no_role")
    return () if EVERY_AREA in mapped else tuple(mapped)


def _texts(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, str)]


def _is_true(value: object) -> bool:
    return value in _TRUE if isinstance(value, (bool, str, int)) else False
