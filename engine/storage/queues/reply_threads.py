"""A trade's story as one thread: which earlier message of the chat an alert belongs to."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import OrderState
from engine.storage.models.chat import ConfirmationRow
from engine.storage.models.queues import OutboxRow
from engine.storage.models.trading import OrderRow
from engine.storage.queues import outbox

_ORDER, _RUN = "order", "run"
# The last part of the keys under which the alerts of one order are queued (`order:<id>:unclear`):
# spelled out, so that they are found by the index however long the history grows.
_CHAPTERS = ("unclear", "person", "never", *(state.value for state in OrderState))


async def begun_by(session: AsyncSession, row: OutboxRow) -> int | None:
    """Returns the message to reply to: the order's first delivered one, or the tapped plan.
    None where *row* is about no order, or is its first message.
    """
    match outbox.own_key(row.dedupe_key)[0].split(":"):
        case [kind, client_order_id, _] if kind == _ORDER:
            first = await _first_told(session, row, client_order_id)
            return first or await _plan_of(session, row, client_order_id)
        case [kind, confirmation_id, _] if kind == _RUN:
            return await _tapped(session, row, confirmation_id)
        case _:
            return None


async def _first_told(session: AsyncSession, row: OutboxRow, client_order_id: str) -> int | None:
    _, to = outbox.own_key(row.dedupe_key)
    keys = [f"{_ORDER}:{client_order_id}:{chapter}{to}" for chapter in _CHAPTERS]
    message_id: int | None = await session.scalar(
        select(OutboxRow.message_id)
        .where(
            OutboxRow.dedupe_key.in_(keys),
            OutboxRow.chat_id == row.chat_id,
            OutboxRow.id < row.id,
            OutboxRow.message_id.is_not(None),
        )
        .order_by(OutboxRow.id)
        .limit(1)
    )
    return message_id


async def _plan_of(session: AsyncSession, row: OutboxRow, client_order_id: str) -> int | None:
    run_id = await session.scalar(
        select(OrderRow.run_id).where(OrderRow.client_order_id == client_order_id)
    )
    return None if run_id is None else await _tapped(session, row, run_id)


async def _tapped(session: AsyncSession, row: OutboxRow, confirmation_id: str) -> int | None:
    message_id: int | None = await session.scalar(
        select(ConfirmationRow.message_id).where(
            ConfirmationRow.id == confirmation_id, ConfirmationRow.chat_id == row.chat_id
        )
    )
    return message_id
