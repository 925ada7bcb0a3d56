"""A balance change without an order of ours: what it was, and what happens to the money."""

from decimal import Decimal

from bot.interaction.message import Message
from bot.views.components.amounts import balance, band_range, cents, usdt
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import next_step
from bot.views.components.layout import escape, lines
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import BalanceChanged
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, base_of

RAISE, LEAVE = range(2)
CHOICES = (RAISE, LEAVE)
MANY = "There were many of these within an hour: I keep the next ones without a word."


def moved_view(told: BalanceChanged) -> Message:
    head = "Traded by hand" if told.by_hand else headline(told.moved[0], step=told.quantity_step)
    return Message.paragraphs(
        lines(
            f"{alert_badge(told)} · {head}",
            "Not a trade of mine.",
            *(
                change_line(movement, target=told.target, step=told.quantity_step)
                for movement in told.moved
            ),
        ),
        _consequence(told),
        MANY if told.last_for_now else None,
    )


def left_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Target stays {usdt(account.settings.target)}",
        next_step(account, held=None, rules=None),
    )


def headline(movement: BalanceChange, *, step: Decimal | None) -> str:
    amount = abs(movement.change)
    shown = (
        usdt(amount)
        if movement.asset == USDT
        else escape(f"{balance(amount, step=step)} {movement.asset}")
    )
    return f"{shown} arrived" if movement.change > ZERO else f"{shown} left"


def change_line(movement: BalanceChange, *, target: Decimal, step: Decimal | None) -> str:
    if movement.asset == USDT:
        return (
            f"USDT  {cents(movement.before)} → {cents(movement.after)}  (target {cents(target)})"
        )
    asset = escape(movement.asset)
    return f"{asset}  {balance(movement.before, step=step)} → {balance(movement.after, step=step)}"


def _consequence(told: BalanceChanged) -> str:
    band, base = band_range(told.band), escape(base_of(told.symbol))
    amount = abs(told.held - told.target)
    if told.band.holds(told.held):
        return f"You hold {usdt(told.held)}, inside the band of {band}: nothing to trade."
    match told.autonomy:
        case TradingMode.ASK:
            return f"You hold {usdt(told.held)}, outside the band of {band}. I ask you first."
        case TradingMode.NOTIFY:
            return (
                f"You hold {usdt(told.held)}, outside the band of {band}. I only tell you. "
                "To trade it: /rebalance"
            )
        case _ if told.held > told.target:
            return f"I buy {base} for about {usdt(amount)} now, within your limits."
        case _:
            return f"I sell {base} for about {usdt(amount)} now, within your limits."
