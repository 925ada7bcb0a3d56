"""Garbage from every endpoint of MEXC while the program lives: no order, and the chat is told."""

import logging
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from sqlalchemy import select

from engine.domain.orders.order import UNRESOLVED
from engine.storage.accounts import incidents
from engine.storage.models.trading import OrderRow
from tests.bot.harness import FRIEND, KEY, OTHER_KEY, OTHER_SECRET, OWNER, SECRET, Program, World
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import Fault
from tests.fakes.telegram import FakeTelegram
from tests.faults.mexc_answers import real_answers
from tests.faults.strange import bodies, try_all_on, unreadable
from tests.sampling import LONG

Record = Callable[[str, object], None]

ANSWERS = real_answers()
READS = {
    "account": ("GET", "/api/v3/account"),
    "depth": ("GET", "/api/v3/depth"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
}
ORDERS = {
    "placed": ("POST", "/api/v3/order"),
    "order": ("GET", "/api/v3/order"),
    "trades": ("GET", "/api/v3/myTrades"),
}
KEY_CHECK = {
    "time": ("GET", "/api/v3/time"),
    "account": ("GET", "/api/v3/account"),
    "key": ("GET", "/api/v3/apiKeyInfo"),
}
# Rules are kept for an hour, and every back-off is over by then.
_LATER = timedelta(hours=2)


@pytest.fixture
async def world(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[World]:
    """The owner's account holds 17.10 USDT too much."""
    async with FakeTelegram(clock=clock) as api, FakeMexc(clock=clock) as mexc:
        mexc.add_account(KEY, SECRET, USDT="57.10", MNTL="91858")
        mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="57.10", MNTL="91858")
        yield World(api, mexc, clock, sqlite_url)


@pytest.fixture
async def bot(world: World) -> AsyncGenerator[Program]:
    async with world.program() as program:
        await program.connect()
        yield program


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged at ERROR or above."""
    caplog.set_level(logging.INFO)
    return lambda: [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


def garbage(endpoint: tuple[str, str], body: bytes, *, status: int = 200) -> Fault:
    method, path = endpoint
    return Fault(method, path, reply=Reply(status=status, body=body), executes=True, times=None)


statuses = st.sampled_from([200, 200, 200, 400, 500])


@pytest.mark.parametrize("name", list(READS))
@LONG
async def test_what_cannot_be_read_is_no_order_and_a_trouble(
    name: str,
    world: World,
    bot: Program,
    errors: Callable[[], list[str]],
    record_property: Record,
):
    async def claim(answer: tuple[bytes, int]) -> None:
        body, status = answer
        world.clock.shift(_LATER)
        began_at = world.clock.now()
        fault = world.mexc.inject(garbage(READS[name], body, status=status))
        await bot.check()
        world.mexc.remove(fault)

        account = await bot.account()
        async with bot.database.reading() as session:
            trouble = await incidents.get(session, account.id)
        assert trouble is not None
        assert trouble.last_at >= began_at
        assert not account.settings.paused
        assert errors() == []

    inputs = st.tuples(unreadable(ANSWERS[name]), statuses)

    record_property("bad_inputs", await try_all_on(inputs, claim, most=25))
    told = await bot.told(OWNER)
    assert told
    assert world.mexc.orders == []
    assert not world.mexc.order_posts


@pytest.mark.parametrize("name", list(READS))
@LONG
async def test_whatever_an_answer_became_on_its_way_no_check_breaks_and_no_order_is_doubled(
    name: str,
    world: World,
    bot: Program,
    errors: Callable[[], list[str]],
    record_property: Record,
):
    async def claim(body: bytes) -> None:
        world.clock.shift(_LATER)
        funds = world.mexc.ledger.accounts[KEY].of("USDT")
        funds.free = Decimal("57.10")
        known = len(world.mexc.orders)
        fault = world.mexc.inject(garbage(READS[name], body))
        await bot.check()
        world.mexc.remove(fault)

        assert len(world.mexc.orders) <= known + 1
        assert max(world.mexc.order_posts.values(), default=0) <= 1
        assert errors() == []

    record_property("bad_inputs", await try_all_on(bodies(ANSWERS[name]), claim, most=25))
    assert errors() == []


@LONG
async def test_an_order_whose_answers_are_garbage_is_sent_once_and_found_in_the_end(
    world: World, bot: Program, errors: Callable[[], list[str]], record_property: Record
):
    async def claim(answers: tuple[bytes, bytes, bytes, int]) -> None:
        *sent, status = answers
        world.clock.shift(_LATER)
        world.mexc.ledger.accounts[KEY].of("USDT").free = Decimal("57.10")
        known = len(world.mexc.orders)
        faults = [
            world.mexc.inject(garbage(endpoint, body, status=status))
            for endpoint, body in zip(ORDERS.values(), sent, strict=True)
        ]
        await bot.live_for(timedelta(seconds=60))
        for fault in faults:
            world.mexc.remove(fault)
        await bot.live_for(timedelta(seconds=120))

        assert len(world.mexc.orders) == known + 1
        assert set(world.mexc.order_posts.values()) == {1}
        async with bot.database.reading() as session:
            rows = (await session.scalars(select(OrderRow).order_by(OrderRow.id))).all()
        assert [row.state for row in rows if row.state in UNRESOLVED] == []
        assert rows[-1].executed_base == world.mexc.orders[-1].executed
        assert errors() == []

    broken = st.sampled_from([200, 500, 502])
    inputs = st.tuples(*(unreadable(ANSWERS[name]) for name in ORDERS), broken)

    record_property("bad_inputs", 3 * await try_all_on(inputs, claim, most=10))
    told = await bot.told(OWNER)
    assert sum("Bought" in message.text for message in told) == len(world.mexc.orders)


@pytest.mark.parametrize("name", list(KEY_CHECK))
@LONG
async def test_a_key_is_not_kept_on_the_word_of_garbage(
    name: str,
    world: World,
    errors: Callable[[], list[str]],
    record_property: Record,
):
    async with world.program() as bot:

        async def claim(answer: tuple[bytes, int]) -> None:
            body, status = answer
            world.clock.shift(_LATER)
            fault = world.mexc.inject(garbage(KEY_CHECK[name], body, status=status))
            told = await bot.ask(FRIEND, f"/connect {OTHER_KEY} {OTHER_SECRET}")
            world.mexc.remove(fault)

            assert told.html
            assert OTHER_SECRET not in told.text
            assert (await bot.account(FRIEND)).sealed_key is None
            assert errors() == []

        # A code says that there is no such question here, and then it is done without.
        bodies_of = unreadable(ANSWERS[name]).filter(lambda body: b"code" not in body)
        inputs = st.tuples(bodies_of, st.sampled_from([200, 200, 500]))

        record_property("bad_inputs", await try_all_on(inputs, claim, most=15))
