"""The accounts this process owns, when each is due next, and how its checks get on: in memory."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.schedule import first_check, longest_silence
from engine.monitoring.stall_detector import WorkProgress

# After a restart the checks start as fast as one address may read accounts. Where that would take
# long, the line and the budget see to it that all are late by the same.
_STARTS_PER_SECOND = 3
_LONGEST_SPREAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class AccountShare:
    """What the process knows of an account it owns: the last look, the last that saw the balances,
    and when the next is due.
    """

    look: CheckResult | None
    seen: CheckResult | None
    due_at: datetime | None


@dataclass(slots=True)
class QueuedAccount:
    """An account this process owns. *due_at* is None while nothing is due until a wake-up;
    *patience* is how long it may take until the next check is finished. *seen* is the last look
    that saw the balances; *seen_kept* says that the database has it.
    """

    fence: int
    due_at: datetime | None
    patience: timedelta
    busy: bool = False
    again: bool = False
    look: CheckResult | None = None
    seen: CheckResult | None = None
    seen_kept: bool = False

    def standing(self, *, now: datetime, steady: datetime) -> AccountShare:
        """With the due time as a moment of the wall clock, which shows *now*."""
        due_at = None if self.due_at is None else now + (self.due_at - steady)
        return AccountShare(self.look, self.seen, due_at)


def fair_share(*, accounts: int, processes: int) -> int:
    """How many accounts a process may own; together they own all."""
    return -(-accounts // max(processes, 1))


class AccountQueue:
    """*error_backoff* is how long a check that failed is waited for."""

    def __init__(self, *, error_backoff: timedelta) -> None:
        self._error_backoff = error_backoff
        self._seats: dict[AccountId, QueuedAccount] = {}
        self._due: list[tuple[datetime, AccountId]] = []
        # Somebody waits for these: a person, or an order that is not cleared up.
        self._urgent: list[tuple[datetime, AccountId]] = []
        # Kept when a seat is lost: what is claimed again after an outage is not checked by that.
        self._finished: Counter[AccountId] = Counter()

    def get(self, account_id: AccountId) -> QueuedAccount | None:
        return self._seats.get(account_id)

    def held(self, account_id: AccountId, *, fence: int) -> QueuedAccount | None:
        """None where the account was lost, or lost and claimed again, since it had that fence."""
        seat = self._seats.get(account_id)
        return seat if seat is not None and seat.fence == fence else None

    def values(self) -> Iterable[QueuedAccount]:
        return self._seats.values()

    def clear(self) -> None:
        self._seats.clear()

    def __len__(self) -> int:
        return len(self._seats)

    def give_up(self, count: int) -> list[AccountId]:
        """Forget so many that nobody works on just now; returns them."""
        idle = (account_id for account_id, seat in self._seats.items() if not seat.busy)
        given = sorted(idle, reverse=True)[: max(count, 0)]
        for account_id in given:
            del self._seats[account_id]
        return given

    def take(self, claimed: Mapping[AccountId, int], *, now: datetime) -> None:
        """New ones, by their fences; they become due one after the other."""
        spread = min(timedelta(seconds=len(claimed)) / _STARTS_PER_SECOND, _LONGEST_SPREAD)
        silence = longest_silence(waits=[self._error_backoff])
        for position, (account_id, fence) in enumerate(sorted(claimed.items())):
            due_at = first_check(now=now, position=position, crowd=len(claimed), interval=spread)
            self._seats[account_id] = QueuedAccount(
                fence, due_at=None, patience=due_at - now + silence
            )
            self.schedule(account_id, due_at)

    def keep_up(self, held: Mapping[AccountId, int], *, now: datetime) -> list[AccountId]:
        """Hold exactly what the database says is *held*, by fences; returns what was lost."""
        lost = [a for a, seat in self._seats.items() if held.get(a) != seat.fence]
        for account_id in lost:
            del self._seats[account_id]
        # Claimed, but the answer to the commit was lost: nobody else would ever check them.
        self.take({a: fence for a, fence in held.items() if a not in self._seats}, now=now)
        return lost

    def schedule(self, account_id: AccountId, due_at: datetime, *, urgently: bool = False) -> None:
        self._seats[account_id].due_at = due_at
        heapq.heappush(self._urgent if urgently else self._due, (due_at, account_id))

    def pop_due(self, *, now: datetime, most: int) -> dict[AccountId, QueuedAccount]:
        """The urgent ones first, then whoever has been due for longest, whatever their interval:
        where not all can be checked in time, all are late by the same.
        """
        due: dict[AccountId, QueuedAccount] = {}
        for line in (self._urgent, self._due):
            while len(due) < most and line and line[0][0] <= now:
                due_at, account_id = heapq.heappop(line)
                seat = self._seats.get(account_id)
                # An entry that is not the seat's present due time was overtaken by a newer one.
                if seat is not None and not seat.busy and seat.due_at == due_at:
                    due[account_id] = seat
        return due

    def put_back(self, due: Mapping[AccountId, QueuedAccount]) -> None:
        """What `pop_due` gave was not looked at: it is due again, unless it was lost meanwhile."""
        for account_id, seat in due.items():
            if self._seats.get(account_id) is seat and seat.due_at is not None:
                self.schedule(account_id, seat.due_at)

    def overdue(self, *, now: datetime) -> list[datetime]:
        """Since when each account is due whose check has not begun."""
        return [
            seat.due_at
            for seat in self._seats.values()
            if seat.due_at is not None and seat.due_at <= now and not seat.busy
        ]

    def finished(self, account_id: AccountId, *, interval: timedelta, again_in: timedelta) -> None:
        """A check came to its end, whatever it found; the next one is *again_in* away."""
        self._finished[account_id] += 1
        waits = [interval, self._error_backoff, again_in]
        self._seats[account_id].patience = longest_silence(waits=waits)

    def progress(self, *, allowance: timedelta) -> dict[AccountId, WorkProgress]:
        """Of every account that has something to do. *allowance* is added to everybody's
        patience: a line that moves is no stall, however long it is.
        """
        return {
            account_id: WorkProgress(self._finished[account_id], seat.patience + allowance)
            for account_id, seat in self._seats.items()
            if seat.due_at is not None
        }
