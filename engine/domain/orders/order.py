"""An order's life: what was intended, what state it is in, and what came of it."""

import hashlib
from base64 import b32encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import NewType

from engine.domain.market.decimals import EXACT_OR_LESS, ZERO, is_positive
from engine.domain.market.pairs import USDT, Asset, OrderType, Side, Symbol, base_of
from engine.domain.orders.ledger import EndReason, TopOfBook

ClientOrderId = NewType("ClientOrderId", str)
AccountId = NewType("AccountId", int)

# How long after its time stamp the exchange still accepts a signed order, and what we allow
# beyond that for an accepted order to become visible (reliability.md 1.3 R5).
RECV_WINDOW = timedelta(seconds=5)
VISIBILITY_MARGIN = timedelta(seconds=10)
MISSES_NEEDED = 2
MISS_SPACING = timedelta(seconds=2)
NEEDS_HUMAN_AFTER = timedelta(minutes=15)
# Waiting does not explain a status that the exchange does not document.
STATUS_NEEDS_HUMAN_AFTER = timedelta(minutes=1)


class OrderState(Enum):
    PLANNED = "planned"
    SENDING = "sending"
    ACKED = "acked"
    UNKNOWN = "unknown"
    NEEDS_HUMAN = "needs_human"
    FILLED = "filled"
    PARTIAL = "partial"
    UNFILLED = "unfilled"
    REJECTED = "rejected"
    NOT_EXECUTED = "not_executed"
    SET_ASIDE = "set_aside"  # by a user, who checked the order at the exchange
    DROPPED = "dropped"


# In one of these states an order blocks its account (a partial unique index ensures it).
UNRESOLVED = frozenset(
    {OrderState.SENDING, OrderState.ACKED, OrderState.UNKNOWN, OrderState.NEEDS_HUMAN}
)
FINAL = frozenset(OrderState) - UNRESOLVED - {OrderState.PLANNED}
_SETTLED = frozenset({OrderState.FILLED, OrderState.PARTIAL, OrderState.UNFILLED})
_ENDS: Mapping[OrderState, EndReason] = {
    OrderState.FILLED: EndReason.FILLED,
    OrderState.REJECTED: EndReason.REFUSED,
    OrderState.NOT_EXECUTED: EndReason.NEVER_ARRIVED,
}

LEGAL: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.PLANNED: frozenset({OrderState.SENDING, OrderState.DROPPED}),
    # Provably unsent: back to planned would invite a second POST, so it is dropped instead.
    OrderState.SENDING: frozenset(
        {OrderState.ACKED, OrderState.UNKNOWN, OrderState.REJECTED, OrderState.DROPPED}
    ),
    OrderState.ACKED: _SETTLED | {OrderState.NEEDS_HUMAN},
    OrderState.UNKNOWN: _SETTLED
    | {OrderState.ACKED, OrderState.NOT_EXECUTED, OrderState.NEEDS_HUMAN},
    OrderState.NEEDS_HUMAN: _SETTLED | {OrderState.NOT_EXECUTED, OrderState.SET_ASIDE},
    **{state: frozenset() for state in FINAL},
}


