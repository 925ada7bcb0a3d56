"""Orders that rest at the paper exchange: what they lock, and what the public book fills of them.

They are kept in memory, what they have executed in the ledger. So a restart cancels them, as an
exchange may: afterwards they are over, with the fills that they had, and nothing is locked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from engine.domain.market.balances import Balance
from engine.domain.market.decimals import EXACT_OR_LESS, ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, PairRules, Side, Symbol
from engine.domain.orders.matching import Match, crossing
from engine.domain.orders.order import AccountId, ClientOrderId, Execution
from engine.exchanges.interface import OpenOrder, OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """Order *number* of the ledger, of which *left* rests. *seen_at* is when the last book was read
    that it was matched with: nobody offers the same again.
    """

    number: int
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    price: Decimal
    base_quantity: Decimal
    left: Decimal
    seen_at: datetime
    rules: PairRules

    @classmethod
    def of(
        cls,
        ticket: OrderRequest,
        filled: Match,
        *,
        number: int,
        rules: PairRules,
        seen_at: datetime,
    ) -> Self:
        """Returns what rests of *ticket* after what was *filled* at once: maybe nothing is left."""
        if ticket.price is None or ticket.base_quantity is None:
            raise ValueError("only an order with a price rests")
        return cls(
            number=number,
            client_order_id=ticket.client_order_id,
            symbol=ticket.symbol,
            side=ticket.side,
            price=ticket.price,
            base_quantity=ticket.base_quantity,
            left=ticket.base_quantity - filled.execution.base_quantity,
            seen_at=seen_at,
            rules=rules,
        )

    @property
    def locked(self) -> tuple[Asset, Decimal]:
        if self.side is Side.SELL:
            return self.rules.base, self.left
        return self.rules.quote, EXACT_OR_LESS.multiply(self.left, self.price)

    def filled_by(self, book: OrderBook) -> Execution:
        """Returns what trades at the order's own price, once others offer to trade at it."""
        if book.read_at <= self.seen_at:
            return Execution(ZERO, ZERO)
        quantity = crossing(self.side, self.left, price=self.price, book=book).base_quantity
        return Execution(quantity, EXACT_OR_LESS.multiply(quantity, self.price))

    def after(self, traded: Execution, *, seen_at: datetime) -> "RestingOrder":
        return replace(self, left=self.left - traded.base_quantity, seen_at=seen_at)

    def as_open(self, *, exchange_order_id: str) -> OpenOrder:
        return OpenOrder(
            exchange_order_id=exchange_order_id,
            client_order_id=self.client_order_id,
            side=self.side,
            price=self.price,
            base_quantity=self.base_quantity,
            executed=self.base_quantity - self.left,
        )


@dataclass(eq=False)
class RestingOrders:
    """Of all accounts of the process. Hold the *lock* from a read of them to the change."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _orders: dict[tuple[AccountId, ClientOrderId], RestingOrder] = field(default_factory=dict)

    def of(self, account_id: AccountId) -> Sequence[RestingOrder]:
        return [order for (owner, _), order in self._orders.items() if owner == account_id]

    def get(self, account_id: AccountId, client_order_id: ClientOrderId) -> RestingOrder | None:
        return self._orders.get((account_id, client_order_id))

    def put(self, account_id: AccountId, order: RestingOrder) -> None:
        """Keep *order*, or forget it if nothing of it is left."""
        if order.left:
            self._orders[account_id, order.client_order_id] = order
        else:
            self._orders.pop((account_id, order.client_order_id), None)

    def remove(self, account_id: AccountId, client_order_id: ClientOrderId) -> bool:
        return self._orders.pop((account_id, client_order_id), None) is not None

    def forget(self, account_id: AccountId) -> None:
        for order in self.of(account_id):
            self.remove(account_id, order.client_order_id)

    def apart_from_locked(
        self, account_id: AccountId, held: Mapping[Asset, Balance]
    ) -> Mapping[Asset, Balance]:
        """Returns *held* with what the account's orders lock moved from free to locked."""
        shown = dict(held)
        for order in self.of(account_id):
            asset, amount = order.locked
            before = shown.get(asset, Balance())
            locked = min(amount, before.free)
            shown[asset] = Balance(before.free - locked, before.locked + locked)
        return shown
