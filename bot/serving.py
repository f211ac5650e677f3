"""The server's place in the machine: its address, its data folder, its loop and its memory."""

import asyncio
import errno
import gc
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

Result = TypeVar("Result")
WARM_S = 60.0
"""After this time indexes and caches are warm, too."""
LONGEST_WS_BYTES = 1_000_000
_COLLECT_AFTER = (20_000, 20, 20)
_THREADS_CHANGE_S = 0.0005
"""The loop asks for the interpreter after each read and write; by default others keep it 5 ms."""


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


def run_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a server's coroutine in the fastest event loop that there is, and return its result."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop

    return uvloop.run(main)


async def serve(
    app: "ASGIApp", listening: socket.socket, started: Callable[[], None] = lambda: None
) -> bool:
    """Serve an application until the process is told to stop; return whether it ever began.

    Args:
        app: the application.
        listening: a bound socket, see `listen`.
        started: called once callers are answered.
    """
    import uvicorn

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws_max_size=LONGEST_WS_BYTES
    )
    server = uvicorn.Server(config)
    settling = asyncio.create_task(_settle(server, started))
    await server.serve(sockets=[listening])
    settling.cancel()
    return bool(server.started)


async def _settle(server: "uvicorn.Server", started: Callable[[], None]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.02)
    started()
    keep_what_is_built()
    await asyncio.sleep(WARM_S)
    gc.freeze()


def keep_what_is_built() -> None:
    """Leave everything that lives now out of garbage collection, and collect less often.

    Models, catalogue and code live as long as the process. To look through them again and again
    stopped it for up to 0.4 s (`make bench-channels`), and all customers with it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    sys.setswitchinterval(_THREADS_CHANGE_S)
