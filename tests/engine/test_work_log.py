"""The log tells the work: decisions, orders, fills and changes, and nothing of a check that holds."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.settings import TradingMode
from engine.errors import OutcomeUnknown, Rejected
from tests.engine.harness import Engine
from tests.fakes.exchange import FakeExchange

D = Decimal


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO)

    def told(event: str) -> list[dict[str, Any]]:
        return [vars(record) for record in caplog.records if record.message == event]

    return told


async def test_a_trade_is_told_from_its_decision_to_its_fill(
    engine: Engine, exchange: FakeExchange, lines: Any
):
    exchange.usdt = D("57.10")
    account = await engine.open_account()

    await engine.until_quiet(account)

    [decided], [sent], [filled] = (
        lines("check decided"),
        lines("order sent"),
        lines("order filled"),
    )
    [order] = await engine.intents()
    assert (decided["decision"], decided["side"], decided["amount_usdt"]) == (
        "order",
        "buy",
        "17.1",
    )
    assert (decided["held_usdt"], decided["target_usdt"]) == ("57.1", "40")
    assert decided["order"] == sent["order"] == filled["order"] == order.client_order_id
    assert (sent["amount_usdt"], sent["money"], sent["trigger"]) == ("17.1", "live", "interval")
    assert (filled["quantity"], filled["quote_usdt"], filled["price"]) == (
        "8550",
        "17.1",
        "0.002",
    )
    assert filled["fee"] == "0.00855USDT"
    assert filled["exchange_order"] == "E1"
    assert {record["levelname"] for record in (decided, sent, filled)} == {"INFO"}


async def test_a_check_that_holds_logs_nothing(
    engine: Engine, exchange: FakeExchange, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    account = await engine.open_account()
    await engine.check(account)
    caplog.clear()

    await engine.until_quiet(account)

    assert [record.message for record in caplog.records] == []


async def test_an_order_that_is_not_possible_has_its_reason(
    engine: Engine, exchange: FakeExchange, lines: Any
):
    exchange.usdt = D("57.10")
    exchange.paper_market.asks = []
    account = await engine.open_account()

    await engine.until_quiet(account)

    [decided] = lines("check decided")
    assert (decided["decision"], decided["reason"]) == ("no_order", "EmptyBook")


async def test_what_is_left_to_the_user_and_what_is_refused_is_told(
    engine: Engine, exchange: FakeExchange, lines: Any
):
    exchange.usdt = D("57.10")
    account = await engine.open_account()
    asked = await engine.change(account, autonomy=TradingMode.ASK)
    await engine.check(asked)
    exchange.go_wrong("place", Rejected(code=30002, message="too small"))
    account = await engine.change(asked, autonomy=TradingMode.AUTO)
    await engine.check(account)

    assert lines("check decided")[0]["decision"] == "left_to_user"
    [refused] = lines("order refused")
    assert "too small" in refused["error"]


async def test_a_lost_answer_is_told_when_it_is_known(
    engine: Engine, exchange: FakeExchange, lines: Any
):
    exchange.usdt = D("57.10")
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    account = await engine.open_account()

    await engine.until_quiet(account)

    [sent], [filled] = lines("order sent"), lines("order filled")
    assert sent["order"] == filled["order"]
