"""`/execution` and `/slippage` in a conversation, down to the order at the exchange."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.config.settings import ProcessSettings
from engine.domain.execution.bound import ExecutionMode, Slippage
from tests.bot.harness import KEY, OWNER, Program, World, another_pair

D = Decimal
# The order book of the example: what lies within 1 % of its middle is enough for the order.
ASKS = [
    (D("0.002002"), D(3000)),
    (D("0.002005"), D(4000)),
    (D("0.002020"), D(10000)),
    (D("0.002080"), D(50000)),
]
BIDS = [
    (D("0.001998"), D(3000)),
    (D("0.001990"), D(6000)),
    (D("0.001970"), D(20000)),
    (D("0.001900"), D(90000)),
]


@pytest.fixture
def pair(world: World) -> None:
    pair = world.mexc.ledger.pairs["MNTLUSDT"]
    pair.asks, pair.bids, pair.last = list(ASKS), list(BIDS), D("0.002")


@pytest.mark.usefixtures("pair")
async def test_one_order_brings_the_readmes_example_to_its_target(world: World, bot: Program):
    await bot.connect()
    chosen = await bot.ask(OWNER, "/execution auto")
    plan = await bot.ask(OWNER, "/rebalance")
    (told,) = await bot.checked()
    why = await bot.ask(OWNER, "/why")
    account = await bot.account()

    assert "Execution set to auto" in chosen.text
    assert "Never above 0.00202. It costs about 0.38% with the fee." in plan.text
    assert "Bought 8,521 MNTL" in told.text
    assert "for 17.10 USDT at 0.002007 (expected 0.002007)" in told.text
    assert "USDT  57.10 → 39.99  (target 40.00)" in told.text
    assert "never above 0.00202." in why.text
    [order] = world.mexc.ledger.orders
    assert order.kind == "IMMEDIATE_OR_CANCEL"
    assert world.mexc.order_posts.total() == 1
    assert account.settings.execution is ExecutionMode.AUTO


@pytest.mark.usefixtures("pair")
async def test_a_bound_that_is_too_near_is_said_with_the_nearest_offer(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/execution auto")
    set_ = await bot.ask(OWNER, "/slippage 0.05% strict")
    (told,) = await bot.checked()

    assert "Slippage set to 0.05% strict" in set_.text
    assert "I wait, however long that takes." in set_.text
    assert "The nearest seller of MNTL is" in told.text
    assert world.mexc.order_posts.total() == 0
    assert (await bot.account()).settings.slippage == Slippage(D("0.0005"), strict=True)


@pytest.mark.usefixtures("pair")
async def test_on_paper_the_order_has_a_bound_too(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/dryrun on")
    await bot.ask(OWNER, "/execution auto")
    await bot.ask(OWNER, "/resume")
    (told,) = await bot.checked()

    assert "DRY RUN" in told.text
    assert "(expected 0.002007)" in told.text
    assert world.mexc.order_posts.total() == 0


@pytest.mark.usefixtures("pair")
async def test_a_deposit_at_a_new_account_ends_at_its_target_after_one_order(world: World):
    """As the program is delivered: the harness's accounts are older."""
    world.execution = ProcessSettings.from_env({}).default_settings.execution
    usdt = world.mexc.ledger.accounts[KEY].of("USDT")
    usdt.free = D(40)
    async with world.program() as bot:
        await bot.connect_by_chat()
        assert await bot.checked() == []
        world.mexc.deposit(KEY, "USDT", D("17.10"))
        world.clock.shift(timedelta(minutes=2))
        arrived, bought = await bot.checked()
        world.clock.shift(timedelta(minutes=2))
        assert await bot.checked() == []

    assert "17.10 USDT arrived" in arrived.text
    assert "Bought 8,521 MNTL" in bought.text
    assert world.mexc.order_posts.total() == 1
    assert D("39.9") < usdt.free < D("40.1")


