"""An account's stream at the fake MEXC: its key, its three channels, and what they tell."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.orders.order import ClientOrderId
from engine.domain.streams.events import (
    AccountEvent,
    BalanceEvent,
    Cause,
    FillEvent,
    OrderEvent,
)
from engine.domain.streams.trust import Doubt
from engine.errors import NotConnected, Unavailable
from engine.exchanges.mexc.account_streams import MexcAccountStreams, cause_of
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.exchanges.mexc.push_messages import ACCOUNT, DEALS, ORDERS
from engine.exchanges.mexc.stream import Stream, open_streams
from engine.storage.database import Database
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from tests.builders import MNTLUSDT
from tests.engine.conftest import API_KEY
from tests.engine.listening import MINUTE, PATH, SECOND, Host, one_account, until
from tests.exchange.test_push_messages import VECTORS
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_connection import AtExpiry, Refusal, UnknownKey
from tests.fakes.mexc_faults import Fault, json_reply
from tests.fakes.mexc_streams import CUT, FakeMexcStreams
from tests.fakes.tasks import running
from tests.sampling import sampled


@dataclass(slots=True)
class Told:
    """Where a connection writes. Implements AccountFeed."""

    acknowledged: int = 0
    events: list[AccountEvent] = field(default_factory=list)

    def acknowledge(self) -> None:
        self.acknowledged += 1

    def event(self, event: AccountEvent) -> None:
        self.events.append(event)


@dataclass(slots=True)
class Line:
    stream: Stream
    told: Told
    run: asyncio.Task[Doubt]

    async def ends(self) -> Doubt:
        return await asyncio.wait_for(self.run, timeout=5)


class Away:
    def __init__(
        self, host: Host, server: FakeMexcStreams, keys: ListenKeys, streams: MexcAccountStreams
    ) -> None:
        self.host = host
        self.server = server
        self.keys = keys
        self.streams = streams

    async def account(self) -> Account:
        return await self.host.account()

    @asynccontextmanager
    async def line(self, *, renew: bool = False) -> AsyncGenerator[Line]:
        told = Told()
        stream = await self.streams.open(await self.account(), feed=told, renew=renew)
        async with asyncio.TaskGroup() as tasks:
            yield Line(stream, told, tasks.create_task(stream.run()))
            await stream.end(Doubt.CLOSED)

    @asynccontextmanager
    async def subscribed(self, *, renew: bool = False) -> AsyncGenerator[Line]:
        async with self.line(renew=renew) as line:
            answered = self.server.connections[-1].channels
            await self.server.until(lambda: line.told.acknowledged == 1 and len(answered) == 3)
            yield line


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.fixture
async def away(sqlite: Database, mexc: FakeMexc, clock: FakeClock) -> AsyncGenerator[Away]:
    async with (
        one_account(sqlite, mexc, clock) as host,
        FakeMexcStreams(mexc) as server,
        open_streams(server.url, tls=NO_CERTIFICATES) as session,
    ):
        server.idle_for = timedelta(
            days=1
        )  # no pings here: tests/exchange/test_stream.py has them
        keys = host.process()
        yield Away(host, server, keys, MexcAccountStreams(keys=keys, streams=session, clock=clock))


async def test_what_changes_in_an_account_is_told_with_its_cause(away: Away, clock: FakeClock):
    async with away.subscribed() as line:
        away.host.mexc.deposit(API_KEY, "USDT", Decimal(20))
        away.host.mexc.deposit(API_KEY, "USDT", Decimal(-5), kind="CONTRACT_TRANSFER")
        await away.server.until(lambda: len(line.told.events) == 2)
    events = [event for event in line.told.events if isinstance(event, BalanceEvent)]

    assert [(event.asset, event.free, event.cause) for event in events] == [
        ("USDT", Decimal("77.10"), Cause.DEPOSIT),
        ("USDT", Decimal("72.10"), Cause.TRANSFER),
    ]
    assert events[1].before == events[0].amounts
    assert events[0].order <= events[1].order
    assert events[0].at == clock.steady()


async def test_a_flood_of_what_was_not_asked_for_is_one_line_in_the_log(
    away: Away, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    frames = {one["name"]: bytes.fromhex(one["hex"]) for one in VECTORS["frames"]}
    foreign = frames["aggre_book_ticker"]
    async with away.subscribed() as line:
        for _ in range(20):
            away.server.only.push("foreign", foreign)
        away.host.mexc.deposit(API_KEY, "USDT", Decimal(20))
        await away.server.until(lambda: len(line.told.events) == 1)

    assert [one.message for one in caplog.records].count("stream event of no account") == 1


async def test_an_order_is_told_to_its_end_with_its_fills_and_fees(away: Away):
    client = away.host.client()
    await client.resync()
    async with away.subscribed() as line:
        await client.place_order(
            [
                ("symbol", MNTLUSDT),
                ("side", "BUY"),
                ("type", "MARKET"),
                ("quoteOrderQty", "10"),
                ("newClientOrderId", "bl-1"),
            ],
            client_order_id=ClientOrderId("bl-1"),
            credentials=away.keys._credentials(await away.account()),
            sent_at=client.time.now(),
        )
        await away.server.until(
            lambda: (
                any(isinstance(e, OrderEvent) and e.is_final for e in line.told.events)
                and any(isinstance(e, FillEvent) for e in line.told.events)
            )
        )
    [final] = [e for e in line.told.events if isinstance(e, OrderEvent) and e.is_final]
    fills = [e for e in line.told.events if isinstance(e, FillEvent)]
    causes = {e.cause for e in line.told.events if isinstance(e, BalanceEvent)}

    assert (final.client_order_id, final.executed) == (
        "bl-1",
        sum(one.fill.quantity for one in fills),
    )
    assert {one.exchange_order_id for one in fills} == {final.exchange_order_id}
    assert all(one.fill.fee > 0 for one in fills)
    assert causes == {Cause.TRADE}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("ENTRUST", Cause.TRADE),
        ("ENTRUST_UNFROZEN", Cause.TRADE),
        ("TRADE_FEE", Cause.TRADE),
        ("DEPOSIT", Cause.DEPOSIT),
        ("DEPOSIT_FEE", Cause.DEPOSIT),
        ("WITHDRAW_FEE", Cause.WITHDRAWAL),
        ("CONTRACT_TRANSFER", Cause.TRANSFER),
        ("SUGAR", Cause.OTHER),
        ("", Cause.OTHER),
    ],
)
def test_the_kinds_of_mexc_are_causes(kind: str, cause: Cause):
    assert cause_of(kind) is cause


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The channels that the log calls refused."""
    said = [one for one in caplog.records if one.message == "stream channel refused"]
    return [one.__dict__["channel"] for one in said]


