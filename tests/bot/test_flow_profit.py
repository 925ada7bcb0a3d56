"""`/profit`: by command and by button, for whoever may look; its flows, corrected by the owner."""

import re
from datetime import timedelta
from decimal import Decimal

from tests.bot.harness import KEY, OWNER, Program, World
from tests.bot.test_flow_share import ANNA, shared


async def test_profit_after_a_trade_and_each_span_in_its_place(world: World, bot: Program):
    await bot.connect()
    await bot.check()
    answer = await bot.ask(OWNER, "/profit all")

    assert "Profit, all records" in answer.text
    assert "Turnover         16.30" in answer.text
    await bot.tap(OWNER, "24h")
    assert "Profit, 24 hours" in answer.text

    [costs] = await bot.tap(OWNER, "Cost of trades", message=answer)
    assert re.search(r" market +0\.[0-9]{2} +[0-9.]+% +[0-9.]+%", costs.text)

    assert "Write 24h, 7d, 30d" in (await bot.ask(OWNER, "/profit soon")).text
    assert "still to come" in (await bot.ask(OWNER, "/profit 2098-01-01")).text


async def test_an_owner_corrects_a_deposit_and_takes_it_back_and_nobody_else_does(
    world: World, bot: Program
):
    await bot.connect()
    await shared(bot, "trader")
    await bot.check()
    world.clock.shift(timedelta(minutes=5))
    world.mexc.deposit(KEY, "USDT", Decimal(25))
    await bot.check()
    before = await bot.ask(OWNER, "/profit all")
    listed = await bot.ask(OWNER, "/profit deposits all")
    number = listed.button("1")
    theirs = await bot.ask(ANNA, "/profit deposits all")
    seen = theirs.text

    assert "Deposits and withdrawals…" in before.labels
    assert "came in\n  +25.00 USDT" in seen
    assert "1" not in theirs.labels
    assert number is not None
    await bot.tap(ANNA, str(number.data), message=theirs, forged=True)
    assert theirs.text == seen

    await bot.tap(OWNER, "1", message=listed)
    asked, result = listed.text, listed.button("Result")
    assert result is not None
    await bot.tap(ANNA, str(result.data), message=theirs, forged=True)
    await bot.tap(OWNER, "Result", message=listed)
    change = re.search(r"Made (\S+) → (\S+) \(all records\)", asked)
    assert change is not None
    assert change[0] in listed.text
    after = await bot.ask(OWNER, "/profit all")
    assert f"Made{change[1]:>18}" in before.text
    assert f"Made{change[2]:>18}" in after.text
    assert Decimal(change[2]) - Decimal(change[1]) == 25
    assert "Deposits" not in after.text
    audit = await bot.ask(OWNER, "/audit")
    assert "as found → result" in " ".join(audit.text.split())

    await bot.tap(OWNER, "Change again", message=listed)
    await bot.tap(OWNER, "Undo", message=listed)
    assert (await bot.ask(OWNER, "/profit all")).text == before.text
