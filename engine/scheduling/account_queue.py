"""In-memory queue of the accounts this process has leased, ordered by due time."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.schedule import first_check, longest_silence
from engine.monitoring.stall_detector import WorkProgress

# After a restart checks start as fast as one address may read accounts (3 a second), within 60 s;
# with more accounts the queue and the rate limiter make all late by the same.
_STARTS_PER_SECOND = 3
_LONGEST_SPREAD = timedelta(seconds=60)


class Line(IntEnum):
    """Lines of due accounts, the first one first: a user is waiting or an order is unresolved;
    something happened to the account; its interval is over.
    """

    URGENT = 0
    WOKEN = 1
    POLLED = 2


@dataclass(frozen=True, slots=True)
class AccountShare:
    """What this process knows of one leased account.
    *look* is the last check, *seen* the last that read the balances.
    """

    look: CheckResult | None
    seen: CheckResult | None
    due_at: datetime | None


@dataclass(slots=True)
class QueuedAccount:
    """One leased account.
    *due_at* is None while only a wake-up makes it due. *patience* is the time limit for the next
    finished check. *again*: a user changed something during the check; *woken_at*: `wake` was
    called during it. Until *held_until* no wake makes it due. *next_at* is when its interval is
    over, however long it may be left alone. *seen* is the last check that read the balances;
    *seen_kept*: it is in the database.
    """

    fence: int
    due_at: datetime | None
    patience: timedelta
    busy: bool = False
    again: bool = False
    line: Line = Line.POLLED
    woken_at: datetime | None = None
    held_until: datetime | None = None
    next_at: datetime | None = None
    look: CheckResult | None = None
    seen: CheckResult | None = None
    seen_kept: bool = False

    def due_in(self, now: datetime) -> timedelta:
        """Returns in what time another process must check it: one that only goes by its interval."""
        moments = [moment for moment in (self.due_at, self.next_at) if moment is not None]
        return max(min(moments, default=now) - now, timedelta())

    def standing(self, *, now: datetime, steady: datetime) -> AccountShare:
        """Returns the share, its due time converted to the wall clock, which shows *now*."""
        due_at = None if self.due_at is None else now + (self.due_at - steady)
        return AccountShare(self.look, self.seen, due_at)


def fair_share(*, accounts: int, processes: int) -> int:
    """Returns how many accounts a process may own, so that together they own all."""
    return -(-accounts // max(processes, 1))


class AccountQueue:
    """In-memory queue; *error_backoff* is the wait after a failed check."""

    def __init__(self, *, error_backoff: timedelta) -> None:
        self._error_backoff = error_backoff
        self._accounts: dict[AccountId, QueuedAccount] = {}
        self._lines: dict[Line, list[tuple[datetime, AccountId]]] = {line: [] for line in Line}
        # Kept when a lease is lost: claiming it again after an outage is not a finished check.
        self._finished: Counter[AccountId] = Counter()

    def get(self, account_id: AccountId) -> QueuedAccount | None:
        return self._accounts.get(account_id)

    def held(self, account_id: AccountId, *, fence: int) -> QueuedAccount | None:
        """None where the account was lost, or lost and claimed again, since it had that fence."""
        queued = self._accounts.get(account_id)
        return queued if queued is not None and queued.fence == fence else None

    def values(self) -> Iterable[QueuedAccount]:
        return self._accounts.values()

    def clear(self) -> None:
        self._accounts.clear()

    def __len__(self) -> int:
        return len(self._accounts)

    def give_up(self, count: int) -> dict[AccountId, QueuedAccount]:
        """Remove up to *count* idle accounts; returns them."""
        idle = (account_id for account_id, queued in self._accounts.items() if not queued.busy)
        given = sorted(idle, reverse=True)[: max(count, 0)]
        return {account_id: self._accounts.pop(account_id) for account_id in given}

    def take(
        self,
        claimed: Mapping[AccountId, int],
        *,
        now: datetime,
        due_in: Mapping[AccountId, timedelta] | None = None,
    ) -> None:
        """Add newly leased accounts, by their fences: due as their last owner said (*due_in*), or
        else at once, one after the other.
        """
        known = due_in or {}
        unknown = sorted(account_id for account_id in claimed if account_id not in known)
        spread = min(timedelta(seconds=len(unknown)) / _STARTS_PER_SECOND, _LONGEST_SPREAD)
        due = {
            account_id: first_check(now=now, position=place, crowd=len(unknown), interval=spread)
            for place, account_id in enumerate(unknown)
        } | {account_id: now + left for account_id, left in known.items() if account_id in claimed}
        silence = longest_silence(waits=[self._error_backoff])
        for account_id, due_at in due.items():
            fence = claimed[account_id]
            self._accounts[account_id] = QueuedAccount(
                fence, due_at=None, patience=due_at - now + silence
            )
            self.schedule(account_id, due_at)

    def keep_up(self, held: Mapping[AccountId, int], *, now: datetime) -> list[AccountId]:
        """Hold exactly what the database says is *held*, by fences; returns what was lost."""
        lost = [a for a, queued in self._accounts.items() if held.get(a) != queued.fence]
        for account_id in lost:
            del self._accounts[account_id]
        # Leased, but the answer to the commit was lost: no other process would check them.
        self.take({a: fence for a, fence in held.items() if a not in self._accounts}, now=now)
        return lost

    def schedule(self, account_id: AccountId, due_at: datetime, *, urgently: bool = False) -> None:
        self._put(account_id, due_at, Line.URGENT if urgently else Line.POLLED)

    def wake(
        self, account_id: AccountId, at: datetime, *, line: Line = Line.WOKEN
    ) -> datetime | None:
        """Make the account due at *at*, in *line*. Never later than it is anyway, nor within the
        back-off after an error; a check under way is repeated then.

        Returns when it is due; None where that did not change.
        """
        queued = self._accounts.get(account_id)
        if queued is None:
            return None
        if queued.busy:
            queued.woken_at = min(at, queued.woken_at or at)
            return None
        at = max(at, queued.held_until or at)
        if queued.due_at is not None and queued.due_at <= at:
            if queued.line <= line:
                return None
            at = queued.due_at
        self._put(account_id, at, line if queued.due_at is None else min(line, queued.line))
        return at

    def next_woken(self) -> datetime | None:
        """Returns when the first of those is due whom `wake` made due."""
        woken = self._lines[Line.WOKEN]
        return woken[0][0] if woken else None

    def _put(self, account_id: AccountId, due_at: datetime, line: Line) -> None:
        queued = self._accounts[account_id]
        queued.due_at, queued.line = due_at, line
        heapq.heappush(self._lines[line], (due_at, account_id))

    def pop_due(
        self, *, now: datetime, most: int, ahead: int = 0
    ) -> dict[AccountId, QueuedAccount]:
        """Remove and return the due accounts: up to *most*, line by line, the longest overdue
        first; *ahead* of them, if that is more, where it is not just their interval that is over.
        Half of *most* is left to those whose interval is over, unless a user waits or there is room
        *ahead*. The interval does not matter: under overload all are late by the same.
        """
        due: dict[AccountId, QueuedAccount] = {}
        rooms = {
            Line.URGENT: max(most, ahead),
            Line.WOKEN: max(most // 2, ahead),
            Line.POLLED: most,
        }
        for line, entries in self._lines.items():
            room = rooms[line]
            while len(due) < room and entries and entries[0][0] <= now:
                due_at, account_id = heapq.heappop(entries)
                queued = self._accounts.get(account_id)
                # An entry with another due time than the account's was replaced by a newer one.
                if queued is not None and not queued.busy and queued.due_at == due_at:
                    due[account_id] = queued
        return due

    def put_back(self, due: Mapping[AccountId, QueuedAccount]) -> None:
        """Make accounts from `pop_due` that were not checked due again, unless lost meanwhile."""
        for account_id, queued in due.items():
            if self._accounts.get(account_id) is queued and queued.due_at is not None:
                self._put(account_id, queued.due_at, queued.line)

    def overdue(self, *, now: datetime) -> list[datetime]:
        """Since when each account is due whose check has not begun."""
        return [
            queued.due_at
            for queued in self._accounts.values()
            if queued.due_at is not None and queued.due_at <= now and not queued.busy
        ]

    def finished(self, account_id: AccountId, *, interval: timedelta, again_in: timedelta) -> None:
        """Count a check as finished, whatever its result; the next one is *again_in* away."""
        self._finished[account_id] += 1
        waits = [interval, self._error_backoff, again_in]
        self._accounts[account_id].patience = longest_silence(waits=waits)

    def progress(self, *, allowance: timedelta) -> dict[AccountId, WorkProgress]:
        """Progress of every account with work due.
        *allowance* is added to every patience: a queue that moves is not stalled, however long.
        """
        return {
            account_id: WorkProgress(self._finished[account_id], queued.patience + allowance)
            for account_id, queued in self._accounts.items()
            if queued.due_at is not None
        }
