"""Plans one order or none from balances, settings and the market.

Pure: no clock, no network, no randomness. The same function previews a trade for the user, checks
the account every interval, and can be replayed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from enum import Enum
from typing import Self

from engine.domain.accounts.deposits import WaitingDeposit, held_back
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bounded_order import BoundedOrder, NoOfferNear
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.decimals import (
    CENT,
    EXACT_OR_LESS,
    ONE,
    ZERO,
    ceil_to_step,
    floor_to_step,
    step_of,
)
from engine.domain.market.order_book import (
    OrderBook,
    base_bought,
    priced_at_least,
    quantity_to_receive,
    quote_received,
)
from engine.domain.market.pairs import USDT, Asset, PairRules, Side
from engine.domain.portfolio.plan import PortfolioReason
from engine.domain.targets.destination import Edges
from engine.domain.targets.pacing import PaceReason
from engine.domain.targets.protection import NotCovered, without_protected
from engine.domain.targets.usdt_goal import UsdtGoal

# MEXC executes a MARKET order no further than this from the last trade, so a sell gets no worse
# prices. Sized by worse ones, it would sell far too much if a better bid came in between.
MARKET_REACH = Decimal("0.05")
# A buy is divided by the price at the end of that reach and may execute that much less than was
# asked, so an order exactly at the minimum could be refused.
MINIMUM_MARGIN = Decimal("1.1")
# It is undocumented whether the fee comes out of quoteOrderQty or on top: keep this much free.
FEE_RESERVE = Decimal("0.001")
# Estimates are shown and kept, never sent.
_ESTIMATE_STEP = step_of(8)


@dataclass(frozen=True, slots=True)
class InsideBand:
    """Held is at the target or near enough."""


@dataclass(frozen=True, slots=True)
class DepositWaits:
    """All that is out of the band is *amount* of a deposit, not to be traded before *until*."""

    amount: Decimal
    until: datetime


@dataclass(frozen=True, slots=True)
class PairClosed:
    """The pair takes no market orders from API keys at all."""


@dataclass(frozen=True, slots=True)
class SideClosed:
    side: Side


@dataclass(frozen=True, slots=True)
class EmptyBook:
    """No counterpart: no asks for a buy, no bids for a sell."""

    side: Side


@dataclass(frozen=True, slots=True)
class NothingFree:
    """Too little of the order's asset is free for the exchange's minimum.
    *locked* of it is in open orders.
    """

    side: Side
    free: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class UnderMinimum:
    """The order would be worth *quote_amount*, under the *minimum* that is sure to be accepted."""

    side: Side
    quote_amount: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class StepTooCoarse:
    """One step of the token is worth *step_value*: selling it would overshoot the band."""

    step_value: Decimal
    shortfall: Decimal


class LimitKind(Enum):
    """Kind of limit. JUMP and SLIP are one price limit.
    JUMP is the distance from the last price, SLIP of this order from the middle of the book.
    """

    ORDER = "order"
    DAY = "day"
    HOUR = "hour"
    JUMP = "jump"
    SLIP = "slip"


@dataclass(frozen=True, slots=True)
class OverLimit:
    """The order would break a limit, so it is not sent at all; it is never made smaller to fit.

    *asked* is what this order adds to what is *used* already: USDT, orders, or a fraction of the
    price. *allowed* is the limit.
    """

    kind: LimitKind
    asked: Decimal
    allowed: Decimal
    used: Decimal = ZERO


Reason = (
    InsideBand
    | DepositWaits
    | PairClosed
    | SideClosed
    | EmptyBook
    | NothingFree
    | UnderMinimum
    | StepTooCoarse
    | NotCovered
    | OverLimit
    | NoOfferNear
    | PortfolioReason
    | SlicesRun
    | PaceReason
)


def is_closed(reason: Reason) -> bool:
    """True if the pair itself prevents trading."""
    return isinstance(reason, PairClosed | SideClosed)


@dataclass(frozen=True, slots=True)
class MarketBuy:
    """Spend *quote_amount*, expecting about *expected_base* for it."""

    quote_amount: Decimal
    expected_base: Decimal

    @property
    def side(self) -> Side:
        return Side.BUY

    @property
    def expected_quote(self) -> Decimal:
        return self.quote_amount


@dataclass(frozen=True, slots=True)
class MarketSell:
    """Sell *base_quantity*, expecting about *expected_quote* after the fee."""

    base_quantity: Decimal
    expected_quote: Decimal

    @property
    def side(self) -> Side:
        return Side.SELL


ProposedOrder = MarketBuy | MarketSell | BoundedOrder
# Of a side and an amount of USDT, with what is held; a sell may bring as much as the third says.
Sizing = Callable[[Side, Decimal, Decimal, Holdings], ProposedOrder | Reason]


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly one of *order* and *reason* is set."""

    held: Decimal
    order: ProposedOrder | None = None
    reason: Reason | None = None

    def __post_init__(self) -> None:
        if (self.order is None) == (self.reason is None):
            raise ValueError("a plan has an order or a reason, not both and not neither")

    @classmethod
    def of(cls, held: Decimal, outcome: ProposedOrder | Reason) -> Self:
        if isinstance(outcome, ProposedOrder):
            return cls(held=held, order=outcome)
        return cls(held=held, reason=outcome)


