"""Pours requests at a fixed rate: `python -m bench.channels.pour FILE PORT PER_SECOND CONNECTIONS`.

An open loop in a process of its own: each request leaves when it is due, however long the others
take, and its time counts from the moment it was due. A request whose connections are all busy
waits for one, and that counts too.
"""

import asyncio
import sys
from collections import deque
from pathlib import Path

import msgspec

READY_S = 180.0


class Poured(msgspec.Struct, frozen=True):
    """What became of the requests.

    Args:
        times_s: of each answer, since its request was due.
        late_s: how late each request left this process.
        refused: answers that were not 200.
    """

    times_s: list[float]
    late_s: list[float]
    refused: int


class _Connection(asyncio.Protocol):
    """One connection that is kept; a request at a time."""

    def __init__(self, pour: "_Pour") -> None:
        self._pour = pour
        self._seen = b""
        self._due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, body: bytes, due: float) -> None:
        self._due, self._seen = due, b""
        assert self.transport is not None
        self.transport.write(body)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._pour.answered(self, self._due, refused=b" 200 " not in head[:20])

    def connection_lost(self, exc: Exception | None) -> None:
        self._pour.failed(exc or ConnectionResetError("the server closed the connection"))


class _Pour:
    def __init__(self, requests: list[bytes], per_second: int) -> None:
        self._requests = requests
        self._per_second = per_second
        self._free: deque[_Connection] = deque()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._times_s: list[float] = []
        self._late_s: list[float] = []
        self._refused = 0
        self._loop = asyncio.get_running_loop()
        self._done = self._loop.create_future()

    async def run(self, port: int, connections: int) -> Poured:
        for _ in range(connections):
            _, connection = await self._loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", port
            )
            self._free.append(connection)
        began = self._loop.time() + 0.2
        for number, request in enumerate(self._requests):
            due = began + number / self._per_second
            if (wait_s := due - self._loop.time()) > 0:
                await asyncio.sleep(wait_s)
            elif number % 16 == 0:
                await asyncio.sleep(0)
            self._waiting.append((request, due))
            self._late_s.append(self._loop.time() - due)
            self._push()
        await self._done
        return Poured(self._times_s, self._late_s, self._refused)

    def answered(self, connection: _Connection, due: float, *, refused: bool) -> None:
        self._times_s.append(self._loop.time() - due)
        self._refused += refused
        self._free.append(connection)
        self._push()
        if len(self._times_s) == len(self._requests):
            self._done.set_result(None)

    def failed(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    def _push(self) -> None:
        while self._waiting and self._free:
            self._free.popleft().send(*self._waiting.popleft())


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _ready(port: int) -> None:
    """Wait until a server says that it is ready, or that it knows no such question.

    Raises:
        TimeoutError: it never did.
    """
    async with asyncio.timeout(READY_S):
        while not await _says_ready(port):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)


async def _says_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.write(b"GET /health/ready HTTP/1.1\r\nhost: bot.example\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return b" 503 " not in answer.split(b"\r\n", 1)[0]


async def _main(requests: list[bytes], port: int, per_second: int, connections: int) -> Poured:
    await _ready(port)
    return await _Pour(requests, per_second).run(port, connections)


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    everything = msgspec.msgpack.decode(Path(name).read_bytes(), type=list[bytes])
    poured = asyncio.run(_main(everything, *map(int, numbers)))
    sys.stdout.buffer.write(msgspec.json.encode(poured))
