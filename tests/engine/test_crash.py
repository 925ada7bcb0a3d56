"""Killed at any step of a trade, the next life finishes the story: one order, told, in the band."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import PricesNotTaken, RunDeclined, TradeSettled
from engine.domain.execution.bound import ExecutionMode
from engine.domain.orders.order import UNRESOLVED, OrderState
from engine.storage.database import Database
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.sampling import sampled

# Every step of a trade, in order: what is asked and answered, and each transaction.
STEPS = (
    *("holdings asked 1", "holdings answered 1"),
    *("write begins 1", "commit 1", "committed 1"),  # what is held, seen for the first time
    *("rules asked 1", "rules answered 1", "book asked 1", "book answered 1"),
    *("read begins 1", "read ends 1"),  # what the limits are measured against
    *("write begins 2", "commit 2", "committed 2"),  # the intent
    *("write begins 3", "commit 3", "committed 3"),  # the gate
    *("place asked 1", "place answered 1"),
    *("write begins 4", "commit 4", "committed 4"),  # accepted
    *("order asked 1", "order answered 1"),
    *("fees asked 1", "fees answered 1", "holdings asked 2", "holdings answered 2"),
    *("write begins 5", "commit 5", "committed 5"),  # the outcome and its alert
    *("open_orders asked 1", "open_orders answered 1"),  # once a lease
)
RECOVERY_STEPS = (
    *("write begins 1", "commit 1", "committed 1"),  # unclear
    *("order asked 1", "order answered 1"),
    *("fees asked 1", "fees answered 1", "holdings asked 1", "holdings answered 1"),
    *("write begins 2", "commit 2", "committed 2"),  # the outcome and its alert
)


class World:
    """A process that dies at a step, and what is there when the next one starts."""

    def __init__(self, database: Database, clock: FakeClock, dies_at: str | None) -> None:
        self.fuse = Fuse(dies_at)
        self.exchange = FakeExchange(clock, usdt="57.10", on_step=self.fuse)
        self.clock = clock
        self.first = Engine(database, clock, self.exchange, on_step=self.fuse)
        self.second = Engine(database, clock, self.exchange, owner="next-life")

    async def live_twice(self, account) -> None:
        await self.die(account)
        await self.second.lease_runs_out()
        await self.second.claim()
        await self.second.until_quiet(account)

    async def die(self, account) -> None:
        with pytest.raises((Crash, BaseExceptionGroup)):
            await self.first.check(account)
        self.exchange.hear_steps()
        self.clock.shift(timedelta(seconds=5))


async def test_the_steps_are_all_there_are(sqlite: Database, clock: FakeClock):
    world = World(sqlite, clock, dies_at=None)
    account = await world.first.open_account()

    await world.first.check(account)

    assert tuple(world.fuse.steps) == STEPS


@pytest.mark.parametrize("step", sampled(STEPS, every=3))
async def test_killed_at_any_step_the_drift_is_traded_once_and_told_once(
    sqlite: Database, clock: FakeClock, step: str
):
    world = World(sqlite, clock, dies_at=step)
    account = await world.first.open_account()

    await world.live_twice(account)

    assert set(world.exchange.posts.values()) == {1}
    assert len(world.exchange.ledger) == 1
    assert account.settings.fixed_goal.band.holds(world.exchange.usdt)
    intents = await world.second.intents()
    assert not [intent for intent in intents if intent.state in UNRESOLVED]
    [traded] = [intent for intent in intents if intent.state is OrderState.FILLED]
    assert list(world.exchange.ledger) == [traded.client_order_id]
    assert len(await world.second.alerts_of(TradeSettled)) == 1


@pytest.mark.parametrize("step", sampled(STEPS, every=3))
async def test_killed_at_any_step_a_persons_tap_is_answered_and_trades_at_most_once(
    sqlite: Database, clock: FakeClock, step: str
):
    """Inside the band, where no later check would trade anyway."""
    world = World(sqlite, clock, dies_at=step)
    world.exchange.usdt = Decimal("41.90")
    account = await world.first.open_account()
    await world.first.tap(account, expected_quote="1.90")

    await world.live_twice(account)

    assert len(world.exchange.ledger) <= 1
    assert set(world.exchange.posts.values()) <= {1}
    answers = [a for a in await world.second.alerts() if isinstance(a, TradeSettled | RunDeclined)]
    never = "OrderNeverArrived" in await world.second.told()
    assert len(answers) == (0 if never else 1)
    assert len(world.exchange.ledger) == sum(isinstance(a, TradeSettled) for a in answers)
    assert await world.second.pending_taps() == []


@pytest.mark.parametrize("step", sampled(RECOVERY_STEPS, every=3))
async def test_killed_again_while_recovering_changes_nothing(
    sqlite: Database, clock: FakeClock, step: str
):
    """The first life dies right after the order left, the second at *step*, the third ends it."""
    world = World(sqlite, clock, dies_at="place answered 1")
    account = await world.first.open_account()
    await world.die(account)
    again = Fuse(step)
    world.exchange.hear_steps(again)
    world.first = Engine(sqlite, clock, world.exchange, owner="another-life", on_step=again)
    await world.first.lease_runs_out()
    await world.first.claim()

    await world.live_twice(account)

    assert set(again.steps) <= set(RECOVERY_STEPS)
    assert list(world.exchange.posts.values()) == [1]
    assert await world.second.told() == ["OrderUnclear", "TradeSettled"]


# Of an IOC order that rests all the same, from the POST on.
CANCELLING_STEPS = (
    *("place asked 1", "place answered 1", "write begins 4", "committed 4"),  # accepted
    *("order asked 1", "order answered 1"),
    *("write begins 5", "commit 5", "committed 5"),  # it is cancelled
    *("cancel asked 1", "cancel answered 1"),
    *("write begins 6", "commit 6", "committed 6"),  # the outcome
)


@pytest.mark.parametrize("step", CANCELLING_STEPS)
async def test_killed_at_any_step_no_order_rests_and_the_drift_is_traded_once(
    sqlite: Database, clock: FakeClock, step: str
):
    world = World(sqlite, clock, dies_at=step)
    world.exchange.ioc_rests = True
    account = await world.first.open_account(execution=ExecutionMode.AUTO)

    await world.live_twice(account)

    assert world.exchange.resting == {}
    assert set(world.exchange.posts.values()) == {1}
    assert account.settings.fixed_goal.band.holds(world.exchange.usdt)
    intents = await world.second.intents()
    assert not [intent for intent in intents if intent.state in UNRESOLVED]
    assert [intent.state for intent in intents].count(OrderState.FILLED) == 1
    assert len(await world.second.alerts_of(TradeSettled)) == 1
    assert len(await world.second.alerts_of(PricesNotTaken)) == 1


# Of an order that rests: while it is placed, and while it is cancelled after its time.
RESTING_STEPS = (
    *("place asked 1", "place answered 1", "write begins 4", "committed 4"),  # accepted
    *("order asked 1", "order answered 1", "open_orders answered 1"),
    *("order asked 2", "order answered 2"),  # its time is over
    *("write begins 5", "commit 5", "committed 5"),  # it is cancelled
    *("cancel asked 1", "cancel answered 1", "order asked 3", "order answered 3"),
    *("holdings asked 2", "holdings answered 2"),  # nothing is locked any more
    *("write begins 6", "commit 6", "committed 6"),  # the outcome
)


async def rest_and_cancel(world: World, account: Account) -> None:
    """Two checks, 46 seconds apart."""
    await world.first.check(account)
    await world.first.wait(timedelta(seconds=46))
    await world.first.check(account)


async def test_the_steps_of_an_order_that_rests(sqlite: Database, clock: FakeClock):
    world = World(sqlite, clock, dies_at=None)
    world.exchange.usdt = Decimal("43.50")
    account = await world.first.open_account(execution=ExecutionMode.MAKER)

    await rest_and_cancel(world, account)

    steps = world.fuse.steps
    assert [step for step in steps if step in RESTING_STEPS] == list(RESTING_STEPS)
    assert steps[-1] == RESTING_STEPS[-1]


@pytest.mark.parametrize("step", RESTING_STEPS)
async def test_killed_at_any_step_of_an_order_that_rests_it_is_cancelled_and_traded_once(
    sqlite: Database, clock: FakeClock, step: str
):
    world = World(sqlite, clock, dies_at=step)
    world.exchange.usdt = Decimal("43.50")
    account = await world.first.open_account(execution=ExecutionMode.MAKER)

    with pytest.raises((Crash, BaseExceptionGroup)):
        await rest_and_cancel(world, account)
    world.exchange.hear_steps()
    await world.first.wait(timedelta(seconds=20))
    await world.second.lease_runs_out()
    await world.second.claim()
    await world.second.until_quiet(account)

    intents = await world.second.intents()
    assert world.exchange.resting == {}
    assert set(world.exchange.posts.values()) == {1}
    assert account.settings.fixed_goal.band.holds(world.exchange.usdt)
    assert not [intent for intent in intents if intent.state in UNRESOLVED]
    assert [intent.state for intent in intents].count(OrderState.FILLED) == 1
    told = await world.second.alerts_of(TradeSettled)
    assert [bool(alert.base_quantity) for alert in told].count(True) == 1
    # The end of one that was unclear is told, though nobody took it.
    kinds = await world.second.told()
    was_unclear = "OrderUnclear" in kinds and "OrderNeverArrived" not in kinds
    assert len(told) == (2 if was_unclear else 1)
