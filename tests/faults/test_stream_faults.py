"""What streams do wrong, through the whole program: it costs time, and never money.

Each test ends with what holds in all of them: the invariants of the bench (an order once, on balances
that were read a moment before), no more listen keys than accounts and deaths, no key in clear anywhere.
"""

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import delete

from engine.domain.streams.trust import Doubt, StreamState
from engine.storage.models.accounts import ListenKeyRow
from tests.fakes.mexc_connection import AtExpiry, Connection, Refusal
from tests.fakes.mexc_faults import Fault, refusal
from tests.fakes.mexc_limits import WEIGHTS
from tests.fakes.mexc_pushes import ACCOUNT, shuffled
from tests.fakes.mexc_streams import CUT, NO_ANSWER, FakeMexcStreams
from tests.faults.bench import BALANCES, PEOPLE, Bench, Exchange, Life, Person
from tests.faults.invariants import broken_at_rest
from tests.sampling import LONG, long, sampled

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEYS = "/api/v3/userDataStream"
INTERVAL = 2 * MINUTE
SOON = 3 * SECOND
# A moment of quiet, a step of the bench, and where it was not polled just then, the poll.
_STEP, _MOST_LOOKS = SECOND / 2, 200


@dataclass(slots=True)
class Listening:
    """A process that lives, with the streams of its people. *deaths*: each may leave a key behind."""

    bench: Bench
    server: FakeMexcStreams
    people: Sequence[Person]
    deaths: int = 0
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.bench.clock.steady()

    @property
    def life(self) -> Life:
        return self.bench.alive[-1]

    @property
    def anna(self) -> Person:
        return self.people[0]

    @property
    def missed(self) -> int:
        return self.life.parts.fleet._live.missed

    @property
    def lost(self) -> Counter[Doubt]:
        return self.life.parts.fleet.lost

    @property
    def is_live(self) -> bool:
        states = self.life.parts.fleet._live.states()
        return states[StreamState.PROVEN] + states[StreamState.TRUSTED] == len(self.people)

    def asked(self, method: str, path: str = KEYS) -> list[Exchange]:
        return [
            one
            for one in self.bench.exchanges
            if (one.request.method, one.request.path) == (method, path)
        ]

    def deposit(self, usdt: str = "20", person: Person | None = None) -> None:
        self.bench.mexc.deposit((person or self.anna).api_key, "USDT", Decimal(usdt))

    async def until(self, holds: Callable[[], object], *, within: timedelta) -> timedelta:
        """Live on until *holds*, called; returns how long it took."""
        began = self.bench.clock.steady()
        while not holds():
            took = self.bench.clock.steady() - began
            assert took <= within, (took, self.server.ended, self.lost)
            await self.bench.pass_time(max(_STEP, within / _MOST_LOOKS))
        return self.bench.clock.steady() - began

    async def traded(self, *, within: timedelta = SOON, orders: int = 1) -> timedelta:
        """What was deposited is bought within that time, by *orders* in all."""
        return await self.until(lambda: len(self.bench.mexc.orders) >= orders, within=within)

    async def subscribed(self, *, within: timedelta = MINUTE) -> timedelta:
        return await self.until(
            lambda: self.server.subscribed() == len(self.people) and self.is_live, within=within
        )


@asynccontextmanager
async def listening(
    bench: Bench, *, people: int = 1, waits: bool = True
) -> AsyncGenerator[Listening]:
    """Each of *people* holds what they are to hold, and has a stream that is live."""
    server = bench.with_streams()
    chosen = [bench.add_person(person) for person in PEOPLE[:people]]
    async with bench.life():
        listens = Listening(bench, server, chosen)
        for person in chosen:
            await bench.connect(person)
        if waits:
            await listens.subscribed()
        yield listens
        await bench.until_quiet()
        valid = bench.mexc.listen_keys.left()

        assert len(valid) <= people + listens.deaths
        assert await broken_at_rest(bench) == []


