"""The server's place in the machine: its address and its data folder, checked before anything."""

import errno
import os
import socket
import tempfile
from pathlib import Path

BACKLOG = 2048


class ServingError(OSError):
    """The server cannot run here."""


class AddressUnavailable(ServingError):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        """Say what is wrong with `host` and `port`, and what to do."""
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} on {host} is in use; choose another with --port"
        else:
            problem = f"cannot listen on {host}, port {port}: {error.strerror or error}"
        super().__init__(problem)


class DataDirUnusable(ServingError):
    """The data folder cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        """Say which folder, why, and what to do."""
        why = error.strerror or str(error)
        super().__init__(f"cannot write to {path}: {why}; choose another with --data-dir")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; it refuses callers until the server listens.

    Args:
        host: an IPv4 or IPv6 address, or a name.
        port: 0 takes any free one.

    Raises:
        AddressUnavailable: the port is in use, or the host is not this machine's.
    """
    if not 0 <= port <= 65_535:
        raise AddressUnavailable(host, port, OSError("a port is a number from 0 to 65535"))
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except (OSError, OverflowError, UnicodeError) as error:
        raise AddressUnavailable(host, port, OSError(str(error))) from error
    try:
        listening.bind(address)
    except (OSError, OverflowError) as error:
        listening.close()
        known = error if isinstance(error, OSError) else OSError(str(error))
        raise AddressUnavailable(host, port, known) from error
    listening.setblocking(False)
    return listening


def prepare_data_dir(path: Path) -> None:
    """Make the data folder and check that files can be written in it.

    Raises:
        DataDirUnusable: they cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return
    except OSError as error:
        raise DataDirUnusable(path, error) from error