@pytest.mark.parametrize("refusal", [Refusal.BLOCKED, Refusal.EMPTY], ids=lambda one: one.name)
@pytest.mark.parametrize("channel", [ORDERS, DEALS], ids=["orders", "deals"])
async def test_the_accounts_channel_does_without_the_others(
    away: Away, channel: str, refusal: Refusal, caplog: pytest.LogCaptureFixture
):
    away.server.refusals[channel] = refusal
    async with away.line() as line:
        await away.server.until(lambda: bool(refused(caplog)))
        away.host.mexc.deposit(API_KEY, "USDT", Decimal(20))
        await away.server.until(lambda: len(line.told.events) == 1)

    assert line.told.acknowledged == 1
    assert refused(caplog) == [channel]


@pytest.mark.parametrize(
    ("refusal", "why"),
    [(Refusal.EMPTY, Doubt.KEY), (Refusal.BLOCKED, None)],
    ids=["empty", "text"],
)
async def test_an_empty_answer_means_the_key_and_another_one_does_not(
    away: Away, refusal: Refusal, why: Doubt | None, caplog: pytest.LogCaptureFixture
):
    away.server.refusals[ACCOUNT] = refusal
    async with away.line() as line:
        await away.server.until(lambda: bool(refused(caplog)))
        ended = await line.ends() if why else None

    assert ended is why
    assert line.told.acknowledged == 0


