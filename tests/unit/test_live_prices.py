"""Accounts that wait for prices are due at the price at which a check has something to do."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.orders.order import AccountId
from engine.domain.portfolio.plan import NoLegs
from engine.domain.rebalancing.check_result import NoTrade
from engine.domain.streams.trust import Doubt
from engine.domain.targets.target import Basket
from engine.errors import NotConnected, Unavailable
from engine.streaming import live_prices
from engine.streaming.following import Streams
from engine.streaming.live_prices import LivePrices
from engine.streaming.price_streams import PriceFleet
from tests.fakes.clock import FakeClock
from tests.fakes.price_streams import FakePriceStreams
from tests.fakes.tasks import running
from tests.unit.test_price_trigger import BTC, BTCUSDT, ETH, ETHUSDT, QUOTES, a_basket, a_look

D = Decimal
SECOND = timedelta(seconds=1)
# The basket is 40 % BTC at 10, 30 % ETH at 2 and 30 % USDT, ± 10 % of each: at 12.60 BTC is above.
INSIDE, OUTSIDE = ("10.99", "11.01"), ("13.09", "13.11")


class Process:
    """What of this process is about prices, by a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock(manual=True)
        self.streams = FakePriceStreams()
        self.quotes = dict(QUOTES)
        self.reads: list[set[Asset]] = []
        self.fails: Exception | None = None
        self.woken: list[tuple[AccountId, datetime]] = []
        self.fleet = PriceFleet(
            clock=self.clock, streams=self.streams, read=self._read, dice=lambda: 500
        )
        self.live = LivePrices(self.clock, self.fleet, dice=lambda: 500)
        self.live.on_due = lambda account_id, at: self.woken.append((account_id, at))

    async def _read(self, assets: Collection[Asset]) -> Quotes:
        self.reads.append({*assets})
        if self.fails is not None:
            raise self.fails
        found = {asset: self.quotes[asset] for asset in assets if asset in self.quotes}
        return Quotes(found, read_at=self.clock.now())

    async def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            await self.clock.advance(SECOND / 4)

    def check(self, account: Account, verdict: Any = None) -> None:
        self.live.checked(account, a_look(account, verdict))

    def is_due(self, account: Account) -> bool:
        return account.id in {account_id for account_id, _ in self.woken}


@asynccontextmanager
async def a_process(*accounts: Account) -> AsyncGenerator[Process]:
    """One whose prices are live."""
    process = Process()
    async with running(process.fleet.run()):
        for account in accounts:
            process.check(account)
        await process.wait(5)
        yield process


def many(number: int) -> list[Account]:
    return [replace(a_basket(), id=AccountId(n)) for n in range(1, number + 1)]


async def test_a_price_makes_due_whom_it_puts_out_of_the_band_and_nobody_else():
    basket = a_basket()
    other = replace(a_basket(wishes={"threshold": replace_threshold("0.5")}), id=AccountId(7))
    async with a_process(basket, other) as process:
        assert process.live.are_live(basket.id)
        process.streams.tell(BTCUSDT, *INSIDE)
        await process.wait(1)
        assert process.woken == []

        process.streams.tell(BTCUSDT, *OUTSIDE)
        at = process.clock.steady()
        await process.wait(1)

        assert [account_id for account_id, _ in process.woken] == [basket.id]
        assert process.woken[0][1] - at <= SECOND
        assert process.live.are_live(other.id)


def replace_threshold(relative: str) -> Any:
    return replace(a_basket().settings.threshold, relative=D(relative))


async def test_one_of_the_two_sides_outside_makes_nobody_due():
    basket = a_basket()
    async with a_process(basket) as process:
        process.streams.tell(BTCUSDT, "11", "17")
        await process.wait(2)

        assert process.woken == []


async def test_prices_are_read_once_in_one_request_and_then_followed():
    async with a_process(*many(3)) as process:
        await process.wait(60)

        assert process.reads == [{BTC, ETH}]
        assert [stream.symbols for stream in process.streams.streams] == [[BTCUSDT, ETHUSDT]]
        assert process.streams.streams[0].beats == 5
        assert process.fleet.live == 2


async def test_who_is_out_of_the_band_when_prices_become_live_is_due_at_once():
    basket = a_basket()
    process = Process()
    process.quotes[BTC] = Quote(*map(D, OUTSIDE))
    async with running(process.fleet.run()):
        process.check(basket)
        await process.wait(5)

        assert process.is_due(basket)


async def test_what_was_told_before_it_was_read_is_newer():
    basket = a_basket()
    process = Process()
    async with running(process.fleet.run()):
        process.check(basket)
        await process.wait(1)
        process.streams.tell(BTCUSDT, *OUTSIDE)
        await process.wait(5)

        assert process.is_due(basket)