@pytest.fixture(autouse=True)
def _no_key_in_clear(sqlite_bench: Bench, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    bodies = [
        one.reply.body
        for one in sqlite_bench.exchanges
        if (one.request.method, one.request.path) == ("POST", KEYS) and one.reply.status == 200
    ]
    keys = [
        value for body in bodies if isinstance(value := json.loads(body).get("listenKey"), str)
    ]
    said = "\n".join(sqlite_bench.telegram.texts(PEOPLE[0].chat_id))
    with sqlite3.connect(sqlite_bench.database.engine.url.database or "") as database:
        stored = "\n".join(database.iterdump())

    assert not [key for key in keys for text in (caplog.text, said, stored) if key in text]
    assert "listenKey=" not in caplog.text.replace("listenKey=***", "")


@LONG
async def test_fault_01_a_deaf_stream_is_found_out_by_the_poll_and_the_change_is_traded_once(
    sqlite_bench: Bench,
):
    async with listening(sqlite_bench) as listens:
        listens.server.trouble.deaf = True
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)
        await sqlite_bench.pass_time(INTERVAL)

        assert listens.missed >= 1
        assert listens.lost[Doubt.DEAF] >= 1
        assert len(sqlite_bench.mexc.orders) == 1


@pytest.mark.parametrize("how", ["dead", long("half-open")])
async def test_fault_02_and_03_a_dead_stream_is_replaced_within_25_seconds(
    sqlite_bench: Bench, how: str
):
    async with listening(sqlite_bench) as listens:
        dead = listens.server.only
        if how == "dead":
            dead.trouble.dead = True
        else:
            dead.freeze()
        listens.deposit()
        await listens.until(lambda: not dead.is_open, within=26 * SECOND)
        await listens.subscribed(within=SOON)
        await listens.traded()
        await sqlite_bench.pass_time(INTERVAL)

        assert listens.lost == {Doubt.SILENT: 1}
        assert len(listens.asked("POST")) == 1
        assert len(sqlite_bench.mexc.orders) == 1


@LONG
async def test_fault_04_an_event_before_which_one_is_missing_is_no_number_to_trade_on(
    sqlite_bench: Bench,
):
    async with listening(sqlite_bench) as listens:
        listens.server.trouble.drop[ACCOUNT] = 1
        listens.deposit("20")
        listens.deposit("1.50")
        await listens.traded()
        await sqlite_bench.pass_time(INTERVAL)

        assert [order.orig_quote for order in sqlite_bench.mexc.orders] == [Decimal("21.5")]


async def reads_of(bench: Bench, listens: Listening) -> int:
    before = len(listens.asked("GET", BALANCES))
    await listens.traded()
    await bench.pass_time(20 * SECOND)
    return len(listens.asked("GET", BALANCES)) - before


@pytest.mark.parametrize(
    "trouble",
    ["duplicate", long("none"), long("swap"), long("a second connection"), long("a stall")],
)
async def test_fault_05_06_and_21_whatever_tells_it_a_change_is_one_check_and_one_order(
    sqlite_bench: Bench, trouble: str
):
    async with listening(sqlite_bench) as listens:
        if trouble in {"duplicate", "swap"}:
            setattr(listens.server.trouble, trouble, True)
        if trouble == "a second connection":
            fleet = listens.life.parts.fleet
            fleet._renewing[fleet._lines()[0]] = None
            await sqlite_bench.pass_time(_STEP)
        for _ in range(50 if trouble == "a stall" else 2):
            listens.deposit("10")
            sqlite_bench.clock.shift(timedelta(milliseconds=1))
        if trouble == "a stall":
            sqlite_bench.clock.shift(5 * SECOND)

        assert await reads_of(sqlite_bench, listens) == 2  # before the order, and after it
        assert len(sqlite_bench.mexc.orders) == 1


@pytest.mark.parametrize("how", sampled({how.name: how for how in AtExpiry}, every=9))
async def test_fault_07_an_expired_key_is_replaced_once_and_nothing_is_lost(
    sqlite_bench: Bench, how: AtExpiry
):
    async with listening(sqlite_bench) as listens:
        listens.server.at_expiry = how
        [key] = sqlite_bench.mexc.listen_keys.of(listens.anna.api_key)
        sqlite_bench.mexc.listen_keys.expire(key)
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)
        await sqlite_bench.pass_time(10 * MINUTE)
        listens.deposit()
        await listens.traded(orders=2)

        assert len(listens.asked("POST")) == 2
        assert listens.is_live


