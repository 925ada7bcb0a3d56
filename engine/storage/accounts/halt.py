"""The owner's halt, as a note that lasts; `accounts.halt_all` marks every account with it."""

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.domain.accounts.account import Halt
from engine.storage.coordination import key_values
from engine.storage.serialization import Unreadable, from_json, to_json

_NONE = ""


async def settled(session: AsyncSession) -> Halt | None:
    """Returns the halt in force, and blocks halts, their lifting and new accounts until commit.

    Otherwise an account made while a halt begins could go on trading through it.
    """
    return _read((await key_values.locked(session, key_values.HALT, first=_NONE)).value)


async def in_force(session: AsyncSession) -> Halt | None:
    """Returns the halt in force to show it; it may be lifted at any moment."""
    return _read(await key_values.get(session, key_values.HALT))


async def put(session: AsyncSession, halt: Halt | None) -> None:
    await key_values.put(session, key_values.HALT, _NONE if halt is None else to_json(halt))


def _read(note: str | None) -> Halt | None:
    """A halt that another version wrote is one all the same."""
    if not note:
        return None
    try:
        return from_json(note, Halt)
    except Unreadable:
        return Halt(at=from_millis(0), user_id=0)
