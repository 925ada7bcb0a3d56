"""A basket of five tokens for 90 days, kept by our rule and by those of two other bots, on the same
random walks. Theirs are modelled from their source: when they trade, and where to.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.processes import OURS, pin
from benchmarks.reports import Report
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import floor_to_step
from engine.domain.market.pairs import USDT, Asset, PairRules, Side, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.plan import PlanInputs, PortfolioPlan, plan_portfolio
from engine.domain.targets.bands import Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.forecast import likely_cost
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.target import Basket

_DAYS, _CHECKS_A_DAY, _WALKS = 90, 48, 10
_WORTH = 10_000.0
# Of a trade, on one side: half of the spread, and the taker's fee.
_HALF_SPREAD, _FEE = 0.001, 0.0005
_BAND = 0.02
_NOW = datetime(2026, 11, 30, tzinfo=UTC)
_STEP = Decimal("0.000001")
_PARTS = {Asset("A"): 30, Asset("B"): 25, Asset("C"): 15, Asset("D"): 10, Asset("E"): 5, USDT: 15}
_VOLATILITY = {"A": 0.03, "B": 0.04, "C": 0.05, "D": 0.06, "E": 0.09}
_WEIGHTS = {asset: part / 100 for asset, part in _PARTS.items()}

Prices = Mapping[str, float]


@dataclass(slots=True)
class Book:
    """What one rule holds, and what it did. Prices of the tokens begin at 1."""

    held: dict[str, float] = field(
        default_factory=lambda: {asset: w * _WORTH for asset, w in _WEIGHTS.items()}
    )
    trades: int = 0
    turnover: float = 0.0
    cost: float = 0.0
    squares: list[float] = field(default_factory=list)

    def shares(self, prices: Prices) -> dict[str, float]:
        values = {a: q * prices.get(a, 1.0) for a, q in self.held.items()}
        whole = sum(values.values())
        return {asset: value / whole for asset, value in values.items()}

    def whole(self, prices: Prices) -> float:
        return sum(q * prices.get(a, 1.0) for a, q in self.held.items())

    def trade(self, asset: str, value: float, prices: Prices) -> None:
        """Buys for *value* at the middle, or sells; the costs come out of USDT."""
        cost = abs(value) * (_HALF_SPREAD + _FEE)
        self.held[asset] += value / prices[asset]
        self.held[USDT] -= value + cost
        self.trades += 1
        self.turnover += abs(value)
        self.cost += cost


Rule = Callable[[Book, Prices, random.Random], None]


def bbgo(book: Book, prices: Prices, dice: random.Random) -> None:
    """One token after the other, in a random order: at the threshold it goes to its weight."""
    names = list(_VOLATILITY)
    dice.shuffle(names)
    for asset in names:
        off = _WEIGHTS[Asset(asset)] - book.shares(prices)[asset]
        value = off * book.whole(prices)
        if abs(off) >= _BAND and book.held[USDT] > value:
            book.trade(asset, value, prices)


def octobot(book: Book, prices: Prices, _dice: random.Random) -> None:
    """Beyond the ratio, every token goes to its weight: sells, then buys."""
    shares = book.shares(prices)
    if all(abs(shares[a] - _WEIGHTS[Asset(a)]) <= _BAND for a in _VOLATILITY):
        return
    whole = book.whole(prices)
    wanted = {a: (_WEIGHTS[Asset(a)] - shares[a]) * whole for a in _VOLATILITY}
    for asset, value in sorted(wanted.items(), key=lambda entry: entry[1]):
        if abs(value) > 1.0:
            book.trade(asset, value, prices)


def ours(destination: Destination) -> Rule:
    """The planner itself: the same bands, for USDT too."""

    def rule(book: Book, prices: Prices, _dice: random.Random) -> None:
        shares = book.shares(prices)
        if all(abs(shares[a] - w) <= _BAND for a, w in _WEIGHTS.items()):
            return
        inputs = replace(_INPUTS, destination=destination, holdings=_holdings(book))
        for side in (Side.SELL, Side.BUY):  # buys are planned from what the sells brought
            quotes = {Asset(a): _quote(price) for a, price in prices.items()}
            inputs = replace(inputs, holdings=_holdings(book), quotes=Quotes(quotes, _NOW))
            plan = plan_portfolio(inputs, now=_NOW)
            if not isinstance(plan, PortfolioPlan):
                raise TypeError(plan)
            for leg in plan.legs:
                if leg.side is side:
                    sign = 1 if side is Side.BUY else -1
                    book.trade(leg.asset, sign * float(leg.quote_amount), prices)

    return rule


def _quote(price: float) -> Quote:
    mid = Decimal(price)
    spread = Decimal(_HALF_SPREAD)
    return Quote(mid * (1 - spread), mid * (1 + spread))


def _holdings(book: Book) -> Holdings:
    step = Decimal("0.00000001")
    return Holdings(
        {Asset(a): Balance(floor_to_step(Decimal(q), step)) for a, q in book.held.items()}, _NOW
    )


_INPUTS = PlanInputs(
    settings=TargetSettings(
        target=Basket.of(_PARTS.items()),
        threshold=Threshold(points=Decimal("0.02")),
        token=Asset("A"),
    ),
    destination=Destination.HALF,
    holdings=Holdings({}, _NOW),
    quotes=Quotes({}, _NOW),
    rules={
        Asset(name): PairRules(
            symbol=Symbol(name + USDT),
            base=Asset(name),
            quote=USDT,
            quantity_step=_STEP,
            min_quantity=Decimal(0),
            quote_step=Decimal("0.01"),
            price_step=_STEP,
            min_notional=Decimal(1),
            max_notional=Decimal(1_000_000),
            taker_fee_rate=Decimal("0.0005"),
        )
        for name in _VOLATILITY
    },
)
_RULES: Mapping[str, Rule] = {
    "bbgo's rule": bbgo,
    "OctoBot's rule": octobot,
    "ours, to the centre": ours(Destination.CENTRE),
    "ours, half way (usual)": ours(Destination.HALF),
    "ours, to the edge": ours(Destination.EDGE),
}


def run(_peers: Path | None) -> Report:
    pin(0, OURS)
    report = Report(
        "rebalancers",
        f"{_DAYS} days of 5 tokens and USDT, ±2 points, {_WORTH:,.0f} USDT, 0.15 % a side "
        f"(mean of {_WALKS} walks)",
        ["rule", "trades", "turnover of the account", "cost, USDT", "drift, points"],
    )
    books: dict[str, list[Book]] = {name: [] for name in _RULES}
    for walk in range(_WALKS):
        lines = _walk(random.Random(walk))  # noqa: S311 - the same walks every time
        for name, rule in _RULES.items():
            books[name].append(_kept(rule, lines))
    for name, kept in books.items():
        squares = [square for book in kept for square in book.squares]
        report.rows.append(
            [
                name,
                sum(book.trades for book in kept) / _WALKS,
                sum(book.turnover for book in kept) / _WALKS / _WORTH,
                sum(book.cost for book in kept) / _WALKS,
                100 * math.sqrt(sum(squares) / len(squares)),
            ]
        )
    said = likely_cost(
        _INPUTS.settings,
        whole=Decimal(_WORTH),
        way=Destination.HALF.way,
        daily_volatility={Asset(a): Decimal(v) for a, v in _VOLATILITY.items()},
        cost_rate={Asset(a): Decimal(_HALF_SPREAD + _FEE) for a in _VOLATILITY},
    )
    report.notes.append(f"half way, the cost said before is {said * _DAYS / 30:.1f} USDT")
    report.notes.append("drift is the root mean square over all assets and checks, USDT too")
    return report


def _kept(rule: Rule, lines: list[dict[str, float]]) -> Book:
    book, dice = Book(), random.Random(0)  # noqa: S311
    for prices in lines:
        rule(book, prices, dice)
        shares = book.shares(prices)
        squares = [(shares[asset] - weight) ** 2 for asset, weight in _WEIGHTS.items()]
        book.squares.append(sum(squares) / len(squares))
    return book


def _walk(dice: random.Random) -> list[dict[str, float]]:
    """Prices without a trend, a part of their moves in common."""
    prices = dict.fromkeys(_VOLATILITY, 1.0)
    lines, root = [], math.sqrt(1 / _CHECKS_A_DAY)
    for _ in range(_DAYS * _CHECKS_A_DAY):
        market = dice.gauss(0, 1)
        for asset, daily in _VOLATILITY.items():
            move = 0.6 * market + 0.8 * dice.gauss(0, 1)
            prices[asset] *= math.exp(daily * root * move - daily * daily * root * root / 2)
        lines.append(dict(prices))
    return lines