@LONG
async def test_fault_08_in_a_day_and_more_no_stream_ends_and_no_event_is_missed(
    sqlite_bench: Bench,
):
    dice = Random(15)  # noqa: S311
    async with listening(sqlite_bench) as listens:
        for number in range(1, 14):
            await sqlite_bench.pass_time(dice.uniform(1, 3) * HOUR)
            listens.deposit(str(dice.randint(5, 25)))
            await listens.traded(orders=number)

        assert sqlite_bench.clock.steady() - listens.began > 24 * HOUR
        assert not listens.server.ended
        assert not listens.lost
        assert listens.missed == 0
        assert len(listens.asked("POST")) == 1
        assert max(sqlite_bench.mexc.listen_keys.put_ages) < 45 * MINUTE


@LONG
async def test_an_idle_account_costs_its_polls_and_two_weights_an_hour(sqlite_bench: Bench):
    async with listening(sqlite_bench) as listens:
        before = len(sqlite_bench.exchanges)
        await sqlite_bench.pass_time(HOUR)
        asked = [(one.request.method, one.request.path) for one in sqlite_bench.exchanges[before:]]
        weight = sum(WEIGHTS.get(one, 1) for one in asked)

        assert listens.is_live
        assert weight <= Decimal("2.1") + 36_000 / Decimal(INTERVAL.total_seconds()) + 1


def _garbage(connection: Connection, what: str) -> None:
    if what == "frames":
        connection.garbage()
    elif what == "texts":
        connection.say("what?")
    elif what == "JSON as binary":
        connection.garbage(b'{"id":0,"code":0,"msg":"PONG"}')
    else:
        connection.raw(b"\x00")


@LONG
@pytest.mark.parametrize(
    "what", sampled(["frames", "texts", "JSON as binary", "no frame"], every=4)
)
async def test_fault_09_garbage_ends_the_connection_and_costs_a_read(
    sqlite_bench: Bench, what: str
):
    async with listening(sqlite_bench) as listens:
        first = listens.server.only
        for _ in range(3):
            _garbage(first, what)
        await listens.until(lambda: not first.is_open, within=SECOND)
        await listens.subscribed(within=SOON)
        listens.deposit()
        await listens.traded()

        assert listens.lost == {Doubt.GARBAGE: 1}
        assert len(sqlite_bench.mexc.orders) == 1


@LONG
async def test_fault_10_a_flood_of_one_account_is_six_checks_a_minute_and_holds_up_nobody(
    sqlite_bench: Bench,
):
    async with listening(sqlite_bench, people=2) as listens:
        bob, before = listens.people[1], len(listens.asked("GET", BALANCES))
        for second in range(60):
            for number in range(100):
                listens.deposit("0.01" if number % 2 else "-0.01")
            if second == 30:
                listens.deposit(person=bob)
                await listens.traded()
            await sqlite_bench.pass_time(SECOND)

        # Two of them are Bob's, two polls, and one after the flood.
        assert len(listens.asked("GET", BALANCES)) - before <= 6 + 2 + 2 + 1


@LONG
@pytest.mark.parametrize("refused", sampled({how.name: how for how in Refusal}, every=5))
async def test_fault_11_a_refused_subscription_is_polled_and_asked_for_again_after_minutes(
    sqlite_bench: Bench, refused: Refusal
):
    sqlite_bench.with_streams()
    async with listening(sqlite_bench, waits=False) as listens:
        listens.server.refusals[ACCOUNT] = refused
        await sqlite_bench.pass_time(10 * MINUTE)
        attempts = len(listens.server.connects)
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)

        assert not listens.is_live
        assert 2 <= attempts <= 5
        listens.server.refusals.clear()
        await listens.subscribed(within=HOUR)


@pytest.mark.parametrize("seconds", [long(0.5), 2, long(20)])
async def test_fault_13_while_what_is_read_lags_behind_nothing_is_ordered_on_it(
    sqlite_bench: Bench, seconds: float
):
    async with listening(sqlite_bench) as listens:
        lag = seconds * SECOND
        sqlite_bench.mexc.ledger.journal.rest_behind = lag
        listens.deposit()
        took = await listens.traded(within=lag + 6 * SECOND)
        await sqlite_bench.pass_time(2 * INTERVAL)

        assert took >= lag
        assert [order.orig_quote for order in sqlite_bench.mexc.orders] == [Decimal(20)]


