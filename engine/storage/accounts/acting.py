"""Checks in each transaction that the chat still sees the account that its message was about.

A share may begin or end while a command is carried out.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.shares import Share
from engine.storage.accounts import shares
from engine.storage.database import fenced


class ShareLost(Exception):
    """The share is over, or another one, or began: nothing may be done any more that was asked before."""


@dataclass(slots=True)
class Acting:
    """*share* is what the chat saw when the author was let in; None: its own account.
    *left*: the command itself changed that.
    """

    chat_id: int
    share: Share | None
    left: bool = False

    async def verify(self, session: AsyncSession) -> None:
        """Raises ShareLost unless the share holds, until the transaction ends; or where there was
        none, and is one now.
        """
        if self.left:
            return
        held = await shares.of_chat(session, self.chat_id, for_share=True)
        if _rights(held) != _rights(self.share):
            raise ShareLost(f"chat {self.chat_id}")


_present: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting_in(chat_id: int, share: Share | None) -> Generator[None]:
    """In this block, and in the tasks it starts, the chat sees what *share* says, and writes only as
    long as that holds.
    """
    acting = Acting(chat_id, share)
    token = _present.set(acting)
    try:
        with fenced(acting.verify):
            yield
    finally:
        _present.reset(token)


def present(chat_id: int) -> Acting | None:
    """What the present command saw of the chat, if it is that chat's."""
    acting = _present.get()
    return acting if acting is not None and acting.chat_id == chat_id else None


def present_share() -> Share | None:
    """The share that the present command acts by, if it acts by one."""
    acting = _present.get()
    return acting.share if acting is not None else None


def leave() -> None:
    """The present command ended the share that it acted by, or began another one."""
    acting = _present.get()
    if acting is not None:
        acting.left = True


def _rights(share: Share | None) -> tuple[object, ...] | None:
    return None if share is None else (share.account_id, share.role, share.user_id)
