"""Errors are reported with their kind and place; no secret and nobody's words leave with them."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager

import pytest

from bot.config.settings import ProcessSettings
from bot.observability.error_reporting import report_errors
from bot.version import VERSION
from engine.errors import Rejected, Unavailable
from tests.e2e.process import ROOT
from tests.engine.harness import eventually
from tests.fakes.sentry import KEY, FakeSentry, fake_sentry
from tests.fakes.telegram_server import TOKEN
from tests.sampling import LONG

MEXC_KEY, MEXC_SECRET = "mx0vglCanaryKey1234", "c4n4ry5ecret00000000000000000000"
PASSWORD, CHAT_TEXT = "pAsSwOrD-of-the-database", "my daughter's birthday is in May"
HEARTBEAT = "https://hc-ping.com/5e7a1c00-canary"
CANARIES = (
    *(TOKEN, TOKEN.partition(":")[2], MEXC_KEY, MEXC_SECRET, PASSWORD, CHAT_TEXT, "birthday"),
    *(HEARTBEAT, "5e7a1c00-canary"),
)

logger = logging.getLogger("bot.somewhere")


def settings(dsn: str) -> ProcessSettings:
    return ProcessSettings.from_env(
        {
            "TELEGRAM_TOKEN": TOKEN,
            "SENTRY_DSN": dsn,
            "DATABASE_URL": f"postgres://ballast:{PASSWORD}@db.example/ballast",
            "ENCRYPTION_KEYS": "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCE=",
            "HEARTBEAT_URL": HEARTBEAT,
        }
    )


@contextmanager
def reporting(dsn: str) -> Generator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    report_errors(dsn, settings(dsn).secrets)
    try:
        yield
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()


@pytest.fixture
async def sentry() -> AsyncGenerator[FakeSentry]:
    async with fake_sentry() as sentry:
        yield sentry


def break_with(error: Exception, local: str) -> None:
    kept = {"secret": local}
    try:
        del kept[f"{local}?"]
    except KeyError as e:
        raise error from e


async def test_no_canary_arrives_wherever_it_stood(sentry: FakeSentry):
    url = f"postgres://ballast:{PASSWORD}@db.example/ballast"
    with reporting(sentry.dsn):
        for canary in (*CANARIES, url, f"/connect {MEXC_KEY} {MEXC_SECRET}"):
            for error in (ValueError(canary), ExceptionGroup(canary, [OSError(canary)])):
                try:
                    break_with(error, canary)
                except (ValueError, ExceptionGroup):
                    logger.exception(
                        "failed %s",
                        canary,
                        extra={
                            "text": canary,
                            "kind": "away",
                            "chat_id": 4711471147114711,
                            "all": [canary],
                        },
                    )
        logging.getLogger("asyncio").error("Exception in callback say(%r)", CHAT_TEXT)
        logging.getLogger("asyncio").error(f"Exception in callback say({CHAT_TEXT!r})")  # noqa: G004
        await eventually(lambda: len(sentry.events) == 2 * (len(CANARIES) + 2) + 2)

    assert [canary for canary in CANARIES if canary in sentry.written] == []
    assert "4711471147114711" not in sentry.written


@pytest.mark.parametrize("error", [Unavailable, lambda text: Rejected(code=1, message=text)])
async def test_the_facts_of_our_own_errors_are_told_without_what_is_known_to_be_secret(
    sentry: FakeSentry, error: Callable[[str], Exception]
):
    with reporting(sentry.dsn):
        try:
            break_with(error(f"no answer to {TOKEN} {MEXC_KEY} {PASSWORD}"), MEXC_SECRET)
        except (Unavailable, Rejected):
            logger.exception("failed", extra={"kind": MEXC_KEY})
        await eventually(lambda: bool(sentry.events))
    (event,) = sentry.events

    assert event["exception"]["values"][-1]["value"].endswith("no answer to *** *** ***")
    assert event["extra"] == {"kind": "***"}
    assert [canary for canary in CANARIES if canary in sentry.written] == []


async def test_a_report_says_what_broke_and_where(sentry: FakeSentry):
    with reporting(sentry.dsn):
        try:
            break_with(ZeroDivisionError(), "")
        except ZeroDivisionError:
            logger.critical("broke", exc_info=True, extra={"account": 5})
        await eventually(lambda: bool(sentry.events))
    (event,) = sentry.events
    cause, error = event["exception"]["values"]
    frame = error["stacktrace"]["frames"][-1]

    assert (event["level"], event["logger"]) == ("fatal", "bot.somewhere")
    assert event["logentry"]["message"] == "broke"
    assert event["release"] == f"ballast@{VERSION}"
    assert event["extra"] == {"account": 5}
    assert (cause["type"], error["type"]) == ("KeyError", "ZeroDivisionError")
    assert (frame["function"], frame["module"]) == ("break_with", "tests.bot.test_error_reporting")
    assert frame["lineno"] > 1
    assert frame.keys() <= {"filename", "function", "in_app", "lineno", "module"}
    assert event["server_name"] == "ballast"
    assert not event.keys() & {"breadcrumbs", "user", "request", "modules"}


async def test_what_is_no_error_is_not_reported(sentry: FakeSentry):
    with reporting(sentry.dsn):
        logger.warning("only a warning")
        logging.getLogger("urllib3.connectionpool").error("about a report")
        logger.error("the last")
        await eventually(lambda: bool(sentry.events))

    assert [event["logentry"]["message"] for event in sentry.events] == ["the last"]


def test_a_sentry_that_does_not_answer_delays_nothing_and_the_end_by_two_seconds():
    """It would take each report half a minute, were it waited for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with reporting(f"http://{KEY}@127.0.0.1:{silent.getsockname()[1]}/1"):
            for _ in range(20):
                logger.error("again")
            logged = time.monotonic() - began
        over = time.monotonic() - began

    assert logged < 5
    assert over < 10


@LONG
def test_the_process_ends_in_time_and_loads_nothing_of_sentry_without_a_dsn():
    """Logging closes its handlers at exit: there the last reports leave, for 2 s at most."""
    program = (
        "import logging, sys, bot.__main__\n"
        "assert 'sentry_sdk' not in sys.modules\n"
        "from bot.observability.error_reporting import report_errors\n"
        "import socket\n"
        "silent = socket.create_server(('127.0.0.1', 0))\n"
        f"report_errors(f'http://{KEY}@127.0.0.1:{{silent.getsockname()[1]}}/1', [])\n"
        "logging.getLogger('bot').error('on its way')\n"
        "print('over', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"over\n"
        over = time.monotonic()
        code = process.wait(timeout=30)
        ended = time.monotonic()

    assert code == 0
    assert ended - over < 10
