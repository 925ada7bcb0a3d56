"""When an account is looked at, in words: the card's row, and how often that is."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.views.components.layout import row
from bot.views.components.times import (
    compact,
    exactly,
    is_same_day,
    roughly,
    stamp,
    time_or_day,
    wall_time,
)
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.execution.maker_first import rests
from engine.domain.orders.order import Order

# Not "Next": beside DRY RUN, "Next: live" would be read as real money.
_WATCHED = "Watched"
_A_DAY = timedelta(days=1)


def next_rows(
    account: Account,
    unresolved: Order | None,
    trouble: Incident | None,
    *,
    due: datetime | None,
    live_every: timedelta | None,
    now: datetime | None,
) -> Iterable[str]:
    """A change of a balance is noticed at once while the stream is live; the checks go on, less
    often where there are many accounts. Without *now* only whether it is live.
    """
    is_due = account.can_trade and not (account.stopped or unresolved or trouble)
    if now is None:
        return row(_WATCHED, "live") if live_every and is_due else ()
    if not is_due:
        return row("Next", _not_due(account, unresolved))
    if live_every:
        return _live(account, due=due, every=live_every, now=now)
    every = compact(account.settings.interval)
    if due is None:
        text = f"check within {every}"
    elif due <= now:
        text = f"now, then every {every}"
    elif is_same_day(due, now):
        text = f"{time_or_day(due, now=now)}, then every {every}"
    else:
        text = stamp(due).strip()
    return row("Next", text)


def check_line(own: timedelta, *, every: timedelta) -> str:
    """How often it is checked; *own* is the account's interval."""
    if every > own:
        return f"I check your account when I hear of a change, at least every {roughly(every)}."
    return f"I check your account every {exactly(own)}, or sooner when I hear of a change."


def _not_due(account: Account, unresolved: Order | None) -> str:
    if not account.can_trade:
        return "nothing without a key"
    if unresolved is not None:
        return "the order waits" if rests(unresolved) else "the order is looked up"
    if account.halted:
        return "nothing while halted"
    return "nothing while paused" if account.settings.paused else "another try soon"


def _live(
    account: Account, *, due: datetime | None, every: timedelta, now: datetime
) -> Iterable[str]:
    if due is None or due <= now:
        yield from row(_WATCHED, "live, check now")
    else:
        yield from row(_WATCHED, f"live, check by {_by(due, now=now)}")
    if every > account.settings.interval:
        yield from row("", f"at least every {roughly(every)}")


def _by(due: datetime, *, now: datetime) -> str:
    """A time of day within a day needs no date."""
    return f"{wall_time(due):%H:%M}" if due - now < _A_DAY else time_or_day(due, now=now)
