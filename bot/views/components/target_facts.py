"""What a target means now, a fact a line: money, the next trades and their prices, costs."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bot.views.components.amounts import cents, price, usdt
from bot.views.components.layout import escape, listed, row
from bot.views.components.target_words import target_line
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.market.pairs import USDT, Asset, PairRules, Side
from engine.domain.portfolio.consequence import Consequence
from engine.domain.portfolio.plan import Leg
from engine.domain.portfolio.position import LegReason
from engine.domain.targets.forecast import TradePrices
from engine.domain.targets.target import Target, UsdtRange

_COLUMN = 8
MOST_ROWS = 4
NOW_AND_GOAL = " " * _COLUMN + "now → goal"
"""Above `money_rows`: trades lead to a goal or near it, and not at once."""
_MOST_LEGS = 3
_MOST_PRICES = 2
_LEG_REASONS: Mapping[LegReason, str] = {
    LegReason.UNDER_MINIMUM: "{asset}: the trade is smaller than MEXC takes.",
    LegReason.NOT_ENOUGH_FREE: "{asset}: open orders hold what I would trade.",
    LegReason.SIDE_CLOSED: "{asset}: MEXC takes no such order now.",
    LegReason.BUYING_STOPPED: "{asset}: I buy nothing before /crashguard lift.",
    LegReason.STEP_TOO_COARSE: "{asset}: the smallest piece would overshoot its band.",
    LegReason.PROTECTED: "{asset}: you protect more than you hold.",
    LegReason.WOULD_PUSH_CASH: "{asset}: its trade would push USDT out of its band.",
    LegReason.NOT_REACHABLE: "{asset}: what I may trade now does not reach its band.",
}


def money_rows(
    target: Target, found: Consequence, *, most: int = MOST_ROWS, with_bands: bool = False
) -> Sequence[str]:
    """`BTC 120.00 → 100.00`, one asset a row; what does not fit is one row together."""
    edges, values = found.edges, found.plan.values
    if isinstance(target, UsdtRange):
        goal = target_line(target).removesuffix(f" {USDT}")
        return row(USDT, f"{cents(values[USDT])} → {goal}", column=_COLUMN)
    shown = [asset for asset, around in edges.items() if around.centre is not None]
    left = [] if len(shown) <= most else shown[most - 1 :]
    rows: list[str] = []
    for asset in shown[: most - 1] if left else shown:
        around = edges[asset]
        rows += row(
            asset, f"{cents(values[asset])} → {cents(around.centre or ZERO)}", column=_COLUMN
        )
        if with_bands and around.high < found.plan.whole:
            rows += row("", f"{cents(around.low)} – {cents(around.high)}", column=_COLUMN)
    if left:
        now = sum((values[asset] for asset in left), ZERO)
        then = sum((edges[asset].centre or ZERO for asset in left), ZERO)
        rows += row(f"{len(left)} more", f"{cents(now)} → {cents(then)}", column=_COLUMN)
    return rows


def trades_line(
    legs: Sequence[Leg],
    found: Consequence,
    *,
    when: tuple[str, str],
    reason: str | None = None,
) -> str:
    """The first trades, or *reason* why there are none. *when* is what they follow: with trades,
    and without any.
    """
    would, nothing = when
    if not legs:
        stuck = [asset for asset in found.plan.outside if asset in found.plan.reasons]
        reasons = [leg_reason_text(asset, found.plan.reasons[asset]) for asset in stuck[:1]]
        return " ".join([nothing, *([reason] if reason else reasons)])
    return f"{would} {legs_text(legs)}."


def legs_text(legs: Sequence[Leg]) -> str:
    """The first trades, and what all of them come to where there are more."""
    named = listed(leg_text(leg) for leg in legs[:_MOST_LEGS])
    if (left := len(legs) - _MOST_LEGS) <= 0:
        return named
    total = usdt(sum((leg.quote_amount for leg in legs), ZERO))
    return f"{named} and {left} more, {total} in all"


def leg_text(leg: Leg) -> str:
    amount, asset = usdt(leg.quote_amount), escape(leg.asset)
    if leg.side is Side.BUY:
        return f"buy {asset} for {amount}"
    return f"sell {asset} for {amount}"


def price_lines(
    found: Consequence, rules: Mapping[Asset, PairRules], *, most: int = _MOST_PRICES
) -> Sequence[str]:
    """The prices of the next trade, of the tokens that are nearest to theirs."""
    prices, mids = found.prices, found.mids

    def distance(asset: Asset) -> Decimal:
        ends = (prices[asset].below, prices[asset].above)
        return min((abs(end / mids[asset] - 1) for end in ends if end is not None), default=ZERO)

    moving = [asset for asset, ends in prices.items() if ends.below or ends.above]
    return [
        _price_line(escape(asset), prices[asset], rules.get(asset))
        for asset in sorted(moving, key=distance)[:most]
    ]


def _price_line(name: str, prices: TradePrices, rules: PairRules | None) -> str:
    step = None if rules is None else rules.price_step
    below, above = prices.below, prices.above
    low, high = (price(end or ZERO, step=step) for end in (below, above))
    if below is None:
        return f"I trade when {name} is over {high}."
    if above is None:
        return f"I trade when {name} is under {low}."
    return f"I trade when {name} is under {low} or over {high}."


def cost_line(found: Consequence) -> str:
    cost = found.monthly_cost
    if cost is None:
        return "I do not know yet what it costs a month."
    if not any(prices.below or prices.above for prices in found.prices.values()):
        return "No price makes it trade, only USDT that comes or goes."
    return f"Likely cost: {usdt(cost) if cost >= CENT else 'under 0.01 USDT'} a month."


def cost_of_all(cost: Decimal) -> str:
    """What the trades of a plan cost together."""
    if cost < CENT:
        return "All of it costs under 0.01 USDT."
    return f"All of it costs about {usdt(cost)}."


def warning_lines(found: Consequence) -> Iterable[str]:
    whole = usdt(found.plan.whole)
    if found.missing:
        yield f"⚠️ You have {whole} here. {usdt(found.missing)} is missing: all becomes USDT."
    if found.is_too_small and found.least is not None:
        yield f"⚠️ {whole} is too little for these bands. From {usdt(found.least)} on I can trade each drift."


def leg_reason_text(asset: Asset, reason: LegReason) -> str:
    """Why *asset* stays out of its band."""
    return _LEG_REASONS[reason].format(asset=escape(asset))
