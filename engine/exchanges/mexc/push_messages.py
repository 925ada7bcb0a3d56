"""What MEXC's streams push: binary frames as events. An event says when to look, never what to do.

Field numbers: mexcdevelop/websocket-proto of 2026-06-17. Bodies that nobody here needs are known by
their numbers alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.domain.market.decimals import ZERO, decimal_from_text
from engine.domain.market.pairs import Asset, Symbol, is_asset_name
from engine.exchanges.mexc.protobuf import (
    BadFrame,
    Message,
    boolean,
    int32,
    int64,
    message,
    read,
    skipped,
    string,
)

ACCOUNT = "spot@private.account.v3.api.pb"
ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
BEST_PRICES = "spot@public.aggre.bookTicker.v3.api.pb@100ms"
LAST_PRICE = "spot@public.miniTicker.v3.api.pb"

_ACCOUNT = Message(
    {
        1: string("asset"),
        3: string("free"),
        4: string("free_change"),
        5: string("locked"),
        6: string("locked_change"),
        7: string("kind"),
    }
)
_ORDER = Message(
    {
        1: string("order_id"),
        2: string("client_order_id"),
        13: string("base_quantity"),
        14: string("quote_amount"),
        15: int32("status"),
    }
)
_DEAL = Message(
    {
        1: string("price"),
        2: string("base_quantity"),
        3: string("quote_amount"),
        5: boolean("is_maker"),
        7: string("trade_id"),
        8: string("client_order_id"),
        9: string("order_id"),
        10: string("fee"),
        11: string("fee_asset"),
        12: int64("at_ms"),
    }
)
_BEST = Message({1: string("bid"), 3: string("ask")})
_LAST = Message({1: string("symbol"), 2: string("price")})
_READ = {304: _ORDER, 306: _DEAL, 307: _ACCOUNT, 309: _LAST, 315: _BEST}
_BODIES = range(301, 316)
ENVELOPE = Message(
    {
        1: string("channel"),
        3: string("symbol"),
        5: int64("made_ms"),
        6: int64("pushed_ms"),
        **{
            number: message(str(number), _READ[number])
            if number in _READ
            else skipped(str(number))
            for number in _BODIES
        },
    },
    one_of=frozenset(map(str, _BODIES)),
)
_FILLED, _CANCELED, _PARTLY_CANCELED = 2, 4, 5
_FINAL = frozenset({_FILLED, _CANCELED, _PARTLY_CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePushed:
    """An asset's balance is *free* and *locked* now, each after its change. *kind* is an open list
    of MEXC's: DEPOSIT, WITHDRAW, ENTRUST and others. Times are of the exchange, in ms; 0 is unknown.
    """

    asset: Asset
    free: Decimal
    free_change: Decimal
    locked: Decimal
    locked_change: Decimal
    kind: str
    made_ms: int
    pushed_ms: int

    @property
    def before(self) -> tuple[Decimal, Decimal]:
        """What was free and locked before: another value means that an event is missing."""
        return self.free - self.free_change, self.locked - self.locked_change


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPushed:
    """An order's executed amounts. An unknown status is not final."""

    symbol: Symbol
    order_id: str
    client_order_id: str
    base_quantity: Decimal
    quote_amount: Decimal
    status: int
    pushed_ms: int

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPushed:
    """One fill of an order, with its fee."""

    symbol: Symbol
    order_id: str
    client_order_id: str
    trade_id: str
    price: Decimal
    base_quantity: Decimal
    quote_amount: Decimal
    is_maker: bool
    fee: Decimal
    fee_asset: Asset
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPricesPushed:
    """The best prices of a pair; None for an empty side."""

    symbol: Symbol
    bid: Decimal | None
    ask: Decimal | None
    pushed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPricePushed:
    symbol: Symbol
    price: Decimal
    pushed_ms: int


Pushed = BalancePushed | OrderPushed | DealPushed | BestPricesPushed | LastPricePushed


@dataclass(frozen=True, slots=True)
class Ignored:
    """A readable frame of *channel* with no body, or with one that nobody here needs."""

    channel: str


