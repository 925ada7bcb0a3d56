"""Several tokens in words: what is held of each beside its goal, what is outside, what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bot.views.components.amounts import about_percent, cents, usdt
from bot.views.components.layout import escape, lines, listed, row
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.target_facts import legs_text
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.portfolio.plan import Leg, NoLegs, NoPlan, PortfolioPlan
from engine.domain.rebalancing.check_result import PortfolioSnapshot
from engine.domain.targets.destination import Edges
from engine.domain.targets.outside import Beyond
from engine.domain.targets.pacing import SecondLook
from engine.rebalancing.portfolio_planning import Planned

_MOST_ROWS = 6
_MOST_NAMES = 4

# What a check that finds something outside does, in each mode.
_STEPS = {
    TradingMode.AUTO: "I {legs}.",
    TradingMode.ASK: "I ask you first, then I {legs}.",
    TradingMode.NOTIFY: "I only tell you what could be traded: {legs}.",
}
_ALL_INSIDE = "I do nothing. Everything is inside its band."


def portfolio_rows(seen: PortfolioSnapshot) -> Sequence[str]:
    """`BTC  260.00  26% of 50%`: what each asset is worth, its part and its goal's; what does not
    fit is one row.
    """
    values = _values(seen)
    whole = sum(values.values(), ZERO)
    assets = sorted(values, key=lambda asset: (asset == USDT, -values[asset], asset))
    left = [] if len(assets) <= _MOST_ROWS else assets[_MOST_ROWS - 1 :]
    rows: list[str] = []
    for asset in assets[: _MOST_ROWS - 1] if left else assets:
        rows += row(asset, f"{cents(values[asset])}  {_part(asset, values, whole, seen.edges)}")
    if left:
        rest = sum((values[asset] for asset in left), ZERO)
        rows += row(f"{len(left)} more", cents(rest))
    return [*rows, *row("Total", usdt(whole))]


def outside_line(outside: Iterable[Asset], *, of: int) -> str:
    """How many of the assets are outside, and which; *of* is how many there are, USDT too."""
    names = sorted(outside, key=lambda asset: (asset == USDT, asset))
    if not names:
        return "Everything is inside its band."
    named = listed(escape(asset) for asset in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        named = f"{named}…"
    counts = f"{len(names)} of {of - 1} tokens"
    if USDT in names:
        counts = f"{len(names)} of {of} assets"
    if len(names) == 1:
        return f"{counts} is outside its band: {named}."
    return f"{counts} are outside their bands: {named}."


def parts_line(seen: PortfolioSnapshot) -> str:
    """What all is worth, and the part of each."""
    values = _values(seen)
    whole = sum(values.values(), ZERO)
    assets = sorted(values, key=lambda asset: (asset == USDT, -values[asset], asset))
    if not whole or len(assets) > _MOST_NAMES:
        return f"It saw {usdt(whole)} in all."
    parts = (f"{escape(asset)} {about_percent(values[asset] / whole)}" for asset in assets)
    return f"It saw {usdt(whole)} in all: {listed(parts)}."


def furthest_line(seen: PortfolioSnapshot, plan: PortfolioPlan) -> str | None:
    """The asset that is furthest outside, with its amount and its band."""
    known = [asset for asset in plan.outside if asset in seen.edges]
    if not known:
        return None

    def beyond(asset: Asset) -> Decimal:
        edges, value = seen.edges[asset], plan.values[asset]
        return max(edges.low - value, value - edges.high)

    asset = max(known, key=lambda asset: (beyond(asset), asset))
    edges, value = seen.edges[asset], usdt(plan.values[asset])
    name = escape(asset)
    if plan.outside[asset] is Beyond.HIGH:
        return f"{name} is worth {value}, above {cents(edges.high)}."
    return f"{name} is worth {value}, under {cents(edges.low)}."


def planned_step(planned: Planned | NoPlan, *, mode: TradingMode, symbol: Symbol) -> str:
    """What the next check does with the whole plan."""
    if not isinstance(planned, Planned):
        return f"I send nothing. {reason_text(planned, symbol=symbol)}"
    if (over := planned.over_limit or planned.waits) is not None:
        return f"I send nothing. {reason_text(over, symbol=symbol)}"
    return legs_step(planned.plan.legs, planned.plan, mode=mode, symbol=symbol)


def is_all_inside(planned: Planned | NoPlan) -> bool:
    """True if the next check has nothing to do."""
    if not isinstance(planned, Planned) or planned.over_limit or planned.waits:
        return False
    return not planned.plan.legs and not planned.plan.reasons


def legs_step(
    legs: Sequence[Leg], plan: PortfolioPlan, *, mode: TradingMode, symbol: Symbol
) -> str:
    if legs:
        return _STEPS[mode].format(legs=legs_text(legs))
    if not plan.reasons:
        return _ALL_INSIDE
    return f"I send nothing. {reason_text(NoLegs(plan.reasons), symbol=symbol)}"


def _values(seen: PortfolioSnapshot) -> Mapping[Asset, Decimal]:
    """USDT is its own price; what has none is left out."""
    return {
        asset: quantity if asset == USDT else quantity * seen.prices[asset]
        for asset, quantity in seen.held.items()
        if asset == USDT or asset in seen.prices
    }


def _part(
    asset: Asset, values: Mapping[Asset, Decimal], whole: Decimal, edges: Mapping[Asset, Edges]
) -> str:
    if not whole:
        return ""
    share = about_percent(values[asset] / whole)
    around = edges.get(asset)
    if around is None or around.centre is None:
        return share
    return f"{share} of {about_percent(around.centre / whole)}"


def first_trades(
    planned: Planned | NoPlan | None, *, when: tuple[str, str], symbol: Symbol
) -> str:
    """The first trades behind *when*, or its second words and the reason why there are none."""
    would, nothing = when
    if planned is None:
        return "MEXC does not answer now. I do not know what this would trade."
    if not isinstance(planned, Planned):
        return lines(nothing, reason_text(planned, symbol=symbol))
    plan, waits = planned.plan, planned.waits
    if isinstance(waits, SecondLook):  # which says the same, a check later
        waits = None
    over = planned.over_limit or waits
    if plan.legs and over is None:
        return lines(
            would,
            f"{legs_text(plan.legs)}.",
            f"All in all {usdt(plan.turnover)} of {usdt(plan.whole)}.",
        )
    reason = over or (NoLegs(plan.reasons) if plan.reasons else None)
    return lines(
        nothing,
        reason_text(reason, symbol=symbol) if reason else None,
        "To change the limit: /limits" if planned.over_limit else None,
    )
