"""What a conversation left behind, put back in every test that begins with the same one.

Most tests of the chat begin with a key that is connected, and that took longer than what they are
about. A recording belongs to the state it began in: a world that differs is played anew.
"""

import copy
import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url

from engine.storage.database import Database
from engine.storage.models.metadata import METADATA
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.tasks import a_moment
from tests.fakes.telegram import FakeTelegram

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
_TELEGRAM = (
    *("calls", "deleted", "answers", "names", "menus"),
    *("_chats", "_sent", "_said", "_queries", "_update_ids", "_message_ids"),
)
_MEXC = ("requests", "order_posts", "seen")
_recordings: dict[str, "_Recording"] = {}


@dataclass(frozen=True, slots=True)
class _Recording:
    """*owner* is the process that it was played with. What a process remembers is not in it."""

    owner: str
    rows: Rows
    telegram: Mapping[str, Any]
    mexc: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a conversation takes place: *owner* names the process, *url* its database."""

    api: FakeTelegram
    mexc: FakeMexc
    clock: FakeClock
    database: Database
    url: str
    owner: str

    async def played(self, name: str, play: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """*play*, or what it left behind when it was played from the same state."""
        state = self._state()
        if state is None:
            await play()
        elif (known := _recordings.get(f"{name} {state}")) is not None:
            await self._put_back(known)
        else:
            rows, begun = self._rows(), self.clock.steady()
            await play()
            for _ in range(5):
                await a_moment()  # what follows the last answer
            if self.clock.steady() == begun:
                _recordings[f"{name} {state}"] = self._recorded(rows)

    def _state(self) -> str | None:
        """None where a recording would not hold all that comes of it."""
        faults = [*self.mexc._faults, *(f for found in self.api._faults.values() for f in found)]
        if not self.url.startswith("sqlite") or self.api._sent or faults or self.mexc.limits:
            return None
        telegram = {name: value for name, value in vars(self.api).items() if name in _TELEGRAM}
        telegram["calls"] = len(self.api.calls)
        ledger = self.mexc.ledger
        mexc = (ledger.accounts, ledger.pairs, ledger.orders, self.mexc.clock_offset)
        rows = {name: len(rows) for name, rows in self._rows().items()}
        return repr((telegram, mexc, self.clock.now(), self.clock.steady(), rows))

    def _recorded(self, before: Rows) -> _Recording:
        written = {
            name: [row for row in rows if row not in before[name]]
            for name, rows in self._rows().items()
        }
        return _Recording(
            owner=self.owner,
            rows={name: rows for name, rows in written.items() if rows},
            telegram=copy.deepcopy({name: vars(self.api)[name] for name in _TELEGRAM}),
            mexc=copy.deepcopy({name: vars(self.mexc)[name] for name in _MEXC}),
        )

    async def _put_back(self, recording: _Recording) -> None:
        async with self.database.writing() as session:
            connection = await session.connection()
            for table, rows in recording.rows.items():
                marks = ", ".join("?" * len(rows[0]))
                await connection.exec_driver_sql(
                    f"INSERT OR REPLACE INTO {table} VALUES ({marks})",  # noqa: S608 - our own table
                    [
                        tuple(self.owner if value == recording.owner else value for value in row)
                        for row in rows
                    ],
                )
        vars(self.api).update(copy.deepcopy(dict(recording.telegram)))
        vars(self.mexc).update(copy.deepcopy(dict(recording.mexc)))

    def _rows(self) -> Rows:
        """Every row of every table, each table after those it refers to."""
        with closing(sqlite3.connect(str(make_url(self.url).database))) as database:
            return {
                table.name: database.execute(f"SELECT * FROM {table.name}").fetchall()  # noqa: S608 - as above
                for table in METADATA.sorted_tables
            }
