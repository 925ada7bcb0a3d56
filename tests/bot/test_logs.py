"""Nothing secret reaches a log, whatever was logged and by whom."""

import logging
import stat
import warnings
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from telegram import Bot
from telegram.error import TelegramError

from bot.observability.logs import configure, recent_lines
from bot.updates.polling import UpdatesSource
from tests.fakes.http import NO_CERTIFICATES, Reply
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import Fault
from tests.fakes.telegram_server import TOKEN
from tests.sampling import LONG

API_KEY = "mx0vglCanaryKey1234"
API_SECRET = "c4n4ry5ecret00000000000000000000"
LIBRARIES = ("httpx", "httpcore", "telegram", "apscheduler", "hpack", "aiosqlite", "alembic")

logger = logging.getLogger("tests.somewhere")


def everything_written(capsys: pytest.CaptureFixture[str], file: Path) -> list[str]:
    return [capsys.readouterr().err, file.read_text(), "\n".join(recent_lines(500))]


async def test_no_log_of_any_library_tells_a_token_or_a_key_even_at_debug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "logs" / "ballast.log"
    configure("DEBUG", file, [TOKEN])
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    async with FakeTelegram() as api, httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        api.say(7, f"/connect {API_KEY} {API_SECRET}")
        source = UpdatesSource(http=http, url=f"{api.url}/bot{TOKEN}", hold=timedelta())
        updates = await source.fetch(None)
        async with Bot(TOKEN, base_url=f"{api.url}/bot") as bot:
            await bot.send_message(7, "hello")
            await bot.get_updates(timeout=0)
            api.fail("sendMessage", Fault(Reply(body=f"<{TOKEN} {API_KEY}>".encode())))
            try:
                await bot.send_message(7, f"/connect {API_KEY} {API_SECRET}")
            except TelegramError:
                logger.exception("failed for %s", bot.token)
        await http.get(f"{api.url}/api?symbol=X&signature=deadbeef")
        logger.debug("update %s", updates)

    for written in everything_written(capsys, file):
        assert "HTTP Request" in written
        assert "Traceback" in written
        assert not [s for s in (TOKEN, API_KEY, API_SECRET, "deadbeef") if s in written]


def test_known_secrets_are_hidden_wherever_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "ballast.log"
    configure("INFO", file, ["hunter2", "", "hunter2hunter2"])
    try:
        int("with hunter2 inside")
    except ValueError:
        logger.exception("message hunter2 %s", "hunter2hunter2", extra={"where": "hunter2"})
    logger.info("see", stack_info=True)

    for written in everything_written(capsys, file):
        assert "hunter2" not in written
        assert "message *** *** where=***" in written
        assert "'with *** inside'" in written
        assert "Stack (most recent call last)" in written


@pytest.mark.parametrize(
    ("logged", "line"),
    [
        (f"GET /bot{TOKEN}/getMe", "GET /bot***/getMe"),
        (f"GET /bot{TOKEN.replace(':', '%3A')}/getMe", "GET /bot***/getMe"),
        (f"key {API_KEY}.", "key ***."),
        ("?a=1&signature=0123456789abcdef&b=2", "?a=1&signature=***&b=2"),
        ("{'signature': 'abc123', 'a': 1}", "{'signature': '***', 'a': 1}"),
        ("'text': '/connect one two', 'date': 5", "'text': '/connect ***"),
        ("/connect@ballast_bot one two", "/connect@ballast_bot ***"),
        ("send /connect", "send /connect"),
        (r"'/connect\none\ntwo'", "'/connect ***"),
        ("order 123456:short", "order 123456:short"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_the_rest_stays(logged: str, line: str):
    configure("INFO", None, [])

    logger.info(logged)

    assert recent_lines(1)[0].endswith(f" INFO tests.somewhere {line}")


def test_a_key_and_a_secret_on_lines_of_their_own_are_hidden_too():
    configure("INFO", None, [])

    logger.info("/connect one\ntwo\nthree")

    assert "\n".join(recent_lines(2)).endswith("/connect ***\nthree")


def test_log_files_are_for_their_owner_alone_and_those_that_are_there_become_so(tmp_path: Path):
    file, older = tmp_path / "ballast.log", tmp_path / "ballast.log.1"
    for path in (file, older):
        path.touch()
        path.chmod(0o644)
    configure("INFO", file, [])
    configure("INFO", tmp_path / "new.log", [])

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, older, tmp_path / "new.log")]
    assert modes == [0o600] * 3


def test_a_line_has_the_time_in_utc_and_its_extras():
    configure("INFO", None, [])

    logger.info("order sent", extra={"account_id": 5, "side": "BUY"})

    (line,) = recent_lines(1)
    moment, rest = line.split(" ", 1)
    assert datetime.fromisoformat(moment).utcoffset() == timedelta()
    assert rest == "INFO tests.somewhere order sent account_id=5 side=BUY"


def test_a_record_that_cannot_be_formatted_is_reported_without_its_arguments(
    capsys: pytest.CaptureFixture[str],
):
    root = logging.getLogger()
    before = list(root.handlers)
    configure("INFO", None, [])
    broken = logging.makeLogRecord({"msg": "only %s", "args": ("one", API_SECRET)})

    # Not through the logger: pytest's own handlers would raise.
    for handler in root.handlers:
        if handler not in before:
            handler.handle(broken)

    assert "'only %s' is not loggable" in recent_lines(1)[0]
    assert API_SECRET not in capsys.readouterr().err


def test_talkative_libraries_are_quiet_and_the_level_holds_for_the_rest():
    configure("DEBUG", None, [])

    for name in (*LIBRARIES, "bot.messaging.outbox"):
        logging.getLogger(f"{name}.part").debug("chatter")

    assert [line.split()[2] for line in recent_lines(500)] == ["bot.messaging.outbox.part"]


def test_a_higher_level_quiets_the_libraries_too():
    configure("ERROR", None, [])

    logging.getLogger("httpx").warning("chatter")

    assert list(recent_lines(500)) == []


def test_warnings_are_logged():
    configure("INFO", None, [])

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old habit", DeprecationWarning, stacklevel=1)

    assert "old habit" in "\n".join(recent_lines(5))


def test_the_last_500_lines_are_kept_and_as_many_shown_as_asked_for():
    configure("INFO", None, [])

    for number in range(600):
        logger.info("line %d", number)

    assert len(recent_lines(1000)) == 500
    assert [line.split()[-1] for line in recent_lines(2)] == ["598", "599"]
    assert recent_lines(0) == []


def test_configuring_again_replaces_what_was_set_up_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    configure("INFO", tmp_path / "first.log", [])
    configure("INFO", tmp_path / "second.log", [])

    logger.info("once")

    assert capsys.readouterr().err.count("once") == 1
    assert (tmp_path / "first.log").read_text() == ""
    assert len(recent_lines(5)) == 1


@LONG
def test_a_full_file_is_rotated(tmp_path: Path):
    configure("INFO", tmp_path / "ballast.log", [])

    for _ in range(60):
        logger.info("x" * 100_000)

    assert len(list(tmp_path.iterdir())) == 5
