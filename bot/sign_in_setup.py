"""Reads `sign_in:` of endpoints.yml: the composition root's part of signing in with a provider."""

from collections.abc import Collection

from bot.settings import Settings
from bot.yaml_source import SourceError, YamlSource
from desk.accounts_passwords import DeskNotInstalled
from desk.oidc_settings import SignInSettings, WrongSignInSettings, read_sign_in
from desk.oidc_tokens import check_installed


def sign_in_settings(settings: Settings, teams: Collection[str]) -> SignInSettings | None:
    """Return how operators sign in with a provider; None where they do not. Nothing is sent.

    Args:
        settings: both YAML files.
        teams: of the desk.

    Raises:
        SourceError: something in the section is wrong, or the extra is missing.
    """
    endpoints = settings.endpoints
    source = YamlSource.read(settings.root / "endpoints.yml", settings.root)
    try:
        found = read_sign_in(endpoints.sign_in, endpoints.public_url, teams)
        if found is not None:
            check_installed()
    except WrongSignInSettings as error:
        problem = source.problem(("sign_in", *error.where), str(error), error.cure)
        raise SourceError([problem]) from error
    except DeskNotInstalled as error:
        raise SourceError([source.problem(("sign_in",), str(error))]) from error
    return found
