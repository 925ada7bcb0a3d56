"""The exchange interface, implemented by MEXC and the paper exchange."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, Self

from engine.domain.accounts.account import Account
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.balances import Holdings
from engine.domain.market.candles import HourlyClose
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, OrderType, PairRules, Side, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.orders.order import (
    AccountId,
    ClientOrderId,
    Execution,
    Fees,
    Order,
)
from engine.domain.streams.events import AccountEvent
from engine.domain.streams.trust import Doubt
from engine.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order, ready to be signed. A MARKET buy has *quote_amount*, a MARKET sell *base_quantity*;
    every other type has *base_quantity* and *price*, on both sides.

    *sent_at* is the exchange's time that goes into the signature: the order is refused if it
    arrives more than RECV_WINDOW later.
    """

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    quote_amount: Decimal | None
    base_quantity: Decimal | None
    sent_at: datetime
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.order_type is OrderType.MARKET) != (self.price is None):
            raise ValueError("a MARKET order has no price, every other order has one")
        has_price, in_base = self.price is not None, self.base_quantity is not None
        if has_price and (self.quote_amount is not None or not in_base):
            raise ValueError("an order with a price names the base to trade")

    @classmethod
    def at_price(
        cls,
        order: BoundedOrder,
        *,
        client_order_id: ClientOrderId,
        symbol: Symbol,
        sent_at: datetime,
    ) -> Self:
        return cls(
            client_order_id=client_order_id,
            symbol=symbol,
            side=order.side,
            quote_amount=None,
            base_quantity=order.base_quantity,
            sent_at=sent_at,
            order_type=order.order_type,
            price=order.price,
        )

    @classmethod
    def of(cls, intent: Order) -> Self:
        if intent.sent_at is None:
            raise ValueError(f"order {intent.client_order_id} has no time stamp to sign")
        return cls(
            client_order_id=intent.client_order_id,
            symbol=intent.symbol,
            side=intent.side,
            quote_amount=intent.quote_amount if intent.priced is None else None,
            base_quantity=intent.asked_base,
            sent_at=intent.sent_at,
            order_type=intent.order_type,
            price=None if intent.priced is None else intent.priced.price,
        )


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The exchange's report of one order. *is_final* is False while the order may still change.

    *complete*: all that was asked for is executed. *unknown_status* is a status that the exchange
    does not document, as it was read; it does not say whether the order has ended.
    """

    exchange_order_id: str
    execution: Execution
    is_final: bool
    complete: bool
    unknown_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that rests at the exchange. *client_order_id* is None where it shows none: that is no
    order of ours.
    """

    exchange_order_id: str
    client_order_id: ClientOrderId | None
    side: Side
    price: Decimal
    base_quantity: Decimal
    executed: Decimal


class Market(Protocol):
    """Public data, shared by every account of the process."""

    async def rules(self, symbol: Symbol) -> PairRules:
        """The pair's rules, possibly up to an hour old.

        Raises PairUnavailable if the exchange does not show the pair, Unavailable otherwise.
        """
        ...

    async def book(self, symbol: Symbol, *, fresh: bool = False) -> OrderBook:
        """The order book, read from the exchange within the last second; *fresh*, from now on.

        Raises PairUnavailable or Unavailable; never returns a book that cannot be trusted.
        """
        ...

    async def last_price(self, symbol: Symbol) -> Decimal:
        """The price of the last trade, above zero. Raises PairUnavailable or Unavailable."""
        ...

    async def quotes(self, assets: Collection[Asset], *, listed_only: bool = False) -> Quotes:
        """The best prices of *assets* in USDT, read within the last two seconds: one request for
        all of them and for every account. What has no price on both sides is not among them, and
        with *listed_only* nothing that needs a request of its own. Raises Unavailable or Rejected.
        """
        ...

    async def hourly_closes(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose]:
        """The closes of the hours that began at *since* or later and are over at *until*, both whole
        hours, oldest first: one request, for MOST_HOURS at most. An hour without a trade may be
        missing. Raises PairUnavailable or Unavailable.
        """
        ...


