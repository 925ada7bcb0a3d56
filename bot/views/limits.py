"""`/limits`: the limits of every plan, how much of them is used, and the effect of a change."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import count, pair_name, percent, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, in_rows, keyboard, typed
from bot.views.components.layout import block, escape, lines, row
from bot.views.components.listening import listening_line
from engine.domain.accounts import setting_presets
from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import AUTOMATIC, LimitsInForce, Recent
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.planner import smallest_order
from engine.rebalancing.preview import Outlook

_HOW = (
    "/limits order 500 · /limits day 2000\n"
    "/limits hour 20 · /limits price 15%\n"
    "/limits auto sets all by your target."
)
_WAYS = [do("/status", "status"), do("/why", "why")]
# Up to this distance from the last price MEXC itself executes a market order.
_REACH = Decimal("0.05")


def limits_view(
    *,
    account: Account,
    recent: Recent,
    rules: PairRules | None,
    may_set: bool = True,
    is_listening: bool = False,
) -> Message:
    """*may_set*: the reader may change them. *is_listening*: what to set may be typed alone."""
    return Message.paragraphs(
        f"{badge(account)} · Limits",
        _table(account, recent),
        lines(
            "I send no order over a limit, and tell you.",
            "The limits hold for your own taps too.",
        ),
        _warnings(account, rules=rules),
        lines(_HOW, listening_line("order 500") if is_listening else None) if may_set else None,
        keyboard=_buttons(account, presets=True) if may_set else keyboard(_WAYS),
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
        keyboard=_buttons(account),
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
                count(limits.orders_per_hour, "1 order", "{n} orders"),
                automatic=chosen.orders_per_hour is None,
            ),
            *row("", f"{recent.orders} used"),
            *_limit("Price", f"moves {percent(limits.move)}", automatic=chosen.move is None),
        ]
    )


def _limit(name: str, value: str, *, automatic: bool) -> Iterable[str]:
    return row(name, f"{value} (auto)" if automatic else value)


def _warnings(account: Account, *, rules: PairRules | None) -> str:
    limits = account.limits_in_force
    return lines(
        _never_trades(limits, account=account, rules=rules),
        f"⚠️ No order over {usdt(limits.day)} can leave: that is your limit for a day."
        if limits.day < limits.order
        else None,
        f"⚠️ You allow price moves of {percent(limits.move)}. MEXC fills orders up to "
        f"{percent(_REACH)} from the last price. An ordinary fill can pause trading."
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
        f"⚠️ Nothing can trade: your limit is {usdt(most)}. MEXC's smallest order for {pair} is "
        f"{usdt(smallest)}."
    )


def _preset(order: str) -> InlineKeyboardButton:
    return do(f"/limits order {order}", "limits", f"order{order}")


def _buttons(account: Account, *, presets: bool = False) -> InlineKeyboardMarkup:
    orders = setting_presets.order_limits(account.limits_in_force.order) if presets else ()
    return keyboard(
        *in_rows([_preset(plain(value)) for value in orders], 2),
        [] if account.limits == AUTOMATIC else [typed("limits", "auto")],
        _WAYS,
    )
