"""PostgreSQL connection with a limit on silence: the driver's own would wait forever."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

# Longer than a statement may take: a suspended server enforces no timeouts.
SILENCE_S = 20

T = TypeVar("T")


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """Disconnects when a server that owes an answer is silent for SILENCE_S.

    That is handled like any other lost connection: it raises OperationalError.
    """

    async def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        alarm = asyncio.get_running_loop().call_later(SILENCE_S, self._hang_up)
        try:
            return await super().wait(gen, *args, **kwargs)
        finally:
            alarm.cancel()

    def _hang_up(self) -> None:
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.pgconn.socket)) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)
