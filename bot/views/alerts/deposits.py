"""A deposit that waits or was kept, as the chat is told of it."""

from dataclasses import replace

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.alerts.balance_changes import MANY, cause_line, change_line, headline, next_order
from bot.views.components.amounts import cents, usdt
from bot.views.components.badges import alert_badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.deposits import deposit_buttons, waiting_text
from engine.domain.alerts.deposit_alerts import (
    ComingOrder,
    DepositKept,
    DepositTraded,
    DepositWaiting,
)
from engine.domain.market.pairs import base_of
from engine.domain.rebalancing.planner import LimitKind, OverLimit


def deposit_traded_view(told: DepositTraded) -> Message:
    """The choices are for the next deposit: this one is spent at once."""
    amount = told.held - told.target
    if told.coming is None and amount > told.order_limit:
        over = OverLimit(LimitKind.ORDER, asked=amount, allowed=told.order_limit)
        told = replace(told, coming=ComingOrder(over))
    choices = (
        [do("Wait 15 min next time", "deposits", "wait15m")],
        [do("Ask me next time", "deposits", "ask"), do("Keep next time", "deposits", "keep")],
    )
    return Message.paragraphs(
        lines(
            f"{alert_badge(told)} · {headline(told.moved[0], step=told.quantity_step)}",
            *moved_lines(told),
        ),
        next_order(told),
        MANY if told.last_for_now else None,
        "For the next deposit: /deposits" if told.has_choices else None,
        keyboard=keyboard(*choices) if told.has_choices else None,
    )


def deposit_waits_view(told: DepositWaiting) -> Message:
    head = f"{usdt(told.amount)} still waiting"
    if told.moved:
        head = headline(told.moved[0], step=told.quantity_step)
    return Message.paragraphs(
        lines(
            f"{alert_badge(told)} · {head}",
            *moved_lines(told),
            None if told.moved else f"USDT  {cents(told.held)}  (target {cents(told.target)})",
        ),
        waiting_text(
            told.symbol,
            buys=told.buys,
            until=told.until,
            asks=told.asks,
            order_limit=told.order_limit,
        ),
        "All about deposits: /deposits",
        keyboard=deposit_buttons(told.question_id, new_target=told.new_target),
    )


def deposit_kept_view(told: DepositKept) -> Message:
    base = escape(base_of(told.symbol))
    return Message.paragraphs(
        lines(
            f"{alert_badge(told)} · {headline(told.moved[0], step=told.quantity_step)}",
            *moved_lines(told),
        ),
        lines(
            f"I keep it: the target is {usdt(told.target)} now.",
            f"Undo: target {cents(told.former_target)}, and what is over it buys {base}.",
            "Another rule for the next deposit: /deposits",
        ),
        keyboard=keyboard(
            [button(f"↩️ Undo: target {cents(told.former_target)}", Confirm(told.question_id))]
        ),
    )


def moved_lines(told: DepositTraded | DepositWaiting | DepositKept) -> list[str]:
    if not told.moved:
        return []
    return [
        cause_line(told.cause),
        *(
            change_line(movement, target=told.target, step=told.quantity_step)
            for movement in told.moved
        ),
    ]
