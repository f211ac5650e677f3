"""Tokens of a provider: the one door to joserfc.

Only signatures with a public key count, so neither `none` nor an HMAC with the public key as its
secret gets anywhere, and the kind of the key decides, never what the token says of itself.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from desk.accounts_passwords import DeskNotInstalled
from desk.oidc_errors import SignInRefused, UnknownKey

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
LEEWAY_S = 120
"""How much clocks may differ."""
_KEY_TYPES = frozenset({"RSA", "EC"})
_MOST_CHARS = 100_000
_MOST_SUBJECT_CHARS = 255
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_LASTS_S = 600
Claims = dict[str, Any]
Keys: TypeAlias = "KeySet"
"""The public keys of a provider."""


class Expected(msgspec.Struct, frozen=True):
    """Who must have signed a token, for whom; `now_s` counts from 1970-01-01 UTC."""

    issuer: str
    client_id: str
    now_s: int


def check_installed() -> None:
    """See that the library is there.

    Raises:
        DeskNotInstalled: it is not.
    """
    try:
        import joserfc  # noqa: F401
    except ImportError as error:
        raise DeskNotInstalled from error


def read_keys(data: Mapping[str, Any]) -> Keys:
    """Return the public keys of a JWKS document; those of unknown kinds are left out.

    Raises:
        SignInRefused: it has none.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry, KeySet

    found = []
    listed = data.get("keys")
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("kty") not in _KEY_TYPES:
            continue
        try:
            found.append(JWKRegistry.import_key(each))
        except (JoseError, ValueError, TypeError):  # one broken key does not spoil the others
            continue
    if not found:
        raise SignInRefused("no_keys", "provider_away")
    return KeySet(found)


def id_claims(token: str, keys: Keys, expected: Expected, nonce: str, access: str) -> Claims:
    """Return what an ID token says.

    Args:
        token: as the provider gave it.
        keys: of the provider.
        expected: who must have signed it, for whom.
        nonce: that was asked with.
        access: the access token that came with it; empty for none.

    Raises:
        SignInRefused: it proves nothing.
        UnknownKey: it is signed with another key.
    """
    header, claims = _verified(token, keys, expected)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise SignInRefused("wrong_nonce", "provider_unproved")
    if not 0 < len(claims.get("sub") or "") <= _MOST_SUBJECT_CHARS:
        raise SignInRefused("wrong_sub", "provider_unproved")
    audience, party = claims["aud"], claims.get("azp")
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (party is not None or is_shared) and party != expected.client_id:
        raise SignInRefused("wrong_azp", "provider_unproved")
    claimed = claims.get("at_hash")
    if claimed is not None and access and claimed != _half_hash(access, header["alg"]):
        raise SignInRefused("wrong_at_hash", "provider_unproved")
    return claims


def logout_claims(token: str, keys: Keys, expected: Expected) -> Claims:
    """Return whom a logout token signs out.

    Raises:
        SignInRefused: it proves nothing.
        UnknownKey: it is signed with another key.
    """
    _, claims = _verified(token, keys, expected)
    events = claims.get("events")
    is_logout = isinstance(events, dict) and _LOGOUT in events and "nonce" not in claims
    names = [claims.get(name) for name in ("sid", "sub")]
    is_old = expected.now_s - claims["iat"] > _LOGOUT_LASTS_S
    if not is_logout or is_old or not any(isinstance(name, str) and name for name in names):
        raise SignInRefused("no_logout", "provider_unproved")
    return claims


def _verified(token: str, keys: Keys, expected: Expected) -> tuple[Mapping[str, Any], Claims]:
    """Return a token's header and claims once signature, issuer, audience and times are right.

    Raises:
        SignInRefused: one is wrong.
        UnknownKey: it is signed with another key.
    """
    from joserfc import errors, jwt
    from joserfc.jws import JWSRegistry

    if len(token) > _MOST_CHARS:
        raise SignInRefused("token_too_long", "provider_unproved")
    rules = jwt.JWTClaimsRegistry(
        now=expected.now_s,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        known = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        read = jwt.decode(token, keys, ALGORITHMS, known)
        rules.validate(read.claims)
    except (errors.InvalidKeyIdError, errors.BadSignatureError) as error:
        raise UnknownKey(error.error, "provider_unproved") from error
    except (errors.InvalidClaimError, errors.MissingClaimError) as error:
        raise SignInRefused(f"wrong_{error.claim}", "provider_unproved") from error
    except errors.JoseError as error:
        raise SignInRefused(error.error or "bad_token", "provider_unproved") from error
    except (ValueError, TypeError) as error:
        raise SignInRefused("bad_token", "provider_unproved") from error
    return read.header, read.claims


def _half_hash(access: str, algorithm: str) -> str:
    """Return the left half of an access token's hash, as OpenID Connect Core 3.1.3.6 asks for."""
    digest = hashlib.new(f"sha{algorithm[-3:]}", access.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
