"""A balance change without an order of ours: what it was, and what happens to the money."""

from decimal import Decimal

from bot.interaction.message import Message
from bot.views.components.amounts import balance, band_range, cents, usdt
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import next_step
from bot.views.components.layout import escape, lines
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.target_words import target_line
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import BalanceChanged, ComingOrder, DepositTraded
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, base_of
from engine.domain.streams.events import Cause

RAISE, LEAVE = range(2)
CHOICES = (RAISE, LEAVE)
MANY = "There were many of these within an hour: I keep the next ones without a word."

# By whether it is a purchase.
_NOW = {
    True: "I buy {base} for about {amount} now.",
    False: "I sell {base} for about {amount} now.",
}
_NEXT = {
    True: "The next check decides whether I buy {base} for about {amount}.",
    False: "The next check decides whether I sell {base} for about {amount}.",
}
_STOPPED = {
    True: "Trading is stopped. When it goes on, I buy {base} for about {amount}.",
    False: "Trading is stopped. When it goes on, I sell {base} for about {amount}.",
}


_PORTFOLIO = {
    False: "The next check shares it out, if that is more than the threshold.",
    True: "Trading is paused: I share out nothing until /resume.",
}


def moved_view(told: BalanceChanged) -> Message:
    head = "Traded by hand" if told.by_hand else headline(told.moved[0], step=told.quantity_step)
    return Message.paragraphs(
        lines(
            f"{alert_badge(told)} · {head}",
            cause_line(told.cause),
            *(
                change_line(movement, target=told.target, step=told.quantity_step)
                for movement in told.moved
            ),
        ),
        _consequence(told),
        MANY if told.last_for_now else None,
    )


_CAUSES = {
    Cause.DEPOSIT: "MEXC calls it a deposit. Not a trade of mine.",
    Cause.WITHDRAWAL: "MEXC calls it a withdrawal. Not a trade of mine.",
    Cause.TRANSFER: "MEXC calls it a transfer. Not a trade of mine.",
}


def cause_line(cause: Cause | None) -> str:
    """Where the money came from or went, as far as MEXC said that."""
    return _CAUSES.get(cause or Cause.OTHER, "Not a trade of mine.")


def left_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Target stays {escape(target_line(account.settings.target))}",
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


def change_line(movement: BalanceChange, *, target: Decimal | None, step: Decimal | None) -> str:
    if movement.asset == USDT:
        moved = f"USDT  {cents(movement.before)} → {cents(movement.after)}"
        return moved if target is None else f"{moved}  (target {cents(target)})"
    asset = escape(movement.asset)
    return f"{asset}  {balance(movement.before, step=step)} → {balance(movement.after, step=step)}"


def next_order(told: BalanceChanged | DepositTraded) -> str:
    """The order that comes of it, or what stops that."""
    coming = told.coming or ComingOrder()
    if coming.reason is not None:
        return lines(
            f"I trade nothing now. {reason_text(coming.reason, symbol=told.symbol)}",
            reason_advice(coming.reason, symbol=told.symbol),
        )
    target = told.held if told.target is None else told.target
    is_buy = told.held > target
    if told.paused or told.halted:
        sentence = _STOPPED[is_buy]
    else:
        sentence = _NOW[is_buy] if coming.at_once else _NEXT[is_buy]
    amount = coming.expected_quote or abs(told.held - target)
    return sentence.format(base=escape(base_of(told.symbol)), amount=usdt(amount))


def _consequence(told: BalanceChanged) -> str:
    if told.band is None:
        return _PORTFOLIO[told.paused or told.halted]
    band = band_range(told.band)
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
        case TradingMode.AUTO:
            return next_order(told)
