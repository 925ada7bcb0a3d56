"""The plug is pulled (SIGKILL) at the worst moments: nothing is lost, nothing is done twice."""

from decimal import Decimal

from tests.e2e.process import until
from tests.e2e.world import ORDER, OWNER, World
from tests.fakes.mexc_faults import Fault
from tests.fakes.telegram_faults import HANG
from tests.sampling import LONG


@LONG
async def test_killed_while_an_order_is_on_its_way(world: World):
    world.mexc.inject(Fault(*ORDER, hang=True, executes=True))
    async with world.running() as program:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.orders(1)
        await program.kill()

    heard = world.newest()
    async with world.running():
        late = await world.hears("Bought", after=heard)
        await world.checks(2)

        assert "Confirmed late" in late.text
        assert len(world.mexc.orders) == 1
        assert Decimal(38) <= world.usdt <= Decimal(42)


@LONG
async def test_killed_before_an_alert_was_sent_and_while_a_command_was_answered(world: World):
    world.account.of("USDT").free = Decimal(40)
    async with world.running() as program:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        world.telegram_is_away("sendMessage")
        world.drift("17.10")
        await world.orders(1)
        await program.logs("message delayed")
        await program.kill()

    heard = world.newest()
    world.telegram_is_back()
    async with world.running() as program:
        await world.hears("Bought", after=heard)
        world.telegram.fail("sendMessage", HANG, times=1000)
        world.telegram.say(OWNER, "/settarget 30")
        await until(lambda: "30.00 USDT" in str(world.telegram.calls), lambda: program.log)

        # Telegram has forgotten it: from here on only the program knows of the command.
        assert world.telegram.unconfirmed == []
        await program.kill()

    heard = world.newest()
    world.telegram_is_back()
    async with world.running():
        await world.hears("30.00 USDT", after=heard)
        await world.orders(2)
        await world.hears("Bought", after=heard)

        assert len(world.mexc.orders) == 2
        assert Decimal("28.5") <= world.usdt <= Decimal("31.5")
