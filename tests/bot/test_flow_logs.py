"""`/logs` tells the owner what was decided, ordered, filled and changed, and no secret."""

import json

import pytest

from bot.observability.logs import configure
from tests.bot.harness import FRIEND, KEY, OWNER, SECRET, Program, World


async def test_logs_show_the_work_to_the_owner_alone(
    world: World, bot: Program, capsys: pytest.CaptureFixture[str]
):
    configure("INFO", None, [KEY, SECRET], as_json=True)
    await bot.connect_by_chat()
    await bot.ask(OWNER, "/settarget 41")
    await bot.checked()

    logs = await bot.ask(OWNER, "/logs 50")
    refused = await bot.ask(FRIEND, "/logs")
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    [order] = world.mexc.orders
    assert "setting changed account=1 setting=target before=40 USDT after=41 USDT" in logs.text
    assert "setting changed account=1 setting=key before=none after=…BWC5" in logs.text
    assert "check decided account=1 pair=MNTLUSDT money=live decision=order side=buy" in logs.text
    assert f"order sent account=1 order={order.client_order_id}" in logs.text
    assert f"order filled account=1 order={order.client_order_id}" in logs.text
    assert f"quantity={order.executed}" in logs.text
    assert KEY not in logs.text
    assert SECRET not in logs.text
    assert "order" not in refused.text
    [filled] = [line for line in written if line["message"] == "order filled"]
    assert filled["order"] == order.client_order_id
    assert filled["exchange_order"] == order.order_id
    assert filled["account"] == 1
