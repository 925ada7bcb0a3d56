"""Plans all pairs of a target at once, from balances, prices and the exchange's rules. Pure.

All prices come from one look. A missing one stops the whole plan: every share depends on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext

from engine.domain.execution.bounded_order import smallest_order
from engine.domain.market.balances import Counting, Holdings
from engine.domain.market.decimals import CENT, ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Side
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.fewest import fewest
from engine.domain.portfolio.position import PLANNING, LegReason, Portfolio, Position, Sizes
from engine.domain.targets.destination import Destination
from engine.domain.targets.goals import Goal, Line, TargetSettings
from engine.domain.targets.outside import Beyond, outside, surely_outside
from engine.domain.targets.protection import Managed, managed

# Kept for fees, whatever is bought: a part of the whole, and an amount.
_RESERVE_SHARE, _RESERVE = Decimal("0.001"), Decimal(1)
# The exchange may measure an order this far from the price that is seen.
_PRICE_MARGIN = Decimal("1.05")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """All that a plan depends on. *rules* and *quotes* are of the target's tokens; *protected* is
    in units, *waiting* the USDT of a deposit that is left alone. Orders are of *order_type*.
    """

    settings: TargetSettings
    destination: Destination
    holdings: Holdings
    quotes: Quotes
    rules: Mapping[Asset, PairRules]
    counting: Counting = Counting.HELD
    protected: Mapping[Asset, Decimal] = field(default_factory=dict)
    waiting: Decimal = ZERO
    order_type: OrderType = OrderType.MARKET


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One trade of a plan, about *quote_amount* at the middle price; a sell is of *base_quantity*."""

    asset: Asset
    side: Side
    quote_amount: Decimal
    base_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPlan:
    """The trades that bring *outside* back inside, sells first, and *reasons* for what stays out.

    The buys of a plan with sells are only shown: they are planned again from what really came.
    """

    whole: Decimal
    values: Mapping[Asset, Decimal]
    outside: Mapping[Asset, Beyond]
    legs: tuple[Leg, ...] = ()
    reasons: Mapping[Asset, LegReason] = field(default_factory=dict)
    cost: Decimal = ZERO

    @property
    def turnover(self) -> Decimal:
        """What all orders come to: it must fit into the day's limit before the first is sent."""
        return sum((leg.quote_amount for leg in self.legs), ZERO)


@dataclass(frozen=True, slots=True)
class MissingPrices:
    """These tokens have no price on both sides."""

    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class OldPrices:
    """The prices were read too long ago."""

    read_at: datetime


@dataclass(frozen=True, slots=True)
class NothingManaged:
    """Nothing is held, or all of it is protected."""


@dataclass(frozen=True, slots=True)
class WithinSpread:
    """Only the middle prices say that *assets* are outside; not all best bids and asks do."""

    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class NoLegs:
    """What is outside of several tokens' bands cannot be traded, each asset for its own reason."""

    assets: Mapping[Asset, LegReason]


NoPlan = MissingPrices | OldPrices | NothingManaged
PortfolioReason = NoPlan | WithinSpread | NoLegs


@dataclass(frozen=True, slots=True)
class Outlook:
    """A *plan* without trades, and what of its outside is *surely* so: at the bids and at the asks."""

    plan: PortfolioPlan
    surely: Mapping[Asset, Beyond]


def outlook(inputs: PlanInputs, *, now: datetime) -> Outlook | NoPlan:
    """Returns what is outside, or why that is not known. It needs no rules: a check that holds asks
    for none.
    """
    tokens = inputs.settings.tokens
    if missing := tuple(asset for asset in tokens if asset not in inputs.quotes.by_asset):
        return MissingPrices(missing)
    if not inputs.quotes.is_fresh(now):
        return OldPrices(inputs.quotes.read_at)
    with localcontext(PLANNING):
        goals = inputs.settings.goals
        quotes = {asset: inputs.quotes.by_asset[asset] for asset in tokens}
        held = {asset: managed_of(inputs, asset).quantity for asset in (*tokens, USDT)}
        values = {asset: held[asset] * quote.mid for asset, quote in quotes.items()}
        values[USDT] = held[USDT]
        whole = sum(values.values(), ZERO)
        if whole <= ZERO:
            return NothingManaged()
        plan = PortfolioPlan(whole=whole, values=values, outside=outside(goals, values))
        return Outlook(plan, surely_outside(goals, held, quotes))


def plan_portfolio(
    inputs: PlanInputs, *, now: datetime, to_centre: bool = False
) -> PortfolioPlan | NoPlan:
    """Returns the fewest trades that end inside every band, or why there is no plan.

    With *to_centre* (a user asked for it) all goes to its centre, from inside the bands too.
    Otherwise nothing is traded unless something is outside at the bids and at the asks.
    """
    seen = outlook(inputs, now=now)
    if not isinstance(seen, Outlook):
        return seen
    if not to_centre and not seen.surely:
        return seen.plan
    with localcontext(PLANNING):
        portfolio = _portfolio(inputs)
        if to_centre:
            sizes = fewest(_centred(portfolio), way=ONE)
        else:
            sizes = fewest(portfolio, way=inputs.destination.way)
        legs = _legs(portfolio, sizes, inputs.rules)
        return replace(seen.plan, legs=legs, reasons=sizes.reasons, cost=sizes.cost)


