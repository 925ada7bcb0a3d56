"""A target of several tokens: held cheaply, traded leg by leg, told once, and never half-resumed."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.accounts.account_service import AccountService
from engine.domain.accounts.confirmation import Refusal
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import IncidentAlert, OrderUnclear, RunDeclined, TradeSettled
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.alerts.plan_alerts import PortfolioOffered
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, OrderType, Side
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import OrderState
from engine.domain.portfolio.plan import Leg, MissingPrices, WithinSpread
from engine.domain.portfolio.position import LegReason
from engine.domain.portfolio.run import RunEnd
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    NoTrade,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.leg_order import ReplayedLeg
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit
from engine.domain.rebalancing.run_request import WholePlan
from engine.domain.targets.outside import Beyond
from engine.domain.targets.target import Basket, FixedUsdt, UsdtRange
from engine.errors import OutcomeUnknown, Rejected, Unavailable
from engine.exchanges.paper.exchange import PaperExchange
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.trading import orders
from tests import builders
from tests.builders import MNTL
from tests.engine.harness import CHAT, Engine
from tests.engine.portfolios import (
    BTC,
    ETH,
    SHARES,
    an_exchange,
    open_basket,
    stored_runs,
    whats_outside,
)
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
MINUTE = timedelta(minutes=1)


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    """Twice as much BTC as wanted, so that everything else is too little."""
    return an_exchange(clock, btc=60)


def sold(offer: PortfolioOffered) -> set[Asset]:
    return {leg.asset for leg in offer.notice.legs if leg.side is Side.SELL}


@pytest.fixture
def engine(sqlite: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange)


async def test_a_basket_that_holds_takes_one_request_and_the_shared_prices_and_no_write(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine)
    await engine.check(account)  # which notes what there is
    exchange.calls.clear()
    duty = await engine.duty(account)

    with statements(engine.database) as seen:
        checked = await engine.checker.check(duty, fence=1)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert dict(exchange.calls) == {"holdings": 1, "quotes": 1}
    assert seen == []
    portfolio = checked.look.portfolio
    assert portfolio is not None
    assert portfolio.prices[BTC] == D("10.005")
    assert portfolio.edges[BTC].holds(D(300))


async def test_a_drift_is_traded_leg_by_leg_sells_first_and_told_once(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    looks = await engine.until_quiet(account)

    [run] = await stored_runs(engine, account)
    legs = await engine.intents()
    [told] = await engine.alerts_of(RunSettled)
    assert [(leg.symbol, leg.side) for leg in legs] == [
        ("BTCUSDT", Side.SELL),
        ("MNTLUSDT", Side.BUY),
        ("ETHUSDT", Side.BUY),
    ]
    assert [(leg.run_id, leg.leg) for leg in legs] == [(run.run_id, n) for n in (1, 2, 3)]
    assert all(leg.top is not None and leg.top.mid == leg.price for leg in legs)
    assert all(leg.final_mid is not None for leg in legs)
    assert (run.end, run.told, run.story.orders) == (RunEnd.INSIDE, True, 3)
    assert run.story.plan.outside[BTC] is Beyond.HIGH
    assert await engine.told() == ["RunSettled"]
    assert [trade.symbol for trade in told.trades] == [leg.symbol for leg in legs]
    assert told.turnover == sum(leg.execution.quote_amount for leg in legs)
    assert told.cost is not None
    assert D(0) < told.cost < D(1)
    assert await whats_outside(account, exchange) == set()
    assert isinstance(looks[0].verdict, OrderPlaced)
    assert looks[0].portfolio is not None
    assert looks[0].portfolio.run_id == run.run_id


async def test_buys_follow_from_what_the_sells_brought_and_cash_keeps_its_floor(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D("0.5")  # every order is filled by half
    account = await open_basket(engine)
    least = [exchange.usdt]

    async def note() -> None:
        least.append(exchange.usdt)

    for _ in range(40):
        exchange.meanwhile("place", note)
    await engine.until_quiet(account)

    legs = await engine.intents()
    assert legs[0].side is Side.SELL
    assert all(leg.quote_before >= (leg.quote_amount or 0) for leg in legs)
    assert min(least) > 1
    assert await whats_outside(account, exchange) == set()
    assert len(await engine.alerts_of(RunSettled)) >= 1


async def test_a_run_of_one_trade_tells_like_a_trade(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock, usdt=300)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, target=Basket.of([(BTC, 60), (USDT, 40)]))
    await engine.until_quiet(account)

    [told] = await engine.alerts()
    [run] = await stored_runs(engine, account)
    assert isinstance(told, TradeSettled)
    assert told.symbol == "BTCUSDT"
    assert (run.end, run.story.orders) == (RunEnd.INSIDE, 1)


async def test_a_missing_price_stops_the_plan_and_says_whose(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    del exchange.paper_market.others[ETH]

    checked = await engine.check(account)

    assert checked.look.verdict == NoTrade(MissingPrices((ETH,)))
    assert await engine.stored_look(account) == checked.look
    assert exchange.tickets == []
    trouble = await engine.trouble(account)
    assert trouble is not None
    assert (trouble.kind, trouble.detail) == (IncidentKind.BLOCKED, "MissingPrices")
    [alert] = await engine.alerts_of(IncidentAlert)
    assert alert.reason == MissingPrices((ETH,))


async def test_what_only_the_middle_calls_outside_is_left_alone(
    engine: Engine, exchange: FakeExchange
):
    exchange.others[BTC] = D(30)
    exchange.paper_market.others[BTC] = Quote(D(9), D(15))
    account = await open_basket(engine)

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, NoTrade)
    assert isinstance(checked.look.verdict.reason, WithinSpread)
    assert exchange.tickets == []
    assert await engine.told() == []


async def test_the_whole_plan_must_fit_into_the_day_before_its_first_order(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    async with engine.database.writing() as session:
        current = await accounts.get(session, account.id)
        await accounts.set_limits(session, current, Limits(order=D(250), day=D(300)))

    checked = await engine.check(account)

    verdict = checked.look.verdict
    assert isinstance(verdict, NoTrade)
    assert isinstance(verdict.reason, OverLimit)
    assert verdict.reason.kind is LimitKind.DAY
    assert exchange.tickets == []


async def test_what_buys_may_spend_at_their_bounds_must_fit_into_the_day_too(
    engine_on_both: Engine, exchange: FakeExchange
):
    """Else the sells go out, and the gate stops the buys."""
    engine = engine_on_both
    account = await open_basket(engine, execution=ExecutionMode.AUTO, autonomy=TradingMode.ASK)
    look = (await engine.check(account)).look
    assert isinstance(look.verdict, AwaitingApproval)
    async with engine.database.writing() as session:
        day = look.verdict.expected_quote.quantize(D(1)) + 1
        await accounts.set_limits(session, account, Limits(day=day))
    await engine.change(account, autonomy=TradingMode.AUTO)
    await engine.check(account)

    assert exchange.tickets == []


async def test_an_order_over_the_usual_limit_is_let_out_by_what_the_account_is_worth(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=1000, mntl=0, eth=0, usdt=200)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine)
    await engine.until_quiet(account)

    assert max(leg.expected_quote for leg in await engine.intents()) > 1000
    assert await whats_outside(account, exchange) == set()


async def test_a_closed_side_is_not_traded_and_the_rest_is(engine: Engine, exchange: FakeExchange):
    exchange.paper_market.rules_of[ETH] = builders.rules(
        base=ETH, quantity_step="0.0001", price_step="0.0001", buying=False
    )
    account = await open_basket(engine)
    await engine.check(account)

    [run] = await stored_runs(engine, account)
    assert {leg.symbol for leg in await engine.intents()} == {"BTCUSDT", "MNTLUSDT"}
    assert run.end is RunEnd.NO_LEG
    assert {part.asset: part.why for part in run.story.left}[ETH] is LegReason.SIDE_CLOSED


async def test_a_refused_leg_is_set_aside_for_the_run_and_the_others_go_on(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    exchange.go_wrong("place", Rejected(code=30021, message="Not now"))  # the sell of BTC

    checked = await engine.check(account)

    [run] = await stored_runs(engine, account)
    states = [(leg.symbol, leg.state) for leg in await engine.intents()]
    assert states[0] == ("BTCUSDT", OrderState.REJECTED)
    assert all(symbol != "BTCUSDT" for symbol, _ in states[1:])
    assert all(state is OrderState.FILLED for _, state in states[1:])
    assert exchange.usdt > 1
    assert run.end is not RunEnd.UNCLEAR
    assert checked.again_in is not None
    assert checked.backs_off
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.symbol) == (IncidentKind.ORDER_REFUSED, "BTCUSDT")


async def test_the_books_of_all_buys_are_read_beside_one_another_before_the_first_sale(
    engine: Engine, exchange: FakeExchange
):
    steps: list[str] = []

    async def hear(step: str) -> None:
        if step.startswith("book"):
            steps.append(step)
            await asyncio.sleep(0)  # noqa: TID251 - the others ask meanwhile

    account = await open_basket(engine)
    exchange.hear_steps(hear)
    await engine.check(account)

    assert steps[:2] == ["book asked", "book asked"]
    assert exchange.tickets[0].side is Side.SELL


@pytest.mark.parametrize("execution", [ExecutionMode.AUTO, ExecutionMode.MARKET])
async def test_nothing_is_sold_for_a_buy_that_finds_no_offer(
    sqlite: Database, clock: FakeClock, execution: ExecutionMode
):
    """Else it would be bought back, and sold again at the next check."""
    exchange = an_exchange(clock, eth=50)
    exchange.paper_market.others[ETH] = Quote(D("1.9"), D("2.1"))  # 5 % from the middle
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, execution=execution)
    async with engine.database.writing() as session:
        current = await accounts.get(session, account.id)
        await accounts.set_limits(session, current, Limits(move=D("0.01")))
    for _ in range(5):
        await engine.check(account)
        await engine.wait(2 * MINUTE)
    checked = await engine.check(account)

    assert exchange.tickets == []
    assert isinstance(checked.look.verdict, NoTrade)
    assert isinstance(checked.look.verdict.reason, NoOfferNear | OverLimit)
    assert [alert.symbol for alert in await engine.alerts_of(IncidentAlert)] == ["ETHUSDT"]


async def test_a_refused_buy_moves_the_other_tokens_once_and_not_at_each_check(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, eth=0, usdt=400)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine)
    exchange.go_wrong("place", Rejected(code=30021, message="Not now"), times=1)
    for _ in range(10):
        await engine.check(account)
        await engine.wait(2 * MINUTE)
    tried = sum(leg.symbol == "ETHUSDT" for leg in await engine.intents())
    sent = len(exchange.tickets)
    await engine.wait(60 * MINUTE)
    await engine.until_quiet(account)

    assert tried == 1
    assert sent <= 4
    assert exchange.others[ETH] > 80
    assert await whats_outside(account, exchange) == set()


async def test_a_bound_that_is_too_far_away_is_halved_once_and_then_refused_for_the_run(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine, execution=ExecutionMode.AUTO)
    exchange.go_wrong("place", Rejected(code=30087, message="price"), times=2)
    await engine.check(account)

    legs = await engine.intents()
    bounds = [leg.priced.price for leg in legs if leg.priced and leg.symbol == "BTCUSDT"]
    assert [leg.state for leg in legs[:2]] == [OrderState.REJECTED] * 2
    assert bounds == [D("9.905"), D("9.955")]
    assert {leg.symbol for leg in legs[2:]} <= {"MNTLUSDT", "ETHUSDT"}
    assert [alert.kind for alert in await engine.alerts_of(IncidentAlert)] == [
        IncidentKind.ORDER_REFUSED
    ]


async def test_a_pair_that_takes_no_bound_is_traded_by_market_in_the_same_run(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine, execution=ExecutionMode.AUTO)
    exchange.go_wrong("place", Rejected(code=30041, message="Type not supported"))
    await engine.until_quiet(account)

    sold = [leg for leg in await engine.intents() if leg.symbol == "BTCUSDT"]
    assert [leg.order_type for leg in sold] == [OrderType.IOC, OrderType.MARKET]
    assert await whats_outside(account, exchange) == set()


async def test_a_process_that_lost_the_account_neither_goes_on_nor_tells_again(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    other = Engine(engine.database, engine.clock, exchange, owner="another")

    async def takes_over() -> None:
        await other.lease_runs_out()
        await other.claim()

    exchange.meanwhile("fees", takes_over)  # of the first leg
    await engine.check(account)

    [run] = await stored_runs(other, account)
    assert (run.end, len(exchange.tickets)) == (RunEnd.RESTARTED, 1)
    assert await engine.told() == ["TradeSettled"]
    await other.until_quiet(account)
    assert await whats_outside(account, exchange) == set()


async def test_an_unclear_leg_stops_the_run_and_nothing_else_is_sent_until_it_is_known(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    exchange.hidden_lookups = 1

    await engine.check(account)
    [run] = await stored_runs(engine, account)
    sent = len(exchange.tickets)
    await engine.until_quiet(account)

    assert (run.end, sent) == (RunEnd.UNCLEAR, 1)
    assert set(exchange.posts.values()) == {1}
    assert await whats_outside(account, exchange) == set()
    assert len(await engine.alerts_of(OrderUnclear)) == 1
    late = [alert for alert in await engine.alerts_of(TradeSettled) if alert.late]
    assert [trade.symbol for trade in late] == ["BTCUSDT"]


async def test_without_an_answer_for_the_next_prices_the_run_ends_and_tells_what_was_traded(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)

    async def from_now_on() -> None:
        exchange.go_wrong("quotes", Unavailable("away"))

    exchange.meanwhile("place", from_now_on)
    await engine.check(account)

    [run] = await stored_runs(engine, account)
    assert run.end is RunEnd.FAILED
    assert await engine.told() == ["TradeSettled", "IncidentAlert"]
    await engine.wait(MINUTE)
    await engine.until_quiet(account)
    assert await whats_outside(account, exchange) == set()


async def test_a_pause_between_two_legs_ends_the_run(engine: Engine, exchange: FakeExchange):
    account = await open_basket(engine)

    async def pause() -> None:
        await engine.change(account, paused=True)

    exchange.meanwhile("fees", pause)
    await engine.check(account)

    [run] = await stored_runs(engine, account)
    assert (run.end, len(exchange.tickets)) == (RunEnd.STOPPED, 1)
    assert await engine.told() == ["TradeSettled"]


async def test_balances_that_lag_behind_a_leg_end_the_run_and_the_next_check_waits(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    exchange.stale_reads = 30
    await engine.check(account)
    exchange.hear_steps()
    [run] = await stored_runs(engine, account)
    sent = len(exchange.tickets)
    exchange.stale_reads = 0
    await engine.until_quiet(account)

    assert (run.end, sent) == (RunEnd.UNSETTLED, 1)
    assert await whats_outside(account, exchange) == set()


async def test_a_protected_amount_is_never_sold_nor_counted(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, protected={BTC: D(30)})

    checked = await engine.check(account)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert exchange.tickets == []


async def test_each_leg_is_planned_again_from_what_was_stored_with_it(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D("0.5")
    account = await open_basket(engine, execution=ExecutionMode.AUTO)
    await engine.until_quiet(account)

    legs = await engine.intents()
    async with engine.database.reading() as session:
        replays = [await orders.replay(session, leg.client_order_id) for leg in legs]
    assert len(legs) >= 3
    assert {leg.order_type for leg in legs} == {OrderType.IOC}
    for replay in replays:
        assert isinstance(replay, ReplayedLeg)
        assert replay.is_same, replay


async def test_a_tap_trades_all_to_the_centre_if_the_plan_is_still_the_one_confirmed(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=32)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine)
    await engine.check(account)
    await engine.tap(account, side=Side.SELL, expected_quote="5")
    look = (await engine.check(account)).look
    another = look.verdict
    refused = list(exchange.tickets)
    assert isinstance(another, PlanChanged)
    await engine.tap(
        account,
        side=another.side,
        expected_quote=another.expected_quote,
        tap_id="tap-2",
        plan=WholePlan(look.portfolio.plan.legs)
        if look.portfolio and look.portfolio.plan
        else None,
    )
    await engine.check(account)

    assert refused == []
    assert len(await engine.alerts_of(RunDeclined)) == 1
    assert exchange.tickets
    assert await engine.pending_taps() == []
    [told] = await engine.alerts_of(RunSettled)
    assert told.traits.needed


async def test_a_card_trades_what_it_shows_and_no_other_tokens(
    engine_on_both: Engine, exchange: FakeExchange
):
    """The same side first, and the same amount, is another plan where it sells another token."""
    engine = engine_on_both
    exchange.others[BTC] = D(38)
    account = await open_basket(engine, autonomy=TradingMode.ASK)
    await engine.check(account)
    [first] = await engine.alerts_of(PortfolioOffered)
    exchange.others[BTC] = D(30)
    exchange.mntl += 40_000
    await engine.wait(account.settings.interval)
    await engine.check(account)
    people = AccountService.__new__(AccountService)
    people._database, people._clock = engine.database, engine.clock
    answer = await people.confirm_run(first.confirmation_id, chat_id=CHAT, user_id=7)
    await engine.check(account)

    last = (await engine.alerts_of(PortfolioOffered))[-1]
    assert sold(first) == {BTC}
    assert exchange.tickets == []
    assert isinstance(answer, Refusal)
    assert sold(last) == {MNTL}


async def test_a_tap_on_several_trades_covers_each_of_them(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    exchange.others[BTC] = D(38)
    account = await open_basket(engine, autonomy=TradingMode.ASK)
    await engine.check(account)
    [offered] = await engine.alerts_of(PortfolioOffered)
    people = AccountService.__new__(AccountService)
    people._database, people._clock = engine.database, engine.clock
    await people.confirm_run(offered.confirmation_id, chat_id=CHAT, user_id=7)
    tap = (await engine.duty(account)).request
    exchange.others[BTC] = D(30)
    exchange.mntl += 40_000
    await engine.check(account)

    assert tap is not None
    assert tap.plan == WholePlan(offered.notice.legs)
    assert exchange.tickets == []
    assert len(await engine.alerts_of(RunDeclined)) == 1


@pytest.mark.parametrize("to_basket", [True, False])
async def test_a_tap_on_one_trade_covers_no_plan_of_several_and_the_other_way_round(
    engine: Engine, exchange: FakeExchange, to_basket: bool
):
    """Another member sets another kind of target between the tap and its check."""
    exchange.others[BTC] = D(38)
    account = await open_basket(engine, autonomy=TradingMode.ASK)
    basket, fixed = SHARES, FixedUsdt(exchange.usdt + 100)
    tapped, checked = (fixed, basket) if to_basket else (basket, fixed)
    account = await engine.change(account, target=checked)
    look = (await engine.check(account)).look
    assert isinstance(look.verdict, AwaitingApproval)
    account = await engine.change(account, target=tapped)
    plan = WholePlan(
        (Leg(asset=BTC, side=look.verdict.side, quote_amount=look.verdict.expected_quote),)
    )
    await engine.tap(
        account,
        side=plan.side,
        expected_quote=plan.expected_quote,
        plan=None if to_basket else plan,
    )
    account = await engine.change(account, target=checked)
    await engine.check(account)

    assert exchange.tickets == []


async def test_what_comes_of_any_token_is_kept_and_no_leg_is_taken_for_it(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    await engine.until_quiet(account)
    await engine.wait(MINUTE * 2)
    await engine.check(account)
    before = await engine.told()
    exchange.others[ETH] += 5
    await engine.check(account)

    moved = await engine.alerts_of(BalanceChanged)
    assert before == ["RunSettled"]
    assert [part.asset for alert in moved for part in alert.moved] == [ETH]


async def test_on_paper_a_basket_is_traded_as_it_would_be(sqlite: Database, clock: FakeClock):
    market = an_exchange(clock)
    engine = Engine(sqlite, clock, market)
    account = await open_basket(engine, dry_run=True, execution=ExecutionMode.AUTO)
    paper = PaperExchange(
        database=sqlite, clock=clock, account_id=account.id, market=market.market
    )
    held = {USDT: Balance(D(200)), MNTL: Balance(D(150_000)), BTC: Balance(D(60))}
    await paper.open_ledger(Holdings(held, clock.now()), symbol=account.settings.symbol)
    engine.exchanges[CHAT] = paper
    await engine.until_quiet(account)

    [told] = await engine.alerts_of(RunSettled)
    assert told.dry_run
    assert {trade.symbol for trade in told.trades} >= {"BTCUSDT", "ETHUSDT"}
    assert (await paper.holdings()).of(ETH).free > 80
    assert market.tickets == []


async def test_a_range_of_usdt_that_holds_asks_for_no_price(sqlite: Database, clock: FakeClock):
    exchange = FakeExchange(clock, usdt=40)
    engine = Engine(sqlite, clock, exchange)
    account = await engine.open_account()
    account = await engine.change(account, target=UsdtRange(low=D(35), high=D(50)))
    await engine.check(account)
    exchange.calls.clear()
    inside = await engine.check(account)
    calls = dict(exchange.calls)
    exchange.usdt = D("61.20")
    await engine.until_quiet(account)

    assert inside.look.verdict == NoTrade(InsideBand())
    assert calls == {"holdings": 1}
    assert D(42) < exchange.usdt < D(43)
    assert MNTL not in exchange.others


@pytest.mark.parametrize(
    ("target", "usdt", "named"),
    [
        (UsdtRange(low=D(35)), "20", "35"),
        (UsdtRange(high=D(50)), "61.20", "50"),
        (UsdtRange(low=D(35), high=D(50)), "61.20", "42.5"),
    ],
)
async def test_a_trade_of_a_range_names_the_edge_that_was_missed_or_the_centre(
    sqlite: Database, clock: FakeClock, target: UsdtRange, usdt: str, named: str
):
    engine = Engine(sqlite, clock, FakeExchange(clock, usdt=usdt))
    account = await engine.open_account()
    account = await engine.change(account, target=target)
    await engine.until_quiet(account)

    [told] = await engine.alerts_of(TradeSettled)
    assert told.target == D(named)
