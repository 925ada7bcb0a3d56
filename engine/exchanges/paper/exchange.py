"""Paper exchange: fills one account's orders from a public book, in its own ledger.

It has only a `Market` with public data: no key to sign with and no way to reach an order endpoint.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import Asset, PairRules, Side, Symbol
from engine.domain.orders.matching import Match, match_market_order
from engine.domain.orders.order import AccountId, ClientOrderId, Fees
from engine.errors import OrderNotFound, Rejected, Unavailable
from engine.exchanges.interface import Market, OrderReport, OrderRequest
from engine.storage.service import Service
from engine.storage.trading import paper_ledger
from engine.storage.trading.paper_ledger import PaperOrder

OPENING_QUOTE = Decimal(100)
_ID_PREFIX = "paper-"


def opening_balances(*, rules: PairRules, last_price: Decimal) -> Mapping[Asset, Balance]:
    """Returns first balances where there is no account to copy: equal worth of both assets."""
    base_quantity = rules.floor_quantity(OPENING_QUOTE / last_price)
    return {rules.quote: Balance(free=OPENING_QUOTE), rules.base: Balance(free=base_quantity)}


@dataclass(eq=False, kw_only=True, repr=False)
class PaperExchange(Service):
    """Implements `Exchange` for one account. An order has ended when `place` returns."""

    account_id: AccountId
    market: Market

    def time(self) -> datetime:
        return self.clock.steady()

    async def open_ledger(self, holdings: Holdings | None, *, symbol: Symbol) -> None:
        """Start (again) from a copy of *holdings*; without, from 100 USDT and as much in the token.

        Once open, the ledger lives on through restarts. Raises PairUnavailable or Unavailable where a price is needed and there is none.
        """
        if holdings is not None:
            opening = holdings.balances
        else:
            rules = await self.market.rules(symbol)
            last_price = await self.market.last_price(symbol)
            opening = opening_balances(rules=rules, last_price=last_price)
        async with self.database.writing() as session:
            await paper_ledger.open_ledger(session, self.account_id, opening)

    async def holdings(self) -> Holdings:
        async with self.database.reading() as session:
            balances = await paper_ledger.balances(session, self.account_id)
        if not balances:
            # "Nothing known" must never be taken for "holds nothing".
            raise Unavailable("the paper ledger is not open")
        return Holdings(balances, read_at=self.clock.now())

    async def place(self, ticket: OrderRequest) -> str:
        """Refuses a client order id it knows: the order protocol never sends one twice."""
        rules = await self.market.rules(ticket.symbol)
        last_price = await self.market.last_price(ticket.symbol)
        book = await self.market.book(ticket.symbol)
        side, amount, spent = _request(ticket, rules)
        async with self.database.writing() as session:
            if await paper_ledger.find(session, self.account_id, ticket.client_order_id):
                raise Rejected(code=400, message="Duplicate client order id")
            held = await paper_ledger.balances(session, self.account_id, lock=True)
            filled = match_market_order(
                side=side,
                amount=amount,
                free=held.get(spent, Balance()).free,
                last_price=last_price,
                book=book,
                rules=rules,
            )
            await paper_ledger.change(session, self.account_id, _changes(side, filled, rules))
            number = await paper_ledger.record(
                session,
                PaperOrder(
                    account_id=self.account_id,
                    client_order_id=ticket.client_order_id,
                    symbol=ticket.symbol,
                    side=side,
                    execution=filled.execution,
                    fee=filled.fee,
                    complete=filled.complete,
                    created_at=self.clock.now(),
                ),
            )
        return f"{_ID_PREFIX}{number}"

    async def order(self, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
        async with self.database.reading() as session:
            found = await paper_ledger.find(session, self.account_id, client_order_id)
        if found is None or found[1].symbol != symbol:
            raise OrderNotFound("Order does not exist.")
        number, order = found
        return OrderReport(
            exchange_order_id=f"{_ID_PREFIX}{number}",
            execution=order.execution,
            is_final=True,
            complete=order.complete,
        )

    async def order_in_history(
        self,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        sent_at: datetime,  # noqa: ARG002 - the ledger forgets nothing, so no window is needed
    ) -> OrderReport:
        return await self.order(symbol, client_order_id)

    async def fees(
        self,
        symbol: Symbol,
        exchange_order_id: str,
        *,
        executed: Decimal,  # noqa: ARG002 - the ledger shows all of an order at once
        sent_at: datetime,  # noqa: ARG002
    ) -> Fees:
        order = None
        with suppress(ValueError):
            number = int(exchange_order_id.removeprefix(_ID_PREFIX))
            async with self.database.reading() as session:
                order = await paper_ledger.numbered(session, self.account_id, number)
        if order is None or order.symbol != symbol:
            raise OrderNotFound("Order does not exist.")
        rules = await self.market.rules(symbol)
        return Fees({rules.quote: order.fee} if order.fee else {})

    async def resync(self) -> None:
        """There is no second clock to measure."""


def _request(ticket: OrderRequest, rules: PairRules) -> tuple[Side, Decimal, Asset]:
    """The side, the amount the order names, and the asset that amount is in."""
    match ticket:
        case OrderRequest(side=Side.BUY, quote_amount=Decimal() as amount, base_quantity=None):
            return Side.BUY, amount, rules.quote
        case OrderRequest(side=Side.SELL, quote_amount=None, base_quantity=Decimal() as amount):
            return Side.SELL, amount, rules.base
        case _:
            raise ValueError("a buy names the quote to spend, a sell the base to sell")


def _changes(side: Side, filled: Match, rules: PairRules) -> Mapping[Asset, Decimal]:
    base, quote = filled.execution.base_quantity, filled.execution.quote_amount
    if side is Side.BUY:
        return {rules.base: base, rules.quote: -(quote + filled.fee)}
    return {rules.base: -base, rules.quote: quote - filled.fee}
