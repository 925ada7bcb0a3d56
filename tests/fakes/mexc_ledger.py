"""How the fake MEXC checks and executes a MARKET order, and which orders it remembers.

Written from what was observed of the real one, not from the engine's code, so that a mistake in
the engine's picture of MEXC shows up as a difference.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from engine.clock import to_millis
from tests.fakes.mexc_books import (
    Account,
    Funds,
    Levels,
    Pair,
    Refused,
    Staleness,
    floor_to,
    missing,
)

ZERO = Decimal(0)
_CLIENT_ID = re.compile(r"[0-9a-zA-Z_-]{1,32}", re.ASCII)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_ID_EPOCH_MS = 1_615_782_235_866


@dataclass(slots=True, kw_only=True)
class LedgerOrder:
    """*hidden_lookups* more look-ups do not find it, nor does any before *visible_at*."""

    order_id: str
    client_order_id: str | None
    api_key: str
    symbol: str
    side: str
    price: Decimal
    orig_quantity: Decimal
    orig_quote: Decimal
    executed: Decimal
    spent: Decimal
    fee: Decimal
    status: str
    at: datetime
    fills: Levels
    hidden_lookups: int = 0
    visible_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A checked order: its *quantity*, its protection price, and how both looked to MEXC."""

    pair: Pair
    side: str
    quantity: Decimal
    bound: Decimal
    asked_quote: Decimal


