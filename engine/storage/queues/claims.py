"""The claim that the present task works for: what it writes is written only while the claim holds.

A process may be frozen in the middle of a command and go on when another one has taken the command
over and has carried out newer ones. Each of its transactions would come too late then.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.queue_columns import QueueColumns
from engine.storage.queues import queue
from engine.storage.queues.queue import Claim


class ClaimLost(Exception):
    """Another claim has the row by now, or it is done: nothing may be done for it any more."""


@dataclass(slots=True)
class Work:
    """A row that is being worked on. *aside*: it no longer keeps its chat waiting. *verified_at* is
    when the claim was last seen to hold, by the steady clock.
    """

    table: type[QueueColumns]
    held: Claim
    rank: int
    is_suspect: bool
    on_aside: Callable[[], None]
    aside: bool = False
    verified_at: datetime | None = None


_present: ContextVar[Work | None] = ContextVar("work", default=None)


@contextmanager
def working_on(work: Work) -> Generator[None]:
    """Within this block, and in the tasks that it begins, `verify` looks at this claim."""
    token = _present.set(work)
    try:
        yield
    finally:
        _present.reset(token)


def present() -> Claim | None:
    """The claim that this task works for, if it works for one."""
    work = _present.get()
    return work.held if work else None


async def verify(session: AsyncSession, *, now: datetime) -> None:
    """Raises ClaimLost unless the present task's claim holds, which it then does until the end of
    the transaction. Without a claim there is nothing to verify. *now* is of the steady clock.
    """
    work = _present.get()
    if work is None:
        return
    if not await queue.is_held(session, work.table, work.held):
        raise ClaimLost(f"{work.table.__name__} {work.held.row_id}")
    work.verified_at = now


def verified_at() -> datetime | None:
    """When the present task's claim was last seen to hold, if it has one and was asked about it."""
    work = _present.get()
    return work.verified_at if work else None


async def step_aside(session: AsyncSession) -> Callable[[], None]:
    """The present task's row keeps its chat waiting no more; call what is returned when that is
    committed. Only for what changes nothing: it may be done again after newer messages.
    """
    work = _present.get()
    if work is None or work.aside:
        return lambda: None
    await queue.step_aside(session, work.table, work.held)

    def committed() -> None:
        work.aside = True
        work.on_aside()

    return committed
