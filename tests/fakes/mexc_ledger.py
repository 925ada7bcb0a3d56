"""How the fake MEXC checks, executes and cancels orders, and which of them it remembers.

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
from tests.fakes.mexc_journal import Journal

ZERO = Decimal(0)
_CLIENT_ID = re.compile(r"[0-9a-zA-Z_-]{1,32}", re.ASCII)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_ID_EPOCH_MS = 1_615_782_235_866
_OPEN = ("NEW", "PARTIALLY_FILLED")
_PRICED = ("LIMIT", "LIMIT_MAKER", "IMMEDIATE_OR_CANCEL")


@dataclass(frozen=True, slots=True)
class LedgerFill:
    price: Decimal
    quantity: Decimal
    fee: Decimal
    at: datetime
    is_maker: bool = False


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
    fills: list[LedgerFill]
    kind: str = "MARKET"
    updated_at: datetime | None = None
    hidden_lookups: int = 0
    visible_at: datetime | None = None

    @property
    def left(self) -> Decimal:
        """What rests of it."""
        return self.orig_quantity - self.executed if self.status in _OPEN else ZERO


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A checked order: its *quantity*, its (protection) price, and how both looked to MEXC."""

    pair: Pair
    side: str
    quantity: Decimal
    bound: Decimal
    asked_quote: Decimal
    kind: str = "MARKET"

    @property
    def may_rest(self) -> bool:
        return self.kind in ("LIMIT", "LIMIT_MAKER")


