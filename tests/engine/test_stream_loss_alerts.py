"""The owner hears once that streams were lost together, and once that they are back."""

from datetime import timedelta

import pytest

from engine.domain.alerts.stream_alerts import StreamsBack, StreamsLost
from engine.storage.database import Database
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.loss_alerts import TOLD_AFTER, StreamLossAlerts
from tests.engine.harness import Engine, StillClock
from tests.fakes.exchange import FakeExchange

OWNER = 1001


class CountedFleet(Fleet):
    """Of ten accounts so many are live."""

    def __init__(self, clock: StillClock) -> None:
        live = LiveAccounts(clock)
        super().__init__(clock=clock, live=live, streams_for=lambda _: None, most=10)
        self.live = 10

    @property
    def standing(self) -> int:
        return self.live

    @property
    def wanted_now(self) -> int:
        return 10

    def cut(self, *, left: int) -> None:
        self.live, self.incidents = left, self.incidents + 1


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


async def owner_chat() -> int:
    return OWNER


async def told(engine: Engine, alerts: StreamLossAlerts) -> list[object]:
    """What is in the outbox once a round is over."""
    await alerts.round()
    return [*await engine.alerts_of(StreamsLost), *await engine.alerts_of(StreamsBack)]


async def test_streams_that_stay_lost_are_one_message_and_their_return_another(
    engine: Engine, sqlite: Database, clock: StillClock
):
    fleet = CountedFleet(clock)
    alerts = StreamLossAlerts(
        database=sqlite, clock=clock, fleet=fleet, owner="p", owner_chat=owner_chat
    )
    since = clock.now()
    fleet.cut(left=3)
    assert await told(engine, alerts) == []  # it may be over soon

    clock.shift(TOLD_AFTER)
    fleet.cut(left=2)
    lost = StreamsLost(live=2, of=10, since=since)
    for _ in range(2):
        assert await told(engine, alerts) == [lost]

    clock.shift(timedelta(minutes=3))
    fleet.live = 9
    back = StreamsBack(live=9, of=10, since=since, at=clock.now())
    for _ in range(2):
        assert await told(engine, alerts) == [lost, back]


@pytest.mark.parametrize("left", [6, 9])
async def test_streams_that_are_soon_back_are_not_told(
    engine: Engine, sqlite: Database, clock: StillClock, left: int
):
    fleet = CountedFleet(clock)
    alerts = StreamLossAlerts(
        database=sqlite, clock=clock, fleet=fleet, owner="p", owner_chat=owner_chat
    )
    fleet.cut(left=0)
    await alerts.round()
    fleet.live = left
    clock.shift(TOLD_AFTER)
    await alerts.round()
    fleet.live = 10

    assert await told(engine, alerts) == []