def decoded(frame: bytes) -> Pushed | Ignored:
    """Returns the event of a binary frame. Raises BadFrame for what is none: not even life.

    A text may be a valid message without a field that is known, so a frame without a channel is bad.
    """
    envelope = read(frame, ENVELOPE)
    channel = envelope.get("channel", "")
    if not channel:
        raise BadFrame("no channel")
    number = next((number for number in _BODIES if str(number) in envelope), None)
    if number not in _READ:
        return Ignored(channel)
    known, make = _MAKERS[number]
    if channel != known and not channel.startswith(f"{known}@"):
        raise BadFrame(f"body {number} on another channel")
    try:
        return make(envelope, envelope[str(number)])
    except ValueError as e:
        raise BadFrame(f"body {number} with {e}") from e


def _balance(envelope: Mapping[str, Any], body: Mapping[str, Any]) -> BalancePushed:
    return BalancePushed(
        asset=_asset(body.get("asset", "")),
        free=_amount(body, "free"),
        free_change=_change(body, "free_change"),
        locked=_amount(body, "locked"),
        locked_change=_change(body, "locked_change"),
        kind=body.get("kind", ""),
        made_ms=envelope.get("made_ms", 0),
        pushed_ms=envelope.get("pushed_ms", 0),
    )


def _order(envelope: Mapping[str, Any], body: Mapping[str, Any]) -> OrderPushed:
    return OrderPushed(
        symbol=_symbol(envelope),
        order_id=body.get("order_id", ""),
        client_order_id=body.get("client_order_id", ""),
        base_quantity=_amount(body, "base_quantity"),
        quote_amount=_amount(body, "quote_amount"),
        status=body.get("status", 0),
        pushed_ms=envelope.get("pushed_ms", 0),
    )


def _deal(envelope: Mapping[str, Any], body: Mapping[str, Any]) -> DealPushed:
    return DealPushed(
        symbol=_symbol(envelope),
        order_id=body.get("order_id", ""),
        client_order_id=body.get("client_order_id", ""),
        trade_id=body.get("trade_id", ""),
        price=_amount(body, "price"),
        base_quantity=_amount(body, "base_quantity"),
        quote_amount=_amount(body, "quote_amount"),
        is_maker=body.get("is_maker", False),
        fee=_amount(body, "fee"),
        fee_asset=_asset(body.get("fee_asset", "")),
        at_ms=body.get("at_ms", 0),
    )


def _best(envelope: Mapping[str, Any], body: Mapping[str, Any]) -> BestPricesPushed:
    return BestPricesPushed(
        symbol=_symbol(envelope),
        bid=_price(body, "bid"),
        ask=_price(body, "ask"),
        pushed_ms=envelope.get("pushed_ms", 0),
    )


def _last(envelope: Mapping[str, Any], body: Mapping[str, Any]) -> LastPricePushed:
    symbol = _symbol(envelope)
    if body.get("symbol", symbol) != symbol:
        raise ValueError("another pair's price")
    price = _price(body, "price")
    if price is None:
        raise ValueError("no price")
    return LastPricePushed(symbol=symbol, price=price, pushed_ms=envelope.get("pushed_ms", 0))


_MAKERS: Mapping[int, tuple[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Pushed]]] = {
    304: (ORDERS, _order),
    306: (DEALS, _deal),
    307: (ACCOUNT, _balance),
    309: (LAST_PRICE, _last),
    315: ("spot@public.aggre.bookTicker.v3.api.pb", _best),
}


def _symbol(envelope: Mapping[str, Any]) -> Symbol:
    """The envelope's pair, which a public channel names too."""
    symbol: str = envelope.get("symbol", "")
    named = envelope["channel"].split("@")[2:]
    if not symbol or (named and symbol not in named):
        raise ValueError("no pair, or another one")
    return Symbol(symbol)


def _asset(name: str) -> Asset:
    if not is_asset_name(name):
        raise ValueError("no asset")
    return Asset(name)


def _change(body: Mapping[str, Any], name: str) -> Decimal:
    return decimal_from_text(body.get(name, ""))


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    if (amount := decimal_from_text(body.get(name, ""))) < ZERO:
        raise ValueError(f"a negative {name}")
    return amount


def _price(body: Mapping[str, Any], name: str) -> Decimal | None:
    """None where that side of the book is empty."""
    return _amount(body, name) or None if body.get(name) else None
