"""Tells from PostgreSQL's session list whether a process is still connected.

A session is named by its backend's number and start, and the server's start, since numbers are
reused. Behind a pooler there is no name: its sessions outlive its clients, which shows in a number
that differs from the backend's own.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_MICROS = "(extract(epoch from {}) * 1000000)::bigint::text"
_SERVER = _MICROS.format("pg_postmaster_start_time()")
_OWN = text(
    f"SELECT pid || ' ' || {_MICROS.format('backend_start')} || ' ' || {_SERVER} "  # noqa: S608 - nothing comes from outside
    "FROM pg_stat_activity WHERE pid = pg_backend_pid() AND pid = :pid"
)
# Sessions of other roles are visible, but not their details.
_ENDED = text(
    "SELECT owner FROM processes WHERE session IS NOT NULL"  # noqa: S608 - as above
    f" AND split_part(session, ' ', 3) = {_SERVER}"
    " AND NOT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE pid::text = split_part(session, ' ', 1) AND (backend_start IS NULL"
    f" OR {_MICROS.format('backend_start')} = split_part(session, ' ', 2)))"
)


async def own(session: AsyncSession) -> str | None:
    """The name of the session in use; None behind a pooler."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    if driver is None:
        return None
    name: str | None = await session.scalar(_OWN, {"pid": driver.info.backend_pid})
    return name


async def ended(session: AsyncSession) -> set[str]:
    """The processes whose last session is not there any more, on the server it was opened at."""
    return set(await session.scalars(_ENDED))