def at_rest(
    holdings: Holdings, settings: Settings, waiting: WaitingDeposit | None = None
) -> InsideBand | DepositWaits | None:
    """Returns why nothing is to be traded; None if the drift justifies reading the market."""
    edges = goal_of(settings).edges
    holdings = settings.managed(holdings)
    with localcontext(EXACT_OR_LESS):
        held = holdings.of(USDT).counted(settings.counting)
        waits = held_back(held, target=edges.rest, waiting=waiting)
        return _rests(held, waits, edges, waiting) if edges.holds(held - waits) else None


def _rests(
    held: Decimal, waits: Decimal, edges: Edges, waiting: WaitingDeposit | None
) -> InsideBand | DepositWaits:
    if waiting is None or edges.holds(held):
        return InsideBand()
    return DepositWaits(waits, waiting.until)


def goal_of(settings: Settings) -> UsdtGoal:
    """Returns the fixed target of *settings*, and where trades lead. Raises ValueError where it is
    planned as a portfolio.
    """
    fixed = settings.fixed_goal
    return UsdtGoal(Edges(fixed.band.low, fixed.target, fixed.band.high), settings.leads_to.way)


def smallest_order(rules: PairRules) -> Decimal:
    """The least USDT value that is sure to be accepted and executed as a MARKET order."""
    step = _quote_step(rules)
    return max(ceil_to_step(rules.min_notional * MINIMUM_MARGIN, step), step)


def plan(
    *,
    holdings: Holdings,
    settings: Settings,
    rules: PairRules,
    book: OrderBook,
    ignore_band: bool = False,
    waiting: WaitingDeposit | None = None,
) -> Plan:
    """Returns one order that brings the USDT balance back to its target, or the reason for none."""
    return plan_to(
        goal_of(settings),
        counting=settings.counting,
        holdings=holdings,
        rules=rules,
        book=book,
        ignore_band=ignore_band,
        waiting=waiting,
        protected=settings.protected,
    )


def plan_to(
    goal: UsdtGoal,
    *,
    counting: Counting,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
    ignore_band: bool = False,
    waiting: WaitingDeposit | None = None,
    protected: Mapping[Asset, Decimal] | None = None,
    sized: Sizing | None = None,
) -> Plan:
    """Returns one order that brings the USDT balance to *goal*, or the reason for none.

    With *ignore_band* (a user asked for it) a drift inside the band is traded too, if the
    exchange's minimum allows it. What is *waiting* of a deposit is left alone in either case, and
    so is what is *protected*: the plan's balance is without it. *sized* makes the order in place of
    a MARKET order.
    """
    everything, protected = holdings, protected or {}
    holdings = without_protected(holdings, protected, counting=counting)
    with localcontext(EXACT_OR_LESS):
        held = holdings.of(rules.quote).counted(counting)
        waits = held_back(held, target=goal.edges.rest, waiting=waiting)
        aim = goal.aim(held - waits, least=smallest_order(rules))
        drift = held - waits - aim
        if drift == ZERO or (goal.edges.holds(held - waits) and not ignore_band):
            return Plan(held=held, reason=_rests(held, waits, goal.edges, waiting))
        side = Side.BUY if drift > ZERO else Side.SELL
        closed = obstacle(side, rules=rules, book=book) if sized is None else None
        if closed is not None:
            return Plan(held=held, reason=closed)
        brings = rules.base if side is Side.BUY else rules.quote
        amount, least = everything.of(brings).counted(counting), protected.get(brings, ZERO)
        if amount < least:
            return Plan(held=held, reason=NotCovered(side, held=amount, protected=least))
        # The fee comes on top; that must not push the balance out on the other side.
        harmless = (held - waits - goal.low) / (ONE + rules.taker_fee_rate)
        amount = min(drift, harmless) if side is Side.BUY else -drift
        room = goal.edges.high - (held - waits)
        outcome: ProposedOrder | Reason
        if sized is not None:
            outcome = sized(side, amount, room, holdings)
        elif side is Side.BUY:
            balance = holdings.of(rules.quote)
            outcome = buy_order(amount, balance=balance, rules=rules, book=book)
        else:
            balance = holdings.of(rules.base)
            outcome = _sell(amount, room=room, balance=balance, rules=rules, book=book)
        return Plan.of(held, outcome)


