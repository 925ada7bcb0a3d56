"""Prices are looked at once a minute for all accounts, and each move is told by one process once."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.market.pairs import Asset, Symbol, symbol_of
from engine.domain.market.quotes import Quote
from engine.errors import PairUnavailable, Unavailable
from engine.notifications import price_alerts as looking
from engine.notifications.price_alert_changes import (
    PriceAlertRefusal,
    PriceAlertService,
    PriceAlertSet,
)
from engine.notifications.price_alerts import PriceAlerts
from engine.storage.accounts import shares
from engine.storage.chat import price_alerts
from tests.builders import MNTL
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import START
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
OWNER = 1
MINUTE = timedelta(minutes=1)
BTC, BTCUSDT = Asset("BTC"), Symbol("BTCUSDT")
TENTH = D("0.1")


def a_process(engine: Engine, told: "Told | None" = None) -> PriceAlerts:
    return PriceAlerts(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
        told=told,
    )


async def set_alert(
    engine: Engine, account: Account, asset: Asset = MNTL, fraction: Decimal = TENTH
) -> PriceAlertSet | PriceAlertRefusal:
    service = PriceAlertService(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )
    return await service.set(account, symbol_of(asset), fraction, user_id=OWNER)


async def minutes(engine: Engine, *processes: PriceAlerts, number: int = 1) -> None:
    for _ in range(number):
        engine.clock.shift(MINUTE)
        for process in (*processes, *processes):  # what has moved is looked at with the next round
            await process.round()


def price(exchange: FakeExchange, middle: str) -> None:
    exchange.paper_market.others[BTC] = Quote(D(middle) - 1, D(middle) + 1)


async def test_two_processes_tell_a_move_once_and_another_after_an_hour(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    price(exchange, "100")
    account = await engine.open_account(dry_run=True, paused=True)
    await set_alert(engine, account, BTC)
    one, other = a_process(engine), a_process(engine)
    await minutes(engine, one, other)
    reads = exchange.calls["quotes"]
    price(exchange, "112")
    await minutes(engine, one, other)
    price(exchange, "130")
    engine.clock.shift(58 * MINUTE)
    await minutes(engine, one, other)
    early = await engine.alerts()
    await minutes(engine, one, other)

    told = [
        PriceMoved(
            dry_run=True,
            paused=True,
            asset=BTC,
            fraction=TENTH,
            before=D(before),
            after=D(after),
            since=START + since * MINUTE,
            at=START + at * MINUTE,
        )
        for before, after, since, at in ((100, 112, 0, 2), (112, 130, 2, 62))
    ]
    assert early == told[:1]
    assert await engine.alerts() == told
    if engine.database.is_shared:
        assert exchange.calls["quotes"] - reads == 4  # a minute each, and the second look at 112


async def test_a_process_that_read_before_the_other_told_tells_nothing(
    engine_on_both: Engine, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
):
    engine = engine_on_both
    price(exchange, "100")
    await set_alert(engine, await engine.open_account(), BTC)
    price(exchange, "120")
    slow, fast = a_process(engine), a_process(engine)
    monkeypatch.setattr(PriceAlerts, "_is_ours", _always)

    async def meanwhile() -> None:
        await fast.round()

    engine.clock.shift(MINUTE)
    await slow.round()
    await fast.round()
    assert await engine.alerts() == []
    exchange.meanwhile("quotes", meanwhile)
    await slow.round()

    assert len(await engine.alerts()) == 1


async def _always(_: PriceAlerts) -> bool:
    return True


async def test_without_an_alert_there_is_no_request_and_no_write(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    process = a_process(engine)
    with statements(engine.database) as seen:
        await minutes(engine, process)

    assert exchange.calls["quotes"] == 0
    assert [text for text in seen if not text.startswith(("SELECT", "BEGIN"))] == []


async def test_a_price_that_holds_is_written_once_an_hour(engine: Engine, exchange: FakeExchange):
    price(exchange, "100")
    await set_alert(engine, await engine.open_account(), BTC)
    process = a_process(engine)
    with statements(engine.database) as seen:
        for _ in range(3):
            await minutes(engine, process, number=3)
            engine.clock.shift(57 * MINUTE)

    assert len([text for text in seen if text.startswith("UPDATE")]) == 2


async def test_a_restart_forgets_no_price(engine: Engine, exchange: FakeExchange):
    price(exchange, "100")
    await set_alert(engine, await engine.open_account(), BTC)
    await minutes(engine, a_process(engine))
    engine.clock.shift(timedelta(hours=20))
    price(exchange, "89")
    await minutes(engine, a_process(engine))
    again = a_process(engine)
    await minutes(engine, again)
    [moved] = await engine.alerts_of(PriceMoved)

    assert (moved.before, moved.after, moved.since) == (D(100), D(89), START)


async def test_all_pages_are_read(
    engine: Engine, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looking, "_PAGE", 2)
    others = [Asset(f"T{n}") for n in range(5)]
    exchange.paper_market.others = {asset: Quote(D(99), D(101)) for asset in others}
    account = await engine.open_account()
    for asset in others:
        await set_alert(engine, account, asset)
    exchange.paper_market.others = {asset: Quote(D(119), D(121)) for asset in others}
    await minutes(engine, a_process(engine))

    assert [moved.asset for moved in await engine.alerts_of(PriceMoved)] == others


async def test_a_pair_without_a_price_begins_when_there_is_one(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("quotes", Unavailable("away"))
    change = await set_alert(engine, await engine.open_account(), BTC)
    process = a_process(engine)
    for middle in ("50", "100"):
        price(exchange, middle)
        await minutes(engine, process)

    assert isinstance(change, PriceAlertSet)
    assert change.alert.seen == ()
    [moved] = await engine.alerts_of(PriceMoved)
    assert (moved.before, moved.after) == (D(50), D(100))


async def test_a_pair_that_the_exchange_does_not_show_is_refused(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("rules", PairUnavailable(code=-1121, message="Invalid symbol."))

    assert await set_alert(engine, await engine.open_account(), BTC) is PriceAlertRefusal.NO_PRICE


async def test_a_change_counts_from_then_on_and_the_same_again_changes_nothing(
    engine: Engine, exchange: FakeExchange
):
    price(exchange, "100")
    account = await engine.open_account()
    first = await set_alert(engine, account, BTC)
    engine.clock.shift(MINUTE)
    price(exchange, "109")
    same = await set_alert(engine, account, BTC)
    changed = await set_alert(engine, account, BTC, D("0.05"))

    assert isinstance(first, PriceAlertSet)
    assert same == PriceAlertSet(first.alert, is_new=False)
    assert isinstance(changed, PriceAlertSet)
    assert changed.alert.bounds(engine.clock.now()) == (D("103.55"), D("114.45"))


async def test_a_chat_that_sees_anothers_account_hears_nothing_of_its_own_alerts(
    engine: Engine, exchange: FakeExchange
):
    """It could not stop them there."""
    price(exchange, "100")
    account = await engine.open_account()
    await set_alert(engine, account, BTC)
    share = Share(
        chat_id=CHAT,
        account_id=account.id,
        role=Role.VIEWER,
        user_id=OWNER,
        name="Mia",
        shared_by=2,
        created_at=START,
    )
    async with engine.database.writing() as session:
        await shares.add(session, share)
    price(exchange, "150")
    await minutes(engine, a_process(engine))

    assert await engine.alerts() == []


class Told:
    """Satisfies `ToldPrices`: all that is wanted is told."""

    def __init__(self) -> None:
        self.wanted: list[Symbol] = []
        self.now: dict[Symbol, Quote] = {}
        self.on_quote: list[Callable[[Symbol, Quote], None]] = []

    def want(self, symbol: Symbol) -> None:
        self.wanted.append(symbol)

    def leave(self, symbol: Symbol) -> None:
        self.wanted.remove(symbol)

    def quote(self, symbol: Symbol) -> Quote | None:
        return self.now.get(symbol) if symbol in self.wanted else None


async def test_a_price_that_a_stream_tells_is_looked_at_within_a_round_and_without_a_request(
    engine: Engine, exchange: FakeExchange
):
    price(exchange, "100")
    account = await engine.open_account()
    await set_alert(engine, account, BTC)
    process = a_process(engine, told := Told())
    told.now[BTCUSDT] = Quote(D(99), D(101))
    await minutes(engine, process, number=2)
    reads = exchange.calls["quotes"]
    for middle, is_there_still in ((105, True), (115, False), (116, True), (140, True)):
        for tell in told.on_quote:
            tell(BTCUSDT, Quote(D(middle) - 1, D(middle) + 1))
        if is_there_still:
            told.now[BTCUSDT] = Quote(D(middle) - 1, D(middle) + 1)
        await process.round()

    assert [moved.after for moved in await engine.alerts_of(PriceMoved)] == [116]
    assert exchange.calls["quotes"] == reads == 1
    assert told.wanted == [BTCUSDT]


@pytest.mark.parametrize("odd", ["2", "109"])
@pytest.mark.parametrize("is_told", [False, True])
async def test_one_odd_price_tells_nothing_and_is_no_price_to_move_from(
    engine: Engine, exchange: FakeExchange, odd: str, *, is_told: bool
):
    """Neither where it is read nor where a stream tells it."""
    price(exchange, "100")
    await set_alert(engine, await engine.open_account(), BTC)
    process = a_process(engine, told := Told() if is_told else None)

    async def now(middle: str) -> None:
        price(exchange, middle)
        if told is not None:
            told.now[BTCUSDT] = quote = Quote(D(middle) - 1, D(middle) + 1)
            for tell in told.on_quote:
                tell(BTCUSDT, quote)
        await process.round()

    for middle in ("100", "100", odd, "100", "98", "98", "102"):
        engine.clock.shift(MINUTE)
        await now(middle)
        await now("100" if middle == odd else middle)
    assert await engine.alerts() == []

    await minutes(engine, process)
    await now("111")
    engine.clock.shift(MINUTE)
    await now("111")
    await now("111")
    assert [moved.before for moved in await engine.alerts_of(PriceMoved)] == [98]


async def test_whoever_looks_follows_the_prices_and_another_only_once_that_is_gone(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    if not engine.database.is_shared:
        return
    price(exchange, "100")
    await set_alert(engine, await engine.open_account(), BTC)
    ones, others = Told(), Told()
    one, other = a_process(engine, ones), a_process(engine, others)
    await minutes(engine, one, other, number=5)
    assert (ones.wanted, others.wanted) == ([BTCUSDT], [])

    await minutes(engine, other, number=3)
    assert others.wanted == [BTCUSDT]

    await minutes(engine, other, one, number=3)
    assert (ones.wanted, others.wanted) == ([], [BTCUSDT])


async def test_one_process_claims_a_minute_whatever_was_done_to_the_clock(
    engine_on_both: Engine,
):
    async def claimed(seconds: int) -> bool:
        async with engine_on_both.database.writing() as session:
            return await price_alerts.claim(
                session, now=START + timedelta(seconds=seconds), every=MINUTE
            )

    answers = [await claimed(n) for n in (0, 1, 59, 60, 61, -7200, -7190)]

    assert answers == [True, False, False, True, False, True, False]