class Ledger:
    """*invisible_lookups*, *invisible_for*, *stale_reads*, *stale_for* make it lag like MEXC.

    *fills_shown* is how many fills of an order `myTrades` knows; None: all of them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = count()
        self.pairs: dict[str, Pair] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: list[LedgerOrder] = []
        self.invisible_lookups = 0
        self.invisible_for = timedelta()
        self.fills_shown: int | None = None
        self.stale_reads = 0
        self.stale_for = timedelta()

    def pair(self, symbol: str | None, caller: Account | None) -> Pair:
        if not symbol:
            raise missing("symbol")
        pair = self.pairs.get(symbol)
        seen = pair and (not pair.hidden or (caller is not None and symbol in caller.zone))
        if pair is None or not seen:
            raise Refused(-1121, "Invalid symbol.")
        return pair

    def balances(self, account: Account) -> Mapping[str, Funds]:
        stale = account.shown
        if stale is None or (stale.reads <= 0 and self._now() >= stale.until):
            account.shown = None
            return account.funds
        stale.reads -= 1
        return stale.funds

    def find(
        self, account: Account, *, client_id: str | None, order_id: str | None
    ) -> LedgerOrder:
        for order in self.orders:
            mine = order.api_key == account.api_key
            if mine and (
                order.order_id == order_id if order_id else order.client_order_id == client_id
            ):
                if order.hidden_lookups > 0:
                    order.hidden_lookups -= 1
                elif self.is_visible(order):
                    return order
                break
        raise Refused(-2013, "Order does not exist.")

    def is_visible(self, order: LedgerOrder) -> bool:
        lagging = order.visible_at is not None and self._now() < order.visible_at
        return not lagging and order.hidden_lookups <= 0

    def check(self, account: Account, query: Mapping[str, str]) -> _Wanted:
        """What an order would be, or Refused; changes nothing."""
        pair = self.pair(query.get("symbol"), account)
        client_id = query.get("newClientOrderId")
        if client_id is not None and not _CLIENT_ID.fullmatch(client_id):
            raise Refused(700008, "Illegal characters found in parameter 'newClientOrderId'.")
        side = query.get("side", "")
        if side not in ("BUY", "SELL"):
            raise missing("side")
        self._check_open(pair, account, side=side, kind=query.get("type", ""))
        wanted = self._buy(pair, query) if side == "BUY" else self._sell(pair, query)
        if not (pair.asks if side == "BUY" else pair.bids):
            raise Refused(30025, "no exist opponent order")
        self._check_funds(account, wanted)
        return wanted

    def _check_open(self, pair: Pair, account: Account, *, side: str, kind: str) -> None:
        if account.pairs is not None and pair.symbol not in account.pairs:
            raise Refused(70011, "Pair user ban trade apikey.")
        if not pair.api_allowed:
            raise Refused(10007, "symbol not support api")
        if pair.status not in ("1", "ENABLED"):
            raise Refused(30016, "Trading disabled")
        if kind != "MARKET":
            raise missing("type") if not kind else Refused(30041, "Order type can not place.")
        if kind not in pair.order_types:
            raise Refused(30051, "api market order is disabled")
        if pair.side_type not in (1, 2 if side == "BUY" else 3):
            raise Refused(30001, "Current transaction direction is not allowed to place an order")

    def _buy(self, pair: Pair, query: Mapping[str, str]) -> _Wanted:
        quote = _number(query, "quoteOrderQty", other="quantity")
        _check_scale(quote, pair.quote_precision, " amount scale is invalid")
        bound = pair.last * Decimal("1.05")
        quantity = floor_to(quote / bound, pair.base_precision)
        _check_notional(pair, quote, quantity)
        return _Wanted(pair, "BUY", quantity, bound, quote)

    def _sell(self, pair: Pair, query: Mapping[str, str]) -> _Wanted:
        quantity = _number(query, "quantity", other="quoteOrderQty")
        _check_scale(quantity, pair.base_precision, "quantity scale is invalid")
        bound = pair.last * Decimal("0.95")
        _check_notional(pair, quantity * pair.last, quantity)
        return _Wanted(pair, "SELL", quantity, bound, quantity * bound)

    def _check_funds(self, account: Account, wanted: _Wanted) -> None:
        pair = wanted.pair
        if wanted.side == "SELL" and wanted.quantity > account.of(pair.base).free:
            raise Refused(30005, "Oversold")
        # MEXC: the funds must cover the purchase and its fee.
        cost = wanted.asked_quote * (1 + pair.taker_fee)
        if wanted.side == "BUY" and cost > account.of(pair.quote).free:
            raise Refused(30004, "Insufficient position")

    def place(self, account: Account, query: Mapping[str, str]) -> LedgerOrder:
        """Execute at once what the book has within 5 % of the last price; cancel the rest."""
        wanted = self.check(account, query)
        pair, now = wanted.pair, self._now()
        before = account.snapshot()
        fills = _match(wanted)
        executed = sum((quantity for _, quantity in fills), ZERO)
        spent = sum((price * quantity for price, quantity in fills), ZERO)
        fee = spent * pair.taker_fee
        base, quote = account.of(pair.base), account.of(pair.quote)
        if wanted.side == "BUY":
            base.free += executed
            quote.free -= spent + fee
        else:
            base.free -= executed
            quote.free += spent - fee
        if fills:
            pair.last = fills[-1][0]
            account.shown = Staleness(before, self.stale_reads, now + self.stale_for)
        order = LedgerOrder(
            order_id=self._new_order_id(now),
            client_order_id=query.get("newClientOrderId"),
            api_key=account.api_key,
            symbol=pair.symbol,
            side=wanted.side,
            price=floor_to(wanted.bound, pair.quote_precision),
            orig_quantity=wanted.quantity,
            orig_quote=wanted.asked_quote,
            executed=executed,
            spent=spent,
            fee=fee,
            status=_status(executed, wanted.quantity),
            at=now,
            fills=fills,
            hidden_lookups=self.invisible_lookups,
            visible_at=now + self.invisible_for,
        )
        # Whether MEXC refuses a second order with the same client id is unknown: here it does
        # not, so that a double order shows up as one.
        self.orders.append(order)
        return order

    def _new_order_id(self, now: datetime) -> str:
        snowflake = (max(0, to_millis(now) - _ID_EPOCH_MS) << 22) + next(self._numbers)
        return f"C02__{snowflake}015"


def _number(query: Mapping[str, str], name: str, *, other: str) -> Decimal:
    stated = query.get(name)
    if not stated or other in query or "price" in query:
        raise missing(name)
    if not _PLAIN.fullmatch(stated):
        raise Refused(33333, "param error")
    return Decimal(stated)


def _check_scale(value: Decimal, decimals: int, message: str) -> None:
    if value <= 0 or floor_to(value, decimals) != value:
        raise Refused(400, message)


def _check_notional(pair: Pair, notional: Decimal, quantity: Decimal) -> None:
    if notional < pair.min_notional or quantity <= 0 or quantity < Decimal(pair.base_size):
        least = f"{pair.min_notional:f}{pair.quote}"
        raise Refused(30002, f"The minimum transaction volume cannot be less than：{least}")
    if notional > pair.max_notional:
        most = f"{pair.max_notional:f}{pair.quote}"
        raise Refused(30003, f"The maximum transaction volume cannot be greater than：{most}")


def _match(wanted: _Wanted) -> Levels:
    pair, buying = wanted.pair, wanted.side == "BUY"
    left, fills, remaining = wanted.quantity, Levels(), Levels()
    for price, quantity in pair.asks if buying else pair.bids:
        reachable = price <= wanted.bound if buying else price >= wanted.bound
        taken = min(left, quantity) if reachable else ZERO
        left -= taken
        if taken:
            fills.append((price, taken))
        if quantity > taken:
            remaining.append((price, quantity - taken))
    if not pair.refills and buying:
        pair.asks = remaining
    elif not pair.refills:
        pair.bids = remaining
    return fills


def _status(executed: Decimal, wanted: Decimal) -> str:
    if executed == wanted:
        return "FILLED"
    return "PARTIALLY_CANCELED" if executed else "CANCELED"