def obstacle(side: Side, *, rules: PairRules, book: OrderBook) -> Reason | None:
    """Returns what prevents any order on this side."""
    if not rules.is_open:
        return PairClosed()
    if not rules.allows(side):
        return SideClosed(side)
    if not (book.asks if side is Side.BUY else book.bids):
        return EmptyBook(side)
    return None


def buy_order(
    wanted: Decimal, *, balance: Balance, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    """Returns the order that spends *wanted* at most, rounded down, or what is free of it."""
    fee_rate = rules.taker_fee_rate
    step = _quote_step(rules)
    wanted = floor_to_step(min(wanted, rules.max_notional), step)
    spendable = floor_to_step(balance.free / (ONE + max(fee_rate, FEE_RESERVE)), step)
    # The exchange divides by the price at the end of its reach and rounds down to whole steps.
    dearest = book.asks[0].price * (ONE + MARKET_REACH)
    minimum = max(smallest_order(rules), ceil_to_step(rules.least_quantity * dearest, step))
    if wanted < minimum:
        return UnderMinimum(Side.BUY, quote_amount=wanted, minimum=minimum)
    if spendable < minimum:
        return NothingFree(Side.BUY, free=balance.free, locked=balance.locked)
    quote_amount = min(wanted, spendable)
    expected = base_bought(quote_amount, asks=book.asks)
    return MarketBuy(quote_amount, expected_base=_estimate(expected))


def _sell(
    shortfall: Decimal, *, room: Decimal, balance: Balance, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    """More than *room* must not arrive: it would leave the band on the other side."""
    fee_rate, least = rules.taker_fee_rate, rules.least_quantity
    bids = priced_at_least(book.bids, price=book.bids[0].price * (ONE - MARKET_REACH))
    wanted = rules.floor_quantity(quantity_to_receive(shortfall, bids=bids, fee_rate=fee_rate))
    if wanted < least:
        step_value = quote_received(least, bids=bids, fee_rate=fee_rate)
        has_some = rules.floor_quantity(balance.free) >= least
        if has_some and step_value > room:
            return StepTooCoarse(step_value=_estimate(step_value), shortfall=shortfall)
        wanted = least
    return sell_order(wanted, balance=balance, rules=rules, book=book)


def sell_order(
    wanted: Decimal, *, balance: Balance, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    """Returns the order that sells *wanted*, in whole steps, or what is free of it."""
    fee_rate, least = rules.taker_fee_rate, rules.least_quantity
    free = rules.floor_quantity(balance.free)
    locked = rules.floor_quantity(balance.locked)
    if free < least:
        return NothingFree(Side.SELL, free=free, locked=locked)
    price = book.bids[0].price
    # The exchange may measure at the last price, which is not known here. An order that trades at
    # all is within MARKET_REACH of it, and one that is not would be refused instead of unfilled.
    asks = book.asks[0].price if book.asks else price
    dearest = max(price / (ONE - MARKET_REACH), asks)
    wanted = min(wanted, rules.floor_quantity(rules.max_notional / dearest))
    minimum = smallest_order(rules)
    if wanted < least or wanted * price < minimum:
        value = _estimate(wanted * price)
        return UnderMinimum(Side.SELL, quote_amount=value, minimum=minimum)
    if free * price < minimum:
        return NothingFree(Side.SELL, free=free, locked=locked)
    quantity = min(wanted, free)
    expected = quote_received(quantity, bids=book.bids, fee_rate=fee_rate)
    return MarketSell(quantity, expected_quote=_estimate(expected))


def _quote_step(rules: PairRules) -> Decimal:
    return max(rules.quote_step, CENT)


def _estimate(amount: Decimal) -> Decimal:
    return floor_to_step(amount, _ESTIMATE_STEP)
