"""Reports the profit of an account: of a span, and of one trade."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.local_time import zone
from engine.domain.execution.shortfall import Shortfall
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of, symbol_of
from engine.domain.orders.order import Order, coin_of
from engine.domain.profit.costs import (
    CostReckoning,
    CostReport,
    NotKnown,
    cost_of,
    first_month,
)
from engine.domain.profit.entries import PriceLine, Prices
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span, beginning
from engine.domain.profit.steps import Held, booked
from engine.domain.profit.worths import worth_of
from engine.errors import EngineError, Rejected
from engine.exchanges.interface import ExchangeFor, within
from engine.exchanges.price_history import PriceHistory
from engine.storage.accounts import acting, alert_preferences
from engine.storage.service import Service
from engine.storage.trading import candles, order_costs, value_events

NO_LINES = Prices({})
_PATIENCE_S = 2


class NoReport(Enum):
    """Why there is nothing to report: nothing recorded, no price of the token, a date to come."""

    NO_RECORDS = "no_records"
    NO_PRICE = "no_price"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class SpanReport:
    """*asked_since* is when the span began that was asked for: before the first record, the report
    begins later. *priced_now* is False where the last price is the last one known: the exchange did
    not answer or, *refused*, does not trade the pair now. *prices* are those it was made with.
    """

    report: ProfitReport
    asked_since: datetime | None
    priced_now: bool
    refused: bool = False
    prices: Prices = NO_LINES

    @property
    def is_young(self) -> bool:
        return self.asked_since is not None and self.asked_since < self.report.since


@dataclass(frozen=True, slots=True)
class WorthNow:
    """What a trade *brought* by the token's *price*, known since *at*. *about*: its fee is not known
    exactly.
    """

    brought: Decimal
    price: Decimal
    at: datetime
    about: bool


@dataclass(eq=False, kw_only=True, repr=False)
class ProfitReports(Service):
    exchange_for: ExchangeFor
    prices: PriceHistory

    async def report(self, account: Account, span: Span | date) -> SpanReport | NoReport:
        """Returns the report of *span* by the price of this moment; a date begins in the time zone
        of the chat that asks.
        """
        now = self.clock.now()
        async with self.database.reading() as session:
            time_zone = await self._time_zone(session, account)
            asked = beginning(span, now=now, time_zone=time_zone or "UTC")
            if asked is not None and asked >= now:
                return NoReport.FUTURE
            known = await value_events.records(session, account)
            if known is None:
                return NoReport.NO_RECORDS
            since = max(asked or known.first, known.first)
            pairs = await value_events.priced(session, account, known.held, since=since)
        for symbol in pairs.values():
            await self.prices.fill(account, symbol, since=since)
        now_at, refused = await self._prices_now(account, known.held)
        until = self.clock.now()
        async with self.database.reading() as session:
            lines = {
                asset: await candles.prices(session, symbol, since=since, until=until)
                for asset, symbol in pairs.items()
            }
            for asset, price in now_at.items():
                line = lines.get(asset, PriceLine((), ()))
                lines[asset] = PriceLine([*line.times, until], [*line.closes, price])
            # Read again: there may have been a check meanwhile.
            known = await value_events.records(session, account) or known
            prices = Prices(lines)
            found = await value_events.report(
                session, account, known, prices=prices, since=since, until=until
            )
        if found is None:
            return NoReport.NO_PRICE
        priced = now_at.keys() >= known.held.tokens.keys()
        return SpanReport(found, asked, priced, refused, prices)

    async def worth(self, order: Order) -> WorthNow | None:
        """Returns what *order* brought by the last price that is stored since."""
        trade = value_events.trade_of(order)
        if trade is None:
            return None
        now = self.clock.now()
        symbols = {order.symbol, *(symbol_of(asset) for asset in trade.fees if asset != USDT)}
        async with self.database.reading() as session:
            lines = {
                base_of(symbol): await candles.prices(
                    session, symbol, since=order.created_at, until=now
                )
                for symbol in symbols
            }
        line = lines[base_of(order.symbol)]
        price, at = line.at(now), line.time(now)
        if price is None or at is None or at < order.created_at:
            return None
        entry = booked(trade, Prices(lines))
        worth = worth_of(entry, price=price)
        return WorthNow(worth.brought, price, at, about=not entry.is_fee_known)

    async def cost(self, order: Order) -> Shortfall | NotKnown | None:
        """Returns what *order* cost against the middle; None where nothing was traded."""
        coin = coin_of(order.fees, order.symbol)
        if coin is None or order.fee_price is not None:
            return cost_of(order, NO_LINES)
        async with self.database.reading() as session:
            line = await candles.prices(
                session, symbol_of(coin), since=order.created_at, until=order.created_at
            )
        return cost_of(order, Prices({coin: line}))

    async def costs(self, account: Account) -> CostReport:
        """Returns what the account's orders cost in each of the last months of the asking chat."""
        async with self.database.reading() as session:
            there = zone(await self._time_zone(session, account) or "UTC")
            since = first_month(self.clock.now(), there)
            coins = await order_costs.fee_coins(session, account, since=since)
        for coin in coins:
            await self.prices.fill(account, symbol_of(coin), since=since)
        reckoning, until = CostReckoning(there), self.clock.now()
        async with self.database.reading() as session:
            lines = {
                coin: await candles.prices(session, symbol_of(coin), since=since, until=until)
                for coin in coins
            }
            pages = order_costs.settled(session, account, since=since, coins=Prices(lines))
            async with aclosing(pages):
                async for page in pages:
                    reckoning.take(page)
        return reckoning.report()

    async def _time_zone(self, session: AsyncSession, account: Account) -> str | None:
        if (share := acting.present_share()) is not None:
            return share.time_zone
        return await alert_preferences.time_zone_of_chat(session, account.chat_id)

    async def _prices_now(
        self, account: Account, held: Held
    ) -> tuple[Mapping[Asset, Decimal], bool]:
        """The middle of each token's prices, as far as there is one, and whether the exchange
        answered that one has none.
        """
        if not held.others:
            price, refused = await self._price_now(account, symbol_of(held.base_asset))
            return {} if price is None else {held.base_asset: price}, refused
        try:
            async with within(_PATIENCE_S):
                quotes = await self.exchange_for(account).market.quotes(held.tokens.keys())
        except EngineError as e:
            return {}, isinstance(e, Rejected)
        prices = {asset: quote.mid for asset, quote in quotes.by_asset.items()}
        return prices, prices.keys() < held.tokens.keys()

    async def _price_now(self, account: Account, symbol: Symbol) -> tuple[Decimal | None, bool]:
        """The middle of the book, and whether the exchange answered that there is none."""
        try:
            async with within(_PATIENCE_S):
                price = (await self.exchange_for(account).market.book(symbol)).mid
        except EngineError as e:
            return None, isinstance(e, Rejected)
        return price, price is None
