"""PostgreSQL, as hosts give it: migrated by the release step, shared by two copies at a deploy."""

import asyncio
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from tests.e2e.process import ROOT, until
from tests.e2e.world import API_KEY, API_SECRET, ENCRYPTION_KEY, ORDER, OWNER, World
from tests.fakes.mexc_faults import Fault
from tests.fakes.pooler import pooled
from tests.sampling import LONG

CANNOT_START = 3


def as_the_host_gives_it(url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url.replace("postgresql://", "postgres://", 1),
        "ENCRYPTION_KEYS": ENCRYPTION_KEY,
    }


def release(env: dict[str, str]) -> None:
    """What the host runs before the new version starts."""
    command = re.findall("(?m)^release: (.+)$", (ROOT / "Procfile").read_text())
    name, *arguments = shlex.split(command[0])
    program = [str(Path(sys.executable).with_name(name)), "-c", str(ROOT / "alembic.ini")]
    where = ROOT / "tests"  # no .env is there
    subprocess.run([*program, *arguments], cwd=where, env=env, check=True, capture_output=True)


def everything_in(url: str) -> str:
    """Each row of each table, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return "\n".join(
            str(row)
            for (table,) in tables.fetchall()
            for row in connection.execute(
                SQL("SELECT t::text FROM {} t").format(Identifier(table))
            )
        )


@LONG
async def test_a_schema_that_is_missing_or_another_is_refused_and_the_release_step_makes_it(
    world: World, empty_postgres_url: str
):
    env = as_the_host_gives_it(empty_postgres_url)
    too_early = world.start(**env)

    assert await too_early.exit_code() == CANNOT_START
    assert "run: alembic upgrade head" in too_early.log
    assert everything_in(empty_postgres_url) == ""

    release(world.env | env)
    async with world.running(**env):
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.hears("Bought")

    with psycopg.connect(empty_postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of another version'")
        connection.execute("UPDATE notes SET value = 'of another' WHERE name = 'oldest_code'")
    stored = everything_in(empty_postgres_url)
    too_old = world.start(**env)

    assert await too_old.exit_code() == CANNOT_START
    assert "belongs to a newer version" in too_old.log
    assert everything_in(empty_postgres_url) == stored
    assert "bought" not in stored
    assert not {secret for secret in (API_KEY, API_SECRET, ENCRYPTION_KEY) if secret in stored}


@LONG
async def test_two_copies_at_a_deploy_trade_once_and_obey_once(world: World, postgres_url: str):
    env = as_the_host_gives_it(postgres_url)
    world.account.of("USDT").free = Decimal(40)
    async with world.running(**env) as old:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.checks(1)
        async with world.running(**env) as new:
            world.drift("17.10")
            await world.orders(1)
            await world.hears("Bought")
            targets = ["40.10", "40.20", "40.30"]  # all inside the band
            for target in targets:
                await world.ask(f"/settarget {target}", f"{target} USDT")
            polled_by_new = "post=poller" in new.log

            assert await old.stop() == 0

            heard = world.newest()
            world.drift("17.10")
            await world.orders(2)
            await world.hears("Bought", after=heard)
            await world.ask("/status", "target 40.30")

    assert len(world.mexc.orders) == 2
    for target in targets:
        assert sum(f"Target set to {target}" in text for text in world.told()) == 1
    assert not polled_by_new
    assert "post=poller" in new.log
    assert "Conflict" not in old.log + new.log
    assert world.telegram.unconfirmed == []


@LONG
async def test_behind_a_pooler_the_database_goes_away_and_comes_back_while_the_bot_trades(
    world: World, empty_postgres_url: str
):
    """From the release step on; away means: every line cut, and nobody let in."""
    world.account.of("USDT").free = Decimal(40)
    async with pooled(empty_postgres_url, size=2) as pooler:
        env = as_the_host_gives_it(pooler.url())
        await asyncio.to_thread(release, world.env | env)
        async with world.running(**env) as program:
            await world.connect()
            await world.ask("/resume", "Trading is on")
            world.drift("17.10")
            await world.hears("Bought")

            heard = world.newest()
            pooler.full = True
            pooler.cut()
            world.drift("17.10")
            await program.logs("heartbeat skipped: database ")
            traded_meanwhile = len(world.mexc.orders)
            pooler.full = False
            await world.hears("Bought", after=heard)
            await world.ask("/status", "🟢 LIVE")

        assert (traded_meanwhile, len(world.mexc.orders)) == (1, 2)
        assert pooler.most_clients <= 8
        assert pooler.leaks() == []


async def test_after_a_kill_the_next_life_polls_within_10_s_and_works_within_15(
    world: World, postgres_url: str, record_property: Callable[[str, object], None]
):
    """The unclear order is asked for, what waited is sent, and checks begin."""
    env = as_the_host_gives_it(postgres_url)
    world.mexc.inject(Fault(*ORDER, hang=True, executes=True))
    async with world.running(**env) as program:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.orders(1)
        await program.kill()

    heard, polls = world.newest(), polled(world)
    world.telegram.say(OWNER, "/settarget 40.10")
    began = time.monotonic()
    async with world.running(**env):
        await until(lambda: polled(world) > polls)
        first_poll = time.monotonic() - began
        late = await world.hears("Bought", after=heard)
        await world.hears("40.10 USDT", after=heard)
        await world.checks(1)
        all_of_it = time.monotonic() - began
    record_property("seconds to the first poll after SIGKILL", first_poll)
    record_property("seconds until everything goes on after SIGKILL", all_of_it)

    assert "Confirmed late" in late.text
    assert len(world.mexc.orders) == 1
    assert first_poll < 10
    assert all_of_it < 15


def polled(world: World) -> int:
    return sum(call.method == "getUpdates" for call in world.telegram.calls)
