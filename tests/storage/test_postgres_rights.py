"""PostgreSQL as people have it: other encodings, a role without rights, several hosts."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from bot.runtime.startup import CannotStart, open_database
from engine.clock import SystemClock
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import ShareLink
from engine.membership.sharing import admit
from engine.storage.accounts import accounts, members, share_links, shares
from engine.storage.database import Database
from engine.storage.migrations import UnknownSchema, migrate
from tests.builders import settings
from tests.fakes.clock import START
from tests.postgres import Server


@contextmanager
def a_database(server: Server, *, encoding: str) -> Generator[str]:
    name = f"ballast_test_{uuid4().hex}"
    how = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} " + how).format(Identifier(name)))
        try:
            yield make_url(server.url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def app(postgres: Server) -> Generator[str]:
    """A role that may log in, and no more."""
    name = f"app_{uuid4().hex[:8]}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(name)))
        yield name
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def run_by(role: str, url: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def refusal(url: str) -> str:
    with pytest.raises(CannotStart) as caught:
        async with open_database(url, clock=SystemClock()):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("SQL_ASCII", "Zoë Жанна 🚀"), ("LATIN1", "Zoë"), ("WIN1251", "Жанна"), ("EUC_JP", "花子")],
)
async def test_a_database_of_any_encoding_is_migrated_and_keeps_names(postgres, encoding, name):
    with a_database(postgres, encoding=encoding) as url:
        migrate(url)
        async with open_database(url, clock=SystemClock()) as database:
            async with database.writing() as session:
                await session.execute(
                    text("INSERT INTO notes (name, value) VALUES ('name', :value)"),
                    {"value": name},
                )
            async with database.reading() as session:
                query = text("SELECT value FROM notes WHERE name = 'name'")

                assert (await session.scalar(query)) == name


async def see_an_account(session: AsyncSession, chat_id: int, name: str) -> None:
    account = await accounts.get_or_create(session, chat_id=1, settings=settings(), now=START)
    await accounts.store_key(session, account, sealed_key="k", key_tail="k", key_print="k")
    link = ShareLink(account_id=account.id, role=Role.VIEWER, made_by=1, expires_at=START)
    await share_links.add(session, link, code_hash="code", now=START)
    await admit(session, link, "code", chat_id=chat_id, user_id=chat_id, name=name, now=START)


@pytest.mark.parametrize(
    ("encoding", "kept"),
    [("UTF8", "Zoë Жанна 🚀"), ("LATIN1", "Zoë ????? ?"), ("WIN1251", "Zo? Жанна ?")],
)
async def test_a_member_whose_name_the_database_cannot_hold_is_let_in(postgres, encoding, kept):
    with a_database(postgres, encoding=encoding) as url:
        migrate(url)
        async with open_database(url, clock=SystemClock()) as database:
            async with database.writing() as session:
                await members.admit(
                    session,
                    chat_id=-1,
                    user_id=2,
                    role=Role.TRADER,
                    now=START,
                    name="Zoë Жанна 🚀",
                )
                await members.keep_name(session, 3, "Zoë Жанна 🚀")
                await see_an_account(session, 4, "Zoë Жанна 🚀")
            async with database.reading() as session:
                seen = await shares.of_chat(session, 4)
                assert seen is not None
                assert seen.name == kept
                assert await members.name_in(session, chat_id=-1, user_id=2) == kept
                assert await members.name_of(session, 3) == kept


async def test_a_role_that_may_not_create_tables_is_told_what_to_grant(app, empty_postgres_url):
    execute(empty_postgres_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    url = run_by(app, empty_postgres_url)
    with pytest.raises(UnknownSchema) as caught:
        migrate(url)

    assert str(caught.value) == (
        f"nothing was changed: {app} may not create tables in schema public: "
        f"GRANT ALL ON SCHEMA public TO {app};"
    )
    execute(empty_postgres_url, f"GRANT ALL ON SCHEMA public TO {app}")
    migrate(url)
    async with open_database(url, clock=SystemClock()):
        pass


async def test_a_role_that_may_not_do_all_that_the_work_needs_does_not_start(app, postgres_url):
    url = run_by(app, postgres_url)
    reads = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {app}"
    writes = f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {app};"
    counts = f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {app};"

    assert await refusal(url) == f"{app} may not read and write table alembic_version: {writes}"
    execute(postgres_url, reads, f"GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {app}")
    assert await refusal(url) == f"{app} may not read and write table accounts: {writes}"
    execute(postgres_url, writes)
    assert (await refusal(url)).endswith(f"_id_seq: {counts}")
    execute(postgres_url, counts)
    async with open_database(url, clock=SystemClock()):
        pass


@pytest.mark.parametrize("attributes", ["read-write", "any", "primary"])
async def test_of_several_hosts_the_one_that_takes_writes_is_used(postgres_url, attributes):
    address = make_url(postgres_url)
    home = str(address.query["host"])
    query = f"host={home}-gone,{home}&target_session_attrs={attributes}"
    url = f"postgres://{address.username}@/{address.database}?{query}"
    async with open_database(url, clock=SystemClock()) as database, database.reading() as session:
        assert (await session.scalar(text("SELECT 1"))) == 1


async def test_words_are_bytes_of_utf_8_whatever_the_environment_says(postgres_url, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    async with (
        Database.open(postgres_url, clock=SystemClock()) as database,
        database.engine.connect() as connection,
    ):
        assert (await connection.scalar(text("SELECT '🚀'"))) == "🚀"
