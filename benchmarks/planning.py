"""Planning a basket of 20 tokens, and those of 1,000 accounts: CPU time alone, no network."""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.processes import OURS, pin
from benchmarks.reports import Goal, Report, middle
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, PairRules, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.plan import PlanInputs, PortfolioPlan, plan_portfolio
from engine.domain.targets.bands import Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.target import Basket

_TOKENS, _PLANS, _ACCOUNTS = 20, 200, 1000
_NOW = datetime(2026, 11, 30, tzinfo=UTC)


def run(_peers: Path | None) -> Report:
    pin(0, OURS)
    report = Report(
        "planning",
        f"a plan over {_TOKENS} tokens, and over 5 for each of {_ACCOUNTS:,} accounts",
        ["what", "legs", "ms CPU"],
    )
    dice = random.Random(14)  # noqa: S311 - the same baskets every time
    large = [_basket(dice, _TOKENS) for _ in range(_PLANS)]
    many = [_basket(dice, 5) for _ in range(_ACCOUNTS)]
    _measured(large[:20])  # warm
    legs, times = _measured(large)
    report.rows.append([f"{_TOKENS} tokens, each one outside or not", legs, middle(times)])
    report.rows.append([f"{_TOKENS} tokens, the slowest of {_PLANS}", None, max(times)])
    more, each = _measured(many)
    report.rows.append([f"{_ACCOUNTS:,} accounts of 5 tokens, all of them", more, sum(each)])
    report.goals.append(Goal("plan", "ms for 20 tokens", middle(times), 2.0))
    return report


def _measured(baskets: Sequence[PlanInputs]) -> tuple[float, list[float]]:
    legs, times = 0, []
    for inputs in baskets:
        begun = time.process_time()
        plan = plan_portfolio(inputs, now=_NOW)
        times.append((time.process_time() - begun) * 1000)
        if not isinstance(plan, PortfolioPlan):
            raise TypeError(plan)
        legs += len(plan.legs)
    return legs / len(baskets), times


def _basket(dice: random.Random, count: int) -> PlanInputs:
    """About 1,000 USDT a token, each up to a quarter off its weight."""
    names = [Asset(f"T{number}") for number in range(count)]
    parts = {name: dice.randint(1, 9) for name in names} | {USDT: 2}
    whole, total = Decimal(1000 * count), sum(parts.values())
    balances, quotes, rules = {}, {}, {}
    for name in names:
        mid = Decimal(dice.randint(1000, 99_999)).scaleb(dice.randint(-8, 0))
        worth = whole * parts[name] / total * dice.randint(75, 125) / 100
        quotes[name] = Quote(mid * Decimal("0.9995"), mid * Decimal("1.0005"))
        balances[name] = Balance(round(worth / mid, 6))
        rules[name] = PairRules(
            symbol=Symbol(name + USDT),
            base=name,
            quote=USDT,
            quantity_step=Decimal("0.000001"),
            min_quantity=Decimal(0),
            quote_step=Decimal("0.01"),
            price_step=Decimal("0.0000000001"),
            min_notional=Decimal(1),
            max_notional=Decimal(100_000),
            taker_fee_rate=Decimal("0.0005"),
        )
    balances[USDT] = Balance(round(whole * 2 / total, 2))
    return PlanInputs(
        settings=TargetSettings(
            target=Basket.of(parts.items()),
            threshold=Threshold(relative=Decimal("0.05")),
            token=names[0],
        ),
        destination=Destination.HALF,
        holdings=Holdings(balances, _NOW),
        quotes=Quotes(quotes, _NOW),
        rules=rules,
    )
