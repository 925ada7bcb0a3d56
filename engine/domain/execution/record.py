"""What the ledger keeps of each order at a bound: enough to tell later what it cost, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.execution.bounded_order import Arrival, BoundedOrder
from engine.domain.execution.shortfall import Shortfall, shortfall
from engine.domain.market.decimals import EXACT_OR_LESS, ZERO
from engine.domain.market.order_book import PriceLevel
from engine.domain.market.pairs import USDT, Asset, OrderType, Side

MX = Asset("MX")


class EndReason(Enum):
    """Why an order has ended."""

    FILLED = "filled"
    BOUND = "bound"  # nothing more was offered within it
    DEADLINE = "deadline"
    PAUSE = "pause"
    CROSSED = "crossed"  # a maker order that would have traded at once
    HALT = "halt"
    REPLANNED = "replanned"  # the plan wants another order, or none
    STOPPED = "stopped"  # with the process
    NOT_HONOURED = "not honoured"  # an IOC that rested all the same
    ELSEWHERE = "elsewhere"  # cancelled by the user, or by the exchange
    REFUSED = "refused"
    NEVER_ARRIVED = "never arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFill:
    """One trade of an order. *fee* is in *fee_asset*; *fee_value* its worth in USDT at that moment,
    *mx_price* what was used for it where the asset is MX. None where it is not known.
    """

    trade_id: str
    at: datetime
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: Asset
    is_maker: bool
    fee_value: Decimal | None = None
    mx_price: Decimal | None = None

    @property
    def quote_amount(self) -> Decimal:
        return EXACT_OR_LESS.multiply(self.price, self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """An order as it was decided. *plan_id* and *leg* place it in its plan, *slice_number* of
    *slices* in its trade over time. *expected_average* and *expected_cost_bp* were shown before.
    """

    plan_id: str
    leg: int
    side: Side
    order_type: OrderType
    bound: Decimal
    quantity: Decimal
    guard: Decimal
    arrival: Arrival
    expected_average: Decimal
    expected_cost_bp: Decimal
    slice_number: int = 1
    slices: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.slice_number <= self.slices:
            raise ValueError(f"there is no slice {self.slice_number} of {self.slices}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimes:
    """Each None where it did not happen, or is not known."""

    sent: datetime | None = None
    acknowledged: datetime | None = None
    cancel_asked: datetime | None = None
    terminal: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """An order that has ended. *final_mid* is the middle of the book then."""

    terms: OrderTerms
    times: OrderTimes
    end: EndReason
    fills: tuple[LegFill, ...]
    quote_before: Decimal
    base_before: Decimal
    quote_after: Decimal | None = None
    base_after: Decimal | None = None
    final_mid: Decimal | None = None

    @property
    def executed(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def quote_amount(self) -> Decimal:
        with localcontext(EXACT_OR_LESS):
            return sum((fill.quote_amount for fill in self.fills), ZERO)

    @property
    def average(self) -> Decimal | None:
        return self.quote_amount / self.executed if self.fills else None

    def fees(self, *, usual_rate: Decimal) -> Decimal:
        """Returns the fees in USDT; one that is not known yet counts at the pair's *usual_rate*."""
        with localcontext(EXACT_OR_LESS):
            return sum((_fee_value(fill, usual_rate=usual_rate) for fill in self.fills), ZERO)


def shortfall_of(
    records: Sequence[ExecutionRecord], *, usual_rate: Decimal, intended: Decimal | None = None
) -> Shortfall:
    """Returns what one decision cost, whose *records* are its slices and retries, the first first.

    It is measured from the first one's arrival, to the last one's end. *intended* is the base of
    the whole decision, without which it is that of the first order.
    """
    first = records[0].terms
    fills = distinct(fill for record in records for fill in record.fills)
    with localcontext(EXACT_OR_LESS):
        fees = sum((record.fees(usual_rate=usual_rate) for record in records), ZERO)
    return shortfall(
        first.side,
        intended=first.quantity if intended is None else intended,
        arrival=first.arrival.mid,
        fills=[PriceLevel(fill.price, fill.quantity) for fill in fills],
        fees=fees,
        final=records[-1].final_mid,
    )


def terms_of(
    order: BoundedOrder, *, plan_id: str, leg: int, slice_number: int = 1, slices: int = 1
) -> OrderTerms:
    """Returns what is kept of a decided *order* before it is sent."""
    return OrderTerms(
        plan_id=plan_id,
        leg=leg,
        slice_number=slice_number,
        slices=slices,
        side=order.side,
        order_type=order.order_type,
        bound=order.price,
        quantity=order.base_quantity,
        guard=order.slippage,
        arrival=order.arrival,
        expected_average=order.expected.average,
        expected_cost_bp=order.cost_bp,
    )


def distinct(fills: Iterable[LegFill]) -> tuple[LegFill, ...]:
    """Each trade once, the oldest first: pages of the exchange's history overlap."""
    return tuple(sorted({fill.trade_id: fill for fill in fills}.values(), key=_moment))


def _moment(fill: LegFill) -> tuple[datetime, str]:
    return fill.at, fill.trade_id


def _fee_value(fill: LegFill, *, usual_rate: Decimal) -> Decimal:
    if fill.fee_value is not None:
        return fill.fee_value
    if fill.fee_asset == USDT:
        return fill.fee
    if fill.fee_asset == MX and fill.mx_price is not None:
        return fill.fee * fill.mx_price
    return fill.quote_amount * usual_rate
