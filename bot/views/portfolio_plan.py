"""`/rebalance` where several trades make one plan: one card, one tap for the whole plan."""

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.components.amounts import cents
from bot.views.components.badges import badge
from bot.views.components.forecast import HALTED_FOR_ALL
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import block, escape, fitted, lines, paragraphs, row
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.portfolio_words import outside_line
from bot.views.components.target_facts import cost_of_all, legs_text
from bot.views.components.target_words import traded_name
from bot.views.rebalance_plan import tap_trade
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT
from engine.domain.portfolio.consequence import values_after
from engine.domain.portfolio.plan import NoLegs, NoPlan, PortfolioPlan
from engine.domain.rebalancing.planner import Reason
from engine.rebalancing.portfolio_planning import Planned

_COLUMN = 8
_MOST_ROWS = 4


def portfolio_plan_view(
    *, account: Account, planned: Planned | NoPlan, confirmation_id: str | None
) -> Message:
    """The plan that leads everything to its centre. *confirmation_id* is None if no tap is possible:
    nothing to trade, or trading is paused.
    """
    settings = account.settings
    head = f"{badge(account)} · Plan for {escape(traded_name(settings))} (/rebalance)"
    reason = _obstacle(planned)
    if not isinstance(planned, Planned) or reason is not None or not planned.plan.legs:
        return Message.paragraphs(
            lines(
                head,
                outside_line(planned.plan.outside, of=len(planned.plan.values))
                if isinstance(planned, Planned)
                else None,
            ),
            lines(
                "I would trade nothing now.",
                reason_text(reason, symbol=settings.symbol) if reason else None,
                reason_advice(reason, symbol=settings.symbol) if reason else None,
            ),
        )
    plan = planned.plan
    buttons = None
    if account.halted:
        how = HALTED_FOR_ALL
    elif settings.paused or confirmation_id is None:
        how = "Trading is paused, so this is only a plan. Send /resume first, then /rebalance."
        buttons = keyboard([do("Resume", "resume")])
    else:
        how = tap_trade(dry_run=settings.dry_run)
        buttons = keyboard([button("Trade", Confirm(confirmation_id))])
    cost = _cost(plan)
    text = paragraphs(
        lines(head, outside_line(plan.outside, of=len(plan.values))),
        block(money_rows_after(plan)),
        lines(f"Trades: {legs_text(plan.legs)}.", cost, how),
    )
    return Message(fitted(text, cost), buttons)


def portfolio_accepted_view(*, account: Account) -> Message:
    """Replaces the plan, keyboard and all, before anything is sent."""
    return Message.of(
        f"{badge(account)} · On it",
        "You tapped Trade: I read your balances and all prices again first.",
        "Then I trade one after the other, or I tell you why not.",
    )


def money_rows_after(plan: PortfolioPlan) -> list[str]:
    """`BTC 120.00 → 100.00` of what is traded, USDT last: before all trades, and after."""
    traded = {leg.asset: leg for leg in plan.legs}
    after = values_after(plan)
    assets = [asset for asset in plan.values if asset in traded][: _MOST_ROWS - 1]
    shown = [*assets, *(asset for asset in plan.values if asset == USDT)]
    return [
        line
        for asset in shown
        for line in row(
            asset, f"{cents(plan.values[asset])} → {cents(after[asset])}", column=_COLUMN
        )
    ]


def _obstacle(planned: Planned | NoPlan) -> Reason | None:
    if not isinstance(planned, Planned):
        return planned
    if planned.plan.legs:
        return planned.over_limit
    return NoLegs(planned.plan.reasons) if planned.plan.reasons else None


def _cost(plan: PortfolioPlan) -> str:
    return cost_of_all(plan.cost)
