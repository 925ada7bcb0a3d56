"""A basket for the gallery: three tokens and USDT, planned by the functions that plan a real one."""  # noqa: INP001 - beside the documents, no package

from dataclasses import replace
from decimal import Decimal

from docs.story import ACCOUNT, NOON, RULES
from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Recent
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, OrderType, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.consequence import consequence
from engine.domain.portfolio.plan import PlanInputs, PortfolioPlan, plan_portfolio
from engine.domain.targets.target import Basket
from engine.rebalancing.portfolio_planning import Planned, snapshot_of
from engine.rebalancing.target_preview import TargetLook

D = Decimal
BTC, ETH, MX = (Asset(name) for name in ("BTC", "ETH", "MX"))
BASKET = Basket.of([(BTC, 50), (ETH, 25), (MX, 5), (USDT, 20)])
HELD: Account = replace(ACCOUNT, settings=replace(ACCOUNT.settings, target=BASKET))
_QUOTES = Quotes(
    {
        BTC: Quote(D("64990"), D("65010")),
        ETH: Quote(D("2999.5"), D("3000.5")),
        MX: Quote(D("2.498"), D("2.502")),
    },
    NOON,
)
_RULES = {
    asset: replace(
        RULES,
        symbol=Symbol(asset + USDT),
        base=asset,
        quantity_step=D("0.000001"),
        price_step=D("0.01"),
    )
    for asset in (BTC, ETH, MX)
}
_INPUTS = PlanInputs(
    settings=HELD.settings.targeting,
    destination=HELD.settings.leads_to,
    holdings=Holdings(
        {
            USDT: Balance(D("152.40")),
            BTC: Balance(D("0.0088")),
            ETH: Balance(D("0.06")),
            MX: Balance(D(20)),
        },
        NOON,
    ),
    quotes=_QUOTES,
    rules=_RULES,
)


def planned(*, to_centre: bool = False) -> Planned:
    """What a check would do, or with *to_centre* a tap."""
    plan = plan_portfolio(_INPUTS, now=NOON, to_centre=to_centre)
    if not isinstance(plan, PortfolioPlan):
        raise TypeError(f"no plan: {plan}")
    return Planned(
        inputs=_INPUTS,
        plan=plan,
        at=NOON,
        to_centre=to_centre,
        limits=HELD.limits_in_force,
        prices=dict.fromkeys(_RULES, Recent()),
        types=dict.fromkeys(_RULES, OrderType.MARKET),
        untried=frozenset(),
        snapshot=snapshot_of(_INPUTS, plan),
        left_open=False,
    )


def look() -> TargetLook:
    """What the target means, and would do."""
    found = consequence(
        _INPUTS, now=NOON, daily_volatility={BTC: D("0.02"), ETH: D("0.03"), MX: D("0.05")}
    )
    return TargetLook(rules=_RULES, found=found, legs=planned().plan.legs)
