"""What a portfolio holds of each asset, and the band of each, in words and for a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.views.charts.allocation_chart import Part
from bot.views.components.amounts import about_percent, usdt
from bot.views.components.layout import escape
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset
from engine.domain.profit.report import ProfitReport
from engine.domain.targets.destination import Edges

_MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class PortfolioParts:
    """The largest part first; *lines* name a few of them."""

    whole: Decimal
    parts: Sequence[Part]
    lines: Sequence[str]

    @property
    def count(self) -> str:
        return f"{len(self.parts)} parts"

    @property
    def state(self) -> str:
        out = sum(part.is_out for part in self.parts)
        return f"{out} outside their bands" if out else "all inside their bands"


def has_drift(account: Account) -> bool:
    """Only an amount of USDT has a drift that a picture over time can show."""
    return account.settings.fixed is not None


def parts_of(account: Account, report: ProfitReport) -> PortfolioParts:
    """Returns the assets of a target without what is protected."""
    settings = account.settings
    held = {
        asset: max(units - settings.protected.get(asset, ZERO), ZERO) * price
        for asset, (units, price) in report.holdings.items()
    }
    targeting = settings.targeting
    goals = targeting.goals.by_asset
    whole = sum((held.get(asset, ZERO) for asset in goals), ZERO)
    parts = [
        _part(asset, held.get(asset, ZERO), goal.at(whole), whole) for asset, goal in goals.items()
    ]
    parts.sort(key=lambda part: -part.value)

    def percent(amount: Decimal) -> str:
        return about_percent(amount / whole) if whole else "0%"

    edge = usdt if targeting.basket is None else percent
    lines = [_line(part, percent(part.value), edge, whole) for part in parts]
    if (more := len(lines) - _MOST_LINES) > 0:
        lines = [*lines[: _MOST_LINES - 1], f"{more + 1} more are in the picture."]
    return PortfolioParts(whole, parts, lines)


def _part(asset: Asset, value: Decimal, edges: Edges, whole: Decimal) -> Part:
    """What may be all or nothing has no band."""
    name = asset if asset.isascii() else "Token"
    if edges.low == ZERO and edges.high >= whole:
        return Part(name, value, usdt(value))
    return Part(name, value, usdt(value), edges.low, edges.centre, edges.high)


def _line(part: Part, share: str, edge: Callable[[Decimal], str], whole: Decimal) -> str:
    shown = f"{escape(part.name)}: {part.text} ({share})"
    if part.low is None or part.high is None:
        return f"{shown}."
    if part.high >= whole:
        return f"{shown}; from {edge(part.low)} on."
    return f"{shown}; band {edge(part.low)} – {edge(part.high)}."