@LONG
@pytest.mark.parametrize(("usdt", "reads"), [("1.50", 1), ("20", 3)])
async def test_fault_14_an_event_that_comes_after_its_change_was_read_is_no_second_order(
    sqlite_bench: Bench, usdt: str, reads: int
):
    """Nor a second check; after an order the events of before it are looked at once."""
    async with listening(sqlite_bench) as listens:
        before = len(listens.asked("GET", BALANCES))
        listens.server.event_delay = 5 * SECOND
        account = await sqlite_bench.account(listens.anna)
        listens.deposit(usdt)
        listens.life.parts.dispatcher.wake(account.id)
        await sqlite_bench.pass_time(20 * SECOND)

        assert len(listens.asked("GET", BALANCES)) - before <= reads
        assert len(sqlite_bench.mexc.orders) == (reads > 1)
        assert listens.missed == 0


@pytest.mark.parametrize("seed", sampled(range(40), every=40))
async def test_fault_15_the_frames_of_our_own_order_cause_no_order_in_whatever_order_they_come(
    sqlite_bench: Bench, seed: int
):
    dice = Random(seed)  # noqa: S311
    async with listening(sqlite_bench) as listens:
        server, pair = listens.server, sqlite_bench.mexc.ledger.pairs["MNTLUSDT"]
        server.arrange, server.split = shuffled(dice), dice.random() < 0.5
        server.event_delay = dice.choice([0, 0, 0.3, 3]) * SECOND
        if dice.random() < 0.5:  # many fills
            pair.asks = [(price, Decimal(2000)) for price, _ in pair.asks]
        sqlite_bench.mexc.ledger.journal.rest_behind = dice.choice([0, 0, 0.5, 2]) * SECOND
        listens.deposit()
        await listens.traded(within=12 * SECOND)
        filled = sqlite_bench.mexc.orders[0].spent
        await sqlite_bench.pass_time(3 * INTERVAL)
        spent = sum(order.spent for order in sqlite_bench.mexc.orders)

        assert Decimal(18) <= spent <= Decimal(22)
        assert len(sqlite_bench.mexc.orders) == 1 or filled < Decimal(18)


@pytest.mark.parametrize(
    "when", ["after the event", long("while it is read"), long("before the order")]
)
async def test_fault_16_of_two_owners_one_orders_and_the_other_closes(
    sqlite_bench: Bench, when: str
):
    bench = sqlite_bench
    async with listening(bench) as listens:
        former = listens.life
        former.fuse.freezes = True
        if when == "after the event":
            former.fuse.steps = 1
        else:
            began = "begins" if when == "while it is read" else "ends"
            former.fuse.at = f"GET {BALANCES} {began}"
        await bench.start("second", polls=False)
        listens.deposit()
        await bench.pass_time(100 * SECOND)
        former.thaw()
        await bench.turn()
        await bench.pass_time(2 * INTERVAL)

        assert len(bench.mexc.orders) == 1
        assert listens.server.subscribed() == 1
        assert len(bench.mexc.listen_keys.left()) == 1


@LONG
@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["ahead", "back"])
async def test_fault_17_a_clock_that_is_set_asks_for_no_key_and_changes_nothing(
    sqlite_bench: Bench, step: timedelta
):
    async with listening(sqlite_bench) as listens:
        sqlite_bench.clock.set_by(step)
        sqlite_bench.mexc.clock_offset -= step
        await sqlite_bench.pass_time(5 * MINUTE)

        assert not listens.asked("PUT")
        assert len(listens.asked("POST")) <= 2
        listens.deposit()
        await listens.traded()


@LONG
async def test_fault_17_after_a_sleep_of_two_hours_all_is_read_again_at_once(sqlite_bench: Bench):
    async with listening(sqlite_bench, people=2) as listens:
        listens.deposit()
        sqlite_bench.clock.shift(2 * HOUR)
        await listens.traded(within=2 * SOON)
        await listens.subscribed()

        assert not listens.asked("PUT")
        assert len(listens.asked("POST")) == 4


