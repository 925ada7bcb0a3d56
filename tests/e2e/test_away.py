"""Either side may be away at any time: the other goes on, and what was missed is made up for."""

from decimal import Decimal
from itertools import pairwise

from tests.e2e.world import ACCOUNT, API_KEY, API_SECRET, World
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault
from tests.sampling import LONG

TIME = ("GET", "/api/v3/time")


@LONG
async def test_while_mexc_is_away_the_bot_answers_and_checks_wait_for_the_back_off(world: World):
    world.account.of("USDT").free = Decimal(40)
    away = [world.mexc.inject(Fault(*at, reply=DROPPED, times=None)) for at in (TIME, ACCOUNT)]
    async with world.running(ERROR_BACKOFF="2") as program:
        await world.ask(f"/connect {API_KEY} {API_SECRET}", "Key not stored")
        for fault in away:
            world.mexc.remove(fault)
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.checks(1)
        heard, asked = world.newest(), len(world.asked_at(ACCOUNT))
        world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=2))
        world.drift("17.10")
        await world.hears("⚠️ LIVE · MEXC does not answer", after=heard)
        await world.hears("✅ LIVE · MEXC answers again", after=heard)
        await world.hears("Bought", after=heard)
        refused_at = world.asked_at(ACCOUNT)[asked : asked + 3]

        assert all(later - earlier > 1900 for earlier, later in pairwise(refused_at))
        assert len(world.mexc.orders) == 1
        assert sum("LIVE · MEXC does not answer" in text for text in world.told()) == 1
        assert program.log.count("check failed") == 2


async def test_while_telegram_is_away_the_engine_trades_and_the_alert_comes_later(world: World):
    world.account.of("USDT").free = Decimal(40)
    async with world.running():
        await world.connect()
        await world.ask("/resume", "Trading is on")

    heard = world.newest()
    world.drift("17.10")
    world.telegram_is_away()
    program = world.start()
    await world.orders(1)

    assert " ready " not in program.log

    world.telegram_is_back()
    await program.ready()
    await world.hears("Bought", after=heard)
    await world.ask("/status", "🟢 LIVE")

    assert await program.stop() == 0
    assert len(world.mexc.orders) == 1
