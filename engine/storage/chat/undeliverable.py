"""Queries of undeliverable chats, each stored until a message is delivered.

Also, by account, whether its pause is due to that alone: then it ends with it.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.undeliverable import Undeliverable
from engine.domain.orders.order import AccountId
from engine.storage.coordination import key_values
from engine.storage.models.coordination import KeyValueRow
from engine.storage.serialization import from_json, to_json

_CHAT = "undeliverable:{}"
_PAUSED = "paused_undeliverable:{}"

logger = logging.getLogger(__name__)


async def get(session: AsyncSession, chat_id: int) -> Undeliverable | None:
    note = await key_values.get(session, _CHAT.format(chat_id))
    return None if note is None else _read(note)


async def every(session: AsyncSession) -> Sequence[Undeliverable]:
    """Returns all undeliverable chats, the oldest first."""
    found = await session.scalars(
        select(KeyValueRow.value).where(KeyValueRow.name.startswith(_CHAT.format("")))
    )
    known = [one for note in found if (one := _read(note)) is not None]
    return sorted(known, key=lambda one: (one.since, one.chat_id))


async def put(session: AsyncSession, chat: Undeliverable) -> None:
    await key_values.put(session, _CHAT.format(chat.chat_id), to_json(chat))


async def forget(session: AsyncSession, chat_id: int) -> bool:
    """Delete a chat's state; True for the one caller that did."""
    return await key_values.remove(session, _CHAT.format(chat_id))


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """A group became a supergroup: its messages wait there."""
    if (chat := await get(session, old)) is not None and await forget(session, old):
        await put(session, replace(chat, chat_id=new))


async def mark_paused(session: AsyncSession, account_id: AccountId) -> None:
    """Record that the account was paused for no other reason."""
    await key_values.put(session, _PAUSED.format(account_id), "")


async def is_paused(session: AsyncSession, account_id: AccountId) -> bool:
    return await key_values.get(session, _PAUSED.format(account_id)) is not None


async def unmark_paused(session: AsyncSession, account_id: AccountId) -> bool:
    """Remove the mark after a user's own pause or resume; returns whether there was one."""
    return await key_values.remove(session, _PAUSED.format(account_id))


def _read(note: str) -> Undeliverable | None:
    try:
        return from_json(note, Undeliverable)
    except ValueError:  # written by another version: the next refusal starts again
        logger.warning("undeliverable chat unreadable")
        return None