async def test_thirty_pairs_share_a_connection_and_the_next_has_another():
    process = Process()
    async with running(process.fleet.run()):
        for n in range(31):
            process.fleet.want(Symbol(f"T{n}USDT"))
        await process.wait(3)

        assert [len(stream.symbols) for stream in process.streams.streams] == [30, 1]


async def test_a_pair_is_told_once_a_second_however_often_it_changes():
    async with a_process(a_basket()) as process:
        told: list[Quote] = []
        process.fleet.on_quote.append(lambda _symbol, quote: told.append(quote))
        for n in range(100):
            process.streams.tell(BTCUSDT, f"10.{n:02}", "11")
            if n % 10 == 9:
                await process.wait(0.25)

        assert process.fleet.told == 100
        assert len(told) == 3


async def test_while_a_connection_is_down_its_accounts_are_polled_and_not_all_at_once():
    accounts = many(3)
    async with a_process(*accounts) as process:
        dice = iter((0, 500, 1000))
        process.live._dice = lambda: next(dice)
        process.streams.away = NotConnected("away")
        process.streams.streams[0].cut()
        await process.wait(1)
        interval = accounts[0].settings.interval

        assert not any(process.live.are_live(one.id) for one in accounts)
        moments = sorted(at for _, at in process.woken)
        assert [at - moments[0] for at in moments] == [SECOND * 0, interval / 2, interval]
        assert {account_id for account_id, _ in process.woken} == {1, 2, 3}


async def test_a_new_connection_finds_what_happened_meanwhile():
    basket = a_basket()
    async with a_process(basket) as process:
        process.quotes[BTC] = Quote(*map(D, OUTSIDE))
        process.streams.streams[0].cut()
        await process.wait(1)
        process.woken.clear()
        await process.wait(6)

        assert len(process.streams.open_ones) == 1
        assert process.is_due(basket)


async def test_where_nobody_connects_it_is_tried_less_and_less_often():
    process = Process()
    process.streams.away = NotConnected("away")
    async with running(process.fleet.run()):
        process.check(a_basket())
        await process.wait(300)

        assert 8 < process.streams.attempts < 20


async def test_a_pair_that_is_refused_is_left_to_polls_and_holds_up_no_other():
    basket, bitcoin = a_basket(), replace(a_bitcoin_share(), id=AccountId(9))
    process = Process()
    process.streams.refused = {ETHUSDT}
    async with running(process.fleet.run()):
        process.check(basket)
        process.check(bitcoin)
        await process.wait(5)

        assert not process.live.are_live(basket.id)
        assert process.live.are_live(bitcoin.id)
        assert process.streams.attempts == 1


def a_bitcoin_share() -> Account:
    return a_basket(wishes={"target": Basket.of([(BTC, 4), (USDT, 3)])})


async def test_a_connection_that_answers_nothing_is_left():
    process = Process()
    process.streams.is_mute = True
    async with running(process.fleet.run()):
        process.check(a_basket())
        await process.wait(12)

        assert process.streams.attempts > 1
        assert len(process.streams.open_ones) <= 1


async def test_a_connection_that_is_old_is_replaced():
    basket = a_basket()
    async with a_process(basket) as process:
        process.clock.shift(timedelta(hours=23))
        await process.wait(6)

        assert len(process.streams.streams) == 2
        assert process.live.are_live(basket.id)


async def test_prices_that_cannot_be_read_are_asked_for_again():
    process = Process()
    process.fails = Unavailable("away")
    async with running(process.fleet.run()):
        process.check(a_basket())
        await process.wait(10)
        process.fails = None
        await process.wait(6)

        assert 2 < len(process.reads) < 5
        assert process.fleet.live == 2


async def test_a_side_without_an_offer_is_no_price():
    basket = a_basket()
    async with a_process(basket) as process:
        process.streams.tell(ETHUSDT, "2", "")
        await process.wait(1)
        assert not process.live.are_live(basket.id)

        process.streams.tell(ETHUSDT, "1.999", "2.001")
        await process.wait(1)
        assert process.live.are_live(basket.id)


async def test_a_check_that_finds_another_price_doubts_a_stream_that_was_long_silent():
    basket = a_basket()
    async with a_process(basket) as process:
        far = a_look(basket)
        assert far.portfolio is not None
        far = replace(far, portfolio=replace(far.portfolio, prices={BTC: D(11), ETH: D(2)}))
        process.live.checked(basket, far)
        assert process.live.missed == 0
        assert process.live.are_live(basket.id)

        await process.wait(15)
        process.live.checked(basket, far)
        await process.wait(1)
        assert process.live.missed == 1
        assert not process.live.are_live(basket.id)
        assert not process.streams.streams[0].is_open


