"""The desk's database, on SQLite and on a real PostgreSQL."""

import pytest
from sqlalchemy import create_engine

from bot.messages import utc_now
from desk.database import DeskDatabase
from desk.tables import DeskTable


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk_database(request, tmp_path):
    """Return an empty database of the desk."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres_url")
        engine = create_engine(f"postgresql+psycopg://{url.partition('://')[2]}")
        DeskTable.metadata.drop_all(engine)
        engine.dispose()
    database = DeskDatabase(url, utc_now)
    yield database
    database.close()
