"""When a listen key is extended and a connection renewed. Pure; times are of the steady clock.

A key is valid for 60 minutes from its last extension, a connection for 24 hours at most. *dice* are
from 0 to 1,000, so that those of many accounts spread.
"""

from datetime import datetime, timedelta

DAY = timedelta(days=1)
VALID_FOR = timedelta(minutes=60)
# Used again without a new one, so that a restart leaves none behind.
USABLE_FOR = timedelta(minutes=55)
_EXTENDED_FROM, _EXTENDED_TO = timedelta(minutes=25), timedelta(minutes=30)
_AGAIN = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
# Older, it goes before checks; and older still, its stream is in doubt.
URGENT_AFTER, DOUBTFUL_AFTER = timedelta(minutes=40), timedelta(minutes=50)
_RENEWED_FROM, _RENEWED_TO = timedelta(hours=20), timedelta(hours=23)
_LONGEST_BACKOFF = timedelta(seconds=60)
_LONGEST_REFUSAL = timedelta(hours=1)
_MOST_DOUBLINGS = 6
_SIDES = 1000


def extension_due(
    extended_at: datetime, *, failures: int, failed_at: datetime | None, dice: int
) -> datetime:
    """Returns when the key is to be extended; after a failure, when to try again."""
    if failures and failed_at is not None:
        return failed_at + _AGAIN[min(failures, len(_AGAIN)) - 1]
    return extended_at + _EXTENDED_FROM + (_EXTENDED_TO - _EXTENDED_FROM) * dice // _SIDES


def renewal_due(connected_at: datetime, *, dice: int) -> datetime:
    """Returns when a second connection is opened in place of this one, on the same key."""
    return connected_at + _RENEWED_FROM + (_RENEWED_TO - _RENEWED_FROM) * dice // _SIDES


def backoff(failures: int, *, dice: int) -> timedelta:
    """Returns the wait before the next attempt to connect: anything up to 0, 1, 2, 4 … 60 s."""
    if failures == 0:
        return timedelta()
    most = timedelta(seconds=2 ** min(failures - 1, _MOST_DOUBLINGS))
    return min(most, _LONGEST_BACKOFF) * dice // _SIDES


def refused_again_in(refusals: int) -> timedelta:
    """Returns the wait after a connection that was made and not subscribed: 1 min, 2, 4 … 1 h."""
    doubled: timedelta = timedelta(minutes=1) * 2 ** min(max(refusals - 1, 0), _MOST_DOUBLINGS)
    return min(doubled, _LONGEST_REFUSAL)
