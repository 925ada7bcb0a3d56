"""The decision: from what is held, what is wanted and what the market offers to one order or none.

Pure: no clock, no network, no dice. The same function previews a trade to the person, checks
the account every interval, and can be replayed.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.book import OrderBook, base_bought, quantity_to_receive, quote_received
from engine.domain.holdings import Holdings
from engine.domain.money import ONE, ZERO, ceil_to_step, floor_to_step
from engine.domain.pairs import USDT, PairRules, Side
from engine.domain.target import Settings

# People think in cents: a buy is never asked in finer steps, whatever the pair allows.
CENT = Decimal("0.01")
# MEXC prices a MARKET order 5 % away from the last trade and may execute that much less than
# was asked, so an order exactly at the minimum could be refused.
MINIMUM_MARGIN = Decimal("1.1")
# Nobody documents whether the fee comes out of quoteOrderQty or on top of it: keep this much free.
FEE_RESERVE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class InsideBand:
    """Held is at the target or near enough."""


@dataclass(frozen=True, slots=True)
class PairClosed:
    """The pair takes no market orders from API keys at all."""


@dataclass(frozen=True, slots=True)
class SideClosed:
    side: Side


@dataclass(frozen=True, slots=True)
class EmptyBook:
    """Nobody to trade with: no asks for a buy, no bids for a sell."""

    side: Side


@dataclass(frozen=True, slots=True)
class NothingFree:
    """The asset an order would use is not free, though *locked* of it may sit in open orders."""

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


Reason = (
    InsideBand | PairClosed | SideClosed | EmptyBook | NothingFree | UnderMinimum | StepTooCoarse
)


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


Order = MarketBuy | MarketSell


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly one of *order* and *reason* is set."""

    held: Decimal
    order: Order | None = None
    reason: Reason | None = None

    def __post_init__(self) -> None:
        if (self.order is None) == (self.reason is None):
            raise ValueError("a plan has an order or a reason, not both and not neither")


def outside_band(holdings: Holdings, settings: Settings) -> bool:
    """Whether the account has drifted so far that the market is worth asking."""
    held = holdings.of(USDT).counted(settings.counting)
    return not settings.band.holds(held)


def smallest_order(rules: PairRules) -> Decimal:
    """The least USDT value that is sure to be accepted and executed as a MARKET order."""
    return ceil_to_step(rules.min_notional * MINIMUM_MARGIN, max(rules.quote_step, CENT))


def plan(
    *,
    holdings: Holdings,
    settings: Settings,
    rules: PairRules,
    book: OrderBook,
    ignore_band: bool = False,
) -> Plan:
    """One order that brings the USDT balance back to its target, or the reason why not.

    With *ignore_band* (a person asked for it) a drift inside the band is traded too, if the
    exchange's minimum allows it.
    """
    held = holdings.of(rules.quote).counted(settings.counting)
    drift = held - settings.target
    if drift == ZERO or (settings.band.holds(held) and not ignore_band):
        return Plan(held=held, reason=InsideBand())
    if not (rules.online and rules.api_allowed and rules.market_orders):
        return Plan(held=held, reason=PairClosed())
    side = Side.BUY if drift > ZERO else Side.SELL
    if not rules.allows(side):
        return Plan(held=held, reason=SideClosed(side))
    if not (book.asks if side is Side.BUY else book.bids):
        return Plan(held=held, reason=EmptyBook(side))
    if side is Side.BUY:
        outcome = _buy(excess=drift, holdings=holdings, rules=rules, book=book)
    else:
        outcome = _sell(
            shortfall=-drift, holdings=holdings, settings=settings, rules=rules, book=book
        )
    if isinstance(outcome, MarketBuy | MarketSell):
        return Plan(held=held, order=outcome)
    return Plan(held=held, reason=outcome)


def _buy(
    *, excess: Decimal, holdings: Holdings, rules: PairRules, book: OrderBook
) -> Order | Reason:
    balance = holdings.of(rules.quote)
    spendable = balance.free / (ONE + max(rules.taker_fee_rate, FEE_RESERVE))
    step = max(rules.quote_step, CENT)
    quote_amount = floor_to_step(min(excess, spendable, rules.max_notional), step)
    if quote_amount < smallest_order(rules):
        if spendable < excess:
            return NothingFree(Side.BUY, free=balance.free, locked=balance.locked)
        return UnderMinimum(Side.BUY, quote_amount=quote_amount, minimum=smallest_order(rules))
    return MarketBuy(quote_amount, expected_base=base_bought(quote_amount, asks=book.asks))


def _sell(
    *,
    shortfall: Decimal,
    holdings: Holdings,
    settings: Settings,
    rules: PairRules,
    book: OrderBook,
) -> Order | Reason:
    balance = holdings.of(rules.base)
    fee_rate = rules.taker_fee_rate
    best_bid = book.bids[0].price
    free = rules.floor_quantity(balance.free)
    if free <= ZERO or free < rules.min_quantity:
        return NothingFree(Side.SELL, free=balance.free, locked=balance.locked)
    needed = quantity_to_receive(shortfall, bids=book.bids, fee_rate=fee_rate)
    quantity = rules.floor_quantity(needed)
    if quantity < (least := max(rules.quantity_step, rules.min_quantity)):
        step_value = quote_received(least, bids=book.bids, fee_rate=fee_rate)
        if step_value - shortfall > settings.threshold.in_quote(settings.target):
            return StepTooCoarse(step_value=step_value, shortfall=shortfall)
        quantity = rules.floor_quantity(least)
    most = rules.floor_quantity(rules.max_notional / best_bid)
    quantity = min(quantity, free, most)
    # At the best bid: that is what the exchange can check before it matches.
    if (value := quantity * best_bid) < smallest_order(rules):
        if quantity == free:
            return NothingFree(Side.SELL, free=balance.free, locked=balance.locked)
        return UnderMinimum(Side.SELL, quote_amount=value, minimum=smallest_order(rules))
    expected = quote_received(quantity, bids=book.bids, fee_rate=fee_rate)
    return MarketSell(quantity, expected_quote=expected)
