"""`/profit`: by command and by button, for whoever may look."""

from tests.bot.harness import OWNER, Program, World


async def test_profit_after_a_trade_and_each_span_in_its_place(world: World, bot: Program):
    await bot.connect()
    await bot.check()
    answer = await bot.ask(OWNER, "/profit all")

    assert "Profit, all records" in answer.text
    assert "Turnover         16.30" in answer.text
    await bot.tap(OWNER, "24h")
    assert "Profit, 24 hours" in answer.text

    assert "Write 24h, 7d, 30d" in (await bot.ask(OWNER, "/profit soon")).text
    assert "still to come" in (await bot.ask(OWNER, "/profit 2098-01-01")).text