@LONG
async def test_fault_18_in_a_cool_down_no_key_is_extended_and_afterwards_none_is_lost(
    sqlite_bench: Bench,
):
    silence = {"Retry-After": "120"}
    async with listening(sqlite_bench, people=2) as listens:
        reply = refusal(429, "Too many requests", status=429, headers=silence)
        sqlite_bench.mexc.inject(Fault("PUT", KEYS, reply=reply))
        await listens.until(lambda: listens.asked("PUT"), within=35 * MINUTE)
        asked = len(sqlite_bench.exchanges)
        refused_at = listens.asked("PUT")[0].at
        await sqlite_bench.pass_time(10 * MINUTE)
        after = sqlite_bench.exchanges[asked:]

        assert all(one.at - refused_at >= 2 * MINUTE for one in after)
        assert {one.reply.status for one in listens.asked("PUT")[1:]} == {200}
        assert max(sqlite_bench.mexc.listen_keys.put_ages) < 45 * MINUTE
        assert len(listens.asked("POST")) == 2
        listens.deposit()
        await listens.traded()


@LONG
@pytest.mark.parametrize("code", [700006, 700007])
async def test_fault_19_a_key_without_the_right_has_no_stream_and_is_polled(
    sqlite_bench: Bench, code: int
):
    sqlite_bench.mexc.inject(Fault("POST", KEYS, reply=refusal(code, "No permission"), times=None))
    async with listening(sqlite_bench, waits=False) as listens:
        await sqlite_bench.pass_time(10 * MINUTE)
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)

        assert len(listens.asked("POST")) == 1
        assert not listens.server.connects


@pytest.mark.parametrize("steps", sampled(range(1, 41), every=40))
async def test_fault_20_killed_at_any_step_it_trades_once_and_leaves_one_key_at_most(
    sqlite_bench: Bench, steps: int
):
    bench = sqlite_bench
    async with listening(bench) as listens:
        [key] = bench.mexc.listen_keys.of(listens.anna.api_key)
        listens.life.fuse.steps = steps
        bench.mexc.listen_keys.expire(key)
        listens.deposit()
        await bench.pass_time(MINUTE)
        if not bench.alive:
            listens.deaths = 1
            await bench.start("second")
        bench.alive[0].fuse.steps = None
        await listens.traded(within=INTERVAL)
        await listens.subscribed(within=2 * MINUTE)
        await bench.pass_time(INTERVAL)

        assert len(bench.mexc.orders) == 1


@LONG
async def test_fault_20_killed_sixty_times_in_an_hour_it_is_polled_and_never_crashes(
    sqlite_bench: Bench,
):
    bench = sqlite_bench
    async with listening(bench) as listens:
        account = await bench.account(listens.anna)
        await listens.life.kill()
        async with bench.database.writing() as session:
            await session.execute(delete(ListenKeyRow))
        for number in range(70):
            life = await bench.start(f"life {number}")
            life.fuse.at = f"POST {KEYS} ends"
            await bench.turn()
            life.parts.dispatcher.wake(account.id)
            await bench.pass_time(10 * SECOND)
            await life.kill()
        valid = len(bench.mexc.listen_keys.left())
        listens.deaths = 60
        await bench.start("last")
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)

        assert valid == 60
        await listens.subscribed(within=2 * HOUR)


@pytest.mark.parametrize("status", sampled([CUT, NO_ANSWER, 407, 502], every=4))
async def test_fault_22_behind_a_proxy_that_fails_the_waits_grow_and_no_key_is_made(
    sqlite_bench: Bench, status: int
):
    async with listening(sqlite_bench) as listens:
        listens.server.handshakes.extend([status] * 4)
        listens.server.cut_all()
        attempts = len(listens.server.connects)
        await sqlite_bench.pass_time(MINUTE)

        assert len(listens.server.connects) - attempts <= 5
        listens.deposit()
        await listens.traded(within=INTERVAL + SOON)
        await listens.subscribed(within=HOUR)

        assert len(listens.asked("POST")) == 1


@LONG
async def test_fault_22_a_proxy_that_idles_out_at_a_minute_costs_a_read_each_time(
    sqlite_bench: Bench,
):
    async with listening(sqlite_bench) as listens:
        before = len(listens.asked("GET", BALANCES))
        for _ in range(5):
            await sqlite_bench.pass_time(MINUTE)
            listens.server.cut_all()
            await listens.subscribed(within=10 * SECOND)
        listens.deposit()
        await listens.traded()

        assert len(listens.asked("GET", BALANCES)) - before <= 2 * 5 + 4
        assert len(listens.asked("POST")) == 1
