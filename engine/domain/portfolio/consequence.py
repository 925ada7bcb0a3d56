"""What a target would do, said before it is set: in money, by prices, and in costs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.portfolio.plan import (
    NoPlan,
    PlanInputs,
    PortfolioPlan,
    least_order,
    plan_portfolio,
)
from engine.domain.portfolio.position import PLANNING
from engine.domain.targets.bands import BandSums, off_centre
from engine.domain.targets.destination import Edges
from engine.domain.targets.forecast import TradePrices, least_account, likely_cost, trade_prices
from engine.domain.targets.goals import TargetSettings, missing_fixed, weights_of


@dataclass(frozen=True, slots=True)
class NeverInside:
    """No account can be inside all bands: the *sums* of their edges are not around 1."""

    sums: BandSums


@dataclass(frozen=True, slots=True)
class OffCentre:
    """The bands of these assets do not hold their weight, or they have none."""

    assets: tuple[Asset, ...]


def refusal(settings: TargetSettings) -> NeverInside | OffCentre | None:
    """Returns why a target cannot be set as it is."""
    basket = settings.basket
    weights = {} if basket is None else weights_of(basket)
    with localcontext(PLANNING):
        if (sums := settings.sums) is not None and not sums.is_satisfiable:
            return NeverInside(sums)
        found = off_centre(settings.bands, weights)
        return OffCentre(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """*edges* are in USDT now, *mids* the prices now, *prices* those of the next trade once the
    plan's are done. *missing* is what the account lacks for the amount that the target fixes;
    *least* the least account it needs, None where it has no shares. *monthly_cost* is None where a
    volatility is not known.
    """

    plan: PortfolioPlan
    edges: Mapping[Asset, Edges]
    mids: Mapping[Asset, Decimal]
    prices: Mapping[Asset, TradePrices]
    missing: Decimal
    least: Decimal | None
    monthly_cost: Decimal | None

    @property
    def is_too_small(self) -> bool:
        """True if the account is too small for every share to be traded."""
        return self.least is not None and self.plan.whole < self.least


def consequence(
    inputs: PlanInputs,
    *,
    now: datetime,
    daily_volatility: Mapping[Asset, Decimal | None],
) -> Consequence | NoPlan:
    """Returns what a target that is no `refusal` would do to the account as it is now."""
    plan = plan_portfolio(inputs, now=now)
    if not isinstance(plan, PortfolioPlan):
        return plan
    settings, way = inputs.settings, inputs.destination.way
    goals, tokens = settings.goals, settings.tokens
    known = {a: v for a in tokens if (v := daily_volatility.get(a)) is not None}
    rates = {
        asset: inputs.rules[asset].taker_fee_rate + inputs.quotes.by_asset[asset].half_spread
        for asset in tokens
    }
    with localcontext(PLANNING):
        least = {
            asset: least_order(
                inputs.rules[asset], inputs.quotes.by_asset[asset], inputs.order_type
            )
            for asset in tokens
        }
        mids = {asset: inputs.quotes.by_asset[asset].mid for asset in tokens}
        values = values_after(plan)
        return Consequence(
            plan=plan,
            edges={asset: goal.at(plan.whole) for asset, goal in goals.by_asset.items()},
            mids=mids,
            prices={
                asset: trade_prices(goals, values[asset] / mids[asset], values, asset=asset)
                for asset in tokens
            },
            missing=missing_fixed(settings.target, plan.whole),
            least=least_account(settings, way=way, least={**least, USDT: ZERO}),
            monthly_cost=likely_cost(
                settings, whole=plan.whole, way=way, daily_volatility=known, cost_rate=rates
            )
            if len(known) == len(tokens)
            else None,
        )


def values_after(plan: PortfolioPlan) -> Mapping[Asset, Decimal]:
    """Returns what everything is worth once the plan's orders are filled."""
    values = {**plan.values, USDT: plan.values[USDT] - plan.cost}
    for leg in plan.legs:
        spent = leg.quote_amount if leg.side is Side.BUY else -leg.quote_amount
        values[leg.asset] += spent
        values[USDT] -= spent
    return values
