"""The log says how the database is away, and never what was asked of it."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from engine.storage.availability import why


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (psycopg.errors.TooManyConnections(), "full: it takes no more connections"),
        (psycopg.errors.ReadOnlySqlTransaction(), "read-only, as after a failover"),
        (psycopg.errors.LockNotAvailable(), "busy: somebody holds a lock"),
        (psycopg.errors.QueryCanceled(), "busy: a statement took too long"),
        (psycopg.errors.AdminShutdown(), "restarting"),
        (psycopg.OperationalError("sEcReT"), "away: OperationalError"),
    ],
)
def test_what_the_server_says_becomes_a_word(cause, words):
    assert why(OperationalError("SELECT sEcReT", None, cause)) == words


def test_a_pool_with_nothing_free_is_busy_and_no_answer_is_away():
    assert why(NoConnectionFree("QueuePool limit")) == "busy: no connection was free in time"
    assert why(ConnectionRefusedError("sEcReT")) == "away: ConnectionRefusedError"
