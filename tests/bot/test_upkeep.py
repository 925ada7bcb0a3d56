"""What an operator types, what comes back, and what is left alone when it cannot be done."""

import asyncio
import io
import json
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot import __main__ as program
from bot.config.key_file import load_keys, put_new_key_first
from bot.config.settings import BadSettings, ProcessSettings
from bot.operations import cli, probes, stream_probe
from bot.operations.report import broken, fine, folded, look, written
from bot.runtime.startup import CannotStart
from engine.clock import SystemClock, to_millis
from engine.domain.rebalancing.decision import allowed, wanted
from engine.domain.rebalancing.order_factory import terms_of
from engine.security.vault import Vault, is_key
from engine.storage.accounts import accounts
from engine.storage.coordination import key_values
from engine.storage.database import Database
from engine.storage.trading import orders
from tests import builders
from tests.fakes.clock import FakeClock
from tests.fakes.database import gone
from tests.fakes.http import NO_CERTIFICATES, Reply, Request, serve
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import mntl
from tests.fakes.mexc_connection import Refusal
from tests.fakes.mexc_streams import CUT, FakeMexcStreams
from tests.fakes.telegram_server import TOKEN
from tests.unit.test_vault import NEW_KEY, OLD_KEY

FINE, NOT_DONE = 0, 1


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def typed(*arguments: str, url: str, **env: str) -> int:
    env = {"DATABASE_URL": url, "ENCRYPTION_KEYS": NEW_KEY} | env
    return cli.run(program._parser().parse_args(arguments), env)


def test_without_a_command_it_is_the_program_itself():
    assert not cli.is_ours(program._parser().parse_args([]))


@pytest.mark.parametrize(
    "command", ["check", "migrate", "rotate-keys", "backup", "restore", "prune", "replay"]
)
def test_every_command_says_what_it_does_in_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        program._parser().parse_args([command, "--help"])

    told = capsys.readouterr().out
    assert len(told.splitlines()) > 4
    assert max(map(len, told.splitlines())) <= 80


def test_a_backup_is_for_its_owner_alone_and_takes_nobodys_place(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert typed("backup", "b", url=sqlite_url) == FINE
    made = (tmp_path / "b").read_bytes()

    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert typed("backup", "b", url=sqlite_url) == NOT_DONE
    assert "b exists already" in capsys.readouterr().err
    assert (tmp_path / "b").read_bytes() == made
    assert typed("backup", "nowhere/b", url=sqlite_url) == NOT_DONE
    assert {path.name for path in tmp_path.iterdir()} == {"b", "ballast.db"}


def test_a_backup_goes_through_standard_streams(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=stream))
    assert typed("backup", "-", url=sqlite_url) == FINE

    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stream.getvalue())))

    assert typed("restore", "-", url="sqlite:///new/ballast.db") == FINE
    assert typed("restore", "missing", url="sqlite:///new/ballast.db") == NOT_DONE


