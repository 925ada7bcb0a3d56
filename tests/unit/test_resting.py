"""The protocol of orders that rest: examples, and laws over random orders of events.

The laws are held against an exchange that loses answers, shows old copies, and fills or cancels an
order at the worst moment; and by a process that dies between any two steps.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.execution.resting import (
    BALANCES_WITHIN,
    IOC_ENDS_WITHIN,
    LEGAL,
    LOOK_PAUSES,
    LOOKS_APART,
    RestingOrder,
    RestingState,
    after,
    is_overdue,
    next_action,
    restarted,
    unknown_of_ours,
)
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
from engine.domain.orders.order import (
    NEEDS_HUMAN_AFTER,
    NOTHING,
    ClientOrderId,
    Execution,
    client_order_id,
)
from tests.fakes.clock import START

D = Decimal
ASKED = 8
SECOND = timedelta(seconds=1)
DEADLINE = START + 45 * SECOND


def executed(quantity: int) -> Execution:
    return Execution(D(quantity), D(quantity) * 2)


def seen(quantity: int = 0, *, final: bool = False) -> Seen:
    return Seen(executed(quantity), is_final=final, complete=quantity == ASKED)


def an_order(*events: Event, may_rest: bool = True, at: datetime = START) -> RestingOrder:
    order = RestingOrder(deadline=DEADLINE, may_rest=may_rest)
    for event in events:
        order = after(order, event, now=at)
    return order


RESTS = (Acknowledged(), seen())
CANCELLING = (*RESTS, CancellingStored(EndReason.PAUSE))
ENDED = (*CANCELLING, DeleteAnswered(), seen(3, final=True))


def test_an_order_rests_until_its_deadline_and_is_looked_up_rarely():
    order = an_order(Acknowledged())
    first = next_action(order, now=START)
    order = after(order, seen(), now=START + LOOK_PAUSES[0])

    assert first == Wait(START + LOOK_PAUSES[0])
    assert next_action(order, now=START + SECOND) == Wait(START + LOOK_PAUSES[0] + LOOKS_APART)
    assert next_action(order, now=START + 20 * SECOND) == LookUp()
    assert next_action(order, now=DEADLINE) == StoreCancelling(EndReason.DEADLINE)


def test_cancelling_is_stored_before_the_delete_leaves():
    unwanted = an_order(*RESTS, Unwanted(EndReason.PAUSE))
    stored = after(unwanted, CancellingStored(EndReason.PAUSE), now=START)

    assert next_action(unwanted, now=START) == StoreCancelling(EndReason.PAUSE)
    assert after(unwanted, DeleteAnswered(), now=START) == unwanted
    assert (stored.state, stored.cancelling_since) == (RestingState.CANCELLING, START)
    assert next_action(stored, now=START) == SendDelete()


def test_whatever_a_delete_is_answered_look_ups_follow_and_then_another_delete():
    order, now, waits = an_order(*CANCELLING, DeleteAnswered()), START, []
    while next_action(order, now=now) != SendDelete():
        match next_action(order, now=now):
            case Wait(until):
                assert until is not None
                waits.append(until - now)
                now = until
            case action:
                assert action == LookUp()
                order = after(order, NotSeen(), now=now)

    assert tuple(waits) == LOOK_PAUSES
    again = after(order, DeleteAnswered(), now=now)
    assert again.deletes == 2
    assert next_action(again, now=now) == Wait(now + LOOK_PAUSES[0])


@pytest.mark.parametrize(
    ("quantity", "end"), [(0, EndReason.PAUSE), (3, EndReason.PAUSE), (ASKED, EndReason.FILLED)]
)
def test_only_a_look_up_ends_it_with_the_fills_that_it_shows(quantity: int, end: EndReason):
    order = an_order(*CANCELLING, DeleteAnswered(), seen(quantity, final=True))

    assert (order.state, order.end) == (RestingState.ENDED, end)
    assert order.execution == executed(quantity)
    assert not order.may_still_fill
    assert order.is_unresolved


def test_nothing_is_placed_before_the_balances_show_the_end_or_too_long_after():
    order = an_order(*ENDED)
    read = after(order, FillsRead(), now=START)
    locked = after(read, BalancesRead(settled=False), now=START + SECOND)
    settled = after(locked, BalancesRead(settled=True), now=START + 2 * SECOND)
    late = after(locked, BalancesRead(settled=False), now=START + BALANCES_WITHIN)

    assert next_action(order, now=START) == ReadFills()
    assert next_action(read, now=START) == ReadBalances()
    assert isinstance(next_action(locked, now=START + SECOND), Wait)
    assert locked.is_unresolved
    for over in (settled, late):
        assert next_action(over, now=START) == PlanAfresh()
        assert not over.is_unresolved


def test_an_older_copy_takes_no_fill_away():
    order = an_order(*RESTS, seen(5), seen(2), seen(4, final=True))

    assert (order.execution, order.state) == (executed(5), RestingState.RESTING)


def test_an_ioc_that_is_still_open_after_two_seconds_is_cancelled_as_not_honoured():
    order = replace(an_order(*RESTS, may_rest=False), deadline=START + IOC_ENDS_WITHIN)

    assert isinstance(next_action(order, now=START), Wait)
    assert next_action(order, now=START + IOC_ENDS_WITHIN) == StoreCancelling(
        EndReason.NOT_HONOURED
    )


@pytest.mark.parametrize(
    ("events", "may_rest", "end"),
    [
        ((Acknowledged(), seen(0, final=True)), True, EndReason.CROSSED),
        ((*RESTS, seen(0, final=True)), True, EndReason.ELSEWHERE),
        ((Acknowledged(), seen(3, final=True)), False, EndReason.BOUND),
        ((PostRefused(),), True, EndReason.REFUSED),
        ((PostUnclear(), NotSeen(), NeverArrived()), True, EndReason.NEVER_ARRIVED),
    ],
)
def test_the_reason_of_an_end_that_nobody_asked_for_is_known(
    events: tuple[Event, ...], may_rest: bool, end: EndReason
):
    assert an_order(*events, may_rest=may_rest).end is end


def test_an_order_of_unknown_outcome_that_is_found_is_cancelled_if_it_is_unwanted():
    unknown = an_order(PostUnclear(), Unwanted(EndReason.HALT))
    found = after(unknown, seen(1), now=START)

    assert isinstance(next_action(unknown, now=START), Wait)
    assert unknown.may_still_fill
    assert found.state is RestingState.RESTING
    assert next_action(found, now=START) == StoreCancelling(EndReason.HALT)


def test_what_is_unwanted_before_it_is_acknowledged_is_cancelled_then():
    sending = an_order(Unwanted(EndReason.PAUSE), Unwanted(EndReason.HALT))
    rests = after(after(sending, seen(ASKED), now=START), Acknowledged(), now=START)

    assert next_action(sending, now=START) == Wait(None)
    assert rests.execution == NOTHING
    assert next_action(rests, now=START) == StoreCancelling(EndReason.PAUSE)


@pytest.mark.parametrize("events", [RESTS, CANCELLING, (), (PostUnclear(),)])
def test_after_a_restart_an_order_is_looked_up_first(events: tuple[Event, ...]):
    order = restarted(an_order(*events))

    assert order.state is not RestingState.SENDING
    assert next_action(order, now=START + timedelta(days=1)) == LookUp()


def test_after_a_restart_whose_look_up_fails_the_cancellation_goes_on():
    order = after(restarted(an_order(*CANCELLING)), NotSeen(), now=START)

    assert next_action(order, now=START) == SendDelete()


def test_a_resting_order_is_never_overdue_and_one_that_is_being_cancelled_is_in_the_end():
    resting, cancelling = an_order(*RESTS), an_order(*CANCELLING)

    assert not is_overdue(resting, now=START + timedelta(days=9))
    assert not is_overdue(cancelling, now=START + NEEDS_HUMAN_AFTER - SECOND)
    assert is_overdue(cancelling, now=START + NEEDS_HUMAN_AFTER)


def test_orders_that_rest_without_a_row_are_told_apart_from_the_user_s_own():
    ours, stray = (client_order_id(account_uuid="a", run_id=run, attempt=1) for run in ("1", "2"))
    mine = ClientOrderId("blue-moon")

    assert unknown_of_ours([ours, stray, None, mine], known={ours}) == [stray]


@dataclass
class World:
    """An order as it is at the exchange, and as it is stored. *arrives*: whether the POST did."""

    dice: Random
    arrives: bool
    calm: bool = False
    filled: int = 0
    is_open: bool = False
    is_over: bool = False
    unlocked: bool = False
    posts: int = 0
    delete_under_way: bool = False
    copies: list[Seen] = field(default_factory=list)

    def lives(self) -> None:
        """What happens at the exchange meanwhile."""
        if self.delete_under_way and (self.calm or self.dice.random() < 0.5):
            self.delete_under_way = False
            self.is_over, self.is_open = self.is_over or self.is_open, False
        if self.is_open and not self.calm and self.dice.random() < 0.1:
            self.filled += self.dice.randint(1, 3)
            if self.filled >= ASKED:
                self.filled, self.is_open, self.is_over = ASKED, False, True
        if self.is_over and (self.calm or self.dice.random() < 0.3):
            self.unlocked = True
        if self.is_open or self.is_over:
            self.copies.append(seen(self.filled, final=self.is_over))

    def disturb(self, order: RestingOrder, stored: RestingOrder, *, now: datetime) -> RestingOrder:
        """The process dies, before it stored the last event; or somebody pauses."""
        if not self.calm and self.dice.random() < 0.1:
            order = restarted(stored)
        if not self.calm and self.dice.random() < 0.1:
            order = after(order, Unwanted(EndReason.PAUSE), now=now)
        return order

    def look(self) -> Event:
        if not self.copies or (not self.calm and self.dice.random() < 0.4):
            return NotSeen()
        return self.copies[-1] if self.calm else self.dice.choice(self.copies)

    def post(self) -> Event:
        self.posts += 1
        self.is_open = self.arrives
        answer = self.dice.random()
        if self.arrives:
            return Acknowledged() if answer < 0.6 else PostUnclear()
        return PostRefused() if answer < 0.6 else PostUnclear()

    def delete(self) -> Event:
        self.delete_under_way = self.calm or self.dice.random() < 0.7
        return DeleteAnswered()


def perform(action: Action, world: World) -> Event | None:
    event: Event | None = None
    match action:
        case LookUp():
            never = world.calm and not world.arrives
            event = NeverArrived() if never else world.look()
        case StoreCancelling(reason):
            event = CancellingStored(reason)
        case SendDelete():
            event = world.delete()
        case ReadFills():
            event = FillsRead()
        case ReadBalances():
            event = BalancesRead(settled=world.unlocked)
        case Wait() | PlanAfresh():
            pass
    return event


@given(st.randoms(use_true_random=False), st.booleans(), st.booleans(), st.integers(0, 60))
def test_whatever_happens_in_whatever_order_no_order_is_placed_before_the_last_one_is_proven_over(
    dice: Random, arrives: bool, may_rest: bool, storm: int
):
    world, now = World(dice, arrives), START
    order = RestingOrder(deadline=DEADLINE, may_rest=may_rest)
    stored = order  # a crash leaves this
    order = after(order, world.post(), now=now)
    steps = 0
    while order.is_unresolved:
        steps += 1
        assert steps < 400, "it never ends"
        world.calm = steps > storm
        world.lives()
        order = world.disturb(order, stored, now=now)
        action = next_action(order, now=now)
        if isinstance(action, SendDelete):
            assert stored.state is RestingState.CANCELLING
        event = perform(action, world)
        if not world.calm and dice.random() < 0.1:  # ... or before it stored what came of it
            order = restarted(stored)
            continue
        before = order
        if isinstance(action, Wait):
            assert action.until is None or action.until > now
            now = (action.until or now) if world.calm else now + dice.randint(0, 9) * SECOND
            if action.until is None:  # the answer to the POST comes after all
                event = PostUnclear()
        if event is not None:
            order = after(order, event, now=now)
            assert order.state is before.state or order.state in LEGAL[before.state]
            assert order.execution.base_quantity >= before.execution.base_quantity
        if dice.random() < 0.5 and isinstance(event, DeleteAnswered | NotSeen):
            order = after(order, event, now=now)  # an answer that comes twice
        stored = order

    assert world.posts == 1
    assert not world.is_open
    if arrives:
        assert order.execution == (executed(world.filled) if world.filled else NOTHING)
    assert order.end is not None
    late = after(after(order, seen(ASKED), now=now), Acknowledged(), now=now)
    assert late == order
