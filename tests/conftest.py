"""What every test shares: Hypothesis profiles, a clock, and databases of its own."""

import gc
import importlib
import logging
import os
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from engine.storage.database import Database
from engine.storage.migrations import migrate
from tests import compiled, inline_sqlite, replays, sampling
from tests.fakes import telegram_limits
from tests.fakes.clock import FakeClock
from tests.faults.summary import pytest_terminal_summary
from tests.postgres import NoPostgres, Server, running_server

__all__ = ["pytest_terminal_summary"]  # a hook, found by its name

compiled.share()
os.environ["PTB_TIMEDELTA"] = "true"  # as bot/__main__.py does; PTB warns without it

# `make test` looks for 25 examples of each property, `make check` for 50; in CI the same ones each
# time, so that a red build belongs to its change. `make soak` takes the long one.
settings.register_profile("short", max_examples=25, deadline=None)
settings.register_profile("dev", max_examples=50, deadline=None)  # slow machines are not red
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("long", max_examples=500, deadline=None, print_blob=True)
_SHORT = "ci" if os.environ.get("CI") else "dev"
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "long" if os.environ.get("SOAK") else _SHORT)
)


_HERE = Path(__file__).parent
_E2E = _HERE / "e2e"
_WAITING = {
    _HERE / "faults" / f"test_{name}.py"
    for name in ("crash_matrix", "processes", "roles", "postgres")
} | {_HERE / "packaging" / "test_wheel.py"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: a test that starts processes mostly waits for them."""
    return 2 * (os.cpu_count() or 1)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Each worker imports the test modules from another place of the list on.

    All must import all of them, and whose asserts are rewritten first writes them down for the
    others: side by side, each did all of that work, half of the time of a collection.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or session.config.args != session.config.getini("testpaths"):
        return
    modules = [
        ".".join(path.relative_to(_HERE.parent).with_suffix("").parts)
        for path in sorted(_HERE.rglob("test_*.py"))
    ]
    count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    first = int(worker.removeprefix("gw")) * len(modules) // count
    gc.disable()  # until the end of the collection
    for module in modules[first:] + modules[:first]:
        importlib.import_module(module)


def pytest_itemcollected(item: pytest.Item) -> None:
    """The short form tries on PostgreSQL what is about the database, and what is promised."""
    if isinstance(item, pytest.Function) and sampling.is_second_database(item):
        item.add_marker(sampling.LONG)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Half of the workers begin with the tests that wait for processes, the others with those that
    compute: the cores are never idle, and no long test is the last. xdist gives each worker an
    equal part of the list, one behind the other.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    waiting = [item for item in items if item.path.is_relative_to(_E2E) or item.path in _WAITING]
    known = {id(item) for item in waiting}
    others = iter([item for item in items if id(item) not in known])
    spread = list[pytest.Item]()
    for n in range(workers // 2):
        part = waiting[n :: workers // 2]
        spread += part + list(islice(others, max(0, len(items) // workers - len(part))))
    items[:] = spread + list(others) if spread else items


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: looking at it again and again took a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What was imported stays, as in the program: a tenth of the time went into looking at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # another tenth


@pytest.fixture(autouse=True)
def _inline_sqlite(request: pytest.FixtureRequest) -> Iterator[None]:
    """Not where the driver itself counts (see inline_sqlite)."""
    with nullcontext() if "tests/storage" in request.node.nodeid else inline_sqlite.inline():
        yield


@pytest.fixture(autouse=True)
def _replays() -> Iterator[None]:
    """Every order gives the same plan again, whatever the test is about."""
    replays.differing.clear()
    yield
    assert replays.differing == []


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """There a test that cannot be run fails; elsewhere it is skipped."""
    return bool(os.environ.get("CI"))


@pytest.fixture(scope="session")
def postgres(in_ci: bool) -> Generator[Server]:
    try:
        with running_server(os.environ.get("TEST_DATABASE_URL")) as server:
            yield server
    except NoPostgres as e:
        if in_ci:
            raise
        pytest.skip(str(e))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    template = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{template}")
    with closing(sqlite3.connect(template)) as database:
        # As the program does when it opens the file. Here once: it waits for the disk twice.
        database.execute("PRAGMA journal_mode=WAL")
    return template


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> Generator[str]:
    """The name of a migrated database, to be copied."""
    with postgres.database() as url:
        migrate(url)
        name = make_url(url).database
        if name is None:
            raise ValueError(url)
        yield name


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgres_url(postgres: Server) -> Generator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A database of the test's own, with our tables and nothing in them."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'ballast.db')}"


@pytest.fixture
def postgres_url(postgres: Server, postgres_template: str) -> Generator[str]:
    """A database of the test's own, with our tables and nothing in them."""
    with postgres.database(template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """`sqlite_url`, then `postgres_url`."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
async def database(database_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    """Our tables on both databases; the test must have given every connection back."""
    async with Database.open(database_url, clock=clock) as opened:
        yield opened

        assert "Current Checked out connections: 0" in opened.engine.pool.status()


@pytest.fixture(autouse=True)
def messages_out_of_bounds() -> Iterator[list[str]]:
    """What the bot sent that Telegram or a phone does not take; must be empty when a test ends."""
    telegram_limits.broken.clear()
    yield telegram_limits.broken
    found = list(telegram_limits.broken)
    telegram_limits.broken.clear()

    assert not found, found


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    """Put back what `bot.observability.logs.configure` changes for the whole process: tests run in any order."""
    root = logging.getLogger()
    handlers, level, levels = list(root.handlers), root.level, _levels()
    yield
    logging.captureWarnings(False)
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    for name, present in _levels().items():
        if present != (before := levels.get(name, logging.NOTSET)):
            logging.getLogger(name).setLevel(before)


def _levels() -> dict[str, int]:
    loggers = logging.root.manager.loggerDict.items()
    return {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger)}
