"""Decides when to ask the user about a drift, or report it: once each, rate limited.

Pure: from what was offered last and what would be traded now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Self

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.run_request import Due, RunRequest, WholePlan, moved_by

# The kind of the confirmation behind the buttons of an offer.
OFFER = "offer"

QUIET = timedelta(hours=1)
# An unanswered offer has scrolled away by then: it is shown once more.
_SHOWN_AGAIN = timedelta(hours=6)
_ALIKE = Decimal("0.1")


class ApprovalState(Enum):
    """State of an offer: open, traded, skipped, or its drift has ended."""

    OPEN = "open"
    TAKEN = "taken"
    SKIPPED = "skipped"
    OVER = "over"


class ApprovalStep(Enum):
    """Step of a check that would trade: make a new offer, keep the open one, or neither."""

    NEW = "new"
    KEEP = "keep"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A plan shown at *at* that may be tapped until *expires_at*.
    *version* is the account's; *since* is when its state began; *plan* is set where it is of several
    trades.
    """

    id: str
    autonomy: TradingMode
    symbol: Symbol
    dry_run: bool
    side: Side
    expected_quote: Decimal
    version: int
    at: datetime
    expires_at: datetime
    since: datetime
    standing: ApprovalState = ApprovalState.OPEN
    plan: WholePlan | None = None

    @classmethod
    def of(
        cls,
        order: Due,
        account: Account,
        *,
        offer_id: str,
        now: datetime,
        patience: timedelta,
    ) -> Self:
        return cls(
            id=offer_id,
            autonomy=account.settings.autonomy,
            symbol=account.settings.symbol,
            dry_run=account.settings.dry_run,
            side=order.side,
            expected_quote=order.expected_quote,
            version=account.version,
            at=now,
            expires_at=lasts_until(account, now=now, patience=patience),
            since=now,
            plan=order if isinstance(order, WholePlan) else None,
        )


def lasts_until(account: Account, *, now: datetime, patience: timedelta) -> datetime:
    """The next check says whether the plan still holds; it has *patience* to do so."""
    return now + account.settings.interval + patience


def step(
    last: ApprovalRequest | None,
    order: Due,
    account: Account,
    *,
    now: datetime,
    patience: timedelta,
) -> ApprovalStep:
    """Decide about *order*, due in a chat that approves trades or is only informed.

    Two offers are at least the interval apart, and *patience*, unless the user answered the first
    or changed something.
    """
    if account.not_before is not None and now < account.not_before:
        return ApprovalStep.WAIT
    if last is None or last.at > now or not _concerns(last, account):
        return ApprovalStep.NEW
    long_enough = max(account.settings.interval, patience)
    if last.autonomy is TradingMode.NOTIFY:
        again = _tell_again(last, order, now=now, long_enough=long_enough)
    elif _can_stay(last, order, account, now=now):
        return ApprovalStep.KEEP
    else:
        again = _ask_again(last, order, account, now=now, long_enough=long_enough)
    return ApprovalStep.NEW if again else ApprovalStep.WAIT


def _tell_again(
    last: ApprovalRequest, order: Due, *, now: datetime, long_enough: timedelta
) -> bool:
    if _is_alike(last, order):
        return last.standing is ApprovalState.OVER and now - last.at >= QUIET
    return now - last.at >= long_enough


def _ask_again(
    last: ApprovalRequest,
    order: Due,
    account: Account,
    *,
    now: datetime,
    long_enough: timedelta,
) -> bool:
    match last.standing:
        case ApprovalState.TAKEN:
            return True
        case ApprovalState.SKIPPED:
            return not _is_alike(last, order) or now - last.since >= QUIET
        case ApprovalState.OPEN if last.version != account.version:
            return True  # a tap on it would not count any more
        case _:
            return now - last.at >= long_enough


def _concerns(last: ApprovalRequest, account: Account) -> bool:
    settings = account.settings
    mode = (last.autonomy, last.symbol, last.dry_run)
    return mode == (settings.autonomy, settings.symbol, settings.dry_run)


def _is_alike(last: ApprovalRequest, order: Due) -> bool:
    moved = moved_by(last.plan or last, order)
    return order.side is last.side and moved <= last.expected_quote * _ALIKE


def _can_stay(last: ApprovalRequest, order: Due, account: Account, *, now: datetime) -> bool:
    """True if a tap on the recent offer would trade *order*."""
    if last.standing is not ApprovalState.OPEN or last.version != account.version:
        return False
    tap = RunRequest(last.id, last.side, last.expected_quote, last.expires_at, plan=last.plan)
    return tap.covers(order, now=now) and now - last.at < _SHOWN_AGAIN
