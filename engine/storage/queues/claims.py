"""Checks in each transaction that the present task's claim still holds.

A process may be frozen in the middle of a command and resume when another one has taken the
command over and has carried out newer ones. Its transactions would then come too late.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.queues import QueueColumns
from engine.storage.queues import queue
from engine.storage.queues.queue import Claim


class ClaimLost(Exception):
    """Another claim has the row by now, or it is done: nothing may be done for it any more."""


@dataclass(slots=True)
class Work:
    """A row that is being worked on. *aside*: it no longer blocks its chat.
    *verified_at* is when the claim was last verified, by the steady clock.
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
    """Set the claim that `verify` checks in this block and in the tasks it starts."""
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
    """Raises ClaimLost unless the task's claim holds, until the transaction ends.
    Without a claim there is nothing to verify. *now* is of the steady clock.
    """
    work = _present.get()
    if work is None:
        return
    if not await queue.is_held(session, work.table, work.held):
        raise ClaimLost(f"{work.table.__name__} {work.held.row_id}")
    work.verified_at = now


def verified_at() -> datetime | None:
    """Returns when the task's claim was last verified, if it has one and was checked."""
    work = _present.get()
    return work.verified_at if work else None


async def step_aside(session: AsyncSession) -> Callable[[], None]:
    """Stop blocking the task's chat; call what is returned after the commit.
    Only for what changes nothing: it may be repeated after newer messages.
    """
    work = _present.get()
    if work is None or work.aside:
        return lambda: None
    await queue.step_aside(session, work.table, work.held)

    def committed() -> None:
        work.aside = True
        work.on_aside()

    return committed