async def test_a_second_connection_beside_the_first_has_the_same_key(away: Away):
    async with away.subscribed() as first:
        away.host.clock.shift(22 * MINUTE)
        async with away.subscribed() as second:
            away.host.mexc.deposit(API_KEY, "USDT", Decimal(20))
            await away.server.until(lambda: bool(first.told.events and second.told.events))

    assert away.host.requests("POST") == 1


async def test_a_new_key_ends_the_connection_of_the_one_in_doubt(away: Away):
    async with away.subscribed() as first, away.subscribed(renew=True):
        assert await first.ends() is Doubt.CLOSED

    assert len(away.host.valid) == 1


async def test_a_key_that_mexc_does_not_know_ends_the_connection_and_the_next_has_another(
    away: Away,
):
    unknown = json_reply({"code": "730708", "msg": "listen key information error"}, status=400)
    away.host.mexc.inject(Fault("PUT", PATH, reply=unknown))
    async with running(away.streams.run()), away.subscribed() as line:
        away.host.clock.shift(31 * MINUTE)
        await until(line.run.done, away.host.clock)
        assert await line.ends() is Doubt.KEY
        async with away.subscribed():
            assert away.host.requests("POST") == 2


@pytest.mark.parametrize(("status", "posts"), [(403, 2), (502, 1), (CUT, 1)])
async def test_after_a_handshake_that_may_be_the_keys_fault_there_is_another_key(
    away: Away, status: int, posts: int
):
    away.server.handshakes.append(status)
    with pytest.raises(NotConnected):
        async with away.line():
            pass
    async with away.subscribed():
        pass

    assert away.host.requests("POST") == posts
    assert len(away.host.valid) == 1


async def test_an_account_that_went_elsewhere_is_kept_no_more(away: Away):
    async with running(away.streams.run()), away.subscribed():
        await away.streams.close((await away.account()).id)
        away.host.clock.shift(31 * MINUTE)
        await away.host.clock.advance(MINUTE)

    assert away.host.requests("PUT") == 0
    assert away.host.requests("DELETE") == 0  # the next one uses it


async def test_no_failure_of_a_stream_shows_its_key(away: Away, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    away.server.handshakes += [403, 500, CUT]
    away.server.unknown_key = UnknownKey.TEXT
    failures: list[Exception] = []
    for _ in range(3):
        try:
            async with away.line():
                pass
        except Unavailable as e:
            failures.append(e)
    async with away.subscribed() as line:
        key = away.host.valid[0]
        away.host.mexc.listen_keys.expire(key)
        await line.ends()
    made = [str(request.query) for request in away.host.mexc.seen if request.path == PATH]
    shown = [f"{e!r} {e} {e.__cause__!r}" for e in failures] + [repr(line.stream), caplog.text]

    assert len(failures) == 3
    assert made
    assert "listenKey" not in "\n".join(shown)
    assert key not in "\n".join(shown)


@pytest.mark.parametrize(
    "ended",
    sampled(
        {
            f"{how.name}-{unknown.name}": (how, unknown)
            for how in AtExpiry
            for unknown in UnknownKey
        },
        every=100,
    ),
)
async def test_after_a_key_has_expired_the_fleet_gets_one_new_key_and_one_connection(
    away: Away, ended: tuple[AtExpiry, UnknownKey]
):
    away.server.idle_for = timedelta(seconds=60)
    away.server.at_expiry, away.server.unknown_key = ended
    clock, account = away.host.clock, await away.account()
    live = LiveAccounts(clock)
    fleet = Fleet(clock=clock, live=live, streams_for=lambda _account: away.streams, most=9)
    first: list[str] = []
    async with running(fleet.run(), away.streams.run()):
        fleet.wanted(account, fence=1)
        await until(lambda: fleet.standing == 1, clock, every=SECOND / 4)
        first += away.host.valid
        away.host.mexc.listen_keys.expire(first[0])
        await until(
            lambda: away.host.valid != first and bool(away.host.valid) and fleet.standing == 1,
            clock,
            every=SECOND,
        )
        for _ in range(300):
            await clock.advance(SECOND)

    assert away.host.requests("POST") == 2
    assert fleet.attempts <= 4
