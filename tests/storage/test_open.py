"""Opening a store: every URL, every way it can fail, and migrations that match the tables."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from bot.messages import Contact
from bot.storage import errors
from bot.storage.codec import from_us
from bot.storage.effects import EffectQuery
from bot.storage.open import open_store
from bot.storage.schema import VERSION_TABLE, configuration, migrate_sqlite, revisions
from bot.storage.verification import verify
from tests.contracts.storage import inbound, turn
from tests.contracts.storage_effects import refund


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "there is no ://"),
        ("tresen.sqlite3", "there is no ://"),
        ("mysql://localhost/x", "found mysql://"),
        ("sqlite://", "three slashes"),
        ("sqlite://relative.sqlite3", "three slashes"),
        ("sqlite:///", "memory://"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///a.sqlite3?mode=ro", "no options"),
        ("memory://somewhere", "found memory://"),
    ],
)
async def test_a_bad_url_is_named(url, said):
    with pytest.raises(errors.BadStoreUrl, match=said):
        await open_store(url)


async def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b %20 ü" / "tresen.sqlite3"
    await (await open_store(f"sqlite:///{path}")).close()
    assert path.is_file()


async def test_a_relative_path_is_taken_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await (await open_store("sqlite:///data/tresen.sqlite3")).close()
    assert (tmp_path / "data" / "tresen.sqlite3").is_file()


async def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.StoreUnwritable, match="file/tresen"):
        await open_store(f"sqlite:///{tmp_path}/file/tresen.sqlite3")
    with pytest.raises(errors.StoreUnwritable, match="is a folder"):
        await open_store(f"sqlite:///{tmp_path}")


async def test_a_file_of_another_kind_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear shop, " * 500)
    with pytest.raises(errors.StoreUnreadable, match=r"letter\.txt"):
        await open_store(f"sqlite:///{path}")
    assert path.read_text() == "Dear shop, " * 500


async def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "tresen.sqlite3"
    await (await open_store(f"sqlite:///{path}")).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE conversation_schema SET version_num = '9999'")
        connection.commit()
    with pytest.raises(errors.SchemaTooNew, match="revision 9999"):
        await open_store(f"sqlite:///{path}")


async def test_a_clash_of_tables_changes_nothing(tmp_path):
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE inbox (x)")
    with pytest.raises(errors.SchemaFailed, match="inbox"):
        await open_store(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("inbox",)]


async def test_two_may_open_a_new_store_at_once(tmp_path):
    url = f"sqlite:///{tmp_path}/tresen.sqlite3"
    stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
    await asyncio.gather(*(s.turns.commit(turn(f"web:{n}")) for n, s in enumerate(stores)))
    assert len(await stores[0].events.conversations()) == 4
    for store in stores:
        await store.close()


def test_opening_a_current_store_does_not_import_the_orm(tmp_path):
    path = tmp_path / "tresen.sqlite3"
    migrate_sqlite(path)
    script = (
        "import asyncio, sys\n"
        "from bot.storage.open import open_store\n"
        f"asyncio.run(asyncio.run(open_store('sqlite:///{path}')).close())\n"
        "print([m for m in ('sqlalchemy', 'alembic', 'sqlmodel', 'asyncpg') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"


def differences(connection):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from bot.storage.tables import StorageTable

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return compare_metadata(context, StorageTable.metadata)


def test_migrations_make_the_tables_on_sqlite(tmp_path):
    from sqlalchemy import create_engine

    path = tmp_path / "tresen.sqlite3"
    migrate_sqlite(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


def test_a_migration_can_be_undone(tmp_path):
    from alembic import command
    from sqlalchemy import create_engine, inspect

    path = tmp_path / "tresen.sqlite3"
    migrate_sqlite(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == [VERSION_TABLE]
    engine.dispose()


def revision_0001(path):
    from alembic import command
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "INSERT INTO conversations VALUES ('web:anna', 1, 1, 0);"
            "INSERT INTO conversation_events VALUES ('web:anna', 1, 'said', '{\"a\":1}', 0);"
            "INSERT INTO outbox VALUES (7, 'web:anna', 1, 'web', 'anna', '{\"text\":\"Hi\"}', 0,"
            " 'pending', 0, 0, '', '');"
        )


async def test_a_store_from_before_the_ledger_is_brought_up_to_date(tmp_path):
    path = tmp_path / "tresen.sqlite3"
    revision_0001(path)
    stores = await asyncio.gather(*(open_store(f"sqlite:///{path}") for _ in range(2)))
    [event], version = await stores[0].events.load("web:anna")
    assert (event.data, version) == ({"a": 1}, 1)
    assert [e.message.text for e in await stores[0].outbox.unsent("web")] == ["Hi"]
    assert await stores[0].effects.find(EffectQuery()) == []
    [accepted] = await stores[0].inbox.accept([inbound()])
    handled = accepted.inbox_id
    commit = turn("web:anna", 1, ("b",), handled_inbox_id=handled, effects=[refund("k1")])
    [queued] = (await stores[0].turns.commit(commit)).outbound
    assert (queued.outbox_id, queued.seq) == (8, 2)
    assert (await stores[1].effects.get("k1")).state == "intended"
    for store in stores:
        await store.close()


async def test_a_store_from_before_contacts_knows_who_wrote(tmp_path):
    path = tmp_path / "tresen.sqlite3"
    revision_0001(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO inbox (channel, message_id, conversation_id, message, accepted_us) "
            "VALUES ('web', ?, ?, '{}', ?)",
            [
                ("1", "web:anna", 1),
                ("2", "web:anna", 2),
                ("\x1f3", "web:anna", 3),
                ("\x1f4", "web:ben", 4),
                ("5", "web:c:d", 5),
            ],
        )
        connection.commit()
    store = await open_store(f"sqlite:///{path}")
    for sender, last_us in (("anna", 2), ("c:d", 5)):
        [contact] = await store.contacts.of_conversation(f"web:{sender}")
        assert contact == Contact("web", sender, from_us(last_us))
    assert await store.contacts.of_conversation("web:ben") == []
    [entry] = await store.outbox.unsent("web")
    assert (entry.parts_sent, entry.begun_at) == (0, None)
    assert await store.outbox.begin(entry.outbox_id)
    await store.close()


async def test_events_from_before_the_chain_are_linked(tmp_path):
    path = tmp_path / "tresen.sqlite3"
    revision_0001(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO conversations VALUES ('web:ben', 1200, 0, 0)")
        connection.execute("INSERT INTO conversations VALUES ('web:cem', 0, 0, 0)")
        rows = [(seq, f'{{"n":{seq}}}', seq) for seq in range(1, 1201)]
        insert = "INSERT INTO conversation_events VALUES ('web:ben', ?, 'said', ?, ?)"
        connection.executemany(insert, rows)
        connection.commit()
    store = await open_store(f"sqlite:///{path}")
    found = [verify(await store.chains.read(f"web:{name}")) for name in ("anna", "ben", "cem")]
    assert [(one.state, one.events) for one in found] == [
        ("intact", 1), ("intact", 1200), ("intact", 0),
    ]  # fmt: skip
    for key, version in (("web:anna", 1), ("web:ben", 1200), ("web:cem", 0)):
        await store.turns.commit(turn(key, version))
        assert verify(await store.chains.read(key)).state == "intact"
    await store.close()


def test_revisions_follow_their_file_names(tmp_path):
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path}/x")
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    engine.dispose()
    assert [r.revision for r in script.walk_revisions()][::-1] == revisions()


@pytest.mark.postgres
async def test_migrations_make_the_tables_on_postgres(postgres_url):
    import asyncpg
    from sqlalchemy import NullPool
    from sqlalchemy.ext.asyncio import create_async_engine

    await (await open_store(postgres_url)).close()
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(postgres_url),
        poolclass=NullPool,
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.postgres
async def test_events_from_before_the_chain_are_linked_on_postgres(postgres_url):
    import asyncpg

    store = await open_store(postgres_url)
    for version in range(3):
        await store.turns.commit(turn("web:older", version))
    await store.close()
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(
        "ALTER TABLE conversations DROP COLUMN chain; ALTER TABLE conversation_events "
        "DROP COLUMN salt, DROP COLUMN digest, DROP COLUMN chain; "
        "UPDATE conversation_schema SET version_num = '0003'"
    )
    await connection.close()
    store = await open_store(postgres_url)
    verdict = verify(await store.chains.read("web:older"))
    await store.events.erase("web:older")
    await store.close()
    assert (verdict.state, verdict.events) == ("intact", 3)


@pytest.mark.postgres
async def test_a_newer_schema_is_refused_on_postgres(postgres_url):
    import asyncpg

    await (await open_store(postgres_url)).close()
    connection = await asyncpg.connect(postgres_url)
    change = "UPDATE conversation_schema SET version_num = $1"
    await connection.execute(change, "9999")
    try:
        with pytest.raises(errors.SchemaTooNew, match="revision 9999"):
            await open_store(postgres_url)
    finally:
        await connection.execute(change, revisions()[-1])
        await connection.close()


async def test_an_unreachable_server_is_named(tmp_path):
    with pytest.raises(errors.StoreUnreachable):
        await open_store(f"postgresql://postgres@/postgres?host={tmp_path}")
    with pytest.raises(errors.StoreUnreachable):
        await open_store("postgresql://postgres@127.0.0.1:1/postgres")
    with pytest.raises(errors.StoreUnreachable):
        await open_store("postgresql://postgres@127.0.0.1:many/postgres")


@pytest.mark.postgres
async def test_an_unknown_database_is_named(postgres_url):
    with pytest.raises(errors.StoreUnreachable, match="nowhere"):
        await open_store(postgres_url.replace("/postgres?", "/nowhere?"))
