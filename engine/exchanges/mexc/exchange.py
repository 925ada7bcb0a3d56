"""One account at MEXC, seen through the engine's port."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from engine.clock import to_millis
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import OrderType, Side, Symbol
from engine.domain.orders.order import (
    RECV_WINDOW,
    VISIBILITY_MARGIN,
    ClientOrderId,
    Fees,
    Fill,
    fees_of,
)
from engine.errors import PairUnavailable, Unavailable
from engine.exchanges.interface import OpenOrder, OrderReport, OrderRequest
from engine.exchanges.mexc import balances, parsing
from engine.exchanges.mexc.client import AnswerReader, MexcClient
from engine.exchanges.mexc.endpoints import (
    ACCOUNT,
    ALL_ORDERS,
    MY_TRADES,
    OPEN_ORDERS,
    ORDER,
    TEST_ORDER,
    Endpoint,
)
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.mexc.signing import Params
from engine.security.credentials import Credentials

# MEXC keeps no longer a history for `allOrders`, and `order` forgets about as soon.
_HISTORY = timedelta(days=7) - timedelta(hours=1)
# A row's `time` is in whole seconds, and a stamp may be a second ahead of MEXC's clock.
_EARLIER = timedelta(seconds=2)
_MOST_ROWS = 1000
# `myTrades` answers the newest 100 and no more.
_FULL_PAGE = 100
_MOST_PAGES = 20
# `timeInForce` is accepted and ignored: as a LIMIT with it, an IOC would rest.
_TYPES: Mapping[OrderType, str] = {
    OrderType.LIMIT: "LIMIT",
    OrderType.LIMIT_MAKER: "LIMIT_MAKER",
    OrderType.IOC: "IMMEDIATE_OR_CANCEL",
}


class MexcExchange:
    """Satisfies `Exchange`."""

    def __init__(self, client: MexcClient, credentials: Credentials, market: MexcMarket) -> None:
        self._client = client
        self._credentials = credentials
        self.market = market.signed_by(credentials)

    def time(self) -> datetime:
        return self._client.time.now()

    async def holdings(self) -> Holdings:
        account = await self._read(ACCOUNT)
        return balances.holdings(account.contents, read_at=account.asked_at)

    async def place(self, ticket: OrderRequest) -> str:
        try:
            return await self._client.place_order(
                order_params(ticket),
                client_order_id=ticket.client_order_id,
                credentials=self._credentials,
                sent_at=ticket.sent_at,
            )
        except PairUnavailable:
            self.market.forget_rules(ticket.symbol)
            raise

    async def try_order(self, ticket: OrderRequest) -> None:
        await self._read(TEST_ORDER, *order_params(ticket))

    async def order(self, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
        found = await self._read(ORDER, ("symbol", symbol), ("origClientOrderId", client_order_id))
        return parsing.order_report(found.contents, symbol=symbol, client_order_id=client_order_id)

    async def cancel(self, symbol: Symbol, client_order_id: ClientOrderId) -> None:
        await self._client.cancel_order(
            [("symbol", symbol), ("origClientOrderId", client_order_id)],
            client_order_id=client_order_id,
            credentials=self._credentials,
        )

    async def open_orders(self, symbol: Symbol) -> Sequence[OpenOrder]:
        found = await self._read(OPEN_ORDERS, ("symbol", symbol))
        return parsing.open_orders(found.contents, symbol=symbol)

    async def order_in_history(
        self, symbol: Symbol, client_order_id: ClientOrderId, *, sent_at: datetime
    ) -> OrderReport:
        if self.time() - sent_at > _HISTORY:
            raise Unavailable("the order is older than the exchange's history")
        found = await self._read(
            ALL_ORDERS,
            ("symbol", symbol),
            ("startTime", str(to_millis(sent_at - _EARLIER))),
            ("endTime", str(to_millis(sent_at + RECV_WINDOW + VISIBILITY_MARGIN))),
            ("limit", str(_MOST_ROWS)),
        )
        return parsing.order_among(
            found.contents, symbol=symbol, client_order_id=client_order_id, page=_MOST_ROWS
        )

    async def fees(
        self, symbol: Symbol, exchange_order_id: str, *, executed: Decimal, sent_at: datetime
    ) -> Fees:
        """Page by page, the newest first, for as long as pages are full and fills are missing."""
        seen: dict[str, Fill] = {}
        window: Params = ()
        for _ in range(_MOST_PAGES):
            trades = await self._read(
                MY_TRADES, ("symbol", symbol), ("orderId", exchange_order_id), *window
            )
            page = parsing.fills(trades.contents, exchange_order_id=exchange_order_id)
            added = {fill.trade_id for fill in page} - seen.keys()
            seen.update((fill.trade_id, fill) for fill in page)
            if len(page) < _FULL_PAGE or fees_of(seen.values(), executed=executed).complete:
                break
            oldest = min(fill.at for fill in page)
            # Fills of the same millisecond may be on both pages, unless they fill a whole one.
            until = oldest if added else oldest - timedelta(milliseconds=1)
            window = [
                ("startTime", str(to_millis(sent_at - _EARLIER))),
                ("endTime", str(to_millis(until))),
            ]
        return fees_of(seen.values(), executed=executed)

    async def resync(self) -> None:
        await self._client.resync()

    async def _read(self, endpoint: Endpoint, *params: tuple[str, str]) -> AnswerReader:
        return await self._client.read(endpoint, params, credentials=self._credentials)


def order_params(ticket: OrderRequest) -> Params:
    return market_order(ticket) if ticket.price is None else priced_order(ticket)


def priced_order(ticket: OrderRequest) -> Params:
    """Returns the parameters of an order with a price. It names the base on both sides."""
    if ticket.price is None or ticket.base_quantity is None:
        raise ValueError("an order with a price names the base to trade")
    return [
        ("symbol", ticket.symbol),
        ("side", ticket.side.value),
        ("type", _TYPES[ticket.order_type]),
        ("quantity", plain(ticket.base_quantity)),
        ("price", plain(ticket.price)),
        ("newClientOrderId", ticket.client_order_id),
    ]


def market_order(ticket: OrderRequest) -> Params:
    """Returns an order's parameters: quote for a buy, base for a sell.
    The other way round MEXC may fill short.
    """
    if ticket.side is Side.BUY and ticket.quote_amount is not None:
        size = ("quoteOrderQty", plain(ticket.quote_amount))
    elif ticket.side is Side.SELL and ticket.base_quantity is not None:
        size = ("quantity", plain(ticket.base_quantity))
    else:
        raise ValueError("a buy names the quote to spend, a sell the base to sell")
    return [
        ("symbol", ticket.symbol),
        ("side", ticket.side.value),
        ("type", "MARKET"),
        size,
        ("newClientOrderId", ticket.client_order_id),
    ]
