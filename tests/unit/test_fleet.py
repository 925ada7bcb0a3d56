"""Which accounts have a connection, when it is made again, and that nobody else notices."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import BalanceEvent, Cause
from engine.domain.streams.losses import Losses, ReadingAgain
from engine.domain.streams.trust import Doubt, StreamState
from engine.errors import MissingPermission, NotConnected
from engine.streaming.fleet import TURN, Fleet
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.welcome import NONE_ADDED_FOR
from tests.builders import account as an_account
from tests.fakes.clock import START, FakeClock
from tests.fakes.streams import BEAT, FakeStreams
from tests.fakes.tasks import running, turned

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NO_RIGHT = MissingPermission(code=700007, message="no permission")


class Bench:
    """A fleet whose turns a test makes, at the moments that it chooses."""

    def __init__(self, *, most: int = 1000, dice: int = 1000) -> None:
        self.clock = FakeClock(manual=True)
        self.live = LiveAccounts(self.clock, matters=lambda *_: True)
        self.due: list[tuple[AccountId, datetime]] = []
        self.live.on_due = lambda account_id, at: self.due.append((account_id, at))
        self.live.on_reread = self.live.on_due
        self.streams = FakeStreams(self.clock)
        self.fleet = Fleet(
            clock=self.clock,
            live=self.live,
            streams_for=lambda account: None if account.settings.dry_run else self.streams,
            most=most,
            dice=lambda: dice,
        )

    def want(self, count: int, *, fence: int = 1) -> list[Account]:
        accounts = [of(number) for number in range(1, count + 1)]
        for account in accounts:
            self.fleet.wanted(account, fence=fence)
        return accounts

    async def turns(self, duration: timedelta = TURN, *, every: timedelta = TURN) -> None:
        until = self.clock.steady() + duration
        while self.clock.steady() < until:
            self.clock.shift(every)
            self.fleet.turn()
            await turned()

    @property
    def reads(self) -> list[AccountId]:
        return [account_id for account_id, _ in self.due]


def of(number: int, *, key: str = "sealed", dry_run: bool = False) -> Account:
    return an_account(id=AccountId(number), sealed_key=f"{key}-{number}").with_money(
        dry_run=dry_run
    )


def told(free: int, *, order: int = 1) -> BalanceEvent:
    return BalanceEvent(
        asset=USDT,
        free=Decimal(free),
        locked=Decimal(0),
        before=(Decimal(0), Decimal(0)),
        cause=Cause.DEPOSIT,
        order=(order, order),
        at=START,
    )


@asynccontextmanager
async def sailing(bench: Bench) -> AsyncGenerator[Bench]:
    async with running(bench.fleet.run()):
        await turned()
        yield bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_an_account_whose_check_worked_has_one_connection(bench: Bench):
    async with sailing(bench):
        [account] = bench.want(1)
        bench.fleet.wanted(account, fence=1)
        await bench.turns(SECOND)

        assert len(bench.streams.open_ones) == len(bench.streams.attempts) == 1
        assert (bench.fleet.standing, bench.fleet.waiting) == (1, 0)
        assert bench.reads == [account.id]  # what happened before is told by nobody


async def test_no_more_than_twenty_connections_are_begun_in_a_second(bench: Bench):
    async with sailing(bench):
        bench.want(100)
        await bench.turns(6 * SECOND)

    assert len(bench.streams.attempts) == 100
    assert bench.streams.a_second() == 20


async def test_no_more_connections_are_made_than_the_address_may_have():
    bench = Bench(most=3)
    async with sailing(bench):
        bench.want(5)
        await bench.turns(5 * SECOND)
        assert len(bench.streams.open_ones) == 3

        bench.fleet.unwanted(AccountId(1))
        await bench.turns(SECOND)
        assert [one.account.id for one in bench.streams.open_ones] == [2, 3, 4]


@pytest.mark.parametrize("by", ["loss", "paper", "key", "fence"])
async def test_a_connection_is_closed_once_its_account_is_not_what_it_was(bench: Bench, by: str):
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns(SECOND)
        [stream] = bench.streams.streams
        match by:
            case "loss":
                bench.fleet.unwanted(account.id)
            case "paper":
                bench.fleet.wanted(of(1, dry_run=True), fence=1)
            case "key":
                bench.fleet.wanted(of(1, key="other"), fence=1)
            case _:
                bench.fleet.wanted(account, fence=2)
        bench.due.clear()
        stream.feed.event(told(60))
        assert bench.due == []  # dropped at once, whenever the connection is closed
        await bench.turns(SECOND)

        assert not stream.is_open
        assert bench.streams.left == [account.id]
        assert len(bench.streams.of(account.id)) == (by in {"key", "fence"})


async def test_an_account_that_comes_and_goes_is_left_before_it_is_begun_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """Else the key of the new stream would be let go with the old one."""
    monkeypatch.setattr("engine.streaming.connections._END_WITHIN_S", 0.05)
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns(SECOND)
        bench.streams.streams[0].is_stuck = True
        for fence in (2, 3, 4):
            bench.fleet.wanted(account, fence=fence)
            await bench.turns(SECOND)
        assert len(bench.streams.attempts) == 1

        await asyncio.wait([bench.fleet._leaving[account.id]], timeout=5)
        assert bench.streams.left == [account.id] * 3
        await turned()
        assert bench.fleet.standing == 1


async def test_an_attempt_that_is_under_way_is_given_up_with_its_account(bench: Bench):
    bench.streams.hangs = True
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns()
        bench.fleet.unwanted(account.id)
        await turned(times=12)
        assert bench.streams.left == [account.id]

        bench.streams.hangs = False
        bench.fleet.wanted(account, fence=3)
        await bench.turns(SECOND)
        assert bench.fleet.standing == 1


async def test_a_key_that_ends_while_a_connection_is_made_is_not_asked_for_again(bench: Bench):
    bench.streams.hangs = True
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns()
        bench.live.doubt(account.id, Doubt.KEY)
        bench.streams.hangs = False
        await turned()
        await bench.turns(2 * SECOND)

    assert [renew for _, _, renew in bench.streams.attempts] == [False, True]


async def test_a_lost_connection_is_made_again_after_longer_and_longer_waits(bench: Bench):
    async with sailing(bench):
        bench.want(1)
        await bench.turns(SECOND)
        bench.streams.refuses = NotConnected("refused")
        bench.streams.streams[0].cut()
        await bench.turns(4 * MINUTE)

    begun = [at for at, _, _ in bench.streams.attempts][1:]
    waits = [(b - a) / SECOND for a, b in pairwise(begun)]
    assert [round(wait) for wait in waits[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_while_the_exchange_is_away_an_account_is_read_once_and_not_at_each_attempt(
    bench: Bench,
):
    async with sailing(bench):
        bench.want(1)
        await bench.turns(SECOND)
        bench.streams.refuses = NotConnected("refused")
        bench.due.clear()
        bench.streams.streams[0].cut()
        await bench.turns(4 * MINUTE)

    assert bench.reads == [1]


async def test_a_connection_is_renewed_within_a_day_without_a_gap(bench: Bench):
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns(MINUTE)
        [first] = bench.streams.streams
        bench.due.clear()
        await bench.turns(23 * HOUR, every=5 * MINUTE)
        await bench.turns(SECOND)
        [_, second] = bench.streams.streams

        assert (first.is_open, second.is_open) == (False, True)
        assert bench.streams.attempts[1][0] - bench.streams.attempts[0][0] < 24 * HOUR
        assert not bench.streams.attempts[1][2]  # by the same key
        assert bench.due == []  # nobody had to be read for it
        assert bench.fleet.lost == {}
        second.feed.event(told(60))
        assert bench.reads == [account.id]


async def test_a_renewal_that_fails_leaves_the_connection_as_it_is(bench: Bench):
    async with sailing(bench):
        bench.want(1)
        await bench.turns(MINUTE)
        [first] = bench.streams.streams
        bench.streams.acknowledges = False
        await bench.turns(23 * HOUR, every=5 * MINUTE)
        await bench.turns(5 * MINUTE, every=SECOND)

        assert bench.streams.open_ones[0] is first
        assert bench.fleet.standing == 1
        assert len(bench.streams.streams) >= 3  # tried again
        assert not any(renew for _, _, renew in bench.streams.attempts)


async def test_channels_that_are_not_acknowledged_are_asked_for_after_minutes(bench: Bench):
    bench.streams.acknowledges = False
    async with sailing(bench):
        bench.want(1)
        await bench.turns(10 * MINUTE, every=SECOND)

    begun = [at for at, _, _ in bench.streams.attempts]
    assert [round((b - a) / MINUTE) for a, b in pairwise(begun)] == [1, 2, 4]
    assert bench.streams.open_ones == []
    assert bench.reads == []
    # An empty answer may mean a key that is not valid: one new key, and not one each time.
    assert [renew for _, _, renew in bench.streams.attempts] == [False, True, False, False]


@pytest.mark.parametrize(
    ("why", "is_subscribed"), [(Doubt.CLOSED, False), (Doubt.KEY, False), (Doubt.KEY, True)]
)
async def test_a_stream_that_ends_again_and_again_does_not_use_up_the_keys_of_an_hour(
    bench: Bench, why: Doubt, is_subscribed: bool
):
    bench.streams.shuts, bench.streams.acknowledges = why, is_subscribed
    async with sailing(bench):
        bench.want(1)
        await bench.turns(HOUR, every=SECOND)

    assert len(bench.streams.attempts) == 6
    assert {renew for _, _, renew in bench.streams.attempts[1:]} == {why is Doubt.KEY}


async def test_streams_that_are_taken_and_soon_cut_are_not_made_again_each_minute(bench: Bench):
    """As where too many from one address end the oldest."""
    async with sailing(bench):
        bench.want(20)
        for _ in range(120):
            await bench.turns(30 * SECOND, every=SECOND)
            for stream in bench.streams.open_ones:
                stream.cut()
            await turned()

        assert max(bench.streams.tries().values()) <= 14
        await bench.turns(2 * HOUR, every=5 * SECOND)  # and when it is over they are back
        assert bench.fleet.standing == 20


async def test_a_key_without_the_right_is_not_asked_again_for_an_hour(
    bench: Bench, caplog: pytest.LogCaptureFixture
):
    bench.streams.refuses = NO_RIGHT
    async with sailing(bench):
        [account] = bench.want(1)
        for _ in range(9):
            await bench.turns(MINUTE, every=SECOND)
            bench.fleet.wanted(account, fence=1)

        assert len(bench.streams.attempts) == 1
        assert bench.fleet.refusal(account.id) is NO_RIGHT
        assert [one.message for one in caplog.records] == ["stream refused"]
        assert bench.live.standing(account.id) is None

        bench.streams.refuses = None
        bench.fleet.wanted(of(1, key="new"), fence=1)
        await bench.turns(SECOND)
        assert bench.fleet.refusal(account.id) is None
        assert bench.fleet.standing == 1


async def test_a_right_that_is_given_to_the_same_key_is_found_within_the_hour(bench: Bench):
    bench.streams.refuses = NO_RIGHT
    async with sailing(bench):
        [account] = bench.want(1)
        for minute in range(150):
            await bench.turns(MINUTE, every=MINUTE)
            bench.streams.refuses = NO_RIGHT if minute < 90 else None
            bench.fleet.wanted(account, fence=1)
            if minute < 90:
                assert bench.fleet.refusal(account.id) is NO_RIGHT  # also while it is asked again

        assert len(bench.streams.attempts) == 3
        assert bench.fleet.refusal(account.id) is None
        assert bench.fleet.standing == 1


@pytest.mark.parametrize("status", [302, 404])
async def test_an_address_that_turns_everybody_away_is_not_asked_over_and_over(
    bench: Bench, caplog: pytest.LogCaptureFixture, status: int
):
    """A wrong MEXC_STREAM_URL, a page in front of it: each attempt would cost a key."""
    bench.streams.refuses = NotConnected("the handshake was refused", status)
    async with sailing(bench):
        bench.want(1)
        await bench.turns(SECOND)
        said = [(one.message, one.__dict__["status"]) for one in caplog.records]
        assert said == [("streams unreachable", status)]

        bench.want(100)
        await bench.turns(9 * MINUTE, every=SECOND)

        assert len(bench.streams.attempts) == 6
        await bench.turns(2 * HOUR, every=SECOND)
        assert len(bench.streams.attempts) < 20


@pytest.mark.parametrize("status", [None, 407, 502])
async def test_while_nobody_is_reached_one_at_a_time_looks_whether_somebody_is_there(
    bench: Bench, status: int | None
):
    bench.streams.refuses = NotConnected("ClientConnectorError", status)
    async with sailing(bench):
        bench.want(200)
        await bench.turns(10 * SECOND)
        begun = len(bench.streams.attempts)
        await bench.turns(10 * MINUTE, every=SECOND)
        assert begun <= 30
        assert len(bench.streams.attempts) - begun <= 10 * MINUTE / (5 * SECOND)
        assert bench.fleet.is_adding

        bench.streams.refuses = None
        await bench.turns(20 * SECOND)
        assert bench.fleet.standing == 200


async def test_accounts_on_paper_need_no_connection_and_say_nothing_of_the_exchange():
    bench, paper = Bench(most=1), FakeStreams(FakeClock(manual=True), is_remote=False)
    bench.fleet._streams_for = lambda account: paper if account.settings.dry_run else bench.streams
    bench.streams.refuses = NotConnected("the handshake was refused", 429)
    async with sailing(bench):
        bench.want(2)
        await bench.turns(SECOND)
        assert not bench.fleet.is_adding
        for number in range(3, 13):
            bench.fleet.wanted(of(number, dry_run=True), fence=1)
        await bench.turns(SECOND)
        assert bench.fleet.standing == len(paper.open_ones) == 10
        assert bench.fleet.wanted_now == 11

        begun = len(bench.streams.attempts)
        await bench.turns(NONE_ADDED_FOR + 5 * SECOND, every=SECOND)
        assert len(bench.streams.attempts) == begun + 1  # wary as before
        assert bench.fleet.attempts == bench.fleet.failed_attempts == begun + 1

    assert paper.open_ones == []


@pytest.mark.parametrize("status", [403, 429])
async def test_where_the_exchange_takes_no_more_connections_those_that_stand_are_kept(
    bench: Bench, status: int
):
    async with sailing(bench):
        bench.want(5)
        await bench.turns()
        assert bench.fleet.standing == 5
        bench.streams.refuses = NotConnected("the handshake was refused", status)
        bench.want(50)
        await bench.turns()
        begun = len(bench.streams.attempts)
        await bench.turns(NONE_ADDED_FOR - SECOND, every=SECOND)

        assert not bench.fleet.is_adding
        assert (len(bench.streams.attempts), bench.fleet.standing) == (begun, 5)

        await bench.turns(3 * SECOND)
        assert len(bench.streams.attempts) == begun + 1  # one shows whether more are welcome
        bench.streams.refuses = None
        await bench.turns(NONE_ADDED_FOR + 30 * SECOND, every=SECOND)
        assert bench.fleet.standing == 50


async def test_connections_that_are_closed_after_the_handshake_are_no_more_welcome(bench: Bench):
    bench.streams.shuts, bench.streams.acknowledges = Doubt.CLOSED, False
    async with sailing(bench):
        bench.want(5)
        await bench.turns(SECOND)

    assert not bench.fleet.is_adding


async def test_a_thousand_that_are_cut_at_once_are_one_incident_and_back_within_a_minute(
    bench: Bench, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    async with sailing(bench):
        accounts = bench.want(1000)
        await bench.turns(56 * SECOND)
        assert bench.fleet.standing == 1000
        bench.clock.shift(HOUR)
        for account in accounts:
            bench.live.checking(account)
        bench.due.clear()
        cut_at = bench.clock.steady()
        for stream in bench.streams.open_ones:
            stream.cut()
        await turned()
        await bench.turns(MINUTE)
        assert bench.fleet.standing == 1000

    assert bench.fleet.incidents == 1
    assert bench.fleet.lost == {Doubt.CLOSED: 1000}
    assert bench.streams.a_second() == 20
    assert [one.message for one in caplog.records] == ["streams lost together"]
    # Each is read once, one after the other, so that the checks of others go on.
    moments = Counter((at - cut_at) // SECOND for at in dict(bench.due).values())
    assert sum(moments.values()) == 1000
    assert max(moments[second] for second in moments if second) == 2


async def test_a_few_that_are_lost_are_told_one_by_one(
    bench: Bench, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    async with sailing(bench):
        bench.want(9)
        await bench.turns(MINUTE, every=BEAT)
        for stream in bench.streams.open_ones[:2]:
            stream.cut(Doubt.SILENT)
        await turned()
        await bench.turns(SECOND)

    assert bench.fleet.incidents == 0
    assert [one.message for one in caplog.records] == ["stream lost"] * 2


@pytest.mark.parametrize("why", [Doubt.KEY, Doubt.DEAF, Doubt.SLEPT, Doubt.BROKEN])
async def test_a_doubt_ends_the_connection_unless_only_an_event_is_missing(
    bench: Bench, why: Doubt
):
    async with sailing(bench):
        [account] = bench.want(1)
        await bench.turns(2 * MINUTE, every=BEAT)
        [stream] = bench.streams.streams
        bench.live.doubt(account.id, why)
        await turned()
        await bench.turns(SECOND)

        assert stream.is_open is (why is Doubt.BROKEN)
        assert len(bench.streams.of(account.id)) == 1
        assert bench.streams.attempts[-1][2] is (why is Doubt.KEY)


async def test_a_stream_that_is_deaf_gets_a_new_key_and_then_its_account_is_polled_alone(
    bench: Bench,
):
    async with sailing(bench):
        [account] = bench.want(1)
        for _ in range(4):
            await bench.turns(2 * MINUTE, every=BEAT)
            bench.live.doubt(account.id, Doubt.DEAF)
            await turned()
        await bench.turns(5 * HOUR, every=MINUTE)

        assert [renew for _, _, renew in bench.streams.attempts] == [False, False, True, False]
        assert bench.fleet.standing == 0
        await bench.turns(1 * HOUR + MINUTE, every=MINUTE)
        assert bench.fleet.standing == 1


@pytest.mark.parametrize("is_shown_by", ["the wall clock", "a late turn"])
async def test_after_the_machine_slept_no_stream_is_believed(bench: Bench, is_shown_by: str):
    async with sailing(bench):
        bench.want(3)
        await bench.turns(SECOND)
        await bench.clock.advance(TURN)
        bench.due.clear()
        if is_shown_by == "the wall clock":
            bench.clock.set_by(2 * HOUR)
            await bench.clock.advance(TURN)
        else:
            await bench.clock.advance(2 * HOUR)

        assert bench.reads == [1, 2, 3]
        assert bench.live.states()[StreamState.SUSPECT] == 3
        await turned()
        assert bench.streams.open_ones == []
        await bench.turns(SECOND)
        assert bench.fleet.standing == 3


@pytest.mark.parametrize("place", ["ended", "beat", "doubt_all"])
async def test_a_mistake_of_ours_about_one_account_ends_no_stream_of_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
):
    async with sailing(bench):
        bench.want(2)
        await bench.turns(SECOND)

        def fails(*_: object, **__: object) -> None:
            monkeypatch.undo()  # once
            raise RuntimeError

        monkeypatch.setattr(bench.live, place, fails)
        if place == "ended":
            bench.streams.streams[0].cut()
        elif place == "doubt_all":
            await bench.clock.advance(MINUTE)
        await turned()
        await bench.turns(HOUR + MINUTE, every=SECOND)

        assert bench.fleet.standing == 2
        assert bench.streams.open_ones[0].beats + bench.streams.open_ones[1].beats > 200


async def test_every_connection_is_asked_for_a_beat_and_no_more(bench: Bench):
    async with sailing(bench):
        bench.want(10)
        await bench.turns(SECOND)
        await bench.turns(10 * BEAT, every=SECOND)

        assert {one.beats for one in bench.streams.streams} == {11}


async def test_all_connections_are_closed_when_the_process_stops(bench: Bench):
    async with sailing(bench):
        bench.want(50)
        await bench.turns(3 * SECOND)
        bench.due.clear()

    assert bench.streams.open_ones == []
    assert bench.due == []
    bench.fleet.wanted(of(1), fence=1)
    assert bench.fleet.waiting == 0


async def test_connections_that_do_not_end_hold_a_stop_up_for_one_time_limit_in_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.streaming.connections._END_WITHIN_S", 0.02)
    async with sailing(bench):
        bench.want(50)
        await bench.turns(3 * SECOND)
        for stream in bench.streams.streams:
            stream.is_stuck = True
        began = time.monotonic()

    assert time.monotonic() - began < 0.2
    assert bench.streams.open_ones == []


def test_half_of_all_within_ten_seconds_is_one_incident_until_there_is_calm():
    losses = Losses()
    begins = [losses.lost(START + number * SECOND, standing=9 - number) for number in range(9)]
    assert begins.count(True) == 1
    assert losses.is_incident
    losses.look(START + MINUTE)
    assert not losses.is_incident


def test_losses_one_by_one_are_no_incident():
    losses = Losses()
    assert not any(losses.lost(START + number * MINUTE, standing=2) for number in range(9))


def test_a_few_accounts_in_doubt_are_read_at_once_and_many_two_a_second():
    reading = ReadingAgain()
    moments = [reading.moment(START) for _ in range(100)]

    assert moments[:20] == [START] * 20
    assert moments[-1] == START + 40 * SECOND
    assert reading.moment(START + HOUR) == START + HOUR
