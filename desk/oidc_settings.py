"""The section `sign_in:` of endpoints.yml: the OpenID Connect provider that knows the operators."""

import difflib
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from desk.records import ROLES, Role

EVERY_AREA = "*"
"""What stands in `areas:` for all of them."""


class SignInSettings(msgspec.Struct, frozen=True):
    """How operators sign in with a provider.

    `roles` and `areas` translate values of the provider's claims; an area "*" is all of them.
    `link` tells when somebody whom the provider calls by the verified address of an account gets
    that account: once an administrator has approved it, or at once. `create` makes accounts for
    those who have a role. With `only` there are no passwords.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    label: dict[str, str] = msgspec.field(default_factory=dict)
    roles_claim: str = "groups"
    roles: dict[str, Role] = msgspec.field(default_factory=dict)
    areas_claim: str = ""
    areas: dict[str, str] = msgspec.field(default_factory=dict)
    email_verified_claim: str = "email_verified"
    link: Literal["approved", "verified_email"] = "approved"
    create: bool = True
    only: bool = False
    sign_out_there: bool = False

    def label_in(self, language: str) -> str:
        """Return what the provider is called on the pages."""
        named = self.label.get(language) or next(iter(self.label.values()), "")
        return named or urlsplit(self.issuer).netloc


class WrongSignInSettings(ValueError):
    """The section `sign_in:` cannot be used."""

    def __init__(self, where: tuple[str, ...], message: str, cure: str = "") -> None:
        """Keep the place below `sign_in:`, what is wrong there, and what to write instead."""
        self.where = where
        self.cure = cure
        super().__init__(f"{'.'.join(('sign_in', *where))}: {message}")


def read_sign_in(
    data: Mapping[str, Any], public_url: str, teams: Collection[str]
) -> SignInSettings | None:
    """Return the settings that the section holds; None where it is empty.

    Args:
        data: the section.
        public_url: where operators reach this server.
        teams: that there are.

    Raises:
        WrongSignInSettings: something in it is wrong.
    """
    if not data:
        return None
    known = [field.name for field in msgspec.structs.fields(SignInSettings)]
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise WrongSignInSettings(
                (str(key),), "unknown key", f"{meant}known keys: {', '.join(sorted(known))}"
            )
    for key in ("issuer", "client_id"):
        if not data.get(key):
            raise WrongSignInSettings((key,), "is missing", "the provider tells it")
    settings = _converted(data)
    _check_addresses(settings, public_url)
    _check_rights(settings, teams)
    return settings


def _converted(data: Mapping[str, Any]) -> SignInSettings:
    label = data.get("label", {})
    given = {**data, "label": {"de": label, "en": label} if isinstance(label, str) else label}
    try:
        return msgspec.convert(given, SignInSettings)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        where = tuple(part for part in path.strip("$.`").replace("[...]", "").split(".") if part)
        cure = ", ".join(ROLES) if where[:1] == ("roles",) else ""
        raise WrongSignInSettings(where[:1], message, cure) from error


def _check_addresses(settings: SignInSettings, public_url: str) -> None:
    """See that nobody on the way can read or change what is said.

    Raises:
        WrongSignInSettings: an address is none, or somebody could.
    """
    if not is_safe(settings.issuer) or urlsplit(settings.issuer).query:
        cure = "write the https:// address that the provider's own configuration calls `issuer`"
        raise WrongSignInSettings(("issuer",), "is no address with https://", cure)
    if "/.well-known/" in settings.issuer:
        cure = "leave out /.well-known/…"
        raise WrongSignInSettings(("issuer",), "is the address of its configuration", cure)
    if not is_safe(public_url):
        cure = "set public_url to the https:// address at which operators open /desk"
        raise WrongSignInSettings((), "the provider cannot lead back here", cure)
    if "openid" not in settings.scopes:
        raise WrongSignInSettings(("scopes",), "lack openid", "[openid, email, profile]")


def _check_rights(settings: SignInSettings, teams: Collection[str]) -> None:
    """See that roles and areas can be had.

    Raises:
        WrongSignInSettings: they cannot.
    """
    if settings.only and settings.roles and "admin" not in settings.roles.values():
        cure = "let a value of the claim mean admin"
        raise WrongSignInSettings(("roles",), "with only: true nobody could be admin", cure)
    if bool(settings.areas_claim) != bool(settings.areas):
        cure = "areas_claim names the claim, areas: what its values mean"
        raise WrongSignInSettings(("areas",), "one of areas and areas_claim is missing", cure)
    for name in settings.areas.values():
        if name not in {EVERY_AREA, *teams}:
            cure = f'known: {", ".join(sorted(teams)) or "none"}; "{EVERY_AREA}" for all'
            raise WrongSignInSettings(("areas",), f"there is no team '{name}'", cure)


def is_safe(url: str) -> bool:
    """Return whether an address is one of HTTPS, or of this machine itself."""
    parts = urlsplit(url)
    if not parts.hostname or parts.fragment or parts.username:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
