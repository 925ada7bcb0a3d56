"""A trade's story as one thread: which earlier message of the chat an alert belongs to."""

from collections.abc import Collection, Iterator, Mapping

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


async def begun_by(session: AsyncSession, rows: Collection[OutboxRow]) -> Mapping[int, int]:
    """Returns the message to reply to, by row: the order's first delivered one, or the tapped plan.
    Of a row that is about no order, or is its first message, there is none.
    """
    orders: dict[int, str] = {}
    tapped: dict[int, str] = {}
    for row in rows:
        match outbox.own_key(row.dedupe_key)[0].split(":"):
            case [kind, client_order_id, _] if kind == _ORDER:
                orders[row.id] = client_order_id
            case [kind, confirmation_id, _] if kind == _RUN:
                tapped[row.id] = confirmation_id
            case _:
                pass
    about = [row for row in rows if row.id in orders]
    begun = await _first_told(session, about, orders) if about else {}
    if unknown := {one: order for one, order in orders.items() if one not in begun}:
        runs = await session.execute(
            select(OrderRow.client_order_id, OrderRow.run_id).where(
                OrderRow.client_order_id.in_(unknown.values())
            )
        )
        run_of = dict(runs.all())
        tapped |= {one: run_of[order] for one, order in unknown.items() if order in run_of}
    return begun | await _plans(session, rows, tapped) if tapped else begun


async def _first_told(
    session: AsyncSession, rows: Collection[OutboxRow], orders: Mapping[int, str]
) -> dict[int, int]:
    keys_of = {row.id: set(_keys(row, orders[row.id])) for row in rows}
    told = await session.execute(
        select(OutboxRow.id, OutboxRow.chat_id, OutboxRow.dedupe_key, OutboxRow.message_id)
        .where(OutboxRow.dedupe_key.in_(set().union(*keys_of.values())))
        .order_by(OutboxRow.id.desc())
    )
    begun: dict[int, int] = {}
    for row_id, chat_id, key, message_id in told:
        for row in rows:
            is_earlier = key in keys_of[row.id] and chat_id == row.chat_id and row_id < row.id
            if is_earlier and message_id is not None:
                begun[row.id] = message_id  # at last the first one's
    return begun


def _keys(row: OutboxRow, client_order_id: str) -> Iterator[str]:
    _, to = outbox.own_key(row.dedupe_key)
    return (f"{_ORDER}:{client_order_id}:{chapter}{to}" for chapter in _CHAPTERS)


async def _plans(
    session: AsyncSession, rows: Collection[OutboxRow], tapped: Mapping[int, str]
) -> dict[int, int]:
    found = await session.execute(
        select(ConfirmationRow.id, ConfirmationRow.chat_id, ConfirmationRow.message_id).where(
            ConfirmationRow.id.in_(tapped.values())
        )
    )
    plans = {(plan, chat): message_id for plan, chat, message_id in found if message_id}
    asked = {row.id: (tapped[row.id], row.chat_id) for row in rows if row.id in tapped}
    return {row_id: plans[plan] for row_id, plan in asked.items() if plan in plans}
