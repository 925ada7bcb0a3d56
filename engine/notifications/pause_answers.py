"""Answers to `/pause` that say of an order that it may still fill: edited once its end is known.

An answer is kept under its order from when it is in the chat, so that it is put right after a
restart, too. The edit goes through the outbox, in the transaction that stores the order's end.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.order_alerts import PauseAnswerSettled
from engine.domain.orders.order import UNRESOLVED, ClientOrderId, Order
from engine.storage.coordination import key_values
from engine.storage.queues import outbox
from engine.storage.serialization import from_json, to_json
from engine.storage.service import Service
from engine.storage.trading import orders

_NAME = "pause_answer:{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAnswer:
    """Message *message_id* shows *payload*, in which *doubt* is the sentence to be replaced."""

    chat_id: int
    message_id: int
    payload: str
    doubt: str


class PauseAnswers(Service):
    async def shown(self, client_order_id: ClientOrderId, answer: PauseAnswer) -> None:
        """The answer is in the chat. The order may have ended meanwhile."""
        async with self.database.writing() as session:
            order = await orders.locked(session, client_order_id)
            if order.state in UNRESOLVED:
                await key_values.put(session, _NAME.format(client_order_id), to_json(answer))
            else:
                await _edit(session, answer, order)


async def settle(session: AsyncSession, order: Order) -> None:
    """Have the answer edited that says of *order*, which has just ended, that it may fill."""
    name = _NAME.format(order.client_order_id)
    kept = await key_values.get(session, name)
    if kept is not None and await key_values.remove(session, name):
        await _edit(session, from_json(kept, PauseAnswer), order)


async def _edit(session: AsyncSession, answer: PauseAnswer, order: Order) -> None:
    settled = PauseAnswerSettled(
        symbol=order.symbol,
        side=order.side,
        base_quantity=order.execution.base_quantity,
        quote_amount=order.execution.quote_amount,
        message_id=answer.message_id,
        payload=answer.payload,
        doubt=answer.doubt,
    )
    await outbox.add(
        session,
        chat_id=answer.chat_id,
        kind=settled.stored_as,
        payload=to_json(settled),
        dedupe_key=f"pause:{order.client_order_id}:{answer.chat_id}:{answer.message_id}",
        now=order.resolved_at or order.created_at,
    )
