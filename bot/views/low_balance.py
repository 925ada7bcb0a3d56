"""`/warn`: low-balance thresholds, and the alerts when an asset is below one and back above."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.interaction.callback_data import RemoveLowBalance
from bot.interaction.message import Message
from bot.views.components.amounts import quantity, tokens
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge, badge
from bot.views.components.command_text import button_names
from bot.views.components.keyboards import button, do, in_rows, keyboard, typed
from bot.views.components.layout import escape
from bot.views.components.listening import listening_line
from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import MOST_MARKS, LowBalanceThreshold
from engine.domain.alerts.alerts import Alert, LowBalanceOver, LowBalanceReached
from engine.domain.market.pairs import USDT, Asset, PairRules, base_of

_MOST_OFFERED = 4
_HOW = "/warn MNTL 100000 warns you below that. /warn MNTL off stops it."


def marks_view(
    *,
    account: Account,
    marks: Sequence[LowBalanceThreshold],
    removed: Asset | None = None,
    tokens: Sequence[Asset] = (),
    is_listening: bool = False,
) -> Message:
    """The list, with a button for each threshold that removes it, and one for each of *tokens*
    that is not watched. *is_listening*: what to set may be typed alone.
    """
    watched = {mark.asset for mark in marks}
    new = [token for token in button_names(tokens) if token not in watched][:_MOST_OFFERED]
    rows = [[button(f"Remove {mark.asset}", RemoveLowBalance(mark.asset))] for mark in marks]
    rows += in_rows([typed("warn", token) for token in new], 2)
    return Message.of(
        f"{badge(account)} · Warnings",
        f"I do not watch {escape(removed)} any more." if removed else None,
        *(_mark(mark) for mark in marks),
        None if marks else "No warnings set.",
        _HOW,
        listening_line("MNTL 100000") if is_listening else None,
        keyboard=keyboard(*rows) if rows else None,
    )


def ask_mark_view(*, asset: Asset, is_listening: bool) -> Message:
    """The token is chosen, the amount is not."""
    name = escape(asset)
    return Message.of(
        f"Below how many {name} should I warn you? Nothing changed yet.",
        f"/warn {name} 100000",
        listening_line("100000") if is_listening else None,
    )


def mark_set_view(
    *,
    account: Account,
    mark: LowBalanceThreshold,
    changed: bool,
    left: Decimal | None = None,
    rules: PairRules | None = None,
) -> Message:
    """*left* is the current balance, if it is known; *rules* know the token's precision."""
    if left is not None and rules is not None and rules.base == mark.asset:
        left = rules.floor_quantity(left)
    asset = escape(mark.asset)
    return Message.of(
        f"{badge(account)} · {'Warning set' if changed else 'Nothing changed'}",
        f"I warn you once below {escape(tokens(mark.below, mark.asset))}.",
        f"I tell you when you have {quantity(mark.back_at)} or more again.",
        *_now(mark, left),
        "I do not check while trading is stopped. /resume starts it."
        if account.stopped or not account.can_trade
        else None,
        f"/warn {asset} off stops it. /warn shows all.",
        keyboard=keyboard(
            [button(f"Remove {mark.asset}", RemoveLowBalance(mark.asset)), do("/warn", "warn")]
        ),
    )


def mark_removed_view(*, account: Account, asset: Asset, was_there: bool) -> Message:
    name = escape(asset)
    return Message.of(
        f"{badge(account)} · {'Warning removed' if was_there else 'Nothing changed'}",
        f"I do not watch {name} any more." if was_there else f"I had no warning for {name}.",
        "/warn shows all warnings.",
        keyboard=keyboard([do("/warn", "warn")]),
    )


def too_many_marks_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I watch {MOST_MARKS} tokens at most.",
        "Remove one first: /warn shows them.",
        keyboard=keyboard([do("/warn", "warn")]),
    )


def low_mark_view(alert: LowBalanceReached) -> Message:
    asset = escape(alert.asset)
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · {asset} runs low",
        f"You have {escape(tokens(alert.left, alert.asset))}.",
        f"Your warning is at {escape(tokens(alert.below, alert.asset))}.",
        "Nothing was traded because of this.",
        _meaning(alert),
        f"I tell you when there is enough again. /warn {asset} off stops it.",
        keyboard=keyboard([do("/warn", "warn"), do("/balance", "balance")]),
    )


def low_mark_over_view(alert: LowBalanceOver) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · Enough {escape(alert.asset)} again",
        f"You have {escape(tokens(alert.left, alert.asset))}.",
        f"Your warning stays at {escape(tokens(alert.below, alert.asset))}.",
    )


LOW_BALANCE_VIEWS: Mapping[type[Alert], Callable[[Any], Message]] = {
    LowBalanceReached: low_mark_view,
    LowBalanceOver: low_mark_over_view,
}


def _meaning(alert: LowBalanceReached) -> str | None:
    if alert.asset == base_of(alert.symbol):
        return f"Without {escape(alert.asset)} I cannot sell any to refill your USDT."
    if alert.asset == USDT:
        return "Without USDT I cannot buy."
    return None


def _mark(mark: LowBalanceThreshold) -> str:
    below = f"Below {escape(tokens(mark.below, mark.asset))}"
    return f"{below} (low now, you were told)" if mark.told else below


def _now(mark: LowBalanceThreshold, left: Decimal | None) -> Sequence[str]:
    if left is None:
        return []
    have = f"You have {escape(tokens(left, mark.asset))} now."
    return [have, "The next check warns you."] if left < mark.below else [have]
