"""An order that stays unclear: told, looked up, and at last put aside by the person."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.domain.orders import OrderState
from engine.storage.models import OrderRow
from tests.bot.harness import OWNER, Program, World
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault

LOOK_UP = Fault("GET", "/api/v3/order", reply=BAD_GATEWAY, times=None)


@pytest.fixture
async def stuck(world: World, bot: Program) -> Program:
    """MEXC swallowed the answer to an order and has answered no look-up for a quarter of an hour."""
    await bot.connect()
    world.mexc.inject(Fault("POST", "/api/v3/order", reply=DROPPED, executes=True))
    world.mexc.inject(LOOK_UP)
    await bot.checked()
    await bot.live_for(timedelta(minutes=16))
    return bot


async def state(bot: Program) -> OrderState:
    return OrderState(await bot.scalar(select(OrderRow.state)))


async def test_after_a_quarter_of_an_hour_the_person_is_asked_to_look(stuck: Program):
    alert = (await stuck.told(OWNER))[-1]

    assert "🛑 HALTED · Please look at MEXC" in alert.text
    assert alert.labels == ["Resume"]
    assert await state(stuck) is OrderState.NEEDS_HUMAN


async def test_who_looked_puts_the_order_aside_and_goes_on_from_fresh_balances(
    world: World, stuck: Program
):
    question = await stuck.ask(OWNER, "/resume")
    still = await state(stuck)
    await stuck.tap(OWNER, "I looked, go on")
    paused = (await stuck.account()).settings.paused
    resumed = await stuck.ask(OWNER, "/resume")

    assert "One order is unclear" in question.edits[0]
    assert still is OrderState.NEEDS_HUMAN
    assert "⏸ PAUSED · Put aside" in question.text
    assert question.labels == ["Resume"]
    assert paused
    assert await state(stuck) is OrderState.SET_ASIDE
    assert "Trading is on" in resumed.text
    await stuck.live_for(timedelta(minutes=3))
    assert len(world.mexc.orders) == 1  # it had been filled: the balance is on target


async def test_an_order_that_was_cleared_up_meanwhile_is_left_as_it_is(
    world: World, stuck: Program
):
    await stuck.ask(OWNER, "/resume")
    world.mexc.remove(LOOK_UP)
    await stuck.live_for(timedelta(minutes=1))
    await stuck.tap(OWNER, "I looked, go on")

    assert await state(stuck) is OrderState.FILLED
    assert len(world.mexc.orders) == 1
