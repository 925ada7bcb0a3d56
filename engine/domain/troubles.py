"""Trouble that lasts: what kind it is, how often it came, and when the person hears of it again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum


class TroubleKind(Enum):
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    HOST_REFUSED = "host_refused"
    BAD_DATA = "bad_data"
    STALE_BALANCE = "stale_balance"
    CLOCK = "clock"
    KEY_REFUSED = "key_refused"
    ADDRESS_REFUSED = "address_refused"
    MISSING_PERMISSION = "missing_permission"
    ACCOUNT_RESTRICTED = "account_restricted"
    KEY_UNREADABLE = "key_unreadable"
    PAIR_UNAVAILABLE = "pair_unavailable"
    ORDER_REFUSED = "order_refused"
    NOT_FILLED = "not_filled"
    BLOCKED = "blocked"
    BAD_FILL = "bad_fill"
    INTERNAL = "internal"


# Trying again cannot help before the person has changed something: trading is paused.
PAUSING = frozenset(
    {
        TroubleKind.KEY_REFUSED,
        TroubleKind.ADDRESS_REFUSED,
        TroubleKind.MISSING_PERMISSION,
        TroubleKind.ACCOUNT_RESTRICTED,
        TroubleKind.KEY_UNREADABLE,
        TroubleKind.BAD_FILL,
    }
)
# One outage wears many faces: a timeout, then an HTML page, then "too many requests".
OUTAGES = frozenset({TroubleKind.UNREACHABLE, TroubleKind.RATE_LIMITED, TroubleKind.BAD_DATA})
# Told at once, then when it has lasted this long; afterwards once a day.
_TOLD_AFTER = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
_DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One episode. *detail* is the exchange's own words or a reason's name, without secrets.

    *told* is how many messages were due when the last one left.
    """

    kind: TroubleKind
    detail: str
    since: datetime
    last_at: datetime
    count: int = 1
    told: int = 1
    told_kinds: frozenset[TroubleKind] = frozenset()


def tellings_due(lasted: timedelta) -> int:
    """How many messages an ongoing trouble is worth in all, after that long."""
    return 1 + sum(lasted >= after for after in _TOLD_AFTER) + lasted // _DAILY


def again(
    trouble: Trouble | None, *, kind: TroubleKind, detail: str, now: datetime
) -> tuple[Trouble, bool]:
    """The episode after one more failure, and whether to tell the person now.

    Another kind within the episode is told once, however often the two alternate; messages that
    came due while nobody looked are skipped, not made up for. A drift that cannot be traded is no
    failure: the first failure after it begins an episode of its own, which remembers it.
    """
    if trouble is None or (trouble.kind is TroubleKind.BLOCKED and kind is not trouble.kind):
        kept = trouble.told_kinds if trouble else frozenset()
        first = Trouble(kind=kind, detail=detail, since=now, last_at=now, told_kinds=kept | {kind})
        return first, True
    if kind is TroubleKind.BLOCKED and trouble.kind is not kind:
        # The failure before it may not be over yet; the drift is remembered beside it.
        return replace(trouble, told_kinds=trouble.told_kinds | {kind}), (
            kind not in trouble.told_kinds
        )
    counted = replace(trouble, kind=kind, detail=detail, count=trouble.count + 1, last_at=now)
    kindred = OUTAGES if kind in OUTAGES else {kind}
    if trouble.told_kinds.isdisjoint(kindred):
        return replace(counted, told_kinds=trouble.told_kinds | {kind}), True
    if (due := tellings_due(now - trouble.since)) > trouble.told:
        return replace(counted, told=due), True
    return counted, False


def resumed(trouble: Trouble) -> Trouble | None:
    """What remains when *trouble* is over: the drift that could not be traded before it."""
    if trouble.kind is TroubleKind.BLOCKED or TroubleKind.BLOCKED not in trouble.told_kinds:
        return None
    return replace(trouble, kind=TroubleKind.BLOCKED, told_kinds=frozenset({TroubleKind.BLOCKED}))
