"""Twilio's signature over a webhook: the public address and the form's fields, or the body's hash.

Shared by all channels of Twilio. Needs no SDK; agrees with the SDK's RequestValidator.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Sequence
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from channels.base import BadRequest, TooLarge, Unverified, WebhookRequest

BODY_HASH = "bodySHA256"
MAX_BODY_BYTES = 512 * 1024
_MAX_FIELDS = 1_000
_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS = {"https": 443, "http": 80}


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form in the order in which they were sent, empty ones too.

    Raises:
        TooLarge: if the body is longer than Twilio's ever are.
        BadRequest: if it is not text, or has too many fields.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge("body", f"must be at most {MAX_BODY_BYTES} bytes, got {len(body)}")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise BadRequest("body", f"must be UTF-8 (byte {error.start} is not)") from error
    except ValueError as error:
        raise BadRequest("body", f"must be a form of at most {_MAX_FIELDS} fields") from error


def signature_of(
    secret: str, url: str, fields: Collection[tuple[str, str]] = (), algorithm: str = "HMAC_SHA1"
) -> str:
    """Return the signature that Twilio puts into the header.

    Args:
        secret: the account's auth token, or the secret of a shared key.
        url: the whole address that Twilio calls, with its query.
        fields: the form's fields; none where the body is JSON, whose hash is in the query.
        algorithm: `HMAC_SHA1`, or `HMAC_SHA256` with a shared key.
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    mac = hmac.new(secret.encode(), signed.encode("utf-8", "surrogatepass"), _HASHES[algorithm])
    return base64.b64encode(mac.digest()).decode()


def check_signature(request: WebhookRequest, webhook_url: str, secrets: Sequence[str]) -> None:
    """Check that Twilio sent a request to our public address, in constant time.

    What the request says about its host counts for nothing: behind a proxy it is another.

    Args:
        request: as received.
        webhook_url: the address as it was entered at Twilio, without a query.
        secrets: any of which may have been used.

    Raises:
        Unverified: if the signature is missing or wrong, or the body is not the signed one.
    """
    given = request.headers.get("x-twilio-signature", "").encode("utf-8", "surrogatepass")
    algorithm = _algorithm(request.headers.get("x-twilio-webhooks-signature-settings", ""))
    if not given or algorithm not in _HASHES:
        raise Unverified("The signature is missing, or made in a way that is not known here.")
    fields: list[tuple[str, str]] = []
    if BODY_HASH in request.query:
        told = request.query[BODY_HASH].lower().encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(told, hashlib.sha256(request.body).hexdigest().encode()):
            raise Unverified("The body is not the one that was signed.")
    else:
        try:
            fields = form_fields(request.body)
        except BadRequest as error:
            raise Unverified("The body cannot be the one that was signed.") from error
    genuine = False
    for secret in secrets:
        for url in addresses(webhook_url, request):
            expected = signature_of(secret, url, fields, algorithm).encode()
            genuine |= hmac.compare_digest(given, expected)
    if not genuine:
        raise Unverified("The signature is wrong.")


def addresses(webhook_url: str, request: WebhookRequest) -> list[str]:
    """Return the forms in which Twilio may have signed our address.

    With and without the port (Twilio does either), with a slash at the end if it is called so, with
    spaces in the query in either encoding, and with and without connection overrides (`#rc=5`).
    """
    entered, mark, overrides = webhook_url.partition("#")
    base = entered.rstrip("/")
    paths = [base, f"{base}/"] if request.path.endswith("/") else [base]
    if entered not in paths:
        paths.append(entered)
    queries = [""]
    if request.query:
        ways = (quote, quote_plus)
        queries = [f"?{urlencode(request.query, quote_via=way, safe='')}" for way in ways]
    found = [with_port + query for path in paths for with_port in _ports(path) for query in queries]
    found += [f"{url}#{overrides}" for url in found] if mark else []
    return list(dict.fromkeys(found))


def _ports(url: str) -> tuple[str, str]:
    """Return the address without its port and with it."""
    parts = urlsplit(url)
    host = parts.netloc
    if parts.port is not None:
        host = host.rpartition(":")[0]
    port = parts.port or _PORTS.get(parts.scheme, 443)
    bare, full = parts._replace(netloc=host), parts._replace(netloc=f"{host}:{port}")
    return bare.geturl(), full.geturl()


def _algorithm(settings: str) -> str:
    """Return the algorithm that a header such as `key=…,algorithm=HMAC_SHA256` names."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"
