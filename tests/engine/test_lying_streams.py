"""A stream that lies, repeats itself or tells half costs time, and never an order or the address."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT
from engine.domain.streams.events import AccountEvent, BalanceEvent, Cause
from engine.storage.database import Database
from engine.streaming.live_accounts import LiveAccounts
from tests.engine.harness import Engine
from tests.engine.streaming import TellingExchange
from tests.engine.test_live_accounts import a_process
from tests.fakes.clock import FakeClock

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


async def test_a_deposit_told_before_an_order_proves_nothing_of_the_usdt_after_it(
    engine: Engine,
    exchange: TellingExchange,
    live: LiveAccounts,
    monkeypatch: pytest.MonkeyPatch,
):
    """The exchange books the token of a fill at once and its USDT late, where it is read and told."""
    process = await a_process(engine, exchange, live)
    exchange.arranged = _without_traded_usdt
    read = exchange.holdings

    async def lagging() -> Holdings:
        found = await read()
        if not exchange.tickets:
            return found
        balances = {**found.balances, USDT: replace(found.of(USDT), free=Decimal(60))}
        return replace(found, balances=balances)

    monkeypatch.setattr(exchange, "holdings", lagging)
    exchange.change(USDT, 20)
    await process.run(MINUTE)

    assert len(exchange.tickets) == 1


def _without_traded_usdt(events: list[AccountEvent]) -> Sequence[AccountEvent]:
    return [
        event
        for event in events
        if not (
            isinstance(event, BalanceEvent) and event.asset == USDT and event.cause is Cause.TRADE
        )
    ]
