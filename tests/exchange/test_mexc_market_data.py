"""Market data is read once for everybody, and never kept for longer than it may be believed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.clock import to_millis
from engine.domain.market.candles import HOUR, HourlyClose, whole_hour
from engine.domain.market.pairs import Asset, Symbol
from engine.domain.market.quotes import Quote
from engine.errors import EngineError, PairUnavailable, Unavailable
from engine.exchanges.interface import Market
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import (
    BOOK_TICKERS,
    DEPTH,
    EXCHANGE_INFO,
    KLINES,
    TICKER_PRICE,
    TIME,
)
from engine.exchanges.mexc.market_data import MexcMarket
from engine.security.credentials import Credentials
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import mntl
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault

MNTLUSDT = Symbol("MNTLUSDT")
INFO = ("GET", EXCHANGE_INFO.path)
BOOK = ("GET", DEPTH.path)
PRICE = ("GET", TICKER_PRICE.path)
TICKERS = ("GET", BOOK_TICKERS.path)
MNTL, BTC = Asset("MNTL"), Asset("BTC")


@pytest.fixture
def market(mexc_client: MexcClient) -> MexcMarket:
    return MexcMarket(mexc_client)


@pytest.mark.parametrize(("base_precision", "step"), [(0, "1"), (2, "0.01")])
async def test_the_rules_of_a_pair_come_from_the_exchange(
    mexc: FakeMexc, market: Market, base_precision: int, step: str
):
    mexc.add_pair(mntl(base_precision=base_precision))

    rules = await market.rules(MNTLUSDT)

    assert rules.quantity_step == Decimal(step)
    assert (rules.quote_step, rules.min_notional) == (Decimal("0.0000001"), Decimal(1))


async def test_rules_are_believed_for_an_hour(mexc: FakeMexc, market: Market, clock: FakeClock):
    await market.rules(MNTLUSDT)
    clock.shift(timedelta(minutes=59))
    await market.rules(MNTLUSDT)
    once = mexc.requests[INFO]
    clock.shift(timedelta(minutes=2))
    await market.rules(MNTLUSDT)

    assert (once, mexc.requests[INFO]) == (1, 2)


async def test_book_and_price_are_believed_for_less_than_a_second(
    mexc: FakeMexc, market: Market, clock: FakeClock
):
    for _ in range(3):
        await market.book(MNTLUSDT)
        await market.last_price(MNTLUSDT)
    before = (mexc.requests[BOOK], mexc.requests[PRICE])
    clock.shift(timedelta(seconds=1))
    book, price = await market.book(MNTLUSDT), await market.last_price(MNTLUSDT)

    assert before == (1, 1)
    assert (mexc.requests[BOOK], mexc.requests[PRICE]) == (2, 2)
    assert (book.read_at, book.asks[0].price) == (clock.now(), Decimal("0.002002"))
    assert price == Decimal("0.002")


async def test_prices_of_all_tokens_are_one_request_for_every_account_within_two_seconds(
    mexc: FakeMexc, market: MexcMarket, credentials: Credentials, clock: FakeClock
):
    mexc.add_pair(replace(mntl("64000"), symbol="BTCUSDT", base="BTC"))
    owner, another = (
        market.signed_by(key) for key in (credentials, Credentials("another-key", "secret"))
    )
    async with asyncio.TaskGroup() as tasks:
        for one in (owner, another) * 5:
            tasks.create_task(one.quotes([MNTL, BTC]))
    clock.shift(timedelta(seconds=1.9))
    kept = await another.quotes([MNTL])
    once = mexc.requests[TICKERS]
    clock.shift(timedelta(seconds=0.1))
    read_again = await owner.quotes([BTC])

    assert (once, mexc.requests[TICKERS], mexc.requests[BOOK]) == (1, 2, 0)
    assert kept.by_asset == {MNTL: Quote(bid=Decimal("0.001998"), ask=Decimal("0.002002"))}
    assert clock.now() - kept.read_at == timedelta(seconds=2)
    assert (list(read_again.by_asset), read_again.read_at) == ([BTC], clock.now())


@pytest.mark.parametrize("side", ["bids", "asks"])
async def test_a_token_without_one_side_has_no_price(mexc: FakeMexc, market: Market, side: str):
    setattr(mexc.ledger.pairs["MNTLUSDT"], side, [])

    assert (await market.quotes([MNTL])).by_asset == {}


async def test_what_another_key_was_not_shown_is_read_by_the_key_that_may_see_it(
    mexc: FakeMexc, market: MexcMarket, credentials: Credentials
):
    stranger = Credentials("another-key", "another-secret")
    mexc.add_account(stranger.api_key, stranger.api_secret, USDT="5")
    mexc.ledger.pairs["MNTLUSDT"].hidden = True
    mexc.ledger.accounts[credentials.api_key].zone = frozenset({"MNTLUSDT"})

    not_shown = await market.signed_by(stranger).quotes([MNTL])
    shown = await market.signed_by(credentials).quotes([MNTL])

    many = [MNTL, *(Asset(f"DUST{number}") for number in range(50))]
    before = mexc.requests.total()
    listed = await market.signed_by(credentials).quotes(many, listed_only=True)

    assert (listed.by_asset, mexc.requests.total()) == ({}, before)
    assert (list(not_shown.by_asset), list(shown.by_asset)) == ([], [MNTL])
    assert (await market.quotes([MNTL])).by_asset == {}


@pytest.mark.parametrize(
    ("ids", "requests", "believed"),
    [
        ([7, 7], 2, 7),
        ([7, 6, 8], 3, 8),
        ([7, 6, 5], 3, 5),  # numbers that began anew are believed from then on
        ([7, 6, None], 3, None),
        ([7, None], 2, None),
        ([7, "6"], 2, None),
    ],
)
async def test_a_book_from_before_the_last_one_is_read_again_once(
    mexc: FakeMexc,
    market: Market,
    clock: FakeClock,
    ids: list[object],
    requests: int,
    believed: int | None,
):
    pair = mexc.ledger.pairs[MNTLUSDT]
    pair.update_ids = list(ids)
    await market.book(MNTLUSDT)
    clock.shift(timedelta(seconds=1))
    book = await market.book(MNTLUSDT)
    once_more = mexc.requests[BOOK]
    pair.update_ids = [believed]
    clock.shift(timedelta(seconds=1))
    await market.book(MNTLUSDT)

    assert (once_more, book.update_id) == (requests, believed)
    assert mexc.requests[BOOK] == requests + 1


async def test_a_clock_that_is_set_keeps_nothing_fresh_and_makes_nothing_old(
    mexc: FakeMexc, market: Market, clock: FakeClock
):
    await market.book(MNTLUSDT)
    clock.set_by(-timedelta(hours=1))
    await market.book(MNTLUSDT)
    clock.shift(timedelta(seconds=1))
    await market.book(MNTLUSDT)

    assert mexc.requests[BOOK] == 2


async def test_ten_who_ask_at_once_are_answered_by_one_request(mexc: FakeMexc, market: Market):
    async with asyncio.TaskGroup() as tasks:
        books = [tasks.create_task(market.book(MNTLUSDT)) for _ in range(10)]

    assert mexc.requests == {BOOK: 1}
    assert len({id(book.result()) for book in books}) == 1


async def test_those_who_wait_share_the_failure_and_the_next_one_asks_again(
    mexc: FakeMexc, market: Market
):
    mexc.inject(Fault(*INFO, reply=BAD_GATEWAY))
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_failure(market, MNTLUSDT)) for _ in range(5)]
    failures = [task.result() for task in asked]
    requests_then = mexc.requests[INFO]

    await market.rules(MNTLUSDT)

    assert [type(failure) for failure in failures] == [Unavailable] * 5
    assert (requests_then, mexc.requests[INFO]) == (1, 2)


async def test_one_who_gives_up_does_not_take_the_others_along(mexc: FakeMexc, market: Market):
    mexc.inject(Fault(*BOOK, delay=timedelta(seconds=0.1)))
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(market.book(MNTLUSDT))
        others = [tasks.create_task(market.book(MNTLUSDT)) for _ in range(3)]
        while not mexc.requests[BOOK]:
            await FakeClock().advance(timedelta())
        others[0].cancel()
        first.cancel()

    assert [task.cancelled() for task in (first, *others)] == [True, True, False, False]
    assert mexc.requests[BOOK] == 2


@pytest.mark.parametrize("symbol", ["NOPEUSDT"])
async def test_an_unknown_pair_is_unavailable(market: Market, symbol: str):
    with pytest.raises(PairUnavailable):
        await market.rules(Symbol(symbol))
    with pytest.raises(PairUnavailable):
        await market.book(Symbol(symbol))
    with pytest.raises(PairUnavailable):
        await market.last_price(Symbol(symbol))


async def test_the_closes_of_hours_leave_out_the_hour_that_is_not_over(
    mexc: FakeMexc, market: Market, clock: FakeClock
):
    now = whole_hour(clock.now())
    opened = to_millis(now - 2 * HOUR)
    mexc.ledger.pairs["MNTLUSDT"].closes[opened] = Decimal("0.0021")

    closes = await market.hourly_closes(MNTLUSDT, since=now - 2 * HOUR, until=now)

    assert closes == [
        HourlyClose(now - HOUR, Decimal("0.0021")),
        HourlyClose(now, Decimal("0.002")),
    ]
    assert mexc.requests == {("GET", KLINES.path): 1}


async def test_one_request_for_closes_is_of_500_hours_at_most(
    mexc: FakeMexc, market: Market, clock: FakeClock
):
    now = whole_hour(clock.now())

    closes = await market.hourly_closes(MNTLUSDT, since=now - 900 * HOUR, until=now)

    assert (len(closes), closes[0].at) == (500, now - 899 * HOUR)


async def test_the_closes_of_a_hidden_pair_are_read_with_a_key_that_sees_it(
    mexc: FakeMexc, market: MexcMarket, credentials: Credentials, clock: FakeClock
):
    mexc.ledger.pairs["MNTLUSDT"].hidden = True
    mexc.ledger.accounts[credentials.api_key].zone = frozenset({"MNTLUSDT"})
    hour = {"since": whole_hour(clock.now()) - HOUR, "until": whole_hour(clock.now())}
    with pytest.raises(PairUnavailable):
        await market.hourly_closes(MNTLUSDT, **hour)

    assert len(await market.signed_by(credentials).hourly_closes(MNTLUSDT, **hour)) == 1


async def test_a_hidden_pair_is_shown_to_a_chosen_key_and_then_known_to_other_keys_only(
    mexc: FakeMexc, market: MexcMarket, credentials: Credentials
):
    mexc.ledger.pairs["MNTLUSDT"].hidden = True
    mexc.ledger.accounts[credentials.api_key].zone = frozenset({"MNTLUSDT"})
    with pytest.raises(PairUnavailable):
        await market.book(MNTLUSDT)

    book = await market.signed_by(credentials).book(MNTLUSDT)

    another = Credentials("another-key", "another-secret")
    assert await market.signed_by(another).book(MNTLUSDT) is book
    with pytest.raises(PairUnavailable):
        await market.book(MNTLUSDT)
    assert mexc.requests == {BOOK: 3, ("GET", TIME.path): 1}


async def test_a_refusal_of_one_key_is_not_shared_with_another(
    mexc: FakeMexc, market: MexcMarket, credentials: Credentials
):
    mexc.ledger.pairs["MNTLUSDT"].hidden = True
    mexc.ledger.accounts[credentials.api_key].zone = frozenset({"MNTLUSDT"})
    await market.signed_by(credentials).last_price(MNTLUSDT)  # the time is known from here on
    mexc.requests.clear()

    async with asyncio.TaskGroup() as tasks:
        stranger = tasks.create_task(_failure(market, MNTLUSDT))
        chosen = tasks.create_task(market.signed_by(credentials).rules(MNTLUSDT))

    assert type(stranger.result()) is PairUnavailable
    assert chosen.result().symbol == MNTLUSDT
    assert mexc.requests[INFO] == 2


async def _failure(market: Market, symbol: Symbol) -> EngineError | None:
    try:
        await market.rules(symbol)
    except EngineError as e:
        return e
    return None