class Exchange(Protocol):
    """One account at the exchange. Reads raise Unavailable or Rejected and may be repeated."""

    @property
    def market(self) -> Market: ...

    def time(self) -> datetime:
        """The exchange's time as far as we know it, for time stamps and for deadlines."""
        ...

    async def holdings(self) -> Holdings:
        """Exactly one request."""
        ...

    async def place(self, ticket: OrderRequest) -> str:
        """Send *ticket* in exactly one request, never retried; returns the exchange's id.

        Raises Unavailable only if the order provably never left, Rejected if the exchange
        definitely refused it, OutcomeUnknown in every other case. A client order id must never be
        placed twice: the exchange does not promise to refuse duplicates.
        """
        ...

    async def try_order(self, ticket: OrderRequest) -> None:
        """Ask whether *ticket* would be taken. Nothing is placed, and a yes promises nothing.
        Raises Rejected where it would be refused, or Unavailable.
        """
        ...

    async def order(self, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
        """Returns the exchange's report of one order.
        Raises OrderNotFound if the exchange does not know it, as it also answers just after it
        accepted one.
        """
        ...

    async def cancel(self, symbol: Symbol, client_order_id: ClientOrderId) -> None:
        """Ask in exactly one request that an order which rests is cancelled; may be repeated.

        Whatever comes of it, only `order` tells what became of the order. Raises OrderNotFound if no
        such order rests: it may have been filled or cancelled a moment ago, or not be visible yet.
        Otherwise as `place`.
        """
        ...

    async def open_orders(self, symbol: Symbol) -> Sequence[OpenOrder]:
        """Returns all orders of the account that rest in *symbol*, the user's own included."""
        ...

    async def order_in_history(
        self, symbol: Symbol, client_order_id: ClientOrderId, *, sent_at: datetime
    ) -> OrderReport:
        """Find an order in the account's history of *symbol* after *sent_at*.

        Raises OrderNotFound if it is not one of them; BadData or another Unavailable where that is
        not certain: the history is too short, or omits the id of an order.
        """
        ...

    async def fees(
        self, symbol: Symbol, exchange_order_id: str, *, executed: Decimal, sent_at: datetime
    ) -> Fees:
        """The commissions of an order's fills since *sent_at*.

        Not complete where the fills that the exchange shows are fewer than was *executed*, of
        which it may show none for a moment.
        """
        ...

    async def resync(self) -> None:
        """Measure the exchange's clock again. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class KeyInspection:
    """What a key may do. *permissions* and *days_left* are None where not stated."""

    permissions: frozenset[str] | None
    days_left: int | None
    addresses: tuple[str, ...]
    holdings: Holdings


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What the exchange says of a key. *days_left* is None where it does not expire."""

    permissions: frozenset[str]
    days_left: int | None
    addresses: tuple[str, ...]


class KeyInspector(Protocol):
    """Inspects an API key: before it is stored, and periodically after that."""

    async def inspect(self, *, api_key: str, api_secret: str, symbol: Symbol) -> KeyInspection:
        """Read the account, ask what the key may do, and test an order without placing it.

        Raises Rejected (with its leaf), TooPowerful if the key may move money out, Unavailable.
        """
        ...

    async def powers(self, *, api_key: str, api_secret: str) -> KeyPermissions | None:
        """Read in one request what the key may do, and for how long; None where it is not stated.

        Raises as `inspect` does, except for the account and the order, which are not tested.
        """
        ...

    async def account_number(self, *, api_key: str, api_secret: str) -> str | None:
        """Read in one request the number of the key's account, the same for all its keys.
        None where the exchange does not state it plainly; never raises.
        """
        ...


ExchangeFor = Callable[[Account], Exchange]


class AccountFeed(Protocol):
    """Where one connection of an account's stream writes what it is told."""

    def acknowledge(self) -> None:
        """All that is asked for is subscribed. Called once."""
        ...

    def event(self, event: AccountEvent) -> None: ...


class AccountStream(Protocol):
    """One connection that tells what changes in one account, subscribed or about to be."""

    async def run(self) -> Doubt:
        """Read until the connection ends; returns why. Never raises, except for a cancellation."""
        ...

    async def beat(self) -> timedelta:
        """Do what keeps the connection; returns the time until that is due again."""
        ...

    async def end(self, why: Doubt) -> None:
        """End the connection, within two seconds; `run` returns *why*. May be called twice."""
        ...


class AccountStreams(Protocol):
    """Opens the accounts' own streams at one exchange. *is_remote*: each is a connection there, of
    which one address may have so many.
    """

    @property
    def is_remote(self) -> bool: ...

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> AccountStream:
        """Connect and ask for everything about *account*. With *renew* what identifies it to the
        exchange is made anew, since it is in doubt.

        Raises Rejected where the key may not, and it is not asked again for an hour;
        NotConnected or another Unavailable otherwise. Neither names an address or a secret.
        """
        ...

    async def close(self, account_id: AccountId) -> None:
        """The account is another process's from now on: nothing is kept alive for it any more."""
        ...

    async def run(self) -> None:
        """Keep what identifies the accounts alive, until cancelled."""
        ...


RevokeStream = Callable[[Account], Awaitable[None]]
"""Ends, within seconds, what an account's stream was opened with, once its key is given up. Never
raises."""


async def no_stream(_: Account) -> None:
    """A `RevokeStream` where accounts have none."""


class PriceFeed(Protocol):
    """Where one connection writes what it is told of prices."""

    def answered(self, symbol: Symbol, *, is_subscribed: bool) -> None:
        """The exchange tells the prices of *symbol* from now on, or refuses to."""
        ...

    def quote(self, symbol: Symbol, quote: Quote | None) -> None:
        """The best prices changed. None: on one side nothing is offered."""
        ...


class PriceStream(AccountStream, Protocol):
    """One connection that tells the prices of pairs, to nobody in particular."""

    async def subscribe(self, symbols: Sequence[Symbol]) -> None:
        """Ask for *symbols*, too: of one connection at most `most_pairs` in all."""
        ...


class PriceStreams(Protocol):
    """Opens streams of prices, which need no account."""

    @property
    def most_pairs(self) -> int: ...

    async def open(self, feed: PriceFeed) -> PriceStream:
        """Connect. Raises NotConnected or another Unavailable."""
        ...


@asynccontextmanager
async def within(seconds: float) -> AsyncGenerator[None]:
    """Raises Unavailable if the block takes longer than *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as e:
        raise Unavailable("the exchange takes too long") from e
