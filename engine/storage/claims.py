"""The claim that the present task works for: what it writes is written only while the claim holds.

A process may be frozen in the middle of a command and go on when another one has taken the command
over and has carried out newer ones. Each of its transactions would come too late then.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage import queue
from engine.storage.queue import Claim, QueueColumns


class ClaimLost(Exception):
    """Another claim has the row by now, or it is done: nothing may be done for it any more."""


@dataclass(slots=True)
class Work:
    """A row that is being worked on. *aside*: it no longer keeps its chat waiting."""

    table: type[QueueColumns]
    held: Claim
    rank: int
    is_suspect: bool
    on_aside: Callable[[], None]
    aside: bool = False


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


async def verify(session: AsyncSession) -> None:
    """Raises ClaimLost unless the present task's claim holds, which it then does until the end of
    the transaction. Without a claim there is nothing to verify.
    """
    work = _present.get()
    if work is not None and not await queue.is_held(session, work.table, work.held):
        raise ClaimLost(f"{work.table.__name__} {work.held.row_id}")


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
