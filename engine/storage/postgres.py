"""PostgreSQL: its address, its connections, and their time limits.

No state is kept in a session: behind a pooler in transaction mode (such as PgBouncer) each
transaction may run on another connection, which other clients used before.
"""

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

# The driver is 9 MB that a bot on SQLite does without: it is imported where it is used.

# Two copies overlap at a deploy while the release step migrates, and the small plans allow 20
# connections in all. More wait their turn: a transaction takes milliseconds.
POOL = {
    "pool_size": 6,
    "max_overflow": 2,
    "pool_timeout": 10,
    "pool_pre_ping": True,  # a server that restarted took them all; a file never goes
    "use_native_hstore": False,
}

# A failed-over server that drops packets is noticed within a minute.
LASTING = {
    "client_encoding": "utf8",  # whatever the database's own is; of SQL_ASCII we would get bytes
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
# Parameters of other programs' drivers; ours needs no option of a pooler.
_FOR_OTHERS = frozenset({"pgbouncer"})
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_NO_ADDRESS = (
    "is not an address like postgres://user:password@host:5432/name; "
    "special characters in the password are written as %40 for @, %2F for / and so on"
)
_AUTHORITY = re.compile(r"(?P<login>[^/?#]*@)?(?P<hosts>[^/?#@]*)(?P<more>.*)", re.DOTALL)
# The folder of a socket is written as %2Fvar%2Frun, because a slash is not allowed there.
_SEVERAL_OR_SOCKET = re.compile(",|%2f|%40", re.IGNORECASE)
_HOST = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?"
)
# The server is a replica by now. The name may lead to another one, but only on a new connection.
_READ_ONLY = "25006"


class BadAddress(ValueError):
    """A database URL that cannot be used; the text gives the reason without secrets."""


def postgres_address(rest: str) -> str:
    """Returns the address after `postgres://` for our driver. Raises BadAddress."""
    rest = _with_hosts_listed(rest)
    try:
        address = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise BadAddress(_NO_ADDRESS) from None
    if "@" in (address.host or ""):
        raise BadAddress(_NO_ADDRESS)
    from psycopg.pq import Conninfo  # noqa: PLC0415 - see below the imports

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name in address.query:
        if name not in known | _FOR_OTHERS:
            raise BadAddress(_unknown(name, address))
    try:
        address.get_dialect()().create_connect_args(address)
    except (ArgumentError, ValueError):
        raise BadAddress(
            "has hosts and ports that do not fit together; several are a:5432,b:5432"
        ) from None
    mode = address.query.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise BadAddress(f"has an sslmode that is none of {', '.join(_SSL_MODES)}")
    if not _FOR_OTHERS & address.query.keys():
        return f"postgresql+psycopg://{rest}"
    return address.difference_update_query(_FOR_OTHERS).render_as_string(hide_password=False)


def _with_hosts_listed(rest: str) -> str:
    """Several hosts, as PostgreSQL's own tools take them, where SQLAlchemy does: in parameters."""
    authority = _AUTHORITY.match(rest)
    if authority is None or not _SEVERAL_OR_SOCKET.search(authority["hosts"]):
        return rest
    hosts, ports = [], []
    for one in authority["hosts"].split(","):
        host = _HOST.fullmatch(one)
        if host is None:
            raise BadAddress(_NO_ADDRESS)
        hosts.append(host["six"] or quote(unquote(host["name"])))
        ports.append(host["port"] or "")
    if re.search(r"[?&](?:host|port)=", authority["more"]):
        raise BadAddress("names its hosts twice: before the name of the database, and as ?host=")
    listed = f"host={','.join(hosts)}" + (f"&port={','.join(ports)}" if any(ports) else "")
    more = authority["more"] + ("&" if "?" in authority["more"] else "?") + listed
    return f"{authority['login'] or ''}{more if more.startswith('/') else '/' + more}"


def _unknown(name: str, address: URL) -> str:
    # Behind a password with a bare ? or # in it, anything may seem a parameter.
    if "@" in f"{name}{address.query[name]}" or not name.isidentifier():
        return "has a ? that begins no parameters; in a password it is written as %3F"
    return f"has the parameter {name}, which PostgreSQL does not know: take it out"


def with_tls(url: str) -> str:
    """Returns *url* with TLS required, unless it has its own setting or stays on this machine."""
    if not url.startswith(("postgres:", "postgresql:", "postgresql+")):
        return url
    scheme, _, rest = url.partition("://")
    address = make_url(f"{scheme}://{_with_hosts_listed(rest)}")
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


def connect_args() -> dict[str, Any]:
    from engine.storage.bounded_connection import BoundedConnection  # noqa: PLC0415 - see below the imports

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
