"""`/limits`: the limits of every plan, how much of them is used, and the effect of a change."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import pair_name, percent, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import block, escape, lines, row
from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import AUTOMATIC, Limits, LimitsInForce, Recent
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.planner import smallest_order
from engine.rebalancing.preview import Outlook

_HOW = (
    "/limits order 500 · /limits day 2000\n"
    "/limits hour 20 · /limits price 15%\n"
    "auto instead of a value follows from the target."
)
# Up to this distance from the last price MEXC itself executes a market order.
_REACH = Decimal("0.05")


def limits_view(*, account: Account, recent: Recent, rules: PairRules | None) -> Message:
    return Message.paragraphs(
        f"{badge(account)} · Limits",
        _table(account, recent),
        "An order over a limit is not sent at all, and you are told. They bind your own taps too.",
        _warnings(account, rules=rules),
        _HOW,
        keyboard=_buttons(account.limits),
    )


def limits_changed_view(
    *,
    account: Account,
    changed: bool,
    recent: Recent,
    now: datetime,
    outlook: Outlook,
) -> Message:
    """*account* after the change."""
    return Message.paragraphs(
        f"{badge(account)} · {'Limits set' if changed else 'Nothing changed'}",
        _table(account, recent),
        next_check(account, outlook, now=now),
        _warnings(account, rules=outlook.rules),
        keyboard=_buttons(account.limits),
    )


def _table(account: Account, recent: Recent) -> str:
    chosen, limits = account.limits, account.limits_in_force
    return block(
        [
            *_limit("Order", usdt(limits.order), automatic=chosen.order is None),
            *_limit("Day", usdt(limits.day), automatic=chosen.day is None),
            *row("", f"{usdt(recent.turnover)} used"),
            *_limit(
                "Hour",
                _orders(limits.orders_per_hour),
                automatic=chosen.orders_per_hour is None,
            ),
            *row("", f"{recent.orders} used"),
            *_limit("Price", f"moves {percent(limits.move)}", automatic=chosen.move is None),
        ]
    )


def _limit(name: str, value: str, *, automatic: bool) -> Iterable[str]:
    return row(name, f"{value} (auto)" if automatic else value)


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"


def _warnings(account: Account, *, rules: PairRules | None) -> str:
    limits = account.limits_in_force
    return lines(
        _never_trades(limits, account=account, rules=rules),
        f"⚠️ The day's limit is under the order's: no order over {usdt(limits.day)} leaves."
        if limits.day < limits.order
        else None,
        f"⚠️ MEXC lets an order get {percent(_REACH)} away from the last price. With less allowed, "
        "an ordinary fill in a thin book can pause trading."
        if limits.move < _REACH
        else None,
    )


def _never_trades(
    limits: LimitsInForce, *, account: Account, rules: PairRules | None
) -> str | None:
    """A limit under the exchange's smallest order."""
    most = min(limits.order, limits.day)
    if rules is None or most >= (smallest := smallest_order(rules)):
        return None
    pair = escape(pair_name(account.settings.symbol))
    return (
        f"⚠️ With a limit of {usdt(most)} nothing can ever trade: MEXC takes orders for {pair} only "
        f"from {usdt(smallest)}."
    )


def _buttons(chosen: Limits) -> InlineKeyboardMarkup:
    return keyboard(
        [] if chosen == AUTOMATIC else [typed("limits", "auto")],
        [do("/status", "status"), do("/why", "why")],
    )