async def test_a_stream_that_has_become_deaf_is_found_though_no_check_reads_its_price():
    """A crash guard of a fixed target waits for prices that its checks do not show."""
    async with a_process() as process:
        process.fleet.want(BTCUSDT)
        await process.wait(5)
        process.quotes[BTC] = Quote(D("12.99"), D("13.01"))
        await process.wait(125)
        await process.wait(10)

        assert process.live.missed == 1
        assert process.fleet.quote(BTCUSDT) == Quote(D("12.99"), D("13.01"))
        assert len(process.streams.open_ones) == 1


class Broken:
    """A fleet with a mistake in it."""

    def wanted(self, account: Account, *, fence: int) -> None:
        raise ZeroDivisionError(account, fence)

    def unwanted(self, account_id: AccountId) -> None:
        raise ZeroDivisionError(account_id)


async def test_a_mistake_in_a_stream_ends_no_worker_that_checks():
    async with a_process(basket := a_basket()) as process:
        streams = Streams(Broken(), process.live)

        streams.checked(basket, a_look(basket), fence=1)
        streams.unwanted(basket.id)


async def test_a_price_at_which_two_checks_found_nothing_to_do_is_not_believed():
    basket = a_basket()
    async with a_process(basket) as process:
        process.streams.tell(BTCUSDT, *OUTSIDE)
        await process.wait(2)
        process.woken.clear()
        for _ in range(20):
            process.check(basket)
            process.streams.tell(BTCUSDT, *OUTSIDE)
            await process.wait(1)

        assert not process.live.are_live(basket.id)
        assert len(process.woken) == 1


async def test_a_check_that_had_the_prices_of_a_moment_before_is_made_again():
    basket = a_basket()
    async with a_process(basket) as process:
        process.streams.tell(BTCUSDT, *OUTSIDE)
        await process.wait(2)
        process.woken.clear()
        process.check(basket)

        assert process.woken == [(basket.id, process.clock.steady() + 2 * SECOND)]
        assert process.live.are_live(basket.id)


async def test_a_price_that_goes_to_and_fro_makes_due_six_times_a_minute():
    basket = a_basket()
    async with a_process(basket) as process:
        checked_at: list[datetime] = []
        due: datetime | None = None
        for n in range(60):
            process.streams.tell(BTCUSDT, *(OUTSIDE if n % 2 else INSIDE))
            process.woken.clear()
            await process.wait(1)
            due = min([at for _, at in process.woken] + ([due] if due else []), default=None)
            if due is not None and due <= process.clock.steady():
                process.streams.tell(BTCUSDT, *INSIDE)
                checked_at.append(due)
                due = None
                process.check(basket)

        assert len(checked_at) == 6


async def test_after_a_check_that_left_something_to_do_nobody_waits_for_prices():
    basket = a_basket()
    async with a_process(basket) as process:
        process.check(basket, NoTrade(NoLegs({})))
        process.streams.tell(BTCUSDT, *OUTSIDE)
        await process.wait(2)

        assert process.woken == []
        assert not process.live.are_live(basket.id)


async def test_without_accounts_there_is_no_connection():
    accounts = many(2)
    async with a_process(*accounts) as process:
        for account in accounts:
            process.live.unwanted(account.id)
        await process.wait(1)

        assert process.streams.open_ones == []
        assert process.live.watched == 0
        assert process.fleet.connections == 0


async def test_after_a_sleep_of_the_machine_prices_are_read_again():
    basket = a_basket()
    async with a_process(basket) as process:
        process.clock.shift(timedelta(hours=2))
        await process.wait(1)
        assert not process.live.are_live(basket.id)
        await process.wait(6)

        assert process.live.are_live(basket.id)
        assert len(process.reads) == 2


async def test_what_a_former_connection_still_tells_is_dropped():
    basket = a_basket()
    async with a_process(basket) as process:
        former = process.streams.streams[0]
        former.cut(Doubt.SILENT)
        await process.wait(6)
        process.woken.clear()
        former.feed.quote(BTCUSDT, Quote(*map(D, OUTSIDE)))
        await process.wait(2)

        assert process.woken == []


async def test_a_price_that_concerns_many_is_judged_a_few_at_a_time(monkeypatch: Any):
    monkeypatch.setattr(live_prices, "_AT_ONCE", 10)
    monkeypatch.setattr(live_prices, "_MOST_LEFT", 15)
    async with a_process(*many(40)) as process:
        await process.wait(1)
        assert process.live.watched == 40
        process.streams.tell(BTCUSDT, *OUTSIDE)
        due = []
        for _ in range(6):
            await process.wait(0.25)
            due.append(len({account_id for account_id, _ in process.woken}))

    assert max(after - before for before, after in pairwise([0, *due])) <= 10
    assert due[-1] == 40
