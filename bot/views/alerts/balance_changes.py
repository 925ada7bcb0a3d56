"""A balance change without an order of ours: what it was, and what can be done about it."""

from decimal import Decimal

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import balance, band_range, cents, usdt
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import next_step
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines, paragraphs
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import BalanceChanged
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, base_of

RAISE, LEAVE = range(2)
CHOICES = (RAISE, LEAVE)
_THEN = {
    TradingMode.AUTO: "so I trade it as always, if MEXC and your limits let me.",
    TradingMode.ASK: "so I ask you whether to trade it.",
    TradingMode.NOTIFY: "and I leave it alone: you chose to be told only.",
}


def moved_view(told: BalanceChanged) -> Message:
    head = "Traded by hand" if told.by_hand else _headline(told.moved[0], step=told.quantity_step)
    text = paragraphs(
        lines(
            f"{alert_badge(told)} · {head}",
            "No order of mine did this:",
            *(_change(movement, told) for movement in told.moved),
        ),
        _consequence(told),
        "There were many of these within an hour: I keep the next ones without a word."
        if told.last_for_now
        else None,
    )
    if told.question_id is None or told.new_target is None:
        return Message(text)
    choices = [
        button(f"Target {cents(told.new_target)}", Choose(told.question_id, RAISE)),
        button("Leave it", Choose(told.question_id, LEAVE)),
    ]
    if told.autonomy is TradingMode.AUTO:
        how = (
            "If you would rather keep it as USDT, raise the target. What was traded by then is "
            "traded back. Without a tap the target stays. /settarget sets another one."
        )
        return Message.paragraphs(text, how, keyboard=keyboard(choices))
    how = (
        "Trade it, or raise the target and keep it as USDT? Trade it shows the plan, as "
        "/rebalance does. Without a tap nothing changes. /settarget sets another target."
    )
    return Message.paragraphs(text, how, keyboard=keyboard([do("Trade it", "rebalance")], choices))


def left_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Target stays {usdt(account.settings.target)}",
        next_step(account, held=None, rules=None),
    )


def _headline(movement: BalanceChange, *, step: Decimal | None) -> str:
    amount = abs(movement.change)
    shown = (
        usdt(amount)
        if movement.asset == USDT
        else escape(f"{balance(amount, step=step)} {movement.asset}")
    )
    return f"{shown} {'arrived' if movement.change > ZERO else 'left'}"


def _change(movement: BalanceChange, told: BalanceChanged) -> str:
    if movement.asset == USDT:
        target = f"  (target {cents(told.target)})"
        return f"USDT  {cents(movement.before)} → {cents(movement.after)}{target}"
    asset = escape(movement.asset)
    step = told.quantity_step
    return f"{asset}  {balance(movement.before, step=step)} → {balance(movement.after, step=step)}"


def _consequence(told: BalanceChanged) -> str:
    band = band_range(told.band)
    if told.band.holds(told.held):
        return f"You hold {usdt(told.held)}, inside the band of {band}: nothing to trade."
    base = escape(base_of(told.symbol))
    return (
        f"You hold {usdt(told.held)}, outside the band of {band} for {base}, "
        f"{_THEN[told.autonomy]}"
    )
