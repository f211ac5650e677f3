"""What tests of every room may ask for: the real data, a real PostgreSQL, a real Chromium."""

import os
import shutil
from pathlib import Path

import pytest

from tests.postgres import PostgresMissing, running_postgres

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder with the real data sets, which the repository does not carry."""
    shared = Path(os.environ.get("TRESEN_SHARED", ROOT.parent / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no real data at {shared / 'data'}: set TRESEN_SHARED to its parent folder")
    return shared / "data"


@pytest.fixture(scope="session")
def postgres_url():
    """Return the URL of a PostgreSQL server that lives as long as the test session."""
    try:
        with running_postgres() as url:
            yield url
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def chromium_path():
    """Return the system's Chromium or Chrome; `make test` installs one where apt can."""
    named = os.environ.get("TRESEN_CHROMIUM")
    for name in (named,) if named else CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no Chromium found ({named or ', '.join(CHROMIUM_NAMES)}): set TRESEN_CHROMIUM")
