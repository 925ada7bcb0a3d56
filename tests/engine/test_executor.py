"""The order protocol: written down first, sent once, told with its outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, OrderUnclear, TradeSettled
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Fees, OrderState, Trigger
from engine.domain.rebalancing.check_result import CheckFailed, OrderPlaced
from engine.domain.targets.target import FixedUsdt
from engine.errors import (
    BadData,
    ClockRefused,
    InsufficientBalance,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from engine.exchanges.interface import OrderRequest
from tests import builders
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.database import gone
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

D = Decimal


async def test_too_much_usdt_is_spent_and_told(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert checked.look.verdict == OrderPlaced(intent.client_order_id, Side.BUY, D("17.10"))
    assert checked.again_in is None
    assert intent.state is OrderState.FILLED
    assert (intent.quote_before, intent.quote_after) == (D("57.10"), exchange.usdt)
    assert (intent.base_before, intent.base_after) == (D(100_000), D(108_550))
    assert await engine.alerts() == [
        TradeSettled(
            dry_run=False,
            symbol=builders.MNTLUSDT,
            side=Side.BUY,
            trigger=Trigger.INTERVAL,
            base_quantity=D(8550),
            quote_amount=D("17.100"),
            asked_quote=D("17.10"),
            fees={USDT: D("0.00855")},
            quote_before=D("57.10"),
            quote_after=exchange.usdt,
            target=D(40),
        )
    ]


async def test_too_little_usdt_is_raised_by_selling(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D(30)
    account = await engine.open_account()

    await engine.check(account)

    [ticket] = exchange.tickets
    assert (ticket.side, ticket.quote_amount) == (Side.SELL, None)
    assert account.settings.fixed_goal.band.holds(exchange.usdt)
    assert await engine.told() == ["TradeSettled"]


async def test_an_order_is_in_the_database_before_it_leaves(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine, seen = engine_on_both, []

    async def look_into_the_database() -> None:
        seen.extend(await engine.intents())

    exchange.meanwhile("place", look_into_the_database)
    account = await engine.open_account()

    await engine.check(account)

    [ticket] = exchange.tickets
    [on_record] = seen
    assert on_record.state is OrderState.SENDING
    assert on_record.client_order_id == ticket.client_order_id
    assert on_record.sent_at == ticket.sent_at


async def test_an_order_carries_the_time_of_the_exchange(engine: Engine, exchange: FakeExchange):
    exchange.offset = timedelta(seconds=42)
    account = await engine.open_account()

    await engine.check(account)

    assert exchange.tickets[0].sent_at == engine.clock.now() + timedelta(seconds=42)


ACCIDENTS = {
    "answer lost, executed": (OutcomeUnknown("timeout"), True),
    "answer lost, not executed": (OutcomeUnknown("timeout"), False),
    "never left": (Unavailable("cannot connect"), False),
    "refused": (Rejected(code=1, message="no"), False),
    "insufficient": (InsufficientBalance(code=30004, message="no"), False),
    "clock": (ClockRefused(code=700003, message="late"), False),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_whatever_happens_an_order_is_sent_once_and_the_drift_traded_once(
    engine: Engine, exchange: FakeExchange, accident: str
):
    error, executes = ACCIDENTS[accident]
    exchange.go_wrong("place", error, executes=executes)
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert set(exchange.posts.values()) == {1}
    assert len(exchange.ledger) == 1
    assert account.settings.fixed_goal.band.holds(exchange.usdt)
    intents = await engine.intents()
    assert [i.client_order_id for i in intents if i.state is OrderState.FILLED] == list(
        exchange.ledger
    )
    assert len(await engine.alerts_of(TradeSettled)) == 1


async def test_a_lost_answer_is_told_once_and_nothing_else_is_sent(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=True)
    exchange.go_wrong("order", Unavailable("away"), times=3)
    account = await engine.open_account()

    for _ in range(4):
        await engine.check(account)
        clock.shift(timedelta(seconds=2))

    [intent] = await engine.intents()
    assert (intent.state, intent.error) == (OrderState.UNKNOWN, "ReadTimeout")
    assert await engine.alerts() == [
        OrderUnclear(
            dry_run=False, symbol=builders.MNTLUSDT, side=Side.BUY, expected_quote=D("17.10")
        )
    ]
    assert exchange.calls["place"] == 1


async def test_an_order_that_provably_never_left_is_dropped_and_the_trouble_told(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", Unavailable("cannot connect"))
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert (intent.state, intent.error) == (OrderState.DROPPED, "cannot connect")
    assert checked.look.verdict == CheckFailed(IncidentKind.UNREACHABLE, "cannot connect")
    assert checked.again_in == engine.timing.error_backoff
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.UNREACHABLE


async def test_a_refusal_is_recorded_and_told_together(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("place", InsufficientBalance(code=30004, message="Insufficient position"))
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert intent.state is OrderState.REJECTED
    assert intent.error == "30004: Insufficient position"
    assert intent.resolved_at == engine.clock.now()
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.detail) == (IncidentKind.ORDER_REFUSED, "Insufficient position")
    assert checked.again_in == engine.timing.error_backoff
    assert exchange.calls["place"] == 1


async def test_a_refused_time_stamp_is_measured_and_tried_once_more_as_a_new_order(
    engine: Engine, exchange: FakeExchange
):
    exchange.offset = timedelta(seconds=-20)
    exchange.go_wrong("place", ClockRefused(code=700003, message="outside the window"))
    account = await engine.open_account()

    checked = await engine.check(account)

    first, second = await engine.intents()
    assert (first.state, second.state) == (OrderState.DROPPED, OrderState.FILLED)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.client_order_id != second.client_order_id
    assert exchange.tickets[1].sent_at == engine.clock.now()
    assert exchange.calls["holdings"] >= 2  # planned afresh
    assert isinstance(checked.look.verdict, OrderPlaced)
    assert await engine.told() == ["TradeSettled"]


async def test_a_time_stamp_refused_twice_is_a_trouble_and_no_third_order(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", ClockRefused(code=700003, message="outside"), times=3)
    account = await engine.open_account()

    checked = await engine.check(account)

    assert exchange.calls["place"] == 2
    assert exchange.calls["resync"] == 2
    assert checked.look.verdict == CheckFailed(IncidentKind.CLOCK, "outside")
    assert [type(a) for a in await engine.alerts()] == [IncidentAlert]


async def test_a_clock_that_cannot_be_measured_stops_the_second_attempt(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", ClockRefused(code=700003, message="outside"))
    exchange.go_wrong("resync", Unavailable("the exchange's clock jumps about"))
    account = await engine.open_account()

    checked = await engine.check(account)

    assert exchange.calls["place"] == 1
    assert isinstance(checked.look.verdict, CheckFailed)


async def test_a_pause_between_two_attempts_stops_the_second(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def pause() -> None:
        await engine.change(account, paused=True)

    exchange.go_wrong("place", ClockRefused(code=700003, message="outside"))
    exchange.meanwhile("resync", pause)

    await engine.check(account)

    assert exchange.calls["place"] == 1
    assert not exchange.ledger


async def test_data_that_grew_old_are_not_traded_on(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    async def the_machine_stalls() -> None:
        clock.shift(engine.timing.data_age + timedelta(milliseconds=1))

    exchange.meanwhile("book", the_machine_stalls)
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert (intent.state, intent.error) == (OrderState.DROPPED, "the data grew old")
    assert isinstance(checked.look.verdict, CheckFailed)
    assert exchange.calls["place"] == 0


async def test_data_that_grow_old_while_the_gate_waits_for_its_turn_are_not_traded_on(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    stalled = asyncio.Event()

    async def somebody_writes_for_long() -> None:
        async with engine.database.writing():
            stalled.set()
            for _ in range(20):
                await a_moment()
            clock.shift(engine.timing.data_age + timedelta(milliseconds=1))

    async def a_writer_comes_first() -> None:
        writers.create_task(somebody_writes_for_long())
        await stalled.wait()

    exchange.meanwhile("book", a_writer_comes_first)
    account = await engine.open_account()

    async with asyncio.TaskGroup() as writers:
        checked = await engine.check(account)

    [intent] = await engine.intents()
    assert (intent.state, intent.error) == (OrderState.DROPPED, "the data grew old")
    assert isinstance(checked.look.verdict, CheckFailed)
    assert exchange.calls["place"] == 0


async def test_a_tap_that_stops_counting_while_the_gate_waits_sends_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10", good_for=timedelta(seconds=5))

    async def the_machine_stalls(step: str) -> None:
        if step == "committed" and exchange.calls["book"] and not exchange.calls["place"]:
            clock.shift(timedelta(seconds=6))  # after the intent, before the gate

    slow = Engine(engine.database, clock, engine.exchanges, on_step=the_machine_stalls)
    await slow.check(account, fence=engine.fences[account.id])

    [intent] = await engine.intents()
    assert intent.state is OrderState.DROPPED
    assert exchange.calls["place"] == 0


@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(seconds=-8), timedelta(hours=2)])
async def test_a_clock_that_is_set_makes_no_old_data_fresh(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, by: timedelta
):
    async def the_clock_is_set(step: str) -> None:
        if step == "committed" and exchange.calls["book"] and not exchange.calls["place"]:
            clock.set_by(by)
            clock.shift(engine.timing.data_age + timedelta(milliseconds=1))

    account = await engine.open_account()
    slow = Engine(engine.database, clock, engine.exchanges, on_step=the_clock_is_set)
    await slow.check(account, fence=engine.fences[account.id])

    assert exchange.calls["place"] == 0


async def test_nothing_is_traded_where_the_clock_was_set_back_while_data_were_read(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    async def the_clock_is_set() -> None:
        clock.set_by(timedelta(hours=-2))

    exchange.meanwhile("book", the_clock_is_set)
    account = await engine.open_account()

    await engine.check(account)
    assert exchange.calls["place"] == 0

    await engine.check(account)
    assert exchange.calls["place"] == 1


# What may happen between the plan and the gate, each of which must stop the order.
Event = Callable[[Engine], Awaitable[None]]


async def pausing(engine: Engine) -> None:
    await engine.change(await engine.only_account(), paused=True)


async def a_new_target(engine: Engine) -> None:
    await engine.change(await engine.only_account(), target=FixedUsdt(D(57)))


async def a_lost_lease(engine: Engine) -> None:
    await engine.lease_runs_out()


async def a_lease_worth_less_than_a_request(engine: Engine) -> None:
    await engine.lease_runs_out(within=engine.timing.send_margin - timedelta(seconds=1))


async def another_owner(engine: Engine) -> None:
    await engine.lease_runs_out()
    await Engine(engine.database, engine.clock, engine.exchanges, owner="process-2").claim()


async def the_same_owner_in_its_next_life(engine: Engine) -> None:
    await engine.lease_runs_out()
    await engine.claim()


EVENTS: list[Event] = [
    pausing,
    a_new_target,
    a_lost_lease,
    a_lease_worth_less_than_a_request,
    another_owner,
    the_same_owner_in_its_next_life,
]


@pytest.mark.parametrize("event", EVENTS)
async def test_nothing_is_sent_once_the_account_has_changed_under_the_plan(
    engine_on_both: Engine, exchange: FakeExchange, event: Event
):
    engine = engine_on_both
    account = await engine.open_account()
    exchange.meanwhile("book", lambda: event(engine))

    checked = await engine.check(account)

    assert exchange.calls["place"] == 0
    assert {intent.state for intent in await engine.intents()} == {OrderState.DROPPED}
    assert checked.again_in == timedelta(seconds=1)
    assert await engine.alerts() == []
    assert await engine.trouble(account) is None


@pytest.mark.parametrize("stalls_for", [timedelta(), timedelta(minutes=5)])
async def test_an_order_whose_account_is_taken_over_before_the_gate_is_nobodys_trouble(
    engine_on_both: Engine, clock: FakeClock, exchange: FakeExchange, stalls_for: timedelta
):
    """The new owner drops what it finds planned; the old one wakes up and finds nothing to send."""
    other = Engine(engine_on_both.database, clock, exchange, owner="process-2")

    async def is_taken_over(step: str) -> None:
        if step == "committed" and not other.fences:
            clock.shift(stalls_for)
            await other.lease_runs_out()
            await other.claim()

    engine = Engine(engine_on_both.database, clock, exchange, on_step=is_taken_over)
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert intent.state is OrderState.DROPPED
    assert exchange.calls["place"] == 0
    assert checked.again_in == timedelta(seconds=1)
    assert await engine.alerts() == []


async def test_no_second_order_while_one_is_unresolved(engine_on_both: Engine, exchange):
    """Even if the check did not know of it: the gate does."""
    engine = engine_on_both
    account = await engine.open_account()
    unaware = await engine.duty(account)
    exchange.go_wrong("place", OutcomeUnknown("timeout"))
    await engine.check(account)
    engine.clock.shift(timedelta(seconds=1))

    checked = await engine.checker.check(unaware, fence=engine.fences[account.id])

    assert [i.state for i in await engine.intents()] == [OrderState.UNKNOWN, OrderState.DROPPED]
    assert exchange.calls["place"] == 1
    assert checked.again_in == timedelta(seconds=1)


async def test_a_partial_fill_is_booked_as_it_is_and_the_rest_planned_afresh(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D("0.5")
    account = await engine.open_account()
    await engine.check(account)
    exchange.fills = D(1)

    await engine.until_quiet(account)

    first, second = await engine.intents()
    assert (first.state, first.execution.base_quantity) == (OrderState.PARTIAL, D(4275))
    assert (second.state, second.quote_amount) == (OrderState.FILLED, D("8.54"))
    assert account.settings.fixed_goal.band.holds(exchange.usdt)


async def test_an_order_that_found_nobody_is_told_and_tried_again_later(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D(0)
    account = await engine.open_account()

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert intent.state is OrderState.UNFILLED
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.NOT_FILLED
    assert checked.again_in == engine.timing.error_backoff


async def test_an_order_still_open_is_followed_until_it_is_over(
    engine: Engine, exchange: FakeExchange
):
    exchange.open_lookups = 4
    account = await engine.open_account()

    await engine.check(account)

    assert [i.state for i in await engine.intents()] == [OrderState.FILLED]
    [told] = await engine.alerts_of(TradeSettled)
    assert told.late is False


async def test_an_order_that_stays_open_is_left_to_recovery(
    engine: Engine, exchange: FakeExchange
):
    exchange.open_lookups = 1000
    account = await engine.open_account()
    began = engine.clock.now()

    checked = await engine.check(account)

    assert [i.state for i in await engine.intents()] == [OrderState.ACKED]
    assert engine.clock.now() - began <= engine.timing.settle_for
    assert checked.again_in is not None
    assert await engine.alerts() == []


async def test_an_accepted_order_that_cannot_be_found_yet_is_looked_up_again(
    engine: Engine, exchange: FakeExchange
):
    exchange.hidden_lookups = 2
    account = await engine.open_account()

    await engine.check(account)

    assert exchange.calls["order"] == 3
    assert [i.state for i in await engine.intents()] == [OrderState.FILLED]


async def test_balances_after_are_those_that_show_the_fill(engine: Engine, exchange: FakeExchange):
    exchange.stale_reads = 2
    account = await engine.open_account()

    await engine.check(account)

    [intent] = await engine.intents()
    assert intent.quote_after == exchange.usdt


@pytest.mark.parametrize(
    "lost", [Unavailable("away"), BadData("html"), Rejected(code=1, message="no")]
)
async def test_a_trade_is_told_even_if_its_fees_and_balances_cannot_be_read(
    engine: Engine, exchange: FakeExchange, lost: Exception
):
    account = await engine.open_account()

    async def from_now_on_nothing_can_be_read() -> None:
        exchange.go_wrong("holdings", lost, times=9)
        exchange.go_wrong("fees", lost)

    exchange.meanwhile("place", from_now_on_nothing_can_be_read)

    await engine.check(account)

    [intent] = await engine.intents()
    assert intent.state is OrderState.FILLED
    assert (intent.quote_after, intent.fees) == (None, None)
    [told] = await engine.alerts_of(TradeSettled)
    assert (told.quote_after, told.fees) == (None, None)


@pytest.mark.parametrize(("late", "complete"), [(1, True), (3, True), (4, False)])
async def test_fills_that_come_late_are_waited_for_a_moment(
    engine: Engine, exchange: FakeExchange, late: int, complete: bool
):
    exchange.late_fills = late
    account = await engine.open_account()

    await engine.check(account)

    [intent] = await engine.intents()
    [told] = await engine.alerts_of(TradeSettled)
    whole = intent.execution.quote_amount * D("0.0005")
    assert intent.fees == Fees({USDT: whole if complete else whole / 2}, complete=complete)
    assert told.fees_complete is complete


async def test_balances_that_never_show_the_fill_are_not_told(
    engine: Engine, exchange: FakeExchange
):
    exchange.stale_reads = 100
    account = await engine.open_account()

    await engine.check(account)

    [told] = await engine.alerts_of(TradeSettled)
    assert told.quote_after is None


async def test_an_outcome_and_its_alert_are_stored_together_or_not_at_all(
    engine_on_both: Engine, exchange: FakeExchange, clock: FakeClock
):
    commits: list[str] = []

    async def the_line_breaks_while_booking(step: str) -> None:
        if step == "commit":
            commits.append(step)
            if len(commits) == 5:  # seen, planned, sending, acked; then the outcome
                raise gone()

    engine = Engine(
        engine_on_both.database, clock, exchange, on_step=the_line_breaks_while_booking
    )
    account = await engine.open_account()
    duty = await engine.duty(account)
    with pytest.raises(Exception, match="server closed the connection"):
        await engine.checker.check(duty, fence=engine.fences[account.id])

    [intent] = await engine.intents()
    assert intent.state is OrderState.ACKED
    assert (intent.execution.base_quantity, intent.quote_after) == (D(0), None)
    assert await engine.alerts() == []

    await engine.check(account)

    [intent] = await engine.intents()
    assert (intent.state, intent.quote_after) == (OrderState.FILLED, exchange.usdt)
    [told] = await engine.alerts_of(TradeSettled)
    assert told.late is True
    assert exchange.calls["place"] == 1


async def test_a_database_that_is_away_before_the_intent_means_no_order(
    sqlite, clock: FakeClock, exchange: FakeExchange
):
    async def away(step: str) -> None:
        if step == "write begins":
            raise gone()

    engine = Engine(sqlite, clock, exchange, on_step=away)
    account = await engine.open_account()

    with pytest.raises(Exception, match="server closed the connection"):
        await engine.check(account)

    assert exchange.calls["place"] == 0
    assert await engine.intents() == []


async def test_what_a_check_saw_before_it_traded_is_kept(engine: Engine):
    account = await engine.open_account()

    checked = await engine.check(account)

    assert await engine.stored_look(account) == checked.look


def test_an_order_without_a_time_stamp_cannot_be_signed():
    with pytest.raises(ValueError, match="no time stamp"):
        OrderRequest.of(builders.intent())
