"""Two versions beside each other: a host migrates while the old one trades, and may restart it."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from engine.storage import migrations, schema
from engine.storage.database import with_driver
from engine.storage.migrations import alembic_config, migrate
from engine.storage.schema import OLDEST_CODE, refusal
from tests.postgres import Server
from tests.sampling import LONG, long

ROOT = Path(__file__).parents[2]
SCRIPTS = ScriptDirectory(str(ROOT / "alembic"))
OLDEST_FIRST = [*SCRIPTS.walk_revisions()][::-1]
MIGRATIONS = [script for script in OLDEST_FIRST if script.down_revision]
# Migrations after which the code of the revision before cannot write any more, and why it is right
# so: they take away what that code wrote, and nothing of it runs any more.
CONTRACTIONS: dict[str, str] = {}
# A migration that was released is not changed any more. In the short form SQLite shows it of all, and
# PostgreSQL of the newest.
NEWEST = 6


def cases() -> list[Any]:
    on_sqlite = [("sqlite", script) for script in MIGRATIONS]
    older, newest = MIGRATIONS[:-NEWEST], MIGRATIONS[-NEWEST:]
    on_postgres = [long("postgres", script) for script in older]
    return [*on_sqlite, *on_postgres, *(("postgres", script) for script in newest)]


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


class Growing:
    """A database to be copied: brought on from the revision it has, so that every migration is run
    once and not once for each that follows it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._has: str | None = None

    def can_be(self, revision: str) -> bool:
        return self._has is None or self._has <= revision

    def become(self, revision: str) -> None:
        if self._has != revision:
            command.upgrade(alembic_config(self.url), revision)
            self._has = revision


@pytest.fixture(scope="module")
def growing_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A database file as it was at a revision."""
    made: list[tuple[Path, Growing]] = []

    def at(revision: str) -> Path:
        if not made or not made[-1][1].can_be(revision):
            file = tmp_path_factory.mktemp("growing") / "template.db"
            made.append((file, Growing(f"sqlite:///{file}")))
        file, growing = made[-1]
        growing.become(revision)
        return file

    return at


@pytest.fixture(scope="module")
def growing_databases(postgres: Server) -> Generator[Callable[[str], str]]:
    """The name of a database as it was at a revision."""
    with ExitStack() as stack:
        made: list[Growing] = []

        def at(revision: str) -> str:
            if not made or not made[-1].can_be(revision):
                made.append(Growing(stack.enter_context(postgres.database())))
            made[-1].become(revision)
            return sa.make_url(made[-1].url).database or ""

        yield at


@pytest.fixture
def url_at(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Callable[[str], str]]:
    """Our tables as they were at a revision, in a database of the test's own."""
    with ExitStack() as stack:

        def at(revision: str) -> str:
            if request.param == "sqlite":
                file = request.getfixturevalue("growing_files")(revision)
                return f"sqlite:///{shutil.copy(file, tmp_path / 'ballast.db')}"
            template = request.getfixturevalue("growing_databases")(revision)
            server: Server = request.getfixturevalue("postgres")
            return stack.enter_context(server.database(template=template))

        yield at


