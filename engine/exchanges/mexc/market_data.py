"""Market data of MEXC; concurrent readers share one request."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from engine.clock import Clock, to_millis
from engine.domain.market.candles import HOUR, MOST_HOURS, HourlyClose
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, PairRules, Side, Symbol, symbol_of
from engine.domain.market.quotes import Quote, Quotes
from engine.errors import PairUnavailable, Unavailable
from engine.exchanges.mexc import parsing
from engine.exchanges.mexc.client import AnswerReader, MexcClient
from engine.exchanges.mexc.endpoints import (
    BOOK_TICKERS,
    DEPTH,
    EXCHANGE_INFO,
    KLINES,
    TICKER_PRICE,
    Endpoint,
)
from engine.exchanges.mexc.json_fields import Record
from engine.security.credentials import Credentials

T = TypeVar("T")

_RULES_LIVE = timedelta(hours=1)
# A pair that is closed may open at any moment.
_CLOSED_RULES_LIVE = timedelta(minutes=1)
_PRICES_LIVE = timedelta(milliseconds=900)
_LEVELS = 100
# A whole listing is heavy, and a plan starts from prices of five seconds.
_TICKERS_LIVE = timedelta(seconds=2)
_ALL_PAIRS = Symbol("")


class _Shared(Generic[T]):
    """One value per pair, kept for its *lifetime*; concurrent callers wait for the same read.

    They share its failure too, unless it was a refusal, which concerns one key only.
    """

    def __init__(self, clock: Clock, *, lifetime: Callable[[T], timedelta]) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._kept: dict[Symbol, tuple[datetime, T]] = {}
        self._reads: dict[Symbol, asyncio.Future[T]] = {}

    async def get(self, symbol: Symbol, read: Callable[[], Awaitable[T]]) -> T:
        while True:
            if (kept := self._kept.get(symbol)) and self._is_fresh(*kept):
                return kept[1]
            if (under_way := self._reads.get(symbol)) is None:
                return await self._read(symbol, read)
            await asyncio.wait([under_way])  # our own cancellation leaves the read alone
            if not under_way.cancelled():
                return under_way.result()

    async def renewed(self, symbol: Symbol, read: Callable[[], Awaitable[T]]) -> T:
        """Reads by itself, whatever is kept or under way."""
        value = await read()
        self._kept[symbol] = (self._clock.steady(), value)
        return value

    def forget(self, symbol: Symbol) -> None:
        self._kept.pop(symbol, None)

    def _is_fresh(self, kept_at: datetime, value: T) -> bool:
        return self._clock.steady() - kept_at < self._lifetime(value)

    async def _read(self, symbol: Symbol, read: Callable[[], Awaitable[T]]) -> T:
        shared: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._reads[symbol] = shared
        try:
            value = await read()
        except Unavailable as e:
            shared.set_exception(e)
            shared.exception()  # marks it as retrieved: no other caller may be waiting
            raise
        else:
            self._kept[symbol] = (self._clock.steady(), value)
            shared.set_result(value)
            return value
        finally:
            del self._reads[symbol]
            shared.cancel()  # refused or cancelled: the next one asks for itself


@dataclass(frozen=True, slots=True)
class _Tickers:
    by_symbol: Mapping[str, Record]
    read_at: datetime


class _Memory:
    def __init__(self, clock: Clock) -> None:
        self.rules = _Shared[PairRules](clock, lifetime=_rules_live)
        self.books = _Shared[OrderBook](clock, lifetime=lambda _: _PRICES_LIVE)
        self.prices = _Shared[Decimal](clock, lifetime=lambda _: _PRICES_LIVE)
        self.tickers = _Shared[_Tickers](clock, lifetime=lambda _: _TICKERS_LIVE)
        self.newest: dict[Symbol, int | None] = {}  # the last book of each pair


class MexcMarket:
    """Implements `Market`.
    MEXC shows pairs of its Assessment Zone only to signed requests of chosen keys, so an account
    asks through `signed_by` its key. Signed answers are shared by all keys, unsigned ones by all
    dry runs, which never get what only a key may see.
    """

    def __init__(
        self,
        client: MexcClient,
        *,
        credentials: Credentials | None = None,
        memory: _Memory | None = None,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._memory = memory or _Memory(client.clock)
        self._signed_memory = memory or _Memory(client.clock)

    def signed_by(self, credentials: Credentials) -> "MexcMarket":
        """Returns the same market, asked with a key."""
        return MexcMarket(self._client, credentials=credentials, memory=self._signed_memory)

    async def rules(self, symbol: Symbol) -> PairRules:
        async def read() -> PairRules:
            listing = await self._ask(EXCHANGE_INFO, symbol)
            return parsing.pair_rules(listing.contents, symbol=symbol)

        return await self._memory.rules.get(symbol, read)

    def forget_rules(self, symbol: Symbol) -> None:
        """Drop rules that proved wrong before they expired; the next caller reads them again."""
        self._memory.rules.forget(symbol)

    async def book(self, symbol: Symbol, *, fresh: bool = False) -> OrderBook:
        """A book from before the last one is read again, once: the second answer counts."""

        async def read() -> OrderBook:
            book = await self._book_now(symbol)
            if book.is_before(self._memory.newest.get(symbol)):
                book = await self._book_now(symbol)
            self._memory.newest[symbol] = book.update_id
            return book

        books = self._memory.books
        return await (books.renewed(symbol, read) if fresh else books.get(symbol, read))

    async def _book_now(self, symbol: Symbol) -> OrderBook:
        depth = await self._ask(DEPTH, symbol, ("limit", str(_LEVELS)))
        return parsing.order_book(depth.contents, symbol=symbol, read_at=depth.asked_at)

    async def last_price(self, symbol: Symbol) -> Decimal:
        async def read() -> Decimal:
            ticker = await self._ask(TICKER_PRICE, symbol)
            return parsing.last_price(ticker.contents, symbol=symbol)

        return await self._memory.prices.get(symbol, read)

    async def quotes(self, assets: Collection[Asset], *, listed_only: bool = False) -> Quotes:
        async def read() -> _Tickers:
            listing = await self._client.read(BOOK_TICKERS, credentials=self._credentials)
            return _Tickers(parsing.book_tickers(listing.contents), listing.asked_at)

        tickers = await self._memory.tickers.get(_ALL_PAIRS, read)
        found, read_at = {}, tickers.read_at
        for asset in assets:
            symbol = symbol_of(asset)
            ticker = tickers.by_symbol.get(symbol)
            if ticker is not None:
                quote = parsing.quote(ticker)
            elif listed_only:
                continue
            elif (book := await self._book_of_unlisted(symbol)) is not None:
                quote, read_at = Quote.of(book), min(read_at, book.read_at)
            else:
                continue
            if quote is not None:
                found[asset] = quote
        return Quotes(found, read_at)

    async def _book_of_unlisted(self, symbol: Symbol) -> OrderBook | None:
        """The listing may be another key's answer, which leaves out what only this one may see."""
        if self._credentials is None:
            return None
        try:
            return await self.book(symbol)
        except PairUnavailable:
            return None

    async def hourly_closes(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose]:
        """Read anew each time: what is over is stored, and not asked for again."""
        until = min(until, since + MOST_HOURS * HOUR)
        candles = await self._ask(
            KLINES,
            symbol,
            ("interval", "60m"),
            ("startTime", str(to_millis(since))),
            ("endTime", str(to_millis(until))),
            ("limit", str(MOST_HOURS)),
        )
        return parsing.hourly_closes(candles.contents, since=since, until=until)

    async def _ask(
        self, endpoint: Endpoint, symbol: Symbol, *params: tuple[str, str]
    ) -> AnswerReader:
        return await self._client.read(
            endpoint, [("symbol", symbol), *params], credentials=self._credentials
        )


def _rules_live(rules: PairRules) -> timedelta:
    both_sides = rules.allows(Side.BUY) and rules.allows(Side.SELL)
    return _RULES_LIVE if rules.is_open and both_sides else _CLOSED_RULES_LIVE
