"""Fetching a file from an address that a stranger may have chosen.

Only hosts that the platform is known to use, only public addresses behind their names (the
connection goes to the very address that was checked), redirects checked as the first address was,
nothing compressed, and no byte more than the limit.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from channels.push import MediaFile, TryAgain, Undeliverable
from channels.wire import clean_text, wait_s

_MAX_REDIRECTS = 3
_MAX_URL_CHARS = 8_000
_MAX_NAME_CHARS = 200
_ALL_OF_IT_S = 60.0
_HOST = re.compile(r"[a-z0-9.-]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses behind a host name and port."""


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses behind a name, in the order in which they should be tried.

    Raises:
        OSError: if the name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet, also behind a translation."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


def is_known(url: str, hosts: Collection[str]) -> bool:
    """Return whether an address may be fetched at all.

    Args:
        url: the address.
        hosts: domain names such as `fbcdn.net`, which stand for themselves and all names below,
            over https and its own port; or whole origins such as `http://127.0.0.1:8000`, which
            stand for exactly that and need not be public.
    """
    if len(url) > _MAX_URL_CHARS or not url.isascii():
        return False
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    if target.userinfo:
        return False
    if _is_own(url, hosts):
        return True
    if target.scheme != "https" or target.port is not None or not _HOST.fullmatch(target.host):
        return False
    names = [name for name in hosts if "://" not in name]
    return any(target.host == name or target.host.endswith(f".{name}") for name in names)


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    hosts: Collection[str],
    limit_bytes: int,
    headers: Mapping[str, str] | None = None,
    resolve: Resolve = addresses_of,
) -> MediaFile:
    """Fetch a file.

    Args:
        client: opens the connection; its own redirects are not used.
        url: the address; nobody vouches for it.
        hosts: see `is_known`.
        limit_bytes: the largest file taken.
        headers: sent to the first host only, such as its token.
        resolve: gives the addresses behind a name.

    Raises:
        TryAgain: if the host cannot give it now.
        Undeliverable: if it is gone, too large, or elsewhere than at these hosts.
    """
    given = dict(headers or {})
    try:
        async with asyncio.timeout(_ALL_OF_IT_S):
            for _ in range(_MAX_REDIRECTS + 1):
                found = await _hop(client, url, hosts, limit_bytes, given, resolve)
                if isinstance(found, MediaFile):
                    return found
                given = given if _origin(found) == _origin(url) else {}
                url = found
    except TimeoutError as error:
        raise TryAgain("timeout", "the file took too long") from error
    raise Undeliverable("redirects", "the file's address leads from one to the next")


async def _hop(
    client: httpx.AsyncClient,
    url: str,
    hosts: Collection[str],
    limit_bytes: int,
    headers: Mapping[str, str],
    resolve: Resolve,
) -> MediaFile | str:
    """Return the file at an address, or the address to which it leads.

    Raises:
        TryAgain: if the host cannot give it now.
        Undeliverable: if it is gone, too large, or elsewhere than at these hosts.
    """
    request = await _request(client, url, hosts, headers, resolve)
    try:
        response = await client.send(request, stream=True, follow_redirects=False)
    except httpx.RequestError as error:
        raise TryAgain("connection", "the file's host does not answer") from error
    try:
        if response.has_redirect_location:
            return urljoin(url, response.headers["location"])
        _check(response, limit_bytes)
        body = await _read(response, limit_bytes)
    except httpx.RequestError as error:
        raise TryAgain("connection", "the file's host broke off") from error
    finally:
        await response.aclose()
    mime_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return MediaFile(body, mime_type=mime_type, name=_name_in(url))


async def _request(
    client: httpx.AsyncClient,
    url: str,
    hosts: Collection[str],
    headers: Mapping[str, str],
    resolve: Resolve,
) -> httpx.Request:
    """Return the request for an address, aimed at the very place that was checked.

    Raises:
        TryAgain: if its name cannot be resolved.
        Undeliverable: if it may not be fetched.
    """
    if not is_known(url, hosts):
        raise Undeliverable("foreign_host", "the file lies elsewhere than this platform's files")
    sent = {**headers, "accept-encoding": "identity"}
    target = httpx.URL(url)
    if _is_own(url, hosts):
        return client.build_request("GET", target, headers=sent)
    try:
        addresses = await resolve(target.host, 443)
    except (OSError, UnicodeError) as error:
        raise TryAgain("name", "the file's host cannot be found") from error
    if not addresses or not all(map(is_public, addresses)):
        raise Undeliverable("private_address", "the file's host is not on the public internet")
    sent["host"] = target.netloc.decode("ascii")
    pinned = target.copy_with(host=addresses[0])
    names = {"sni_hostname": target.host}
    return client.build_request("GET", pinned, headers=sent, extensions=names)


def _check(response: httpx.Response, limit_bytes: int) -> None:
    """Check a response before anything of its body is read.

    Raises:
        TryAgain: if the host cannot give it now.
        Undeliverable: if it is gone, too large or compressed.
    """
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        wait = wait_s(response.headers.get("retry-after", ""))
        raise TryAgain(str(status), "the file's host is busy", wait)
    if status != httpx.codes.OK:
        raise Undeliverable(str(status), "the file is gone, or may not be fetched")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Undeliverable("compressed", "the file came compressed, which nobody asked for")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise Undeliverable("too_large", f"the file is larger than {limit_bytes} bytes")


async def _read(response: httpx.Response, limit_bytes: int) -> bytes:
    """Return the body.

    Raises:
        Undeliverable: as soon as it is larger than the limit.
    """
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            raise Undeliverable("too_large", f"the file is larger than {limit_bytes} bytes")
    return bytes(body)


def _origin(url: str) -> str:
    """Return where an address leads; empty if it is none."""
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    return f"{target.scheme}://{target.netloc.decode('ascii')}"


def _is_own(url: str, hosts: Collection[str]) -> bool:
    origin = _origin(url)
    return bool(origin) and any("://" in name and _origin(name) == origin for name in hosts)


def _name_in(url: str) -> str:
    """Return the file's name in its address; empty if the last part of it looks like none."""
    name = PurePosixPath(clean_text(unquote(urlsplit(url).path))).name
    return name if "." in name.strip(".") and len(name) <= _MAX_NAME_CHARS else ""
