"""What is wrong is said in a line each, with the exit code of its kind, and nothing is touched."""

from pathlib import Path

from tests.e2e.process import PATIENCE_S
from tests.e2e.world import API_SECRET, ENCRYPTION_KEY, World
from tests.sampling import LONG

BAD_SETTING, CANNOT_START = 2, 3


async def test_each_bad_setting_is_one_line_and_nothing_is_opened(world: World):
    program = world.start(
        TELEGRAM_TOKEN=API_SECRET,
        CHECK_INTERVAL="0",
        THRESHOLD="much",
        ENCRYPTION_KEYS=f"{ENCRYPTION_KEY},{API_SECRET}",
        LOG_FILE="logs/ballast.log",
    )

    assert await program.exit_code() == BAD_SETTING
    assert [line.split()[:2] for line in program.log.splitlines()] == [
        ["ballast:", "TELEGRAM_TOKEN"],
        ["ballast:", "ENCRYPTION_KEYS"],
        ["ballast:", "THRESHOLD"],
        ["ballast:", "CHECK_INTERVAL"],
    ]
    assert {path.name for path in world.folder.iterdir()} == {"program-1.err", "program-1.out"}
    assert world.telegram.calls == []


async def test_settings_come_from_a_file_as_windows_writes_it_and_the_environment_counts_more(
    world: World,
):
    lines = f"TELEGRAM_TOKEN = {world.telegram.token}\r\n\r\nAUTHORIZED_CHATS='1'\r\n"
    file = world.folder / ".env"
    file.write_bytes(b"\xef\xbb\xbf" + lines.encode())

    async with world.running(without=["TELEGRAM_TOKEN"]):
        await world.ask("/status", "PAUSED")
    file.unlink()  # the one place where the token may be


async def test_a_file_of_settings_that_cannot_be_read_is_no_demo_and_shows_nothing(world: World):
    file = world.folder / ".env"
    file.write_text(f"# settings\nTELEGRAM_TOKEN: {world.telegram.token}\n")
    program = world.start(without=["TELEGRAM_TOKEN"])
    check = world.command("check")

    assert await program.exit_code() == BAD_SETTING
    assert await check.exit_code() == BAD_SETTING
    assert program.log == check.log == "ballast: .env line 2 is not NAME=value\n"
    assert program.printed == check.printed == ""
    file.unlink()


async def test_a_log_file_that_cannot_be_written_is_a_bad_setting(world: World):
    program = world.start(LOG_FILE=".")

    assert await program.exit_code() == BAD_SETTING
    assert program.log == "ballast: LOG_FILE . cannot be written: Is a directory\n"


async def test_a_database_in_use_or_of_other_keys_and_a_refused_token(world: World):
    async with world.running():
        await world.connect()
        second = world.start()

        assert await second.exit_code() == CANNOT_START
        assert "ballast: data/ballast.db is in use" in said(second.log)

    key_file = (world.folder / "data/ballast.key").read_bytes()
    stranger = world.start(ENCRYPTION_KEYS=ENCRYPTION_KEY)
    impostor = world.start(
        TELEGRAM_TOKEN="123456:WrongTokenWrongTokenWrongTokenWrong",
        DATABASE_URL="sqlite:///other/ballast.db",
    )

    assert await stranger.exit_code() == CANNOT_START
    assert said(stranger.log).startswith("ballast: ENCRYPTION_KEYS are not the keys")
    assert await impostor.exit_code() == CANNOT_START
    assert said(impostor.log) == "ballast: Telegram does not know this TELEGRAM_TOKEN"
    assert (world.folder / "data/ballast.key").read_bytes() == key_file

    async with world.running():
        await world.ask("/resume", "Trading is on")
        await world.hears("Bought")


@LONG
async def test_a_database_that_cannot_be_opened(world: World, tmp_path: Path):
    (tmp_path / "file").touch()
    inside_a_file = world.start(DATABASE_URL="sqlite:///file/ballast.db")
    nowhere = world.start(
        DATABASE_URL="postgres://ballast:pa55w0rd@127.0.0.1:1/ballast",
        ENCRYPTION_KEYS=ENCRYPTION_KEY,
    )

    assert await inside_a_file.exit_code() == CANNOT_START
    assert "the database file/ballast.db cannot be used" in inside_a_file.log
    # It is waited for: a host may start both together.
    assert await nowhere.exit_code(within=2 * PATIENCE_S) == CANNOT_START
    assert "database not ready, waiting" in nowhere.log
    assert "Connection refused" in said(nowhere.log)
    assert "pa55w0rd" not in nowhere.log


def said(log: str) -> str:
    """Its last line."""
    return log.splitlines()[-1]