class Ledger:
    """*invisible_lookups*, *invisible_for*, *stale_reads*, *stale_for* make it lag like MEXC.

    *fills_shown* is how many fills of an order `myTrades` knows; None: all of them. What MEXC does
    with a LIMIT_MAKER that would trade at once is not known: *refuses_crossing*, or it is taken
    and cancelled. *ioc_rests*: an IMMEDIATE_OR_CANCEL is not honoured.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = count()
        self.journal = Journal(now)
        self.pairs: dict[str, Pair] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: list[LedgerOrder] = []
        self.invisible_lookups = 0
        self.invisible_for = timedelta()
        self.fills_shown: int | None = None
        self.stale_reads = 0
        self.stale_for = timedelta()
        self.refuses_crossing = True
        self.ioc_rests = False

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
            return self._without_unseen(account) if account.unseen else account.funds
        stale.reads -= 1
        return stale.funds

    def _without_unseen(self, account: Account) -> Mapping[str, Funds]:
        """The balances before the changes that REST does not show yet."""
        account.unseen = [(at, moved) for at, moved in account.unseen if self._now() < at]
        shown = account.snapshot()
        for _, moved in account.unseen:
            funds = shown[moved.asset]
            funds.free -= moved.free_change
            funds.locked -= moved.locked_change
        return shown

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
        kind = query.get("type", "")
        self._check_open(pair, account, side=side, kind=kind)
        if kind in _PRICED:
            wanted = self._priced(pair, query, side=side, kind=kind)
        else:
            wanted = self._buy(pair, query) if side == "BUY" else self._sell(pair, query)
            if not (pair.asks if side == "BUY" else pair.bids):
                raise Refused(30025, "no exist opponent order")
        self._check_funds(account, wanted)
        if kind == "LIMIT_MAKER" and self.refuses_crossing and _reachable(wanted):
            raise Refused(400, "order would immediately match")
        return wanted

    def _check_open(self, pair: Pair, account: Account, *, side: str, kind: str) -> None:
        if account.pairs is not None and pair.symbol not in account.pairs:
            raise Refused(70011, "Pair user ban trade apikey.")
        if not pair.api_allowed:
            raise Refused(10007, "symbol not support api")
        if pair.status not in ("1", "ENABLED"):
            raise Refused(30016, "Trading disabled")
        if not kind:
            raise missing("type")
        if kind == "MARKET" and kind not in pair.order_types:
            raise Refused(30051, "api market order is disabled")
        if kind not in (*pair.order_types, *(("IMMEDIATE_OR_CANCEL",) if pair.ioc else ())):
            raise Refused(30041, "Order type can not place.")
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

    def _priced(self, pair: Pair, query: Mapping[str, str], *, side: str, kind: str) -> _Wanted:
        """`timeInForce` is accepted and ignored, as by the real one."""
        quantity, price = (_plain_number(query, name) for name in ("quantity", "price"))
        _check_scale(quantity, pair.base_precision, "quantity scale is invalid")
        _check_scale(price, pair.quote_precision, " price scale is invalid")
        if pair.price_band is not None and abs(price / pair.last - 1) > pair.price_band:
            raise Refused(30087, "Order price exceeds allowed range")
        notional = (pair.limit_min_notional, pair.limit_max_notional)
        _check_notional(pair, quantity * price, quantity, limits=notional)
        return _Wanted(pair, side, quantity, price, quantity * price, kind)

    def _check_funds(self, account: Account, wanted: _Wanted) -> None:
        pair = wanted.pair
        if wanted.side == "SELL" and wanted.quantity > account.of(pair.base).free:
            raise Refused(30005, "Oversold")
        # MEXC: the funds must cover the purchase and its fee.
        cost = wanted.asked_quote * (1 + pair.taker_fee)
        if wanted.side == "BUY" and cost > account.of(pair.quote).free:
            raise Refused(30004, "Insufficient position")

    def place(self, account: Account, query: Mapping[str, str]) -> LedgerOrder:
        """Execute at once what the book has within the order's price: of a MARKET order, 5 % from
        the last one. What is left rests if its type may, and is cancelled otherwise.
        """
        wanted = self.check(account, query)
        pair, now = wanted.pair, self._now()
        before = account.snapshot()
        crosses_as_maker = wanted.kind == "LIMIT_MAKER" and bool(_reachable(wanted))
        rests = wanted.may_rest or (self.ioc_rests and wanted.kind == "IMMEDIATE_OR_CANCEL")
        order = LedgerOrder(
            order_id=self._new_order_id(now),
            client_order_id=query.get("newClientOrderId"),
            api_key=account.api_key,
            symbol=pair.symbol,
            side=wanted.side,
            kind=wanted.kind,
            price=floor_to(wanted.bound, pair.quote_precision),
            orig_quantity=wanted.quantity,
            orig_quote=wanted.asked_quote,
            executed=ZERO,
            spent=ZERO,
            fee=ZERO,
            status="NEW",
            at=now,
            fills=[],
            hidden_lookups=self.invisible_lookups,
            visible_at=now + self.invisible_for,
        )
        with self.journal.operation():
            locked = order.orig_quote if order.side == "BUY" else order.orig_quantity
            _lock(account, pair, order, locked, "ENTRUST_PLACE")
            self.journal.order(account, order)
            for price, quantity in [] if crosses_as_maker else _match(wanted):
                fee_rate = pair.taker_fee
                self._trade(account, order, price=price, quantity=quantity, fee_rate=fee_rate)
            if order.fills:
                account.shown = Staleness(before, self.stale_reads, now + self.stale_for)
            ends = order.left and (crosses_as_maker or not rests)
            if ends:
                order.status = "PARTIALLY_CANCELED" if order.executed else "CANCELED"
            used = order.spent if order.side == "BUY" else order.executed
            _lock(account, pair, order, used + _resting(order) - locked, "ENTRUST_UNFROZEN")
            if ends:
                self.journal.order(account, order)
        # Whether MEXC refuses a second order with the same client id is unknown: here it does
        # not, so that a double order shows up as one.
        self.orders.append(order)
        return order

    def fill(self, order: LedgerOrder, quantity: Decimal | None = None) -> None:
        """Somebody takes *quantity* (None: the rest) of an order that rests, at its price."""
        account, pair = self.accounts[order.api_key], self.pairs[order.symbol]
        quantity = order.left if quantity is None else min(quantity, order.left)
        if not quantity:
            return
        before = account.snapshot()
        with self.journal.operation():
            self._trade(
                account,
                order,
                price=order.price,
                quantity=quantity,
                fee_rate=pair.maker_fee,
                maker=True,
            )
        account.shown = Staleness(before, self.stale_reads, self._now() + self.stale_for)

    def fill_crossed(self, symbol: str) -> None:
        """What rests in *symbol* is taken by what the book has at its price by now."""
        pair = self.pairs[symbol]
        for order in [order for order in self.orders if order.symbol == symbol and order.left]:
            buys = order.side == "BUY"
            levels = pair.asks if buys else pair.bids
            at_its_price = [
                quantity
                for price, quantity in levels
                if (price <= order.price if buys else price >= order.price)
            ]
            self.fill(order, sum(at_its_price, ZERO))

    def cancel(
        self, account: Account, *, client_id: str | None, order_id: str | None
    ) -> LedgerOrder:
        try:
            order = self.find(account, client_id=client_id, order_id=order_id)
        except Refused as e:
            raise Refused(-2011, "Unknown order sent.") from e
        if not order.left:
            raise Refused(-2011, "Unknown order sent.")
        with self.journal.operation():
            _lock(account, self.pairs[order.symbol], order, -_resting(order), "ENTRUST_CANCEL")
            order.status = "PARTIALLY_CANCELED" if order.executed else "CANCELED"
            order.updated_at = self._now()
            self.journal.order(account, order)
        return order

    def levels(self, pair: Pair, side: str) -> Levels:
        """Returns what the public sees: the pair's own levels, and the orders that rest."""
        own = pair.bids if side == "BUY" else pair.asks
        resting = [
            (order.price, order.left)
            for order in self.orders
            if (order.symbol, order.side) == (pair.symbol, side) and order.left
        ]
        if not resting:
            return own
        found: dict[Decimal, Decimal] = {}
        for price, quantity in [*own, *resting]:
            found[price] = found.get(price, ZERO) + quantity
        return sorted(found.items(), reverse=side == "BUY")

    def _trade(
        self,
        account: Account,
        order: LedgerOrder,
        *,
        price: Decimal,
        quantity: Decimal,
        fee_rate: Decimal,
        maker: bool = False,
    ) -> None:
        """What it costs was locked before, but for the fee."""
        pair, now, value = self.pairs[order.symbol], self._now(), price * quantity
        base, quote = account.of(pair.base), account.of(pair.quote)
        if order.side == "BUY":
            quote.move(locked=-value, kind="ENTRUST")
            base.move(free=quantity, kind="ENTRUST")
        else:
            base.move(locked=-quantity, kind="ENTRUST")
            quote.move(free=value, kind="ENTRUST")
        quote.move(free=-value * fee_rate, kind="TRADE_FEE")
        order.fills.append(LedgerFill(price, quantity, value * fee_rate, now, maker))
        order.executed += quantity
        order.spent += value
        order.fee += value * fee_rate
        order.updated_at = now
        is_whole = order.executed == order.orig_quantity
        order.status = "FILLED" if is_whole else "PARTIALLY_FILLED"
        pair.last = price
        self.journal.order(account, order, quantity)
        self.journal.dealt(account, order)

    def _new_order_id(self, now: datetime) -> str:
        snowflake = (max(0, to_millis(now) - _ID_EPOCH_MS) << 22) + next(self._numbers)
        return f"C02__{snowflake}015"


