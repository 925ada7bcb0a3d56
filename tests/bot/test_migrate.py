"""`migrate`: what `alembic upgrade head` does, for a program without its checkout."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from bot.runtime.startup import CannotStart
from engine.storage.migrations import alembic_config
from engine.storage.schema import newest
from tests.bot.test_upkeep import FINE, typed
from tests.storage.test_migrations import connected


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


def test_migrate_brings_a_database_to_this_version_once(
    empty_url: str, capsys: pytest.CaptureFixture[str]
):
    assert typed("migrate", url=empty_url) == FINE
    assert typed("migrate", url=empty_url) == FINE

    first, second = capsys.readouterr().out.splitlines()
    assert first == f"The database has schema {newest()} now. Before: none."
    assert second == f"Nothing changed: the database has schema {newest()} already."


def test_migrate_names_the_schema_it_came_from(empty_url: str, capsys: pytest.CaptureFixture[str]):
    command.upgrade(alembic_config(empty_url), "0002")

    assert typed("migrate", url=empty_url) == FINE
    assert capsys.readouterr().out.endswith("Before: 0002.\n")


def test_migrate_leaves_a_schema_alone_that_it_does_not_know(database_url: str):
    with connected(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))

    with pytest.raises(CannotStart, match="schema"):
        typed("migrate", url=database_url)


def test_migrate_says_that_the_database_cannot_be_reached():
    with pytest.raises(CannotStart, match="the database cannot be used"):
        typed("migrate", url="postgres://ballast:pa55@127.0.0.1:1/ballast")
