"""What must be true of a fleet, by a history that the database keeps itself: who held an account
when, and which process moved an order to which state.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from engine.clock import to_millis
from engine.domain.orders.order import UNRESOLVED, OrderState
from tests.fakes.mexc_ledger import LedgerOrder

Run = Callable[..., list[tuple[Any, ...]]]

# The trigger runs while the row is locked, so an account's (an order's) versions are in order.
_RECORDING = """
    CREATE TABLE history (
        id bigserial PRIMARY KEY, at bigint, process text, kind text, version jsonb
    );
    CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO history (at, process, kind, version) VALUES (
            floor(extract(epoch FROM clock_timestamp()) * 1000),
            session_user, TG_TABLE_NAME, to_jsonb(NEW)
        );
        IF to_jsonb(NEW) ->> 'state' = 'sending' THEN
            PERFORM pg_advisory_xact_lock_shared(1);  -- a test may keep the gate from closing
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER remember AFTER INSERT OR UPDATE ON leases
        FOR EACH ROW EXECUTE FUNCTION remember();
    CREATE TRIGGER remember AFTER INSERT OR UPDATE ON orders
        FOR EACH ROW EXECUTE FUNCTION remember();
"""
_BOOKED = {OrderState.FILLED, OrderState.PARTIAL, OrderState.UNFILLED}
_TOLD = {
    OrderState.FILLED: "filled",
    OrderState.PARTIAL: "partial",
    OrderState.NOT_EXECUTED: "never",
    OrderState.NEEDS_HUMAN: "person",
}


def install(run: Run) -> None:
    """Have the database keep its history from now on."""
    run(_RECORDING)


@dataclass(frozen=True, slots=True)
class Lease:
    """An account's lease from *at* on, as *process* wrote it."""

    at: int
    process: str
    account_id: int
    owner: str | None
    fence: int
    until: int


@dataclass(frozen=True, slots=True)
class Step:
    """*process* wrote down that an order is in *state*."""

    at: int
    process: str
    account_id: int
    order: str
    fence: int
    state: OrderState


@dataclass(frozen=True, slots=True)
class Alert:
    dedupe_key: str
    chat_id: int
    message_id: int | None
    is_done: bool
    failure: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """An order as it stands in our tables."""

    order: str
    account_id: int
    state: OrderState
    fence: int
    executed: Decimal


