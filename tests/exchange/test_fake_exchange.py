"""The exchange in memory: orders that rest are locked, filled and cancelled as at the real ones."""

from decimal import Decimal

import pytest

from engine.domain.market.balances import Balance
from engine.domain.market.pairs import USDT, OrderType, Side
from engine.domain.orders.order import ClientOrderId
from engine.errors import OrderNotFound, OutcomeUnknown
from engine.exchanges.interface import OrderRequest
from tests.builders import MNTL, MNTLUSDT
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

OUR_ID = ClientOrderId("bl-1")


async def a_resting_buy(exchange: FakeExchange) -> None:
    await exchange.place(
        OrderRequest(
            client_order_id=OUR_ID,
            symbol=MNTLUSDT,
            side=Side.BUY,
            quote_amount=None,
            base_quantity=Decimal(5000),
            sent_at=exchange.time(),
            order_type=OrderType.LIMIT_MAKER,
            price=Decimal("0.0019"),
        )
    )


async def test_an_order_rests_is_filled_in_part_and_cancelled(clock: FakeClock):
    exchange = FakeExchange(clock, usdt=40, mntl=0)
    await a_resting_buy(exchange)
    resting, locked = await exchange.open_orders(MNTLUSDT), await exchange.holdings()
    exchange.fill(OUR_ID, 2000)
    await exchange.cancel(MNTLUSDT, OUR_ID)
    report, held = await exchange.order(MNTLUSDT, OUR_ID), await exchange.holdings()

    assert [order.client_order_id for order in resting] == [OUR_ID]
    assert locked.of(USDT) == Balance(free=Decimal("30.5"), locked=Decimal("9.5"))
    assert (report.is_final, report.complete) == (True, False)
    assert held.of(USDT) == Balance(free=Decimal("36.2"))
    assert held.of(MNTL) == Balance(free=Decimal(2000))


async def test_a_cancellation_may_take_effect_without_an_answer(clock: FakeClock):
    exchange = FakeExchange(clock)
    await a_resting_buy(exchange)
    exchange.go_wrong("cancel", OutcomeUnknown("timeout"), executes=True)
    with pytest.raises(OutcomeUnknown):
        await exchange.cancel(MNTLUSDT, OUR_ID)
    with pytest.raises(OrderNotFound):
        await exchange.cancel(MNTLUSDT, OUR_ID)

    assert (await exchange.order(MNTLUSDT, OUR_ID)).is_final
