"""Incidents: the kind and count of lasting failures, and when the user is alerted again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum


class IncidentKind(Enum):
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


# A retry cannot help before the user has changed something: trading is paused.
PAUSING = frozenset(
    {
        IncidentKind.KEY_REFUSED,
        IncidentKind.ADDRESS_REFUSED,
        IncidentKind.MISSING_PERMISSION,
        IncidentKind.ACCOUNT_RESTRICTED,
        IncidentKind.KEY_UNREADABLE,
        IncidentKind.BAD_FILL,
    }
)
# Kinds of one outage: a timeout, then an HTML page, then "too many requests".
OUTAGES = frozenset({IncidentKind.UNREACHABLE, IncidentKind.RATE_LIMITED, IncidentKind.BAD_DATA})
# Alerted at once, then when it has lasted this long; afterwards once a day.
_TOLD_AFTER = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
_DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class IncidentTimes:
    """How often a failure happened, and since when."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """One episode. *detail* is the exchange's own words or a reason's name, without secrets.

    *told* is how many messages were due when the last one left. *count* is of the whole episode,
    *kinds* of each kind in it (empty where an older version wrote it).
    """

    kind: IncidentKind
    detail: str
    since: datetime
    last_at: datetime
    count: int = 1
    told: int = 1
    told_kinds: frozenset[IncidentKind] = frozenset()
    kinds: Mapping[IncidentKind, IncidentTimes] = field(default_factory=dict, compare=False)

    def times(self, kind: IncidentKind) -> IncidentTimes:
        """Returns the times of that kind; all kinds of an outage count as one."""
        kindred = OUTAGES if kind in OUTAGES else {kind}
        alike = [times for known, times in self.kinds.items() if known in kindred]
        if not alike:
            return IncidentTimes(self.count, self.since)
        return IncidentTimes(sum(t.count for t in alike), min(t.since for t in alike))


def tellings_due(lasted: timedelta) -> int:
    """Returns how many messages an ongoing incident is worth after that long."""
    return 1 + sum(lasted >= after for after in _TOLD_AFTER) + lasted // _DAILY


def again(
    trouble: Incident | None, *, kind: IncidentKind, detail: str, now: datetime
) -> tuple[Incident, bool]:
    """Returns the episode after one more failure, and whether to alert the user now.

    Another kind within the episode is reported once, however often the two alternate; messages due
    during an outage of ours are skipped. A drift that cannot be traded is no failure: the first
    failure after it begins its own episode, which remembers it.
    """
    if trouble is None or (trouble.kind is IncidentKind.BLOCKED and kind is not trouble.kind):
        kept = trouble.told_kinds if trouble else frozenset()
        first = Incident(
            kind=kind,
            detail=detail,
            since=now,
            last_at=now,
            told_kinds=kept | {kind},
            kinds=_once_more(trouble, kind, now=now) if trouble else {kind: IncidentTimes(1, now)},
        )
        return first, True
    kinds = _once_more(trouble, kind, now=now)
    if kind is IncidentKind.BLOCKED and trouble.kind is not kind:
        # The failure before it may still last; the drift is remembered beside it.
        beside = replace(trouble, told_kinds=trouble.told_kinds | {kind}, kinds=kinds)
        return beside, kind not in trouble.told_kinds
    counted = replace(
        trouble, kind=kind, detail=detail, count=trouble.count + 1, last_at=now, kinds=kinds
    )
    kindred = OUTAGES if kind in OUTAGES else {kind}
    if trouble.told_kinds.isdisjoint(kindred):
        return replace(counted, told_kinds=trouble.told_kinds | {kind}), True
    if (due := tellings_due(now - trouble.since)) > trouble.told:
        return replace(counted, told=due), True
    return counted, False


def resumed(trouble: Incident) -> Incident | None:
    """Returns what remains when *trouble* is resolved: the untraded drift before it."""
    if trouble.kind is IncidentKind.BLOCKED or IncidentKind.BLOCKED not in trouble.told_kinds:
        return None
    blocked = IncidentKind.BLOCKED
    kinds = {kind: times for kind, times in trouble.kinds.items() if kind is blocked}
    return replace(trouble, kind=blocked, told_kinds=frozenset({blocked}), kinds=kinds)


def _once_more(
    trouble: Incident, kind: IncidentKind, *, now: datetime
) -> Mapping[IncidentKind, IncidentTimes]:
    known = trouble.kinds or {trouble.kind: IncidentTimes(trouble.count, trouble.since)}
    before = known.get(kind)
    return {
        **known,
        kind: IncidentTimes(before.count + 1, before.since) if before else IncidentTimes(1, now),
    }