class Trigger(Enum):
    """What caused the check: the interval, or a user's tap."""

    INTERVAL = "interval"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Fees:
    """Commissions of one order by the asset they were taken in (USDT, or MX with deduction on).

    *complete* is False where some of the order's fills were not seen: the true fees are higher.
    *fills* are those that were, as far as they were just read.
    """

    by_asset: Mapping[Asset, Decimal]
    complete: bool = True
    fills: Sequence["Fill"] = field(default=(), compare=False)

    def in_asset(self, asset: Asset) -> Decimal:
        return self.by_asset.get(asset, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of an order: *quantity* in base, and the *fee* it cost in *fee_asset*."""

    trade_id: str
    at: datetime
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: Asset
    is_maker: bool = False


def fees_of(fills: Collection[Fill], *, executed: Decimal) -> Fees:
    """The sum of *fills*, each counted once; complete if they are all that was *executed*."""
    by_id = {fill.trade_id: fill for fill in fills}
    distinct = sorted(by_id.values(), key=lambda fill: (fill.at, fill.trade_id))
    by_asset: dict[Asset, Decimal] = {}
    for fill in distinct:
        by_asset[fill.fee_asset] = by_asset.get(fill.fee_asset, ZERO) + fill.fee
    seen = sum((fill.quantity for fill in distinct), ZERO)
    return Fees(by_asset, complete=seen >= executed, fills=tuple(distinct))


@dataclass(frozen=True, slots=True)
class Execution:
    """The executed amounts: base and quote moved (before fees)."""

    base_quantity: Decimal
    quote_amount: Decimal

    def __post_init__(self) -> None:
        for amount in (self.base_quantity, self.quote_amount):
            if not amount.is_finite() or amount < ZERO:
                raise ValueError(f"an execution cannot be {amount}")

    @property
    def average_price(self) -> Decimal | None:
        return self.quote_amount / self.base_quantity if self.base_quantity else None


NOTHING = Execution(ZERO, ZERO)


def can_be_of(execution: Execution, fees: Fees, *, symbol: Symbol) -> bool:
    """No fee is as large as what was traded: where one reads so, the fees are not known."""
    traded = {USDT: execution.quote_amount, base_of(symbol): execution.base_quantity}
    return all(
        fee <= ZERO or fee < traded.get(asset, fee + 1) for asset, fee in fees.by_asset.items()
    )


def coin_of(fees: Fees | None, symbol: Symbol) -> Asset | None:
    """Returns the coin that is none of the pair and paid a fee, as MX does."""
    own = {USDT, base_of(symbol)}
    return next((asset for asset in (fees.by_asset if fees else ()) if asset not in own), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedTerms:
    """Trade *base_quantity* at *price* or better, by an order of that type. *average* is what the
    book had for it; *widened* says that *price* is beyond what the user set. *guard* is how far from
    the middle it might go, as a fraction, *cost_bp* what it was expected to cost, with its fee.
    """

    order_type: OrderType
    price: Decimal
    base_quantity: Decimal
    average: Decimal
    widened: bool = False
    guard: Decimal | None = field(default=None, compare=False)
    cost_bp: Decimal | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.order_type is OrderType.MARKET:
            raise ValueError("a MARKET order has no price")
        if not all(map(is_positive, (self.price, self.base_quantity, self.average))):
            raise ValueError("an order with a price has a price and a quantity above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as stored before it left, and all that is known of it since.

    A buy asks for *quote_amount*, a sell for *base_quantity*; the other one is None. An order with
    a price has *priced*, and goes by that. *fence* is the lease's number under which it may be
    sent. *price* is what the token cost when it was planned, *move_bp* how far the prices of that
    moment lay apart, in basis points rounded up. *cancelling_since* is stored before a cancellation
    leaves. *account_version* is the account's as it was planned for. *leg* is its place among the orders of the run that *run_id* names, where it is of one.
    One of a trade over time is *slice_number* of *slices*.

    *top* is the book it was decided on, None before 0.9.0; *final_mid* the middle when it had ended,
    where that was read. *fee_price* is what a coin that is none of the pair cost then, if it paid a
    fee.
    """

    client_order_id: ClientOrderId
    account_id: AccountId
    run_id: str
    attempt: int
    symbol: Symbol
    side: Side
    quote_amount: Decimal | None
    base_quantity: Decimal | None
    expected_quote: Decimal
    dry_run: bool
    trigger: Trigger
    fence: int
    target: Decimal
    quote_before: Decimal
    base_before: Decimal
    created_at: datetime
    price: Decimal | None = None
    move_bp: int = 0
    state: OrderState = OrderState.PLANNED
    sent_at: datetime | None = None
    exchange_order_id: str | None = None
    execution: Execution = NOTHING
    fees: Fees | None = None
    quote_after: Decimal | None = None
    base_after: Decimal | None = None
    resolved_at: datetime | None = None
    misses: int = 0
    missed_at: datetime | None = None
    error: str | None = None
    priced: PricedTerms | None = None
    cancelling_since: datetime | None = None
    leg: int | None = None
    top: TopOfBook | None = None
    acknowledged_at: datetime | None = None
    end_reason: EndReason | None = None
    final_mid: Decimal | None = None
    fee_price: Decimal | None = None
    slice_number: int | None = None
    slices: int | None = None
    account_version: int | None = None

    def __post_init__(self) -> None:
        if (self.side is Side.BUY) != (self.quote_amount is not None):
            raise ValueError("a buy names the quote to spend, a sell does not")
        if (self.side is Side.SELL) != (self.base_quantity is not None):
            raise ValueError("a sell names the base to sell, a buy does not")
        if self.base_quantity is not None and self.asked_base != self.base_quantity:
            raise ValueError("a sell has one quantity")

    @property
    def order_type(self) -> OrderType:
        return OrderType.MARKET if self.priced is None else self.priced.order_type

    @property
    def was_unclear(self) -> bool:
        """True if the chat was told that its outcome is not known, while it is not resolved."""
        return self.error is not None or self.state is OrderState.NEEDS_HUMAN

    @property
    def spends(self) -> Asset:
        return USDT if self.side is Side.BUY else base_of(self.symbol)

    @property
    def asked_base(self) -> Decimal | None:
        """Returns the quantity that was asked for; None for a buy that asked for an amount."""
        return self.base_quantity if self.priced is None else self.priced.base_quantity

    @property
    def most_quote(self) -> Decimal:
        """Returns what the limits count: all that a buy may spend before its fee."""
        return most_quote(self.side, self.expected_quote, self.priced)


def most_quote(side: Side, expected_quote: Decimal, priced: PricedTerms | None) -> Decimal:
    """Returns all that a buy may spend before its fee, or what a sell is expected to bring."""
    if side is Side.SELL or priced is None:
        return expected_quote
    return max(expected_quote, EXACT_OR_LESS.multiply(priced.base_quantity, priced.price))


def client_order_id(*, account_uuid: str, run_id: str, attempt: int) -> ClientOrderId:
    """Deterministic, so that the same decision written twice collides instead of doubling.

    28 characters of what MEXC allows: `^[0-9a-zA-Z_-]{1,32}$`.
    """
    digest = hashlib.sha256(f"{account_uuid}:{run_id}:{attempt}".encode()).digest()
    return ClientOrderId("bl" + b32encode(digest).decode().lower()[:26])


def settled_state(execution: Execution, *, complete: bool) -> OrderState:
    """Returns the final state of an order that the exchange reports as ended."""
    if execution.base_quantity == ZERO:
        return OrderState.UNFILLED
    return OrderState.FILLED if complete else OrderState.PARTIAL


def end_reason_of(intent: Order, state: OrderState) -> EndReason | None:
    """Returns why *intent* has ended in *state*; None where that says nothing of it."""
    if state in _SETTLED - {OrderState.FILLED}:
        if intent.end_reason is not None:
            return intent.end_reason
        if intent.order_type.may_rest:  # its own end would have left a reason
            return EndReason.ELSEWHERE if intent.execution.base_quantity else EndReason.CROSSED
        is_cancelled = intent.cancelling_since is not None
        return EndReason.NOT_HONOURED if is_cancelled else EndReason.BOUND
    return _ENDS.get(state)


def may_conclude_absence(intent: Order, *, exchange_time: datetime) -> bool:
    """True if "not found" is conclusive: the signed order can no longer be accepted."""
    if intent.sent_at is None:
        return True
    return exchange_time > intent.sent_at + RECV_WINDOW + VISIBILITY_MARGIN