async def test_the_page_of_orders_sets_how_far_they_may_trade(bot: Program):
    panel = await bot.ask(OWNER, "/settings")
    for label in ("🎚 Orders", "auto", "2%", "Never over 2%"):
        assert await bot.tap(OWNER, label) == []
    page, labels = panel.text, panel.labels
    await bot.tap(OWNER, "✏️ Other…")
    prompt = panel.text
    typed = await bot.ask(OWNER, "0,5%")
    settings = (await bot.account()).settings

    assert "🎚 Slippage 2% strict\nAn order with a bound trades at most 2% from" in page
    assert "I wait, however long that takes." in page
    assert labels == [
        *("↩️ Undo", "auto", "maker", "market", "0.5%", "1%", "3%", "5%", "5% after 15 min"),
        *("✏️ Other…", "⬅️ Back"),
    ]
    assert "You can also type /slippage 1%." in prompt
    assert "Slippage set to 0.5%" in typed.text
    assert "Slippage 0.5%" in panel.text
    assert (settings.execution, settings.slippage) == (ExecutionMode.AUTO, Slippage(D("0.005")))


async def test_what_was_typed_can_be_undone(bot: Program):
    await bot.ask(OWNER, "/start")
    before = (await bot.account()).settings
    chosen = await bot.ask(OWNER, "/execution auto")
    offered = chosen.text
    await bot.tap(OWNER, "↩️ Undo")
    far = await bot.ask(OWNER, "/slippage 2% strict")
    reachable = far.text
    await bot.tap(OWNER, "↩️ Undo")

    assert "Undo works for 60 s. Later: /execution market" in offered
    assert "Undone. Orders: market" in chosen.text
    assert "Later: /slippage 1%" in reachable
    assert "Undone. Slippage: 1%" in far.text
    assert (await bot.account()).settings == before


async def waits(world: World, bot: Program) -> None:
    """A little too much USDT, and an order for it that waits."""
    world.mexc.deposit(KEY, "USDT", D("-13.60"))
    await bot.connect()
    await bot.ask(OWNER, "/execution maker")
    assert await bot.checked() == []
    [order] = world.mexc.ledger.orders
    assert (order.kind, order.price, order.status) == ("LIMIT_MAKER", D("0.001998"), "NEW")


@pytest.mark.usefixtures("pair")
async def test_an_order_that_waits_is_shown_and_a_pause_cancels_it_and_says_so_in_its_place(
    world: World, bot: Program
):
    await waits(world, bot)
    status = await bot.ask(OWNER, "/status")
    plan = await bot.ask(OWNER, "/rebalance")
    dry_run = await bot.ask(OWNER, "/dryrun on")
    world.mexc.add_pair(another_pair())
    pair = await bot.ask(OWNER, "/setpair ABC")
    paused = await bot.ask(OWNER, "/pause")
    said_at_first = paused.text
    told = await bot.checked()

    [order] = world.mexc.ledger.orders
    assert "⏳ 1 order waits at 0.001998 until 12:0" in status.text
    assert "1 order waits at 0.001998" in plan.text
    for refused in (dry_run, pair):
        assert "Nothing changed. An order waits at MEXC" in refused.text
        assert "Send /pause: that cancels it." in refused.text
    assert "One order may still fill: it waits at 0.001998 for about 3.50 USDT." in said_at_first
    assert order.status == "CANCELED"
    assert told == []
    assert paused.edits[-1] == said_at_first
    assert "The order sent before is over: nothing of it was filled." in paused.text
    assert "may still fill" not in paused.text
    assert paused.labels == ["/pause 1h", "/pause 8h", "Resume"]


@pytest.mark.usefixtures("pair")
async def test_a_tap_on_a_plan_with_a_bound_sends_no_market_order(world: World, bot: Program):
    """The pair takes no such order; who tapped saw "never above", and a later check may go further."""
    world.mexc.ledger.pairs["MNTLUSDT"].ioc = False
    await bot.connect()
    await bot.ask(OWNER, "/execution auto")
    await bot.ask(OWNER, "/mode ask")
    await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")
    told, declined = await bot.checked()

    assert "Market orders for MNTL/USDT" in told.text
    assert "No order was sent: the plan no longer fits." in declined.text
    assert world.mexc.order_posts.total() == 0

    plan = await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")
    await bot.checked()

    assert "Never above" not in plan.text
    assert world.mexc.ledger.orders[0].kind == "MARKET"