class Witness:
    """All that happened until now."""

    def __init__(self, run: Run) -> None:
        self.leases = [
            Lease(at, process, v["account_id"], v["owner"], v["fence"], v["lease_until"])
            for at, process, v in run(_HISTORY, "leases")
        ]
        self.steps = [
            Step(
                at,
                process,
                v["account_id"],
                v["client_order_id"],
                v["fence"],
                OrderState(v["state"]),
            )
            for at, process, v in run(_HISTORY, "orders")
        ]
        self.orders = [
            Booked(order, account_id, OrderState(state), fence, Decimal(executed))
            for order, account_id, state, fence, executed in run(_ORDERS)
        ]
        self.alerts = [Alert(*row) for row in run(_ALERTS)]
        self._accounts: dict[int, int] = dict(run("SELECT chat_id, id FROM accounts"))

    def account_of(self, chat_id: int) -> int:
        return self._accounts[chat_id]

    def orders_of(self, chat_id: int, state: OrderState | None = None) -> list[Booked]:
        """Oldest first."""
        account = self.account_of(chat_id)
        return [o for o in self.orders if o.account_id == account and state in (None, o.state)]

    def states_of(self, chat_id: int) -> set[OrderState]:
        """Every state that an order of the account was ever in."""
        account = self.account_of(chat_id)
        return {step.state for step in self.steps if step.account_id == account}

    def holder(self, account_id: int, *, at: int) -> Lease | None:
        """Whose the account was at that moment; None if it was nobody's."""
        lease = self._lease(account_id, at=at)
        return lease if lease and lease.owner and lease.until >= at else None

    def holders(self, chat_id: int) -> list[str]:
        """The processes that had the account, one after the other."""
        account, found = self.account_of(chat_id), list[str]()
        for lease in self.leases:
            if lease.account_id == account and lease.owner and found[-1:] != [lease.process]:
                found.append(lease.process)
        return found

    def let_go(self, chat_id: int) -> list[str]:
        """The processes that gave the account back of their own accord, in their order."""
        account = self.account_of(chat_id)
        mine = [lease for lease in self.leases if lease.account_id == account]
        return [
            lease.process
            for before, lease in pairwise(mine)
            if before.owner is not None and lease.owner is None
        ]

    def held_by(self, process: str, chat_id: int, *, at: datetime) -> bool:
        lease = self.holder(self.account_of(chat_id), at=to_millis(at))
        return lease is not None and lease.process == process

    def lies(self, ledger: Sequence[LedgerOrder]) -> list[str]:
        """Everything that must never be, or not at the end."""
        return [
            *self._owned_by_two(),
            *self._fences_going_back(),
            *self._gates_without_lease(),
            *self._unresolved_together(),
            *self._unlike(ledger),
            *self._untold(),
        ]

    def _lease(self, account_id: int, *, at: int) -> Lease | None:
        known = [le for le in self.leases if le.account_id == account_id and le.at <= at]
        return known[-1] if known else None

    def _owned_by_two(self) -> Iterator[str]:
        """A new owner comes only after the former let go or ran out of time, with a new fence."""
        last: dict[int, Lease] = {}
        for lease in self.leases:
            before = last.get(lease.account_id)
            last[lease.account_id] = lease
            if before is None or lease.owner in (None, before.owner):
                continue
            if before.owner is not None and before.until >= lease.at:
                yield f"account {lease.account_id} was taken from {before.process} by {lease}"
            if lease.fence != before.fence + 1:
                yield f"account {lease.account_id} changed hands without a new fence: {lease}"

    def _fences_going_back(self) -> Iterator[str]:
        highest: dict[int, int] = defaultdict(int)
        for order in self.orders:
            left = order.state is not OrderState.DROPPED
            if left and order.fence < highest[order.account_id]:
                yield f"{order.order} is of an older owner than the order before"
            if left:
                highest[order.account_id] = order.fence

    def _gates_without_lease(self) -> Iterator[str]:
        """An order leaves under a lease that its process holds at that moment."""
        for step in self.steps:
            if step.state is not OrderState.SENDING:
                continue
            lease = self.holder(step.account_id, at=step.at)
            if lease is None or (lease.process, lease.fence) != (step.process, step.fence):
                yield f"{step.process} let {step.order} leave, but the account was of {lease}"

    def _unresolved_together(self) -> Iterator[str]:
        open_orders: dict[int, set[str]] = defaultdict(set)
        for step in self.steps:
            if step.state in UNRESOLVED:
                open_orders[step.account_id].add(step.order)
            else:
                open_orders[step.account_id].discard(step.order)
            if len(open_orders[step.account_id]) > 1:
                yield f"account {step.account_id} had {open_orders[step.account_id]} at once"
        for order in self.orders:
            if order.state in UNRESOLVED:
                yield f"{order.order} is still {order.state.value}"

    def _unlike(self, ledger: Sequence[LedgerOrder]) -> Iterator[str]:
        """MEXC's ledger and ours name the same orders with the same amounts."""
        real = {str(order.client_order_id): order.executed for order in ledger}
        ours = {order.order: order.executed for order in self.orders if order.state in _BOOKED}
        for order in sorted(real.keys() | ours.keys()):
            if real.get(order) != ours.get(order):
                yield f"{order}: MEXC says {real.get(order)}, we say {ours.get(order)}"

    def _untold(self) -> Iterator[str]:
        told = {alert.dedupe_key for alert in self.alerts}
        for order in self.orders:
            ending = _TOLD.get(order.state)
            if ending is not None and f"order:{order.order}:{ending}" not in told:
                yield f"nobody was told that {order.order} is {order.state.value}"
        for alert in self.alerts:
            if not alert.is_done or alert.failure or alert.message_id is None:
                yield f"never delivered: {alert}"


_HISTORY = "SELECT at, process, version FROM history WHERE kind = %s ORDER BY id"
_ORDERS = "SELECT client_order_id, account_id, state, fence, executed_base FROM orders ORDER BY id"
_ALERTS = (
    "SELECT dedupe_key, chat_id, message_id, done_at IS NOT NULL, failure FROM outbox"
    " WHERE dedupe_key NOT LIKE 'answer:%%' ORDER BY id"
)
