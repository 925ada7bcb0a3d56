"""SQLite in the event loop's own thread, for tests.

The driver has a thread for each connection, and a chat test makes a thousand calls: the way to that
thread and back was a quarter of the time of all tests. The tests in `tests/storage`, and the
programs that tests start as processes of their own, use the driver as it is.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from queue import SimpleQueue
from typing import Any

from aiosqlite import core

_Item = tuple[asyncio.Future[Any] | None, Callable[[], Any]]

_BEGIN_WRITING = "BEGIN IMMEDIATE"
# A task lets the others run where its transaction begins and ends, as with a thread.
_YIELDS = ("BEGIN", _BEGIN_WRITING, "commit", "rollback")
# No test cuts the power, and a killed process loses nothing that the kernel has.
_DURABLE, _FAST = "PRAGMA synchronous=FULL", "PRAGMA synchronous=OFF"

_driver_init = core.Connection.__init__


@contextmanager
def inline() -> Iterator[None]:
    """Connections that are opened meanwhile work in the thread of their caller."""

    def init(connection: core.Connection, *args: Any, **kwargs: Any) -> None:
        _driver_init(connection, *args, **kwargs)
        vars(connection)["_tx"] = _Inline(connection, connection._tx)

    core.Connection.__init__ = init  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        core.Connection.__init__ = _driver_init  # type: ignore[method-assign]


class _Inline:
    """In the place of a connection's queue: what is put in is done at once.

    What would wait for another's lock is left to the thread, with all that comes meanwhile.
    """

    def __init__(self, connection: core.Connection, to_thread: SimpleQueue[_Item]) -> None:
        self._connection = connection
        self._to_thread = to_thread
        self._in_thread = 0

    def put_nowait(self, item: _Item) -> None:
        future, function = item
        if future is None or self._in_thread or not isinstance(function, partial):
            self._leave_to_thread(item)
            return
        what = function.args[0] if function.args else getattr(function.func, "__name__", None)
        if what == _DURABLE:
            function = partial(function.func, _FAST, *function.args[1:])
        try:
            with self._not_waiting() if what == _BEGIN_WRITING else nullcontext():
                result = function()
        except Exception as e:  # noqa: BLE001 - the caller's, as in the driver's thread
            if what == _BEGIN_WRITING and _is_locked(e):
                self._leave_to_thread(item)
            else:
                future.set_exception(e)
        else:
            if what in _YIELDS:
                future.get_loop().call_soon(core.set_result, future, result)
            else:
                future.set_result(result)

    def _leave_to_thread(self, item: _Item) -> None:
        future, _ = item
        if future is not None:
            self._in_thread += 1
            future.add_done_callback(self._come_back)
        self._to_thread.put_nowait(item)

    def _come_back(self, _: asyncio.Future[Any]) -> None:
        self._in_thread -= 1

    @contextmanager
    def _not_waiting(self) -> Iterator[None]:
        connection = self._connection._conn
        (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout=0")
        try:
            yield
        finally:
            connection.execute(f"PRAGMA busy_timeout={patience_ms}")


def _is_locked(e: Exception) -> bool:
    return isinstance(e, sqlite3.OperationalError) and e.sqlite_errorcode == sqlite3.SQLITE_BUSY
