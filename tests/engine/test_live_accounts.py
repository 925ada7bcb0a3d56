"""A stream makes an account due; what is traded comes of what was read, and of nothing else."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import BalanceChanged, DepositTraded
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, OrderType, Side
from engine.domain.orders.order import AccountId, OrderState
from engine.domain.rebalancing.check_result import AwaitingSettlement, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.streams.events import AccountEvent, BalanceEvent, Cause, OrderEvent
from engine.domain.streams.trust import Doubt, StreamState
from engine.storage.database import Database
from engine.streaming.live_accounts import LiveAccounts
from tests import builders
from tests.builders import MNTL
from tests.engine.harness import Engine, eventually
from tests.engine.streaming import Process, TellingExchange
from tests.engine.test_dispatcher import Process as Dispatched
from tests.engine.test_dispatcher import alive, open_accounts
from tests.fakes.clock import FakeClock
from tests.sampling import sampled

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def exchange(clock: FakeClock) -> TellingExchange:
    return TellingExchange(clock)


@pytest.fixture
def live(clock: FakeClock) -> LiveAccounts:
    return LiveAccounts(clock)


@pytest.fixture
def engine(
    sqlite: Database, clock: FakeClock, exchange: TellingExchange, live: LiveAccounts
) -> Engine:
    return Engine(sqlite, clock, exchange, live=live)


async def a_process(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, **wishes: Any
) -> Process:
    """Its account was checked, has a stream, and was checked since."""
    process = Process(engine, exchange, await engine.open_account(**wishes), live)
    await process.run(timedelta())
    process.listen()
    await process.run(3 * SECOND)
    exchange.calls.clear()
    process.looks.clear()
    return process


async def test_a_deposit_is_traded_within_a_second(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)

    exchange.change(USDT, 20)
    await process.run(SECOND)

    assert [ticket.side for ticket in exchange.tickets] == [Side.BUY]
    assert len(await engine.alerts_of(DepositTraded)) == 1


@pytest.mark.parametrize("seconds", [0.5, 2, 20])
async def test_where_what_is_read_lags_behind_nothing_is_ordered_before_it_shows_the_change(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, seconds: float
):
    process = await a_process(engine, exchange, live)
    exchange.behind = timedelta(seconds=seconds)

    exchange.change(USDT, 20)
    await process.run(timedelta(seconds=seconds))
    assert exchange.tickets == []
    behind = [look.verdict for look in process.looks]
    assert behind == [AwaitingSettlement(told=True)] * len(behind)
    assert behind

    exchange.behind = timedelta()
    await process.run(5 * SECOND)
    await process.run(MINUTE)

    assert len(exchange.tickets) == 1
    assert await engine.trouble(process.account) is None


async def test_while_what_is_read_lags_behind_no_card_says_live(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.behind = 10 * SECOND
    exchange.change(USDT, 20)
    shown = []
    for _ in range(4):
        await process.run(4 * SECOND)
        shown.append(is_live(live, process.account))

    assert shown == [False, False, False, True]  # of the reads, the one after 13 s shows it


def is_live(live: LiveAccounts, account: Account) -> bool:
    standing = live.standing(account.id)
    return standing is not None and standing.is_live


async def test_it_is_measured_how_soon_a_check_and_an_order_follow_from_an_event(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.behind = 2 * SECOND
    exchange.change(USDT, 20)
    await process.run(MINUTE)
    to_check, to_order = (
        {
            sample.name[len(one._name) :]: sample.value
            for sample in next(iter(one.collect())).samples
        }
        for one in (live.tally.to_check, live.tally.to_order)
    )

    assert to_check["_count"] >= to_order["_count"] == len(exchange.tickets) == 1
    assert 0.3 <= to_check["_sum"] / to_check["_count"] <= 2
    assert 2 <= to_order["_sum"] <= 5


async def test_a_withdrawal_that_was_read_while_an_old_trade_is_on_record_is_no_stale_balance(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 20)
    await process.run(10 * MINUTE)
    exchange.behind = 10 * SECOND
    exchange.change(USDT, 20)
    await process.run(5 * SECOND)

    trouble = await engine.trouble(process.account)
    assert process.looks[-1].verdict == AwaitingSettlement(told=True)
    assert trouble is None or trouble.kind is not IncidentKind.STALE_BALANCE


async def test_an_event_that_comes_after_a_poll_saw_its_change_makes_no_second_check(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    await process.run(115 * SECOND)
    exchange.delayed = 5 * SECOND

    exchange.change(MNTL, 50)
    await process.run(3 * SECOND)
    reads = exchange.calls["holdings"]
    await process.run(MINUTE)

    assert exchange.calls["holdings"] == reads
    assert live.missed == 0


def in_any_order(seed: int) -> object:
    def arranged(events: list[AccountEvent]) -> Sequence[AccountEvent]:
        return random.Random(seed).sample(events, len(events))  # noqa: S311 - no secret

    return arranged


def all_twice(events: list[AccountEvent]) -> Sequence[AccountEvent]:
    return [event for event in events for _ in range(2)]


@pytest.mark.parametrize("seed", sampled(range(12), every=6))
@pytest.mark.parametrize("cause", [Cause.DEPOSIT, Cause.TRADE])
async def test_whatever_order_an_orders_own_frames_come_in_none_causes_another_order(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, seed: int, cause: Cause
):
    exchange.arranged = in_any_order(seed)  # type: ignore[assignment]
    process = await a_process(engine, exchange, live)

    exchange.change(USDT, 20, cause)
    await process.run(3 * MINUTE)

    assert len(exchange.tickets) == 1
    assert process.looks[-1].verdict == NoTrade(InsideBand())


async def test_what_our_own_order_did_is_not_looked_at_again(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 20)
    await process.run(SECOND)
    assert len(exchange.tickets) == 1
    reads = exchange.calls["holdings"]
    await process.run(MINUTE)

    assert exchange.calls["holdings"] == reads


async def test_each_event_twice_is_one_check(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    exchange.arranged = all_twice
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 1)
    await process.run(MINUTE)

    assert len(process.looks) == 1


async def test_of_frames_that_come_the_wrong_way_round_the_newer_one_stays(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    held: list[AccountEvent] = []
    exchange.arranged = lambda events: _without(events, held)
    exchange.change(USDT, 20)
    exchange.change(USDT, 5)
    exchange.arranged = list
    assert exchange.feed is not None
    for event in reversed(held):
        exchange.feed.event(event)
    await process.run(MINUTE)

    assert [round(ticket.quote_amount or 0) for ticket in exchange.tickets] == [25]
    assert len(process.looks) == 1


def _without(events: list[AccountEvent], held: list[AccountEvent]) -> Sequence[AccountEvent]:
    held += events
    return []


async def test_a_stream_that_says_nothing_of_our_own_order_is_deaf(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    doubts: list[Doubt] = []
    live.on_doubt = lambda _, why: doubts.append(why)
    exchange.change(USDT, 20)
    exchange.arranged = lambda _: []
    await process.run(5 * SECOND)
    live.beat(process.account.id)
    assert doubts == []

    await process.run(10 * SECOND)
    live.beat(process.account.id)

    assert doubts == [Doubt.DEAF]
    assert live.missed == 2
    assert len(exchange.tickets) == 1


async def test_events_of_a_stalled_moment_are_one_check(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, clock: FakeClock
):
    process = await a_process(engine, exchange, live)
    wake, wakes = live.on_due, list[datetime]()

    def note(account_id: AccountId, at: datetime) -> None:
        wakes.append(at)
        wake(account_id, at)

    live.on_due = note
    for _ in range(100):
        exchange.change(USDT, "0.01")
    assert len(wakes) == 1
    clock.shift(5 * SECOND)  # and only then the loop goes on
    await process.run(MINUTE)

    assert len(process.looks) == 1


async def test_whoever_trades_by_hand_all_the_time_has_six_event_checks_a_minute(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live, autonomy=TradingMode.NOTIFY)
    for turn in range(60):
        exchange.change(USDT, 20 if turn % 2 else -20, Cause.TRADE)
        await process.run(SECOND)

    assert len(process.looks) <= 7  # and its own


async def test_an_event_is_the_second_sight_of_a_withdrawal(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, clock: FakeClock
):
    process = await a_process(engine, exchange, live)

    exchange.change(USDT, -20, Cause.WITHDRAWAL)
    await process.run(SECOND)

    assert [ticket.side for ticket in exchange.tickets] == [Side.SELL]
    assert exchange.calls["holdings"] == 2  # the check's, and after the order


async def test_a_withdrawal_that_nobody_told_is_read_twice(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.feed = None

    exchange.change(USDT, -20, Cause.WITHDRAWAL)
    await process.run(130 * SECOND)

    assert [ticket.side for ticket in exchange.tickets] == [Side.SELL]
    assert exchange.calls["holdings"] == 3


async def test_a_fall_that_was_told_of_another_asset_is_read_twice(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.arranged = lambda events: [
        event for event in events if isinstance(event, BalanceEvent) and event.asset == MNTL
    ]
    exchange.change(USDT, -20, Cause.WITHDRAWAL)
    exchange.change(MNTL, 100, Cause.DEPOSIT)
    await process.run(5 * SECOND)

    assert exchange.calls["holdings"] == 3


async def test_an_event_that_was_lost_is_found_by_the_poll_and_costs_trust(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    feed, exchange.feed = exchange.feed, None
    exchange.change(USDT, 20)
    exchange.feed = feed
    await process.run(130 * SECOND)
    assert len(exchange.tickets) == 1
    await process.run(15 * SECOND)
    live.beat(process.account.id)

    assert live.missed > 0
    assert not live.trust(process.account.id).is_live


async def test_an_event_before_which_one_is_missing_is_looked_at(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 1)
    await process.run(MINUTE)
    feed, exchange.feed = exchange.feed, None
    exchange.change(USDT, "0.2")
    exchange.feed = feed
    exchange.change(USDT, "0.2", Cause.TRADE)  # which alone would be no reason
    before = len(process.looks)
    await process.run(SECOND)

    assert len(process.looks) == before + 1


async def test_a_deposit_during_an_order_is_looked_at_once_that_is_settled(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)

    async def more() -> None:
        exchange.change(USDT, 30)

    exchange.arranged = lambda events: _with_fills(events, "none")
    exchange.late_fills = 1
    exchange.meanwhile("fees", _nothing)
    exchange.meanwhile("fees", more)  # after the balances that showed the order
    exchange.change(USDT, 20)
    await process.run(10 * SECOND)

    assert [ticket.side for ticket in exchange.tickets] == [Side.BUY, Side.BUY]


async def _nothing() -> None:
    pass


async def test_the_end_of_an_order_that_is_told_ends_the_wait_for_it(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, clock: FakeClock
):
    process = await a_process(engine, exchange, live)
    exchange.open_lookups = 1
    ends: list[OrderEvent] = []
    exchange.arranged = lambda events: _without_ends(events, ends)

    async def told() -> None:
        if ends and exchange.feed is not None:
            exchange.feed.event(ends.pop())

    exchange.meanwhile("order", told)  # too late for this answer
    exchange.change(USDT, 20)
    await process.run(timedelta(milliseconds=300))
    [order] = await engine.intents()

    assert order.state is OrderState.FILLED
    assert order.resolved_at == order.acknowledged_at
    assert exchange.calls["order"] == 2


def _without_ends(events: list[AccountEvent], ends: list[OrderEvent]) -> Sequence[AccountEvent]:
    ends += [event for event in events if isinstance(event, OrderEvent)]
    return [event for event in events if not isinstance(event, OrderEvent)]


async def test_the_end_of_an_order_at_a_bound_ends_the_wait_for_it_too(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live, execution=ExecutionMode.AUTO)
    exchange.open_lookups = 1

    exchange.change(USDT, 20)
    await process.run(timedelta(milliseconds=300))
    [order] = await engine.intents()

    assert order.order_type is OrderType.IOC
    assert order.resolved_at == order.acknowledged_at


async def test_a_part_of_an_order_that_was_filled_hurries_nothing(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.open_lookups = 1
    exchange.arranged = lambda events: [
        replace(event, is_final=False) if isinstance(event, OrderEvent) else event
        for event in events
    ]

    exchange.change(USDT, 20)
    await process.run(timedelta(milliseconds=300))
    [order] = await engine.intents()

    assert order.resolved_at is not None
    assert order.acknowledged_at is not None
    assert order.resolved_at - order.acknowledged_at == timedelta(milliseconds=250)


async def test_an_order_is_not_over_before_a_look_up_says_so(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.open_lookups = 1000

    exchange.change(USDT, 20)
    await process.run(MINUTE)
    [order] = await engine.intents()

    assert order.state is OrderState.ACKED
    assert len(exchange.tickets) == 1


async def test_fills_that_were_told_in_full_need_not_be_asked_for(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)

    exchange.change(USDT, 20)
    await process.run(SECOND)
    [order] = await engine.intents()

    assert exchange.calls["fees"] == 0
    assert order.fees is not None
    assert order.fees.complete
    assert order.fees.in_asset(USDT) == order.execution.quote_amount * Decimal("0.0005")


@pytest.mark.parametrize("what", ["none", "a part", "too many", "another price"])
async def test_fills_that_were_not_told_in_full_are_asked_for(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, what: str
):
    process = await a_process(engine, exchange, live)
    exchange.arranged = lambda events: _with_fills(events, what)

    exchange.change(USDT, 20)
    await process.run(SECOND)

    assert exchange.calls["fees"] == 1


def _with_fills(events: list[AccountEvent], what: str) -> Sequence[AccountEvent]:
    told: list[AccountEvent] = []
    for event in events:
        fill = getattr(event, "fill", None)
        if fill is None:
            told.append(event)
        elif what == "a part":
            told.append(replace(event, fill=replace(fill, quantity=fill.quantity - 1)))
        elif what == "another price":
            told.append(replace(event, fill=replace(fill, price=2 * fill.price)))
        elif what == "too many":
            told += [event, replace(event, fill=replace(fill, trade_id="another"))]
    return told


async def test_the_fill_of_an_order_that_rests_is_looked_up_at_once(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    exchange.paper_market.bids = (("0.0020", 1_000_000),)
    exchange.paper_market.asks = (("0.0021", 1_000_000),)
    process = await a_process(engine, exchange, live, execution=ExecutionMode.MAKER)
    exchange.change(USDT, "2.5")
    await process.run(5 * SECOND)
    [(name, ticket)] = exchange.resting.items()
    assert ticket.base_quantity is not None

    exchange.fill(name, ticket.base_quantity)
    await process.run(timedelta(milliseconds=100))
    [order] = await engine.intents()

    assert order.state is OrderState.FILLED
    assert order.fees is not None
    assert exchange.calls["fees"] == 0


async def test_a_stream_of_another_owner_is_not_heard(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    former = exchange.feed
    exchange.feed = None
    live.close(process.account.id)
    process.listen(fence=2)
    await process.run(SECOND)
    exchange.feed = former
    looks = len(process.looks)
    exchange.change(USDT, 20)
    await process.run(MINUTE)

    assert len(process.looks) == looks
    assert exchange.tickets == []


async def test_another_kind_of_money_has_nothing_of_the_stream(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    doubts: list[Doubt] = []
    live.on_doubt = lambda _, why: doubts.append(why)
    exchange.change(USDT, 20)
    process.account = await engine.change(process.account, dry_run=True)
    exchange.feed = None
    exchange.change(USDT, -20)  # on paper there is less

    await process.run(2 * SECOND)

    assert process.looks[-1].verdict == NoTrade(InsideBand())
    assert live.standing(process.account.id) is None
    assert doubts == [Doubt.KEY]


async def test_a_trade_by_hand_inside_the_band_waits_for_the_poll(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, "-1.5", Cause.TRADE)
    exchange.change(MNTL, 750, Cause.TRADE)
    await process.run(MINUTE)
    assert process.looks == []

    await process.run(2 * MINUTE)
    assert len(await engine.alerts_of(BalanceChanged)) == 1


async def test_polls_are_rarer_the_longer_they_agree_and_at_once_not_after_a_doubt(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, clock: FakeClock
):
    process = await a_process(engine, exchange, live)
    for number in range(2, 1000):
        live.open(builders.account(id=number), fence=1)
    await process.run(timedelta(minutes=70))
    rare = len(process.looks)
    live.doubt(process.account.id, Doubt.SILENT)
    process.looks.clear()
    await process.run(timedelta(minutes=70))

    assert rare <= 9  # 2, 4, 8 and then each 11 minutes
    assert len(process.looks) >= 35
    assert live.states()[StreamState.SUSPECT] == 1


async def test_a_portfolio_is_polled_as_often_as_its_user_chose(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)
    account: Account = process.account
    for number in range(2, 1000):
        live.open(builders.account(id=number), fence=1)
    for _ in range(5):
        await process.run(5 * MINUTE)
    guarded = replace(account, slicing_until=engine.clock.now())

    assert live.interval(account.id, MINUTE) > MINUTE
    live.checking(guarded)
    assert live.interval(account.id, MINUTE) == MINUTE


@pytest.mark.parametrize("cause", [*Cause])
async def test_an_alert_names_what_the_stream_told_of_the_very_change(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, cause: Cause
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 20, cause)
    await process.run(5 * SECOND)
    exchange.feed = None
    exchange.change(USDT, 30)
    await process.run(10 * MINUTE)

    told, untold = await engine.alerts_of(DepositTraded)
    assert (told.cause, untold.cause) == (cause, None)


@pytest.mark.parametrize("cause", [Cause.DEPOSIT, Cause.TRADE])
@pytest.mark.parametrize("amount", [30, -30])
async def test_what_comes_or_goes_right_after_an_order_is_recorded_as_such(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts, amount: int, cause: Cause
):
    process = await a_process(engine, exchange, live)
    exchange.change(USDT, 20)
    await process.run(5 * SECOND)

    exchange.change(USDT, amount, cause)
    await process.run(5 * MINUTE)

    moved = [
        change.change
        for alert in await engine.alerts()
        if isinstance(alert, DepositTraded | BalanceChanged)
        for change in alert.moved
    ]
    assert [round(change) for change in moved] == [20, amount]
    assert len(exchange.tickets) == 2
    assert abs(exchange.usdt - 40) < 1


async def test_a_deposit_that_came_with_the_fill_of_an_order_holds_up_nothing(
    engine: Engine, exchange: TellingExchange, live: LiveAccounts
):
    process = await a_process(engine, exchange, live)

    async def more() -> None:
        exchange.change(USDT, 30)

    exchange.meanwhile("order", more)  # so that no balance shows the order alone
    exchange.change(USDT, 20)
    await process.run(10 * SECOND)

    assert [round(ticket.quote_amount or 0) for ticket in exchange.tickets] == [20, 30]
    assert len(await engine.alerts_of(DepositTraded)) == 2


async def test_the_dispatcher_trades_a_deposit_between_two_beats(
    sqlite: Database, clock: FakeClock, exchange: TellingExchange, live: LiveAccounts
):
    """One process as it is put together, and no heartbeat after the first."""
    owner = Engine(sqlite, clock, exchange, owner="process-1", live=live)
    process = Dispatched(
        Engine(sqlite, clock, exchange, owner="nobody"), checker=owner.checker, owner="process-1"
    )
    dispatcher = process.dispatcher
    dispatcher.poll_interval = live.interval
    live.on_due = lambda account_id, at: dispatcher.wake(account_id, at=at)
    live.on_reread = live.on_due
    async with alive(process):
        [account] = await open_accounts(owner)
        await process.beat()
        exchange.feed = live.open(account, fence=1)
        exchange.feed.acknowledge()
        await eventually(lambda: exchange.calls["holdings"] == 2)
        await dispatcher.until_idle()
        exchange.change(USDT, 20)
        await eventually(lambda: len(exchange.tickets) == 1)
        await dispatcher.until_idle()

    assert len(await owner.alerts_of(DepositTraded)) == 1
