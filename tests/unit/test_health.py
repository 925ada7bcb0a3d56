"""Whether a process can do its work, judged from what it knows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.observability.health import ProcessState, unready_reasons

S = timedelta(seconds=1)
WELL = ProcessState(
    database_away=False, beat=S, online=True, polls=True, polled=20 * S, registered=None
)


def test_a_process_at_work_is_ready():
    assert unready_reasons(WELL) == []


def test_who_takes_no_updates_needs_no_polls():
    assert unready_reasons(replace(WELL, polls=False, polled=None)) == []


def test_who_is_brought_the_updates_needs_the_webhook():
    assert unready_reasons(replace(WELL, polls=False, polled=None, registered=True)) == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, "the database was not reached yet"),
        (replace(WELL, database_away=True), "the database does not answer"),
        (replace(WELL, database_away=True, beat=None), "the database does not answer"),
        (replace(WELL, beat=None), "the engine does not tick"),
        (replace(WELL, beat=31 * S), "the engine does not tick"),
        (replace(WELL, online=False), "Telegram was not reached yet"),
        (replace(WELL, polled=None), "Telegram answers no poll"),
        (replace(WELL, polled=91 * S), "Telegram answers no poll"),
        (replace(WELL, polls=False, registered=False), "the webhook is not set yet"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(state: ProcessState | None, reason: str):
    assert unready_reasons(state) == [reason]


def test_everything_that_is_missing_is_said():
    assert len(unready_reasons(replace(WELL, beat=None, online=False))) == 2
