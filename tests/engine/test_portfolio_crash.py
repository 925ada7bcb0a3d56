"""Killed at any step of a run, also between two legs, the next life plans afresh: each order sent
once, each trade told once, and all inside at the end.
"""

from collections import Counter
from datetime import timedelta

import pytest

from engine.domain.orders.order import UNRESOLVED
from engine.domain.portfolio.run import RunEnd
from engine.storage.database import Database
from tests.engine.harness import Crash, Engine, Fuse
from tests.engine.portfolios import (
    an_exchange,
    open_basket,
    stored_runs,
    told_trades,
    whats_outside,
)
from tests.fakes.clock import FakeClock
from tests.sampling import sampled

# From the first leg's POST on, through the second leg, to the end of the run.
_LEG = (
    *("place asked {n}", "place answered {n}"),
    *("order asked {n}", "order answered {n}", "fees asked {n}", "fees answered {n}"),
)
STEPS = (
    "quotes answered 1",
    *("rules answered 3", "read ends 1", "book answered 1"),
    *("write begins 1", "commit 2", "committed 2", "committed 3"),
    *(step.format(n=1) for step in _LEG),
    *("committed 4", "holdings answered 2", "committed 5"),  # the outcome, without its alert
    *("holdings asked 3", "holdings answered 3", "read begins 2", "book asked 2"),
    *("commit 6", "committed 6", "committed 7"),
    *(step.format(n=2) for step in _LEG),
    *("committed 8", "committed 9", "book answered 3", "committed 10"),
    *("write begins 14", "commit 14", "committed 14"),  # the end of the run, with its alert
)


class Lives:
    def __init__(self, database: Database, clock: FakeClock, dies_at: str | None) -> None:
        self.fuse, self.clock = Fuse(dies_at), clock
        self.exchange = an_exchange(clock, btc=60)
        self.exchange.hear_steps(self.fuse)
        self.first = Engine(database, clock, self.exchange, on_step=self.fuse)
        self.second = Engine(database, clock, self.exchange, owner="next-life")


async def test_the_steps_are_of_a_run_of_three_legs(sqlite: Database, clock: FakeClock):
    lives = Lives(sqlite, clock, dies_at=None)
    account = await open_basket(lives.first)

    await lives.first.check(account)

    assert set(STEPS) <= set(lives.fuse.steps)
    assert "place answered 3" in lives.fuse.steps
    assert "committed 15" not in lives.fuse.steps


@pytest.mark.parametrize("step", sampled(STEPS, every=12))
async def test_killed_at_any_step_of_a_run_the_next_life_plans_afresh(
    sqlite: Database, clock: FakeClock, step: str
):
    lives = Lives(sqlite, clock, dies_at=step)
    account = await open_basket(lives.first)

    with pytest.raises((Crash, BaseExceptionGroup)):
        await lives.first.check(account)
    lives.exchange.hear_steps()
    clock.shift(timedelta(seconds=5))
    await lives.second.lease_runs_out()
    await lives.second.claim()
    open_then = [run for run in await stored_runs(lives.second, account) if run.end is None]
    await lives.second.until_quiet(account)

    assert open_then == []
    assert set(lives.exchange.posts.values()) <= {1}
    assert await whats_outside(account, lives.exchange) == set()
    intents = await lives.second.intents()
    assert not [intent for intent in intents if intent.state in UNRESOLVED]
    ends = [run.end for run in await stored_runs(lives.second, account)]
    assert ends[1:] in ([], [RunEnd.INSIDE]), ends
    traded = Counter(
        (intent.symbol, intent.execution.quote_amount)
        for intent in intents
        if intent.execution.base_quantity
    )
    assert await told_trades(lives.second) == traded
