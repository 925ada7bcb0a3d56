"""The life of an order that may rest: placed, looked up, cancelled, proven to be over.

    sending -> resting -> cancelling -> ended -> settled
            -> unknown -> resting | ended

`next_action` says what to do, `after` what has become of the order by an event; both are pure. The
caller stores every new state before the next action: a crash at any point leaves a state from which
`restarted` goes on. It counts as unresolved until it is settled: no other order, and no replacement,
is placed before that.

No answer to a cancellation proves anything: only a look-up that shows the order's end does. What was
not filled then is no amount to order again: the world moved, and the next plan starts from balances.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from engine.domain.execution.resting_steps import (
    Acknowledged,
    Action,
    BalancesRead,
    CancellingStored,
    DeleteAnswered,
    Event,
    FillsRead,
    LookUp,
    NeverArrived,
    NotSeen,
    PlanAfresh,
    PostRefused,
    PostUnclear,
    ReadBalances,
    ReadFills,
    Seen,
    SendDelete,
    StoreCancelling,
    Unwanted,
    Wait,
)
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import NEEDS_HUMAN_AFTER, NOTHING, ClientOrderId, Execution

# How long after a cancellation each look-up comes; then the order is cancelled once more.
LOOK_PAUSES = tuple(timedelta(milliseconds=ms) for ms in (300, 600, 1200, 2000, 4000))
_LONGEST_PAUSE = timedelta(seconds=30)
# A resting order is looked up rarely: its deadline is near.
LOOKS_APART = timedelta(seconds=15)
# An IOC that is still open then is not honoured.
IOC_ENDS_WITHIN = timedelta(seconds=2)
# Balances that still do not show an order's end after this long are believed after all.
BALANCES_WITHIN = timedelta(seconds=15)
_OUR_ID = re.compile(r"bl[a-z2-7]{26}", re.ASCII)


class RestingState(Enum):
    """Of an order that may rest."""

    SENDING = "sending"
    UNKNOWN = "unknown"  # the POST may have arrived
    RESTING = "resting"
    CANCELLING = "cancelling"  # stored before the DELETE leaves
    ENDED = "ended"  # proven by a look-up; the balances may not show it yet
    SETTLED = "settled"


LEGAL: Mapping[RestingState, frozenset[RestingState]] = {
    RestingState.SENDING: frozenset(
        {RestingState.RESTING, RestingState.UNKNOWN, RestingState.SETTLED}
    ),
    RestingState.UNKNOWN: frozenset(
        {RestingState.RESTING, RestingState.ENDED, RestingState.SETTLED}
    ),
    RestingState.RESTING: frozenset({RestingState.CANCELLING, RestingState.ENDED}),
    RestingState.CANCELLING: frozenset({RestingState.ENDED}),
    RestingState.ENDED: frozenset({RestingState.SETTLED}),
    RestingState.SETTLED: frozenset(),
}
_MAY_FILL = frozenset(RestingState) - {RestingState.ENDED, RestingState.SETTLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """*deadline* is when it is cancelled; *may_rest* is False for an IOC, which should not be open
    by then. *unwanted* is why it is cancelled, *rested* whether it was seen open, *end* why it ended.

    From *looked* on, the fields are of this process, and not stored: whether the order was looked up
    in it, how many cancellations and look-ups after the last of them were made, when something is to
    be done next, and whether the fills were read.
    """

    deadline: datetime
    may_rest: bool = True
    state: RestingState = RestingState.SENDING
    unwanted: EndReason | None = None
    rested: bool = False
    execution: Execution = NOTHING
    cancelling_since: datetime | None = None
    ended_at: datetime | None = None
    end: EndReason | None = None
    looked: bool = False
    deletes: int = 0
    looks: int = 0
    next_at: datetime | None = None
    fills_read: bool = False

    @property
    def is_unresolved(self) -> bool:
        """True while no other order of the account may be placed."""
        return self.state is not RestingState.SETTLED

    @property
    def may_still_fill(self) -> bool:
        """What the answer to a pause must say."""
        return self.state in _MAY_FILL


def restarted(order: RestingOrder) -> RestingOrder:
    """Returns what the next process knows of a stored order. It is looked up first."""
    state = RestingState.UNKNOWN if order.state is RestingState.SENDING else order.state
    return replace(
        order, state=state, looked=False, deletes=0, looks=0, next_at=None, fills_read=False
    )


def next_action(order: RestingOrder, *, now: datetime) -> Action:
    """Returns what is to be done with *order* now."""
    action: Action
    match order.state:
        case RestingState.SENDING:
            action = Wait(None)
        case RestingState.UNKNOWN:
            action = _when_due(order, LookUp(), now=now)
        case RestingState.RESTING:
            action = _of_resting(order, now=now)
        case RestingState.CANCELLING:
            action = _of_cancelling(order, now=now)
        case RestingState.ENDED:
            balances = _when_due(order, ReadBalances(), now=now)
            action = balances if order.fills_read else ReadFills()
        case RestingState.SETTLED:
            action = PlanAfresh()
        case _:
            assert_never(order.state)
    return action


def after(order: RestingOrder, event: Event, *, now: datetime) -> RestingOrder:
    """Returns *order* after *event*. What comes too late, or cannot be, changes nothing."""
    match order.state:
        case RestingState.SENDING:
            return _after_post(order, event, now=now)
        case RestingState.UNKNOWN | RestingState.RESTING | RestingState.CANCELLING:
            return _while_open(order, event, now=now)
        case RestingState.ENDED:
            return _after_end(order, event, now=now)
        case RestingState.SETTLED:
            return order
        case _:
            assert_never(order.state)


def is_overdue(order: RestingOrder, *, now: datetime) -> bool:
    """True if a user must be asked: the order was cancelled so long ago, and no look-up shows its
    end. One that rests is as it should be, however long it does.
    """
    since = order.cancelling_since
    is_cancelling = order.state is RestingState.CANCELLING
    return is_cancelling and since is not None and now - since >= NEEDS_HUMAN_AFTER


def unknown_of_ours(
    resting: Iterable[ClientOrderId | None], *, known: Collection[ClientOrderId]
) -> Sequence[ClientOrderId]:
    """Returns the ids of resting orders that are made as ours are, but are not stored: the user is
    told. All others are the user's own, and never touched.
    """
    return [name for name in resting if name and _OUR_ID.fullmatch(name) and name not in known]


def _of_resting(order: RestingOrder, *, now: datetime) -> Action:
    if not order.looked:
        return LookUp()
    if order.unwanted is not None:
        return StoreCancelling(order.unwanted)
    if now >= order.deadline:
        return StoreCancelling(EndReason.DEADLINE if order.may_rest else EndReason.NOT_HONOURED)
    due = _when_due(order, LookUp(), now=now)
    if isinstance(due, Wait) and due.until is not None:
        return Wait(min(due.until, order.deadline))
    return due


def _when_due(order: RestingOrder, action: Action, *, now: datetime) -> Action:
    if order.next_at is not None and now < order.next_at:
        return Wait(order.next_at)
    return action


def _of_cancelling(order: RestingOrder, *, now: datetime) -> Action:
    if not order.looked:
        return LookUp()
    if order.deletes == 0 or order.looks >= len(LOOK_PAUSES):
        return SendDelete()
    return _when_due(order, LookUp(), now=now)


def _after_post(order: RestingOrder, event: Event, *, now: datetime) -> RestingOrder:
    soon = now + LOOK_PAUSES[0]
    match event:
        case Acknowledged():
            return replace(order, state=RestingState.RESTING, looked=True, next_at=soon)
        case PostUnclear():
            return replace(order, state=RestingState.UNKNOWN, next_at=soon)
        case PostRefused():
            return replace(order, state=RestingState.SETTLED, end=EndReason.REFUSED)
        case Unwanted(reason):
            return replace(order, unwanted=order.unwanted or reason)
        case _:
            return order


def _while_open(order: RestingOrder, event: Event, *, now: datetime) -> RestingOrder:
    state, changed = order.state, order
    match event:
        case Seen():
            changed = _seen(order, event, now=now)
        case NotSeen():
            changed = _looked(order, now=now)
        case Unwanted(reason):
            changed = replace(order, unwanted=order.unwanted or reason)
        case NeverArrived() if state is RestingState.UNKNOWN:
            end = EndReason.NEVER_ARRIVED
            changed = replace(order, state=RestingState.SETTLED, end=end)
        case CancellingStored(reason) if state is RestingState.RESTING:
            changed = replace(
                order,
                state=RestingState.CANCELLING,
                unwanted=order.unwanted or reason,
                cancelling_since=now,
                looks=0,
            )
        case DeleteAnswered() if state is RestingState.CANCELLING:
            soon = now + LOOK_PAUSES[0]
            changed = replace(order, deletes=order.deletes + 1, looks=0, next_at=soon)
        case _:
            pass
    return changed


def _after_end(order: RestingOrder, event: Event, *, now: datetime) -> RestingOrder:
    match event:
        case FillsRead():
            return replace(order, fills_read=True, next_at=None)
        case BalancesRead(settled):
            is_late = order.ended_at is None or now - order.ended_at >= BALANCES_WITHIN
            if settled or is_late:
                return replace(order, state=RestingState.SETTLED)
            return replace(order, next_at=now + LOOK_PAUSES[1])
        case _:
            return order


def _seen(order: RestingOrder, seen: Seen, *, now: datetime) -> RestingOrder:
    if seen.execution.base_quantity < order.execution.base_quantity:
        return _looked(order, now=now)  # an older copy: what was filled stays filled
    order = replace(order, execution=seen.execution)
    if seen.is_final:
        return replace(
            order,
            state=RestingState.ENDED,
            ended_at=now,
            end=_end_of(order, seen),
            fills_read=False,
            next_at=None,
        )
    if order.state is RestingState.UNKNOWN:
        order = replace(order, state=RestingState.RESTING)
    return _looked(replace(order, rested=True), now=now)


def _end_of(order: RestingOrder, seen: Seen) -> EndReason:
    if seen.complete:
        return EndReason.FILLED
    if order.unwanted is not None:
        return order.unwanted
    if not order.may_rest:
        return EndReason.BOUND
    return EndReason.ELSEWHERE if order.rested else EndReason.CROSSED


def _looked(order: RestingOrder, *, now: datetime) -> RestingOrder:
    looks = order.looks + 1
    if order.state is RestingState.RESTING and order.may_rest:
        pause = LOOKS_APART
    else:
        pause = LOOK_PAUSES[min(looks, len(LOOK_PAUSES) - 1)]
        pause = min(pause * max(order.deletes, 1), _LONGEST_PAUSE)
    return replace(order, looked=True, looks=looks, next_at=now + pause)
