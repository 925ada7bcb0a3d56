"""The operator's commands as typed in a terminal, beside a program that runs or in its stead."""

import stat
from pathlib import Path

from tests.e2e.process import Program
from tests.e2e.test_postgres import as_the_host_gives_it
from tests.e2e.world import ENCRYPTION_KEY, World
from tests.faults.stories import tapped
from tests.sampling import LONG

DONE, NOT_DONE, BAD_SETTING, CANNOT_START = 0, 1, 2, 3
NOWHERE = "127.0.0.1:1"


async def printed(program: Program, code: int = DONE) -> str:
    assert await program.exit_code() == code, program.log + program.printed
    assert max(map(len, program.printed.splitlines()), default=0) <= 80
    return program.printed


def on_one_line(report: str) -> str:
    return " ".join(report.split())


def marks(report: str) -> dict[str, str]:
    """What stands before each thing that was looked at."""
    lines = [line.split() for line in report.splitlines() if line[:4].strip()]
    return {about: mark for mark, about, *_ in lines if mark in {"ok", "warn", "FAIL"}}


async def test_check_tells_what_is_well_and_what_is_broken_and_what_to_do(world: World):
    async with world.running():
        await world.connect()
        healthy = world.command("check")
        broken = world.command(
            "check",
            TELEGRAM_TOKEN="123456:WrongTokenWrongTokenWrongTokenWrong",
            ENCRYPTION_KEYS=ENCRYPTION_KEY,
            MEXC_API_URL=f"http://{NOWHERE}",
        )
        away = world.command(
            "check",
            DATABASE_URL=f"postgres://ballast:pa55w0rd@{NOWHERE}/ballast",
            ENCRYPTION_KEYS=ENCRYPTION_KEY,
            MEXC_PROXY=f"http://somebody:pa55w0rd@{NOWHERE}",
        )
        bad = world.command("check", CHECK_INTERVAL="0")
        reports = [await printed(healthy), await printed(broken, NOT_DONE)]
        reports.append(await printed(away, NOT_DONE))

        assert await printed(bad, BAD_SETTING) == ""
    assert set(marks(reports[0]).values()) == {"ok"}
    assert "a Ballast is running on it" in on_one_line(reports[0])
    assert "MEXC keys that can be read: 1 of 1" in on_one_line(reports[0])
    assert marks(reports[1]) == {
        "settings": "ok",
        "proxies": "ok",
        "database": "ok",
        "keys": "FAIL",
        "Telegram": "FAIL",
        "MEXC": "FAIL",
        "streams": "ok",
        "host": "ok",
    }
    assert marks(reports[2])["database"] == "FAIL"
    assert marks(reports[2])["Telegram"] == "ok"
    assert marks(reports[2])["MEXC"] == "FAIL"
    assert "pa55w0rd" not in "".join(reports) + away.log


@LONG
async def test_a_move_to_another_database_and_a_change_of_keys(
    world: World, postgres_url: str, tmp_path: Path
):
    async with world.running():
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.hears("Bought")
    backup = await printed(world.command("backup", "moving.ballast"))
    old_key = (tmp_path / "data/ballast.key").read_text().strip()

    assert "accounts 1, orders 1" in on_one_line(backup)
    assert stat.S_IMODE((tmp_path / "moving.ballast").stat().st_mode) == 0o600

    new_host = as_the_host_gives_it(postgres_url) | {"ENCRYPTION_KEYS": old_key}
    restored = await printed(world.command("restore", "moving.ballast", **new_host))

    assert "send /halt off" in on_one_line(restored)

    both = new_host | {"ENCRYPTION_KEYS": f"{ENCRYPTION_KEY},{old_key}"}
    async with world.running(**both):
        assert "HALTED" in (await world.ask("/status", "Next     ")).text
        heard = world.newest()
        world.drift("17.10")
        await tapped(world, "Yes, lift it", await world.ask("/halt off", "Lift the halt?"))
        await world.orders(2)
        await world.hears("Bought", after=heard)
        rotated = await printed(world.command("rotate-keys", **both))
    async with world.running(**(both | {"ENCRYPTION_KEYS": ENCRYPTION_KEY})):
        heard = world.newest()
        world.drift("17.10")
        await world.hears("Bought", after=heard)
        history = (await world.ask("/history", "History")).text

    assert "Everything is encrypted with the first key." in on_one_line(rotated)
    assert history.count("bought") == 3
