"""The log as JSON: one object a line, whole whatever is logged, with nothing secret in it."""

import json
import logging
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest

from bot.observability.logs import configure, recent_lines
from bot.observability.redaction import Redaction, login_of, whole_of
from tests.fakes.telegram_server import TOKEN

API_KEY = "mx0vglCanaryKey1234"
AWKWARD = 'hun"ter\\2\u20ac'

logger = logging.getLogger("tests.somewhere")


class Unprintable:
    def __str__(self) -> NoReturn:
        raise RuntimeError(AWKWARD)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_an_object_with_the_time_and_the_extras(capsys: pytest.CaptureFixture[str]):
    configure("INFO", None, [], as_json=True)
    logger.info("order %s", "sent", extra={"account": 5, "side": "BUY", "late_s": 1.5, "is": None})
    (line,) = written(capsys)
    at = datetime.fromisoformat(line.pop("time"))

    assert at.utcoffset() == timedelta()
    assert line == {
        "level": "INFO",
        "logger": "tests.somewhere",
        "message": "order sent",
        "account": 5,
        "side": "BUY",
        "late_s": 1.5,
        "is": None,
    }


def test_the_time_is_that_of_rfc_3339(capsys: pytest.CaptureFixture[str]):
    configure("INFO", None, [], as_json=True)
    record = logging.makeLogRecord({"msg": "x", "created": 1_700_000_000.25})
    for handler in logging.getLogger().handlers:
        handler.handle(record)

    assert written(capsys)[0]["time"] == "2023-11-14T22:13:20.250Z"


def test_a_traceback_is_text_in_the_same_line(capsys: pytest.CaptureFixture[str]):
    configure("INFO", None, ["hunter2"], as_json=True)
    try:
        int("with hunter2 inside")
    except ValueError:
        logger.exception("failed", stack_info=True)
    (line,) = written(capsys)

    assert line["exc_info"].startswith("Traceback")
    assert "'with *** inside'" in line["exc_info"]
    assert line["stack_info"].startswith("Stack (most recent call last)")


def test_no_field_tells_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "ballast.log"
    configure("INFO", file, [AWKWARD, "1234567890"], as_json=True)
    logger.info(
        "message %s",
        AWKWARD,
        extra={
            "plain": AWKWARD,
            "deep": {"list": [AWKWARD, {"key": API_KEY}]},
            "number": 1234567890,
            "signature": "0123456789abcdef",
            "url": f"https://api.telegram.org/bot{TOKEN}/getMe",
            "text": "/connect one two",
            "database": "postgres://user:pw@host/name",
        },
    )
    text = capsys.readouterr().err
    (line,) = [json.loads(line) for line in text.splitlines()]

    assert line["message"] == "message ***"
    assert line["number"] == line["signature"] == "***"
    assert line["text"] == "/connect ***"
    assert line["database"] == "postgres://***@host/name"
    assert file.read_text() == text
    secrets = (AWKWARD, "hun", "1234567890", "0123456789abcdef", TOKEN, API_KEY, "one two", "pw")
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(
    "value",
    [Unprintable(), float("nan"), float("inf"), Decimal("1.10"), b"\xff", {1: {2}}, "a\nb\u2028c"],
)
def test_whatever_is_logged_makes_one_line_of_json(value: object, capsys):
    configure("INFO", None, [AWKWARD], as_json=True)
    logger.info("it is %s", "so", extra={"value": value})
    text = capsys.readouterr().err

    assert text.count("\n") == 1
    assert isinstance(json.loads(text, parse_constant=_not_json)["value"], str)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def test_a_record_that_cannot_be_formatted_is_a_line_too(capsys: pytest.CaptureFixture[str]):
    before = list(logging.getLogger().handlers)
    configure("INFO", None, [], as_json=True)
    broken = logging.makeLogRecord({"msg": "only %s", "args": ("one", API_KEY)})
    for handler in logging.getLogger().handlers:
        if handler not in before:
            handler.handle(broken)
    (line,) = written(capsys)

    assert line["message"].startswith("'only %s' is not loggable")
    assert API_KEY not in str(line)


def test_an_extra_does_not_take_the_place_of_a_field(capsys: pytest.CaptureFixture[str]):
    configure("INFO", None, [], as_json=True)
    logger.info("true", extra={"level": "FALSE", "logger": "false", "time": "never"})
    (line,) = written(capsys)

    assert (line["level"], line["logger"]) == ("INFO", "tests.somewhere")
    assert line["time"] != "never"


def test_what_people_read_in_the_chat_stays_text(capsys: pytest.CaptureFixture[str]):
    configure("INFO", None, ["hunter2"], as_json=True)
    logger.info("order %s", "hunter2", extra={"side": "BUY"})

    assert recent_lines(1)[0].endswith(" INFO tests.somewhere order *** side=BUY")


def test_an_extra_that_cannot_be_printed_does_not_silence_the_text(
    capsys: pytest.CaptureFixture[str],
):
    configure("INFO", None, [])
    logger.info("it is so", extra={"value": Unprintable()})

    assert recent_lines(1)[0].endswith(
        "it is so value=(Unprintable is not loggable: RuntimeError)"
    )


@pytest.mark.parametrize("secret", [AWKWARD, "p@ss/wörd"])
def test_a_known_secret_is_hidden_in_every_form_it_is_written_in(secret: str):
    forms = [secret, repr([secret]), str({secret: 1}), f"https://host/{quote(secret, safe='')}"]
    hidden = [Redaction([secret])(form) for form in forms]

    assert hidden == ["***", "['***']", "{'***': 1}", "https://host/***"]


@pytest.mark.parametrize("text", ["1" * 20_000, "a://" * 5_000, "/connect " * 2_000])
def test_a_long_text_holds_nobody_up(text: str):
    """Quadratic, it would take many seconds."""
    began = time.process_time()
    Redaction([])(text)

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at postgres://u:p@h/n now", "at postgres://***@h/n now"),
        ("proxy http://user:pass@10.0.0.1:80", "proxy http://***@10.0.0.1:80"),
        ("https://0123abcd@o1.ingest.sentry.io/2", "https://***@o1.ingest.sentry.io/2"),
        ("https://host/@name", "https://host/@name"),
        ("mail@example.org", "mail@example.org"),
    ],
)
def test_who_an_address_says_we_are_is_hidden_and_the_rest_stays(text: str, shown: str):
    assert Redaction([])(text) == shown


def test_an_address_is_taken_apart_into_what_is_secret_of_it():
    assert login_of("postgres://user:p%40ssword@host/name") == {"p%40ssword", "p@ssword"}
    assert login_of("postgres://user:pw@host/name") == set()  # too short to be told from words
    assert login_of("sqlite:///data/ballast.db") == set()
    assert login_of("https://0123456789ab@host/2") == {"0123456789ab"}
    assert whole_of("https://hc-ping.com/5e7a-uuid?rid=1") == {
        "https://hc-ping.com/5e7a-uuid?rid=1",
        "5e7a-uuid?rid=1",
        "5e7a-uuid",
    }
