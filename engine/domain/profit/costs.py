"""What trades cost against the middle of the book that they were decided on, by month. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from enum import Enum
from typing import NamedTuple

from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.shortfall import Shortfall, shortfall
from engine.domain.market.decimals import EXACT_OR_LESS, ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.orders.order import Execution, Order
from engine.domain.profit.entries import BUY, Prices
from engine.domain.profit.steps import USUAL_FEE_RATE

MONTHS = 6
"""How many months are told, this one included."""
_QUOTIENT = Context(prec=28, rounding=ROUND_DOWN)


class NotKnown(Enum):
    """Why it is not known what a trade cost."""

    MIDDLE = "middle"  # it was not kept, or there was none
    FEES = "fees"  # not yet


class SettledOrder(NamedTuple):
    """What is kept of an order that has ended. *mid* is the middle it was decided at, *final* that
    of its end, *fee* what is known of its fees in USDT, *slice_number* its place in a trade over time.
    """

    at: datetime
    side: Side
    base: Decimal
    quote: Decimal
    asked_base: Decimal | None
    asked_quote: Decimal | None
    mid: Decimal | None
    final: Decimal | None
    fee: Decimal
    is_fee_known: bool
    mode: ExecutionMode = ExecutionMode.MARKET
    slice_number: int | None = None


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """The *sum* over the *orders* of one mode in a month: its parts of what was traded are weighted."""

    year: int
    month: int
    mode: ExecutionMode
    orders: int
    sum: Shortfall


@dataclass(frozen=True, slots=True)
class CostReport:
    """The newest month first. How many orders have no middle, and are in no sum; of how many the
    fees count at the usual rate; and of how many it is not known where the market went without them.
    """

    months: Sequence[MonthCosts]
    without_middle: int
    without_fees: int
    without_end: int


def cost_of(order: Order, coins: Prices) -> Shortfall | NotKnown | None:
    """Returns what *order* cost; None where nothing was traded. *coins* are for a fee in another
    coin whose price was not kept with it.
    """
    if not order.execution.base_quantity:
        return None
    settled = settled_order(order, coins)
    if settled.mid is None:
        return NotKnown.MIDDLE
    return _cost(settled, settled.mid) if settled.is_fee_known else NotKnown.FEES


def settled_order(order: Order, coins: Prices) -> SettledOrder:
    fees, fee = order.fees, None
    mid = order.price if order.top is None else order.top.mid
    if fees is not None and fees.complete:
        fee = fee_in_quote(
            fees.by_asset,
            at=order.created_at,
            base_asset=base_of(order.symbol),
            mid=mid,
            kept=order.fee_price,
            coins=coins,
        )
    return SettledOrder(
        order.created_at,
        order.side,
        order.execution.base_quantity,
        order.execution.quote_amount,
        order.asked_base,
        order.quote_amount,
        mid,
        order.final_mid,
        fee or ZERO,
        fee is not None,
        slice_number=order.slice_number,
    )


def fee_in_quote(
    fees: Mapping[Asset, Decimal],
    *,
    at: datetime,
    base_asset: Asset,
    mid: Decimal | None,
    kept: Decimal | None,
    coins: Prices,
) -> Decimal | None:
    """Returns the worth of *fees*, those in the token at the middle. Another coin's price was *kept*
    with the order, or is that of the hour; None where there is none.
    """
    worth = ZERO
    for asset, amount in fees.items():
        if asset == USDT:
            worth += amount
            continue
        price = mid if asset == base_asset else kept or coins.of(asset, at)
        if price is None:
            return None
        worth += amount * price
    return worth


class CostReckoning:
    """Takes settled orders, the oldest first, and adds them up by month in *zone* and by mode. The
    slices of a trade over time, of which an account has one at a time, count from its first one.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._month = (1, 1)
        self._until = datetime.min.replace(tzinfo=UTC)
        self._tallies: dict[tuple[int, int, ExecutionMode], _Tally] = {}
        self._without_middle = self._without_fees = self._without_end = 0
        self._last_slice: SettledOrder | None = None

    def take(self, orders: Iterable[SettledOrder]) -> None:
        with localcontext(EXACT_OR_LESS):
            for order in orders:
                self._add(order)

    def report(self) -> CostReport:
        found = [
            MonthCosts(*key, tally.orders, tally.sum())
            for key, tally in sorted(
                self._tallies.items(), key=lambda one: (-one[0][0], -one[0][1], one[0][2].value)
            )
        ]
        return CostReport(found, self._without_middle, self._without_fees, self._without_end)

    def _add(self, order: SettledOrder) -> None:
        if order.slice_number is not None:
            order = self._last_slice = self._from_first(order, order.slice_number)
        mid = order.mid
        if mid is None or not mid:
            self._without_middle += 1
            return
        if order.at >= self._until:
            self._month, self._until = _month(order.at, self._zone)
        key = (*self._month, order.mode)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        if not order.is_fee_known:
            usual = order.quote * USUAL_FEE_RATE
            order = order._replace(fee=max(order.fee, usual))
            self._without_fees += 1
        if tally.add(order, mid):
            self._without_end += 1

    def _from_first(self, order: SettledOrder, number: int) -> SettledOrder:
        last = self._last_slice
        if last is None or last.mid is None or last.side is not order.side:
            return order
        goes_on = last.slice_number is not None and last.slice_number < number
        return order._replace(mid=last.mid) if goes_on else order


class _Tally:
    """As the sum of what `shortfall` returns, but of 100,000 orders."""

    def __init__(self) -> None:
        self.orders = 0
        self.execution = self.fees = self.opportunity = self.intended = self.done = ZERO

    def add(self, order: SettledOrder, mid: Decimal) -> bool:
        """True if it is not known what became of the price for the part that was not done."""
        self.orders += 1
        done = order.base * mid
        is_buy = order.side is BUY
        self.execution += order.quote - done if is_buy else done - order.quote
        self.fees += order.fee
        self.done += done
        missing = _missing(order, mid)
        self.intended += done + missing * mid
        if not missing or order.final is None:
            return bool(missing)
        moved = (order.final - mid) * missing
        self.opportunity += moved if is_buy else -moved
        return False

    def sum(self) -> Shortfall:
        return Shortfall(self.execution, self.fees, self.opportunity, self.intended, self.done)


def _missing(order: SettledOrder, mid: Decimal) -> Decimal:
    """Returns the base that was asked for and not traded; of an amount, what it was worth then."""
    if order.asked_base is not None:
        return max(order.asked_base - order.base, ZERO)
    left = (order.asked_quote or ZERO) - order.quote
    return _QUOTIENT.divide(left, mid) if left > ZERO else ZERO


def _cost(order: SettledOrder, mid: Decimal) -> Shortfall:
    with localcontext(EXACT_OR_LESS):
        return shortfall(
            order.side,
            intended=order.base + _missing(order, mid),
            arrival=mid,
            done=Execution(order.base, order.quote),
            fees=order.fee,
            final=order.final,
        )


def first_month(now: datetime, zone: tzinfo) -> datetime:
    """Returns when the oldest month begins that is told."""
    local = now.astimezone(zone)
    months = local.year * 12 + local.month - MONTHS
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone).astimezone(UTC)


def _month(at: datetime, zone: tzinfo) -> tuple[tuple[int, int], datetime]:
    """Returns the year and month of *at*, and when the next one begins."""
    local = at.astimezone(zone)
    year, month = local.year, local.month
    after = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004
    return (year, month), datetime(*after, 1, tzinfo=zone).astimezone(UTC)