def managed_of(inputs: PlanInputs, asset: Asset) -> Managed:
    """Returns what the plan counts of *asset*."""
    found = managed(
        inputs.holdings.of(asset),
        counting=inputs.counting,
        protected=inputs.protected.get(asset, ZERO),
    )
    if asset != USDT or not inputs.waiting:
        return found
    quantity = max(ZERO, found.quantity - inputs.waiting)
    return replace(found, quantity=quantity, free=min(found.free, quantity))


def _portfolio(inputs: PlanInputs) -> Portfolio:
    goals, cash = inputs.settings.goals, managed_of(inputs, USDT)
    positions = [
        _position(
            inputs,
            asset,
            goals.of(asset),
            managed_of(inputs, asset),
            inputs.quotes.by_asset[asset],
            takes_cash=cash.buying,
        )
        for asset in goals.tokens
    ]
    whole = cash.quantity + sum((position.value for position in positions), ZERO)
    reserve = max(whole * _RESERVE_SHARE, _RESERVE)
    return Portfolio(
        cash=cash.quantity,
        cash_goal=goals.of(USDT),
        positions=positions,
        floor=max(reserve, cash.quantity - cash.free),
    )


def _position(
    inputs: PlanInputs,
    asset: Asset,
    goal: Goal,
    held: Managed,
    quote: Quote,
    *,
    takes_cash: bool,
) -> Position:
    """Not *takes_cash*: what a sell brings would vanish into the USDT that is protected."""
    rules, mid = inputs.rules[asset], quote.mid
    value_step = rules.quantity_step * mid
    least = least_order(rules, quote, inputs.order_type)
    is_open = rules.takes(inputs.order_type)
    return Position(
        asset=asset,
        value=held.quantity * mid,
        goal=goal,
        free=held.free * mid,
        cost_rate=rules.taker_fee_rate + quote.half_spread,
        least=least,
        inset=max(least, value_step),
        buy_step=max(rules.quote_step, CENT),
        sell_step=value_step,
        buying=_closed(Side.BUY, rules, is_open=is_open, is_held=held.buying),
        selling=_closed(Side.SELL, rules, is_open=is_open, is_held=takes_cash),
    )


def least_order(rules: PairRules, quote: Quote, order_type: OrderType) -> Decimal:
    """Returns the worth, at the middle, of the smallest order that is surely accepted: it is
    measured at the best price of its side.
    """
    step = rules.least_quantity * quote.ask * _PRICE_MARGIN
    return max(smallest_order(rules, order_type), step) * quote.mid / quote.bid


def _closed(side: Side, rules: PairRules, *, is_open: bool, is_held: bool) -> LegReason | None:
    if not is_open or not rules.allows(side):
        return LegReason.SIDE_CLOSED
    return None if is_held else LegReason.PROTECTED


def _centred(portfolio: Portfolio) -> Portfolio:
    """Returns the same with bands that are a step wide, and any amount of cash inside."""

    def narrow(position: Position) -> Position:
        centre = position.goal.centre
        if centre is None:
            return position
        step = max(position.buy_step, position.sell_step)
        low, high = (Line(centre.fixed + way * step, centre.share) for way in (-1, 1))
        return replace(position, goal=Goal(low, centre, high))

    return replace(
        portfolio,
        cash_goal=Goal(Line(), portfolio.cash_goal.centre, Line(share=ONE)),
        positions=[narrow(position) for position in portfolio.positions],
    )


def _legs(portfolio: Portfolio, sizes: Sizes, rules: Mapping[Asset, PairRules]) -> tuple[Leg, ...]:
    """Sells first, the largest first; then buys, the most underweight first."""
    whole = portfolio.whole - sizes.cost
    sells, buys = [], []
    for position in portfolio.positions:
        asset, size = position.asset, sizes.trades.get(position.asset, ZERO)
        if size < ZERO:
            steps = (-size / position.sell_step).to_integral_value()
            quantity = steps * rules[asset].quantity_step
            leg = Leg(asset=asset, side=Side.SELL, quote_amount=-size, base_quantity=quantity)
            sells.append((size, asset, leg))
        elif size > ZERO:
            lacks = position.goal.at(whole).rest - position.value
            leg = Leg(asset=asset, side=Side.BUY, quote_amount=size)
            buys.append((-lacks, asset, leg))
    return tuple(leg for _, _, leg in (*sorted(sells, key=_first), *sorted(buys, key=_first)))


def _first(entry: tuple[Decimal, Asset, Leg]) -> tuple[Decimal, Asset]:
    return entry[0], entry[1]