@contextmanager
def connected(url: str) -> Generator[sa.Connection]:
    engine = sa.create_engine(with_driver(url, asynchronous=False), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """As they are, those that others refer to first."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def a_row(table: sa.Table, number: int) -> dict[str, Any]:
    """What must be given, and nothing else: the same *number* everywhere, so that references fit."""
    return {
        column.name: _value(column, number)
        for column in table.columns
        if not column.nullable and (column.server_default is None or column.primary_key)
    }


def _value(column: sa.Column[Any], number: int) -> object:
    kind = column.type.python_type
    return f"{column.name[:8]} {number}" if kind is str else kind(number)


def full(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def lost(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Those of *rows* that the table does not have."""
    wanted = [table.columns[name] for name in rows[0]]
    found = [dict(row) for row in connection.execute(sa.select(*wanted)).mappings()]
    return [row for row in rows if found.count(dict(row)) != 1]


@pytest.mark.parametrize(
    ("url_at", "script"),
    cases(),
    ids=lambda case: getattr(case, "revision", case),
    indirect=["url_at"],
)
def test_what_the_older_code_writes_can_be_written_read_and_changed_on_the_newer_schema(
    url_at, script
):
    """By the columns it knew, with nothing in those that came later."""
    if script.revision in CONTRACTIONS:
        assert script.module.oldest_code == script.revision
        return
    older = min(script.module.oldest_code, script.down_revision)
    url = url_at(older)
    with connected(url) as connection:
        known = tables_of(connection)
        for table in known:
            connection.execute(table.insert().values(a_row(table, 1)))

    command.upgrade(alembic_config(url), script.revision)

    with connected(url) as connection:
        for table in known:
            connection.execute(table.insert().values(a_row(table, 2)))
        for table in known:
            assert lost(connection, table, [a_row(table, number) for number in (1, 2)]) == []
        for table in known:
            rows = [full(table, number) for number in (1, 2)]
            for row in rows:
                key = [column == row[column.name] for column in table.primary_key]
                connection.execute(table.update().where(*key).values(row))

            assert lost(connection, table, rows) == []
        for table in reversed(known):
            connection.execute(table.delete())


@pytest.mark.parametrize("script", OLDEST_FIRST, ids=lambda script: script.revision)
def test_every_migration_says_whose_code_may_run_beside_it(script):
    """`oldest_code`: a revision of its own past, or its own where no older code may run."""
    past = [older.revision for older in SCRIPTS.iterate_revisions(script.revision, "base")]

    assert getattr(script.module, "oldest_code", None) in past


def oldest_code(url: str) -> str | None:
    with connected(url) as connection:
        found: str | None = connection.scalar(
            sa.text("SELECT value FROM notes WHERE name = :name"), {"name": OLDEST_CODE}
        )
        return found


def test_the_program_knows_its_own_migrations_without_reading_them():
    assert [script.revision for script in OLDEST_FIRST] == list(schema.HISTORY)


def test_the_schema_names_the_oldest_code_it_bears_on_the_way_up_and_down(empty_url):
    command.upgrade(alembic_config(empty_url), "0002")
    on_the_way = oldest_code(empty_url)
    migrate(empty_url)
    newest = oldest_code(empty_url)
    command.downgrade(alembic_config(empty_url), "0002")

    assert newest == SCRIPTS.get_revision("head").module.oldest_code
    assert oldest_code(empty_url) == on_the_way == SCRIPTS.get_revision("0002").module.oldest_code


@cache
def head() -> str:
    return SCRIPTS.get_current_head() or ""


@pytest.mark.parametrize(
    ("revision", "oldest", "words"),
    [
        ("9999", "0001", None),
        ("9999", head(), None),
        ("9999", "9998", "belongs to a newer version"),
        ("9999", None, "belongs to a newer version"),
        ("0001", "0001", "run: alembic upgrade head"),
        (None, "0001", "run: alembic upgrade head"),
        (head(), None, None),
    ],
)
def test_older_code_runs_on_a_newer_schema_that_bears_it_and_on_no_older_one(
    postgres_url, revision, oldest, words
):
    with connected(postgres_url) as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        connection.execute(sa.text(f"DELETE FROM notes WHERE name = '{OLDEST_CODE}'"))  # noqa: S608
        for value, statement in (
            (revision, "INSERT INTO alembic_version VALUES (:value)"),
            (oldest, f"INSERT INTO notes VALUES ('{OLDEST_CODE}', :value)"),  # noqa: S608
        ):
            if value is not None:
                connection.execute(sa.text(statement), {"value": value})

        why_not = refusal(connection)

    assert (why_not is None) == (words is None)
    assert (words or "") in (why_not or "")


def test_an_empty_database_is_refused_with_what_to_do(empty_postgres_url):
    with connected(empty_postgres_url) as connection:
        assert "run: alembic upgrade head" in str(refusal(connection))


NEXT = '''
    """The next version's migration"""

    import sqlalchemy as sa
    from alembic import op

    revision = "9999"
    down_revision = "{head}"
    branch_labels = None
    depends_on = None
    oldest_code = "{oldest}"


    def upgrade() -> None:
        op.add_column("accounts", sa.Column("mood", sa.Text(), nullable=True))


    def downgrade() -> None:
        op.drop_column("accounts", "mood")
'''


@pytest.mark.parametrize("bears_us", [True, False])
def test_the_next_versions_migration_decides_whether_this_one_may_start_again(
    postgres_url, tmp_path, monkeypatch, bears_us
):
    oldest = head() if bears_us else "9999"
    next_version = tmp_path / "alembic"
    next_version.mkdir()
    for path in (ROOT / "alembic").iterdir():
        if path.name != "versions":
            (next_version / path.name).symlink_to(path)
    (next_version / "versions").mkdir()
    for path in (ROOT / "alembic" / "versions").glob("*.py"):
        (next_version / "versions" / path.name).symlink_to(path)
    (next_version / "versions" / "9999_next.py").write_text(
        textwrap.dedent(NEXT).format(head=head(), oldest=oldest)
    )
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_SCRIPTS", next_version)
        migrate(postgres_url)

    with connected(postgres_url) as connection:
        assert (refusal(connection) is None) == bears_us


def release(url: str) -> subprocess.CompletedProcess[str]:
    """As a host's release step runs it."""
    return subprocess.run(
        [Path(sys.executable).with_name("alembic"), "-c", ROOT / "alembic.ini", "upgrade", "head"],
        cwd=ROOT / "tests",  # where no .env is
        env={"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


@LONG
def test_a_migration_does_not_wait_for_ever_behind_a_table_in_use_and_can_be_run_again(
    empty_postgres_url,
):
    """Nor do others wait behind it: it gives up after five seconds, with nothing changed."""
    command.upgrade(alembic_config(empty_postgres_url), "0002")
    with psycopg.connect(empty_postgres_url) as reader:
        reader.execute("SELECT count(*) FROM accounts")  # and the transaction stays open
        refused = release(empty_postgres_url)

    assert refused.returncode != 0
    assert "somebody holds a table that must change; nothing was changed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert oldest_code(empty_postgres_url) == "0002"

    assert release(empty_postgres_url).returncode == 0
    with connected(empty_postgres_url) as connection:
        assert refusal(connection) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://u:sEcReT@127.0.0.1:1/d", "the database cannot be used"),
        ("postgres://u:sEcReT@h/d?schema=x", "has the parameter schema"),
    ],
)
@LONG
def test_a_release_step_that_cannot_begin_says_why_without_the_password(url, words):
    failed = release(url)

    assert failed.returncode != 0
    assert words in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stderr
    assert "sEcReT" not in failed.stdout + failed.stderr
