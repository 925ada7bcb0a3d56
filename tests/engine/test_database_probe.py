"""What `/doctor` asks the database."""

from collections.abc import Sequence
from datetime import timedelta

from engine.accounts.deliverability import Deliverability
from engine.clock import FastClock
from engine.diagnosis.database_probe import DatabaseProbe
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock


async def test_in_a_demo_a_write_takes_what_the_machine_needs(engine: Engine):
    account = await engine.open_account()
    clock = FastClock(speed=6000)

    async def others(_: int) -> Sequence[int]:
        return ()

    probe = DatabaseProbe(
        database=engine.database,
        clock=clock,
        deliverability=Deliverability(database=engine.database, clock=clock, others=others),
        machine=FakeClock(),
    )

    assert await probe.write_time(account) == timedelta(0)
