"""`/warn`: low-balance thresholds, and the alerts when an asset is below one and back above."""

from collections.abc import Sequence
from decimal import Decimal

from bot.interaction.callback_data import RemoveLowBalance
from bot.interaction.message import Message
from bot.views.components.amounts import quantity, tokens
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge, badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape
from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import MOST_MARKS, LowBalanceThreshold
from engine.domain.alerts.alerts import LowBalanceOver, LowBalanceReached
from engine.domain.market.pairs import USDT, Asset, PairRules, base_of

_HOW = "/warn MNTL 100000 warns once there is less, /warn MNTL off stops that."


def marks_view(
    *, account: Account, marks: Sequence[LowBalanceThreshold], removed: Asset | None = None
) -> Message:
    """The list, with a button for each threshold that removes it."""
    return Message.of(
        f"{badge(account)} · Warnings",
        f"I do not watch {escape(removed)} any more." if removed else None,
        *(f"{_below(mark)}{' (it is, and you know)' if mark.told else ''}" for mark in marks),
        None if marks else "I warn of nothing that runs low.",
        _HOW,
        keyboard=keyboard(
            *([button(f"Remove {mark.asset}", RemoveLowBalance(mark.asset))] for mark in marks)
        )
        if marks
        else None,
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
        f"I tell you once when {_below(mark)}, and again when "
        f"{escape(tokens(mark.back_at, mark.asset))} are back.",
        _now(mark, left),
        "While trading is stopped I do not look; /resume starts it."
        if account.stopped or not account.can_trade
        else None,
        f"/warn {asset} off stops it, /warn shows all.",
        keyboard=keyboard(
            [button(f"Remove {mark.asset}", RemoveLowBalance(mark.asset)), do("/warn", "warn")]
        ),
    )


def mark_removed_view(*, account: Account, asset: Asset, was_there: bool) -> Message:
    said = "I do not watch it any more." if was_there else "I did not watch it."
    return Message.of(
        f"{badge(account)} · {'Warning removed' if was_there else 'Nothing changed'}",
        f"{escape(asset)}: {said}",
        "/warn shows what I watch.",
        keyboard=keyboard([do("/warn", "warn")]),
    )


def too_many_marks_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I watch {MOST_MARKS} tokens already, which is the most. "
        "Remove one first: /warn shows them.",
        keyboard=keyboard([do("/warn", "warn")]),
    )


def low_mark_view(alert: LowBalanceReached) -> Message:
    asset = escape(alert.asset)
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · {asset} runs low",
        f"You have {escape(tokens(alert.left, alert.asset))}, below the "
        f"{escape(tokens(alert.below, alert.asset))} you wanted to hear of.",
        _meaning(alert),
        "Nothing was traded because of this. You hear when there is enough again; "
        f"/warn {asset} off stops it.",
        keyboard=keyboard([do("/warn", "warn"), do("/balance", "balance")]),
    )


def low_mark_over_view(alert: LowBalanceOver) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · Enough {escape(alert.asset)} again",
        f"You have {escape(tokens(alert.left, alert.asset))}; "
        f"the warning is at {escape(tokens(alert.below, alert.asset))}. It stands.",
    )


def _meaning(alert: LowBalanceReached) -> str | None:
    if alert.asset == base_of(alert.symbol):
        return (
            f"When it is used up I cannot sell {escape(alert.asset)} to refill your USDT: "
            "the next sells cannot be made."
        )
    if alert.asset == USDT:
        return "When it is used up I cannot buy."
    return None


def _below(mark: LowBalanceThreshold) -> str:
    return f"{escape(mark.asset)} is below {quantity(mark.below)}"


def _now(mark: LowBalanceThreshold, left: Decimal | None) -> str | None:
    if left is None:
        return None
    have = f"You have {escape(tokens(left, mark.asset))} now"
    return f"{have}, so the next check tells you." if left < mark.below else f"{have}."
