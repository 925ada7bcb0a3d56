"""Deletes expired rows.

Never an order, a balance change or an audit line, which the history and the export need, nor what
is still awaited.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from engine.clock import from_millis, to_millis
from engine.storage.column_types import Moment
from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow, InvitationRow, ShareLinkRow, ShareRow
from engine.storage.models.chat import ConfirmationRow, ConversationRow
from engine.storage.models.coordination import KeyValueRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.models.trading import DecisionRow, OrderRow, PaperOrderRow
from engine.storage.statements import delete, update
from engine.storage.trading import orders

_CLAIM = "pruned"


def _updates(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    """Telegram repeats an update for 24 hours at most; only until then its number must be known."""
    return select(InboxRow.id).where(InboxRow.done_at < before).order_by(InboxRow.id)


def _messages(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    """Messages whose key cannot come again.
    Kept: those of an update still to be handled, or of an unresolved order, whose later messages
    are replies to the first.
    """
    waiting = select(func.min(InboxRow.created_at)).where(InboxRow.done_at.is_(None))
    unclear = exists().where(
        orders.IS_UNRESOLVED,
        OutboxRow.dedupe_key.like("order:" + OrderRow.client_order_id + ":%"),
    )
    return (
        select(OutboxRow.id)
        .where(
            OutboxRow.done_at < before,
            OutboxRow.created_at
            < func.coalesce(waiting.scalar_subquery(), literal(before, Moment)),
            ~unclear,
        )
        .order_by(OutboxRow.id)
    )


def _buttons(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    """Expired buttons, except a tap that caused an order: the history names its user."""
    traded = exists().where(
        AccountRow.chat_id == ConfirmationRow.chat_id,
        OrderRow.account_id == AccountRow.id,
        OrderRow.run_id == ConfirmationRow.id,
    )
    traded_for_another = exists().where(
        ShareRow.chat_id == ConfirmationRow.chat_id,
        OrderRow.account_id == ShareRow.account_id,
        OrderRow.run_id == ConfirmationRow.id,
    )
    return select(ConfirmationRow.id).where(
        ConfirmationRow.expires_at < before,
        or_(ConfirmationRow.used_at.is_(None), ConfirmationRow.used_at < before),
        ~traded,
        ~traded_for_another,
    )


def _questions(_: datetime, now: datetime) -> Select[*tuple[Any, ...]]:
    """Expired conversations, which may hold half a key."""
    return select(ConversationRow.chat_id, ConversationRow.user_id).where(
        ConversationRow.expires_at < now
    )


def _codes(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    return select(InvitationRow.code_hash).where(InvitationRow.expires_at < before)


def _links(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    return select(ShareLinkRow.code_hash).where(ShareLinkRow.expires_at < before)


def _decisions(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    """Each account keeps its newest one: the next is compared with it."""
    newer = aliased(DecisionRow)
    replaced = exists().where(
        newer.account_id == DecisionRow.account_id, newer.id > DecisionRow.id
    )
    return select(DecisionRow.id).where(DecisionRow.at < before, replaced)


def _paper(before: datetime, _: datetime) -> Select[*tuple[Any, ...]]:
    """Paper orders that are resolved.
    The newest row stays: SQLite would reuse its number.
    """
    unclear = exists().where(
        orders.IS_UNRESOLVED, OrderRow.client_order_id == PaperOrderRow.client_order_id
    )
    newest = select(func.max(aliased(PaperOrderRow).id)).scalar_subquery()
    return select(PaperOrderRow.id).where(
        PaperOrderRow.created_at < before, PaperOrderRow.id < newest, ~unclear
    )


# By the names that users see.
KINDS: Mapping[str, tuple[tuple[Any, ...], Any]] = {
    "sent messages": ((OutboxRow.id,), _messages),
    "handled updates": ((InboxRow.id,), _updates),
    "old buttons": ((ConfirmationRow.id,), _buttons),
    "expired questions": ((ConversationRow.chat_id, ConversationRow.user_id), _questions),
    "expired invitations": ((InvitationRow.code_hash,), _codes),
    "expired links": ((ShareLinkRow.code_hash,), _links),
    "old decisions": ((DecisionRow.id,), _decisions),
    "old paper orders": ((PaperOrderRow.id,), _paper),
}


async def prune(
    session: AsyncSession, kind: str, *, before: datetime, now: datetime, most: int
) -> int:
    """Delete up to *most* rows that expired *before*; returns how many."""
    key, old = KINDS[kind]
    deleted = await session.execute(
        delete(key[0].class_)
        .where(tuple_(*key).in_(old(before, now).limit(most)))
        .returning(key[0])
    )
    return len(deleted.all())


async def last(session: AsyncSession) -> datetime | None:
    """Returns when a process last began the pruning."""
    value = await key_values.get(session, _CLAIM)
    return None if value is None else from_millis(int(value))


async def claim(session: AsyncSession, *, counts_as: datetime, unless_after: datetime) -> bool:
    """Claim the pruning, unless another process did after *unless_after*.

    From now on it counts as done at *counts_as*.
    """
    never = from_millis(0)
    await key_values.put_first(session, _CLAIM, _written(never))
    claimed = await session.scalar(
        update(KeyValueRow)
        .where(KeyValueRow.name == _CLAIM, KeyValueRow.value <= _written(unless_after))
        .values(value=_written(counts_as))
        .returning(KeyValueRow.name)
    )
    return claimed is not None


async def done(session: AsyncSession, *, at: datetime) -> None:
    await key_values.put(session, _CLAIM, _written(at))


def _written(moment: datetime) -> str:
    """All of one length, so that they compare as text as they do as times."""
    return f"{to_millis(moment):015d}"