@pytest.mark.parametrize("keep", [30, -30])
def test_a_backup_that_is_not_whole_makes_no_database_and_says_why(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: int
):
    typed("backup", "b", url=sqlite_url)
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:keep])

    assert typed("restore", "b", url="sqlite:///new/ballast.db") == NOT_DONE
    assert "the backup cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_backup_of_another_schema_is_refused_with_what_to_do(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as past:
        past.setattr("engine.maintenance.backup.schema.newest", lambda: "0001")
        past.setattr("bot.operations.database_access.schema.is_current", lambda _: True)
        typed("backup", "b", url=sqlite_url)

    assert typed("restore", "b", url="sqlite:///new/ballast.db") == NOT_DONE
    assert "with schema 0001" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["backup", "b"], ["rotate-keys"], ["prune"], ["replay", "bl1"]]
)
def test_where_there_is_no_database_none_is_made(command: Sequence[str], tmp_path: Path):
    with pytest.raises(CannotStart, match="there is no database"):
        typed(*command, url="sqlite:///data/ballast.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["backup", "b"], ["rotate-keys"]])
def test_with_other_keys_than_those_of_the_database_nothing_is_done(
    command: Sequence[str], sqlite_url: str, tmp_path: Path
):
    with closing(sqlite3.connect(tmp_path / "ballast.db")) as database, database:
        canary = (key_values.VAULT_CANARY, Vault([OLD_KEY]).canary())
        database.execute("INSERT INTO notes VALUES (?, ?)", canary)

    with pytest.raises(CannotStart, match="not the keys this database"):
        typed(*command, url=sqlite_url)

    assert not (tmp_path / "b").exists()
    assert typed(*command, url=sqlite_url, ENCRYPTION_KEYS=f"{NEW_KEY},{OLD_KEY}") == FINE


def test_a_key_file_gets_a_new_first_line_and_keeps_the_others(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    key_file = tmp_path / "ballast.key"
    key_file.touch(mode=0o600)
    key_file.write_text(f"{OLD_KEY}\n")

    assert typed("rotate-keys", "--new-key", url=sqlite_url, ENCRYPTION_KEYS="") == FINE

    new, old = load_keys(key_file)
    assert is_key(new)
    assert old == OLD_KEY != new
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert "remove the older ones from" in capsys.readouterr().out
    with pytest.raises(BadSettings, match="for a key file"):
        typed("rotate-keys", "--new-key", url=sqlite_url)


def test_a_key_file_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key_file = tmp_path / "ballast.key"
    key_file.touch(mode=0o600)
    key_file.write_text(f"{OLD_KEY}\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadSettings, match="No space left"):
        put_new_key_first(key_file)

    assert load_keys(key_file) == [OLD_KEY]
    assert list(tmp_path.iterdir()) == [key_file]


def test_pruning_says_how_much_it_was(sqlite_url: str, capsys: pytest.CaptureFixture[str]):
    assert typed("prune", url=sqlite_url, KEEP_DAYS="60") == FINE
    assert capsys.readouterr().out == "Rows deleted that were over for 60 days: 0\n"


def test_an_order_is_planned_again_and_the_code_says_what_came_out(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    order_id = asyncio.run(written_down(sqlite_url))

    def codes(*changes: str) -> int:
        with closing(sqlite3.connect(tmp_path / "ballast.db")) as database, database:
            for change in changes:
                database.execute(f"UPDATE orders SET inputs = {change}")  # noqa: S608 - ours
        return typed("replay", order_id, url=sqlite_url)

    assert codes() == 0
    same = capsys.readouterr().out
    assert "stored  BUY for 17.1 USDT\nplanned BUY for 17.1 USDT\nThe same order" in same
    assert json.loads(same.partition("inputs  ")[2].partition("\n")[0])["settings"]["target"]
    assert codes("""replace(inputs, '"57.1"', '"58.1"')""") == 1
    assert "planned BUY for 18.1 USDT\nANOTHER ORDER" in capsys.readouterr().out
    assert codes("""replace(inputs, '"58.1"', '"40"')""") == 1
    assert "planned none. " in capsys.readouterr().out
    assert codes("""replace(inputs, '{"planner":2', '{"planner":99')""") == 5
    assert "version 99 of the planner made it" in capsys.readouterr().out
    assert codes("NULL") == 5
    assert "stored no inputs" in capsys.readouterr().out
    assert typed("replay", "bl1", url=sqlite_url) == 5
    assert capsys.readouterr().out == "There is no order bl1.\n"


async def written_down(url: str) -> str:
    inputs = builders.decision_inputs()
    order = allowed(wanted(inputs), inputs).order
    assert order is not None
    intent = builders.intent(**terms_of(order, inputs))
    async with Database.open(url, clock=FakeClock()) as database, database.writing() as session:
        await accounts.get_or_create(
            session, chat_id=1, settings=inputs.settings, now=intent.created_at
        )
        await orders.add(session, intent, inputs)
    return intent.client_order_id


def test_an_interruption_and_a_lost_database_are_no_tracebacks(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def away(*_: object) -> None:
        raise gone()

    monkeypatch.setattr("bot.operations.key_rotation.rotate", interrupted)

    assert typed("rotate-keys", url=sqlite_url) == NOT_DONE
    assert "may be run again" in capsys.readouterr().err

    monkeypatch.setattr("bot.operations.key_rotation.rotate", away)

    assert typed("rotate-keys", url=sqlite_url) == NOT_DONE
    assert "the database went away (server closed" in capsys.readouterr().err


def test_a_report_is_80_columns_wide_and_adds_up():
    long = "what is said goes on and on, " * 5
    report = written([fine("one", long), look("two", long, long), broken("three", "no", long)])

    assert max(map(len, report.splitlines())) <= 80
    assert report.splitlines()[-1] == "Failed: 1. Worth a look: 1. Fine: 1."
    assert written([fine("one", "yes")]).endswith("\nAll is well.\n")
    assert max(map(len, folded(long, None).splitlines())) <= 80


HERE = "https://here.example"


@pytest.mark.parametrize(
    ("hook", "wanted", "mark", "says"),
    [
        ({"url": ""}, "", "ok", "polling"),
        ({"url": f"{HERE}/telegram"}, HERE, "ok", "webhook"),
        ({"url": "https://there.example/x"}, HERE, "warn", "not at WEBHOOK_URL"),
        ({"url": ""}, HERE, "warn", "not at WEBHOOK_URL"),
        ({"url": "https://there.example/s3cret"}, "", "warn", "set at there.example,"),
        (
            {"url": HERE, "last_error_message": "Connection refused"},
            HERE,
            "warn",
            "its last delivery",
        ),
    ],
)
def test_a_webhook_is_held_against_the_settings(hook, wanted: str, mark: str, says: str):
    report = written([probes._of_webhook("@bot", hook, wanted)])

    assert report.startswith(mark)
    assert says in " ".join(report.split())
    assert "s3cret" not in report


@pytest.mark.parametrize(
    ("mark", "grade"), [({"DYNO": "web.1"}, "FAIL"), ({"RENDER": "true"}, "warn"), ({}, "ok")]
)
def test_a_disk_that_does_not_last_is_a_trap_for_sqlite_alone(mark, grade: str):
    on_disk = ProcessSettings.from_env({})
    elsewhere = ProcessSettings.from_env(
        {"DATABASE_URL": "postgres://host/name", "ENCRYPTION_KEYS": NEW_KEY}
    )

    assert written(probes.host(on_disk, mark)).startswith(grade)
    assert written(probes.host(elsewhere, mark)).startswith("ok")


def test_the_demo_needs_no_check_but_says_that_it_is_one(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
):
    away = "http://127.0.0.1:1"

    assert typed("check", url=sqlite_url, MEXC_API_URL=away) == NOT_DONE
    assert "would be the demo" in " ".join(capsys.readouterr().out.split())
    assert (
        typed(
            "check",
            url=sqlite_url,
            MEXC_API_URL=away,
            TELEGRAM_API_URL=away,
            TELEGRAM_TOKEN=TOKEN,
        )
        == NOT_DONE
    )
    told = " ".join(capsys.readouterr().out.split())
    assert TOKEN not in told
    assert "MEXC cannot be reached from this host: no connection" in told
    assert "cannot be reached: no connection -> Look whether this host reaches" in told
    assert not {"NeverLeft", "NoAnswer", "BadData", "ConnectError"} & set(re.findall(r"\w+", told))


@pytest.mark.parametrize(
    ("ahead", "status", "mark"), [(0, 200, "ok"), (-5000, 200, "warn"), (0, 403, "FAIL")]
)
async def test_mexc_is_asked_through_its_proxy(ahead: int, status: int, mark: str):
    clock = SystemClock()
    asked: list[str] = []

    async def answer(request: Request) -> Reply:
        asked.append(request.path)
        millis = to_millis(clock.now()) + ahead
        return Reply(status=status, body=json.dumps({"serverTime": millis}).encode())

    async with serve(answer) as proxy:
        finding = await probes.mexc(
            ProcessSettings.from_env({"MEXC_API_URL": "http://mexc.example", "MEXC_PROXY": proxy}),
            clock,
            NO_CERTIFICATES,
        )

    assert written([finding]).startswith(mark)
    assert asked[-1] == "/api/v3/time"


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (None, "ok MEXC's streams answer from this host in"),
        (403, "warn MEXC's streams refuse this server: HTTP 403, from this host"),
        (Refusal.BLOCKED, "warn MEXC's streams refuse a public channel"),
        (CUT, "warn MEXC's streams cannot be reached from this host"),
    ],
)
async def test_whether_streams_work_here_is_seen_by_a_public_channel_alone(
    clock: FakeClock, trouble: object, says: str
):
    async with FakeMexc(clock) as mexc, FakeMexcStreams(mexc) as streams:
        pair = mntl("95000")
        pair.symbol, pair.base = "BTCUSDT", "BTC"
        mexc.add_pair(pair)
        if isinstance(trouble, Refusal):
            streams.refusals[None] = trouble
        elif isinstance(trouble, int):
            streams.handshakes.append(trouble)
        settings = ProcessSettings.from_env({"MEXC_STREAM_URL": streams.url})
        finding = await stream_probe.streams(settings, SystemClock(), NO_CERTIFICATES)

    assert " ".join(written([finding]).replace("streams ", "", 1).split()).startswith(says)
    assert not mexc.listen_keys.made


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"STREAMS": "off"}, "off: STREAMS=off"),
        ({"MEXC_API_URL": "http://mexc.example"}, "off: MEXC_API_URL is set, and"),
    ],
)
async def test_streams_that_are_off_are_not_asked_for(env: dict[str, str], says: str):
    settings = ProcessSettings.from_env(env)

    assert says in (await stream_probe.streams(settings, SystemClock(), NO_CERTIFICATES)).says


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("ws://mexc.invalid/ws", True),
        ("ws://192.0.2.1/ws", True),
        ("wss://127.0.0.1:1/ws", False),
        ("ws://localhost:1/ws", False),
        ("ws://[::1]:1/ws", False),
    ],
)
async def test_keys_that_would_leave_the_machine_in_clear_text_are_told_of(
    url: str, is_told: bool
):
    settings = ProcessSettings.from_env({"MEXC_STREAM_URL": url})
    finding = await stream_probe.streams(settings, SystemClock(), NO_CERTIFICATES)

    assert ("is ws://" in finding.says) is is_told