def _resting(order: LedgerOrder) -> Decimal:
    """What is locked for the rest of it."""
    return order.left * order.price if order.side == "BUY" else order.left


def _lock(account: Account, pair: Pair, order: LedgerOrder, amount: Decimal, kind: str) -> None:
    """Below zero, it is free again."""
    funds = account.of(pair.quote if order.side == "BUY" else pair.base)
    funds.move(free=-amount, locked=amount, kind=kind)


def _number(query: Mapping[str, str], name: str, *, other: str) -> Decimal:
    if other in query or "price" in query:
        raise missing(name)
    return _plain_number(query, name)


def _plain_number(query: Mapping[str, str], name: str) -> Decimal:
    stated = query.get(name)
    if not stated:
        raise missing(name)
    if not _PLAIN.fullmatch(stated):
        raise Refused(33333, "param error")
    return Decimal(stated)


def _check_scale(value: Decimal, decimals: int, message: str) -> None:
    if value <= 0 or floor_to(value, decimals) != value:
        raise Refused(400, message)


def _check_notional(
    pair: Pair,
    notional: Decimal,
    quantity: Decimal,
    *,
    limits: tuple[Decimal, Decimal] | None = None,
) -> None:
    lowest, highest = limits or (pair.min_notional, pair.max_notional)
    if notional < lowest or quantity <= 0 or quantity < Decimal(pair.base_size):
        least = f"{lowest:f}{pair.quote}"
        raise Refused(30002, f"The minimum transaction volume cannot be less than：{least}")
    if notional > highest:
        most = f"{highest:f}{pair.quote}"
        raise Refused(30003, f"The maximum transaction volume cannot be greater than：{most}")


def _reachable(wanted: _Wanted) -> Levels:
    """Returns the levels that the order's price takes in."""
    if wanted.side == "BUY":
        return [level for level in wanted.pair.asks if level[0] <= wanted.bound]
    return [level for level in wanted.pair.bids if level[0] >= wanted.bound]


def _match(wanted: _Wanted) -> Levels:
    pair, buying = wanted.pair, wanted.side == "BUY"
    left, fills, remaining = wanted.quantity, Levels(), Levels()
    reachable = _reachable(wanted)
    for level in pair.asks if buying else pair.bids:
        price, quantity = level
        taken = min(left, quantity) if level in reachable else ZERO
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
