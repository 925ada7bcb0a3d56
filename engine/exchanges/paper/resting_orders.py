"""Orders that rest at the paper exchange: what they lock, and what the public book fills of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.market.balances import Balance
from engine.domain.market.decimals import EXACT_OR_LESS, ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of
from engine.domain.orders.matching import crossing
from engine.domain.orders.order import AccountId, ClientOrderId, Execution
from engine.exchanges.interface import OpenOrder
from engine.storage.trading import paper_ledger
from engine.storage.trading.paper_ledger import PaperOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """Order *number* of the ledger, of which *left* rests. *seen_at* is when the last book was read
    that it was filled from: nobody offers the same again.
    """

    number: int
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    price: Decimal
    base_quantity: Decimal
    left: Decimal
    seen_at: datetime

    @classmethod
    def of(cls, number: int, order: PaperOrder) -> Self:
        """Returns what rests of *order*. Raises ValueError where it has no price."""
        if order.price is None or order.base_quantity is None or order.seen_at is None:
            raise ValueError("only an order with a price rests")
        return cls(
            number=number,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            price=order.price,
            base_quantity=order.base_quantity,
            left=order.base_quantity - order.execution.base_quantity,
            seen_at=order.seen_at,
        )

    @property
    def locked(self) -> tuple[Asset, Decimal]:
        if self.side is Side.SELL:
            return base_of(self.symbol), self.left
        return USDT, EXACT_OR_LESS.multiply(self.left, self.price)

    def filled_by(self, book: OrderBook) -> Execution:
        """Returns what trades at the order's own price, once others offer to trade at it."""
        if book.read_at <= self.seen_at:
            return Execution(ZERO, ZERO)
        quantity = crossing(self.side, self.left, price=self.price, book=book).base_quantity
        return Execution(quantity, EXACT_OR_LESS.multiply(quantity, self.price))

    def as_open(self, *, exchange_order_id: str) -> OpenOrder:
        return OpenOrder(
            exchange_order_id=exchange_order_id,
            client_order_id=self.client_order_id,
            side=self.side,
            price=self.price,
            base_quantity=self.base_quantity,
            executed=self.base_quantity - self.left,
        )


def apart_from_locked(
    held: Mapping[Asset, Balance], resting: Iterable[RestingOrder]
) -> Mapping[Asset, Balance]:
    """Returns *held* with what *resting* orders lock moved from free to locked."""
    shown = dict(held)
    for order in resting:
        asset, amount = order.locked
        before = shown.get(asset, Balance())
        locked = min(amount, before.free)
        shown[asset] = Balance(before.free - locked, before.locked + locked)
    return shown


async def read_ledger(
    session: AsyncSession, account_id: AccountId, *, lock: bool = False
) -> tuple[Mapping[Asset, Balance], Sequence[RestingOrder]]:
    """Returns the balances without what is locked, and the orders that lock it. *lock* before
    changing.
    """
    balances = await paper_ledger.balances(session, account_id, lock=lock)
    found = await paper_ledger.resting(session, account_id)
    return balances, [RestingOrder.of(number, order) for number, order in found]
