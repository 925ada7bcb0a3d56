"""A restart changes nothing: not the settings, not the key, not the pause, not what is owed."""

import signal
from decimal import Decimal

from tests.e2e.process import GRACE_S, until
from tests.e2e.world import ORDER, OWNER, World
from tests.fakes.mexc_faults import Fault
from tests.sampling import LONG

OTHER = 4002


async def test_settings_key_pause_history_and_pending_alerts_outlive_a_restart(world: World):
    world.account.of("USDT").free = Decimal(50)
    async with world.running() as program:
        await world.connect()
        await world.ask("/settarget 50", "50.00 USDT")
        await world.ask("/setthreshold 10%", "45.00 – 55.00")
        await world.ask("/resume", "Trading is on")
        heard = world.newest()
        world.telegram_is_away("sendMessage")
        world.drift("20")
        await world.orders(1)
        await program.logs("message delayed")

        assert await program.stop() == 0
        assert world.newest() == heard

    world.telegram_is_back()
    async with world.running() as program:
        await world.hears("Bought", after=heard)
        status = await world.ask("/status", "Next     ")
        await world.ask("/pause", "Trading is paused")
        world.drift("30")

        assert "🟢 LIVE" in status.text
        assert "target 50 ±10%" in status.text
        assert await program.stop(signal.SIGINT) == 0

    async with world.running():
        paused = await world.ask("/status", "Next     ")
        history = await world.ask("/history", "History")

        assert "⏸ PAUSED" in paused.text
        assert history.text.count("bought") == 1
        assert len(world.mexc.orders) == 1

        await world.ask("/resume", "Trading is on")
        await world.orders(2)

    assert sum("Bought" in text for text in world.told()) >= 1


async def test_pause_stops_one_chat_alone_and_a_second_signal_changes_nothing(world: World):
    world.account.of("USDT").free = Decimal(40)
    world.mexc.add_account("OTHERKEY", "OTHERSECRET", USDT="40", MNTL="100000")
    async with world.running(AUTHORIZED_CHATS=f"{OWNER},{OTHER}") as program:
        await world.connect()
        await world.ask("/connect OTHERKEY OTHERSECRET", "Key connected", chat=OTHER)
        await world.ask("/resume", "Trading is on", chat=OTHER)
        await world.ask("/resume", "Trading is on")
        await world.checks(1)
        await world.ask("/pause", "No order leaves from now on")
        world.drift("30")
        await world.ask("/pause", "Paused already")
        world.mexc.deposit("OTHERKEY", "USDT", Decimal(30))
        await world.orders(1)
        await world.checks(2)

        assert [order.api_key for order in world.mexc.orders] == ["OTHERKEY"]

        def is_over_though_told_again() -> bool:
            program.send(signal.SIGTERM)
            program.send(signal.SIGINT)
            return not program.is_alive

        await until(is_over_though_told_again, lambda: program.log, within=GRACE_S)

        assert await program.exit_code() == 0


@LONG
async def test_a_stop_while_an_order_hangs_takes_ten_seconds_and_the_order_is_looked_up(
    world: World,
):
    world.mexc.inject(Fault(*ORDER, hang=True, executes=True))
    async with world.running() as program:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.orders(1)
        program.send(signal.SIGTERM)

        assert await program.exit_code(within=GRACE_S) == 0

    heard = world.newest()
    async with world.running():
        late = await world.hears("Bought", after=heard)
        await world.checks(2)

        assert "Confirmed late" in late.text
        assert len(world.mexc.orders) == 1
