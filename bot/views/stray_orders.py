"""An order at the exchange that is not known here: the alert, and the answers to its button."""

from collections.abc import Iterable

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.components.amounts import price, tokens, usdt
from bot.views.components.badges import TROUBLE, alert_badge, badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape
from engine.domain.accounts.account import Account
from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.market.pairs import Side, base_of
from engine.execution.stray_orders import StrayAnswer, StrayEnded, StrayIsOurs, StrayOrder


def stray_order_view(alert: StrayOrderFound) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · An order that I do not know",
        *_what_it_is(alert),
        "It may be filled at any time. I leave it alone.",
        "It is made as mine are, but I have no record of it.",
        "A backup was restored, or a second copy of me runs with this key.",
        f"Its client order id at MEXC is {escape(alert.client_order_id)}.",
        "Tap “Cancel it”, or cancel it at MEXC. More: /status",
        keyboard=keyboard([button("Cancel it", Confirm(alert.client_order_id))]),
    )


def shared_stray_order_view(alert: StrayOrderFound) -> Message:
    """In a chat that sees the account and may not answer for it."""
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · An order that I do not know",
        *_what_it_is(alert),
        "It may be filled at any time. I leave it alone.",
        "I asked the owner of this account whether to cancel it.",
    )


def stray_answer_view(
    answer: StrayAnswer, stray: StrayOrder, *, account: Account, again_id: str | None
) -> Message:
    """*again_id* is the question of another try, where nothing is proven."""
    mode = badge(account.with_money(dry_run=False))
    if isinstance(answer, StrayIsOurs):
        return Message("I follow this order myself. I tell you its end. More: /status")
    if not isinstance(answer, StrayEnded):
        return Message.of(
            f"{mode} · Not cancelled yet",
            "MEXC has not confirmed it. The order may still be filled.",
            f"Its client order id is {escape(stray.client_order_id)}.",
            "Tap to try again, or cancel it at MEXC. More: /status",
            keyboard=keyboard([button("Cancel it", Confirm(again_id))] if again_id else []),
        )
    return Message.of(
        f"{mode} · The order is cancelled" if answer.was_open else f"{mode} · It was over already",
        _filled(answer, stray),
        "What it locked is free again.",
        "The next check starts from your balances. More: /balance",
        keyboard=keyboard([do("Balance", "balance")]),
    )


def _what_it_is(alert: StrayOrderFound) -> Iterable[str]:
    base = base_of(alert.symbol)
    size, at = escape(tokens(alert.base_quantity, base)), price(alert.price)
    if alert.side is Side.BUY:
        yield f"It waits at MEXC to buy {size} at {at}."
    else:
        yield f"It waits at MEXC to sell {size} at {at}."
    if alert.executed:
        yield f"{escape(tokens(alert.executed, base))} of it were traded already."


def _filled(answer: StrayEnded, stray: StrayOrder) -> str:
    done = answer.report.execution
    if not done.base_quantity:
        return "Nothing of it was filled, and no money moved."
    amount = escape(tokens(done.base_quantity, base_of(stray.symbol)))
    return f"It traded {amount} for {usdt(done.quote_amount)} before."
