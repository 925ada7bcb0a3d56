"""Paper exchange: fills one account's orders from a public book, in its own ledger.

It has only a `Market` with public data: no key to sign with and no way to reach an order endpoint.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, PairRules, Side, Symbol
from engine.domain.orders.matching import Match, match_market_order, match_priced_order
from engine.domain.orders.order import AccountId, ClientOrderId, Execution, Fees
from engine.domain.streams.events import Cause
from engine.errors import OrderNotFound, Rejected, Unavailable
from engine.exchanges.interface import Market, OpenOrder, OrderReport, OrderRequest
from engine.exchanges.paper.resting_orders import RestingOrder, apart_from_locked, read_ledger
from engine.exchanges.paper.streams import PaperStreams
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
    """Implements `Exchange` for one account. An order has ended when `place` returns, unless it
    rests: then the ledger has it, for all processes. *streams* are told what changes.
    """

    account_id: AccountId
    market: Market
    streams: PaperStreams | None = None

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
        await self._tell(Cause.TRANSFER)

    async def holdings(self) -> Holdings:
        balances, resting = await self._read()
        if resting:
            await self._match(resting)
            balances, resting = await self._read()
        if not balances:
            # "Nothing known" must never be taken for "holds nothing".
            raise Unavailable("the paper ledger is not open")
        return Holdings(apart_from_locked(balances, resting), read_at=self.clock.now())

    async def place(self, ticket: OrderRequest) -> str:
        """Refuses a client order id it knows: the order protocol never sends one twice."""
        rules = await self.market.rules(ticket.symbol)
        last_price = await self.market.last_price(ticket.symbol)
        book = await self.market.book(ticket.symbol)
        spent = rules.quote if ticket.side is Side.BUY else rules.base
        async with self.database.writing() as session:
            if await paper_ledger.find(session, self.account_id, ticket.client_order_id):
                raise Rejected(code=400, message="Duplicate client order id")
            balances, resting = await read_ledger(session, self.account_id, lock=True)
            held = apart_from_locked(balances, resting)
            free = held.get(spent, Balance()).free
            filled = _matched(ticket, free=free, last_price=last_price, book=book, rules=rules)
            changes = _changes(ticket.side, filled.execution, filled.fee, rules)
            await paper_ledger.change(session, self.account_id, changes)
            number = await paper_ledger.record(
                session,
                PaperOrder(
                    account_id=self.account_id,
                    client_order_id=ticket.client_order_id,
                    symbol=ticket.symbol,
                    side=ticket.side,
                    execution=filled.execution,
                    fee=filled.fee,
                    complete=filled.complete,
                    created_at=self.clock.now(),
                    price=ticket.price,
                    base_quantity=ticket.base_quantity,
                    seen_at=book.read_at,
                    is_open=ticket.order_type.may_rest and not filled.complete,
                ),
            )
        await self._tell(Cause.TRADE)
        return f"{_ID_PREFIX}{number}"

    async def try_order(self, ticket: OrderRequest) -> None:
        rules = await self.market.rules(ticket.symbol)
        last_price = await self.market.last_price(ticket.symbol)
        book = await self.market.book(ticket.symbol)
        held = await self.holdings()
        free = held.of(rules.quote if ticket.side is Side.BUY else rules.base).free
        _matched(ticket, free=free, last_price=last_price, book=book, rules=rules)

    async def cancel(self, symbol: Symbol, client_order_id: ClientOrderId) -> None:
        """Drop what rests of the order, after what the book of this moment fills of it."""
        _, resting = await self._read()
        await self._match(resting)
        for order in resting:
            if (order.symbol, order.client_order_id) == (symbol, client_order_id):
                async with self.database.writing() as session:
                    was_open = await paper_ledger.end(session, order.number)
                if was_open:
                    await self._tell(Cause.TRADE)
                    return
        raise OrderNotFound("Unknown order sent.")

    async def open_orders(self, symbol: Symbol) -> Sequence[OpenOrder]:
        await self._match((await self._read())[1])
        return [
            rest.as_open(exchange_order_id=f"{_ID_PREFIX}{rest.number}")
            for rest in (await self._read())[1]
            if rest.symbol == symbol
        ]

    async def _tell(self, cause: Cause) -> None:
        if self.streams is not None:
            await self.streams.tell(self.account_id, cause)

    async def _read(self) -> tuple[Mapping[Asset, Balance], Sequence[RestingOrder]]:
        async with self.database.reading() as session:
            return await read_ledger(session, self.account_id)

    async def _match(self, resting: Sequence[RestingOrder]) -> None:
        """Fill *resting* orders from the book, as a maker, where it comes to them."""
        for order in resting:
            try:
                rules = await self.market.rules(order.symbol)
                book = await self.market.book(order.symbol)
            except (Unavailable, Rejected):
                continue  # it waits for a book
            if order.filled_by(book).base_quantity:
                await self._fill(order.number, book, rules)

    async def _fill(self, number: int, book: OrderBook, rules: PairRules) -> None:
        async with self.database.writing() as session:
            # Others may have filled or cancelled it meanwhile.
            order = await paper_ledger.rests(session, number)
            if order is None:
                return
            rest = RestingOrder.of(number, order)
            traded = rest.filled_by(book)
            fee = traded.quote_amount * rules.maker_fee_rate
            changes = _changes(rest.side, traded, fee, rules)
            await paper_ledger.change(session, self.account_id, changes)
            await paper_ledger.book_fill(
                session,
                number,
                traded=traded,
                fee=fee,
                seen_at=book.read_at,
                complete=traded.base_quantity == rest.left,
            )
        await self._tell(Cause.TRADE)

    async def order(self, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
        found = await self._find(client_order_id)
        if found is not None and found[1].is_open:
            await self._match([RestingOrder.of(*found)])
            found = await self._find(client_order_id)
        if found is None or found[1].symbol != symbol:
            raise OrderNotFound("Order does not exist.")
        number, order = found
        return OrderReport(
            exchange_order_id=f"{_ID_PREFIX}{number}",
            execution=order.execution,
            is_final=not order.is_open,
            complete=order.complete,
        )

    async def _find(self, client_order_id: ClientOrderId) -> tuple[int, PaperOrder] | None:
        async with self.database.reading() as session:
            return await paper_ledger.find(session, self.account_id, client_order_id)

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


def _matched(
    ticket: OrderRequest,
    *,
    free: Decimal,
    last_price: Decimal,
    book: OrderBook,
    rules: PairRules,
) -> Match:
    match ticket:
        case OrderRequest(price=Decimal() as price, base_quantity=Decimal() as quantity):
            return match_priced_order(
                side=ticket.side,
                order_type=ticket.order_type,
                base_quantity=quantity,
                price=price,
                free=free,
                book=book,
                rules=rules,
            )
        case OrderRequest(side=Side.BUY, quote_amount=Decimal() as amount, base_quantity=None):
            pass
        case OrderRequest(side=Side.SELL, quote_amount=None, base_quantity=Decimal() as amount):
            pass
        case _:
            raise ValueError("a buy names the quote to spend, a sell the base to sell")
    return match_market_order(
        side=ticket.side,
        amount=amount,
        free=free,
        last_price=last_price,
        book=book,
        rules=rules,
    )


def _changes(
    side: Side, traded: Execution, fee: Decimal, rules: PairRules
) -> Mapping[Asset, Decimal]:
    base, quote = traded.base_quantity, traded.quote_amount
    if side is Side.BUY:
        return {rules.base: base, rules.quote: -(quote + fee)}
    return {rules.base: -base, rules.quote: quote - fee}
