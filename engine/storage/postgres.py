"""PostgreSQL as hosts give it: its address, its connections, and how long anything may take.

Nothing is kept in a session. Behind a pooler in transaction mode (PgBouncer and its like) each
transaction may run on another connection of the server's, which somebody else had a moment ago.
"""

import asyncio
import os
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import Conninfo
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

# Two copies overlap at a deploy while the release step migrates, and the small plans allow 20
# connections in all. More wait their turn: a transaction takes milliseconds.
POOL = {"pool_size": 6, "max_overflow": 2, "pool_timeout": 10, "use_native_hstore": False}

# A failed-over server that drops packets is noticed in a minute, not in many.
LASTING = {
    "prepare_threshold": None,  # a prepared statement stays with the server's connection
    "connect_timeout": 10,  # for each of the host's addresses
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

# In the round trip that BEGIN takes anyway. As `options` of the connection a pooler refuses them.
_BEGIN = (
    "BEGIN; SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '5s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '30s'"
)
# A server that is stopped in the middle keeps no timeouts: more than a statement may take.
SILENCE_S = 20

_KNOWN = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
# Notes to other programs' drivers. This one asks nothing of a pooler, whatever it is told.
_FOR_OTHERS = frozenset({"pgbouncer"})
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_NO_ADDRESS = (
    "is not an address like postgres://user:password@host:5432/name; "
    "special characters in the password are written as %40 for @, %2F for / and so on"
)
# The server is a replica by now. The name may lead to another one, but only on a new connection.
_READ_ONLY = "25006"

T = TypeVar("T")


class BadAddress(ValueError):
    """A database URL that cannot be used; the text says why and tells no secret."""


def postgres_address(rest: str) -> str:
    """What stands behind `postgres://`, for our driver. Raises BadAddress."""
    try:
        address = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise BadAddress(_NO_ADDRESS) from None
    if "@" in (address.host or ""):
        raise BadAddress(_NO_ADDRESS)
    for name in address.query:
        if name not in _KNOWN | _FOR_OTHERS:
            raise BadAddress(_unknown(name, address))
    mode = address.query.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise BadAddress(f"has an sslmode that is none of {', '.join(_SSL_MODES)}")
    if not _FOR_OTHERS & address.query.keys():
        return f"postgresql+psycopg://{rest}"
    return address.difference_update_query(_FOR_OTHERS).render_as_string(hide_password=False)


def _unknown(name: str, address: URL) -> str:
    # Behind a password with a bare ? or # in it, anything may look like a parameter.
    if "@" in f"{name}{address.query[name]}" or not name.isidentifier():
        return "has a ? that begins no parameters; in a password it is written as %3F"
    return f"has the parameter {name}, which PostgreSQL does not know: take it out"


def with_tls(url: str) -> str:
    """*url* with TLS demanded, unless it says itself how it wants it, or leads nowhere outside."""
    if not url.startswith(("postgres:", "postgresql:", "postgresql+")):
        return url
    address = make_url(url)
    host = address.host or address.query.get("host", "")
    if "sslmode" in address.query or _stays_here(str(host)):
        return url
    return address.update_query_dict({"sslmode": "require"}).render_as_string(hide_password=False)


def _stays_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """Hangs up when the server has said nothing for SILENCE_S, while it is waited for.

    That looks like any other lost connection: it raises OperationalError.
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


def connect_args() -> dict[str, Any]:
    return {
        **LASTING,
        "application_name": "ballast",
        "autocommit": True,  # the driver says no BEGIN of its own
        "async_creator_fn": BoundedConnection.connect,
    }


def prepare(engine: AsyncEngine) -> None:
    """Bound every transaction in time, and leave a server that has become a replica."""

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(_BEGIN)

    @event.listens_for(engine.sync_engine, "handle_error")
    def _on_error(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
            context.is_disconnect = True
