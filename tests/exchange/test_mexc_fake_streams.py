"""The fake MEXC's streams: what other tests rely on them to do, seen by a client that is not ours."""

import json
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import aiohttp
import pytest

from tests.exchange.streaming import API_KEY, new_key
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_connection import AtExpiry, Refusal, UnknownKey
from tests.fakes.mexc_push_encoder import read_by_google
from tests.fakes.mexc_pushes import ACCOUNT, DEALS, ORDERS, by_channel, shuffled
from tests.fakes.mexc_streams import CUT, FakeMexcStreams

BUY = {"symbol": "MNTLUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "6"}
LAST = "spot@public.miniTicker.v3.api.pb@MNTLUSDT@UTC+8"
BEST = "spot@public.aggre.bookTicker.v3.api.pb@100ms@MNTLUSDT"
BLOCKED = "Not Subscribed successfully! [{}].  Reason： Blocked! "


class Client:
    """One connection of a client that knows nothing of our code."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, method: str, *channels: str, number: int = 1) -> Any:
        await self.socket.send_json({"method": method, "params": channels, "id": number})
        return json.loads(await self.text())

    async def text(self) -> str:
        frame = await self.socket.receive(timeout=5)
        assert frame.type is aiohttp.WSMsgType.TEXT, frame
        return str(frame.data)

    async def pushes(self, count: int) -> list[Any]:
        frames = [await self.socket.receive(timeout=5) for _ in range(count)]
        assert {frame.type for frame in frames} <= {aiohttp.WSMsgType.BINARY}
        return [read_by_google(frame.data) for frame in frames]

    async def ends(self) -> aiohttp.WSMsgType:
        return (await self.socket.receive(timeout=5)).type


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def client(
    mexc: FakeMexc, streams: FakeMexcStreams, session: aiohttp.ClientSession
) -> AsyncGenerator[Client]:
    """With a valid key, and no channel yet."""
    async with session.ws_connect(f"{streams.url}?listenKey={new_key(mexc)}") as socket:
        yield Client(socket)


def buy(mexc: FakeMexc) -> None:
    mexc.ledger.place(mexc.ledger.accounts[API_KEY], BUY)


async def test_a_trade_is_told_step_by_step_and_the_steps_add_up(mexc: FakeMexc, client: Client):
    assert await client.ask("SUBSCRIPTION", ACCOUNT, number=7) == {
        "id": 7,
        "code": 0,
        "msg": ACCOUNT,
    }
    account = mexc.ledger.accounts[API_KEY]
    held = {asset: (funds.free, funds.locked) for asset, funds in account.snapshot().items()}
    buy(mexc)
    mexc.deposit(API_KEY, "USDT", Decimal(20))
    account.of("MNTL").free -= 5
    frames = await client.pushes(7)

    assert [frame.privateAccount.type for frame in frames] == [
        "ENTRUST_PLACE",
        "ENTRUST",
        "ENTRUST",
        "TRADE_FEE",
        "ENTRUST_UNFROZEN",
        "DEPOSIT",
        "WITHDRAW",
    ]
    for frame in frames:
        told = frame.privateAccount
        free, locked = Decimal(told.balanceAmount), Decimal(told.frozenAmount)
        before = (
            free - Decimal(told.balanceAmountChange),
            locked - Decimal(told.frozenAmountChange),
        )
        assert before == held[told.vcoinName]
        held[told.vcoinName] = free, locked
    assert held == {a: (funds.free, funds.locked) for a, funds in account.funds.items()}
    made = [frame.createTime for frame in frames]
    assert made == sorted(made)


async def test_orders_and_deals_say_what_rest_says(mexc: FakeMexc, client: Client):
    for channel in (ORDERS, DEALS):
        await client.ask("SUBSCRIPTION", channel)
    buy(mexc)
    new, filled, deal = await client.pushes(3)
    (order,) = mexc.orders

    assert (new.privateOrders.status, filled.privateOrders.status) == (1, 2)
    assert Decimal(filled.privateOrders.cumulativeAmount) == order.spent
    assert filled.privateOrders.id == deal.privateDeals.orderId == order.order_id
    assert Decimal(deal.privateDeals.feeAmount) == order.fee


@pytest.mark.parametrize(
    ("arrange", "first"),
    [(by_channel(DEALS, ORDERS, ACCOUNT), DEALS), (shuffled(Random(1)), None)],  # noqa: S311,
)
async def test_the_frames_of_an_operation_come_in_any_order_and_merged(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client, arrange: Any, first: str | None
):
    streams.arrange, streams.split = arrange, False
    for channel in (ORDERS, DEALS, ACCOUNT):
        await client.ask("SUBSCRIPTION", channel)
    buy(mexc)
    frames = await client.pushes(4)

    assert sorted(frame.channel for frame in frames) == sorted([DEALS, ORDERS, ACCOUNT, ACCOUNT])
    assert first in (None, frames[0].channel)


async def test_rest_shows_a_change_before_or_after_its_event(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client, clock: FakeClock
):
    account = mexc.ledger.accounts[API_KEY]
    await client.ask("SUBSCRIPTION", ACCOUNT)
    mexc.ledger.journal.rest_behind = timedelta(seconds=2)
    buy(mexc)
    mexc.deposit(API_KEY, "USDT", Decimal(20))
    await client.pushes(6)
    before = mexc.ledger.balances(account)["USDT"].free
    clock.shift(timedelta(seconds=2))
    after = mexc.ledger.balances(account)["USDT"].free
    mexc.ledger.journal.rest_behind = timedelta()
    streams.event_delay = timedelta(seconds=5)
    mexc.deposit(API_KEY, "USDT", Decimal(1))

    assert (before, after) == (Decimal(50), account.of("USDT").free - 1)
    assert streams.pushed[ACCOUNT] == 6
    clock.shift(timedelta(seconds=5))
    assert [frame.privateAccount.type for frame in await client.pushes(1)] == ["DEPOSIT"]


async def test_refusals_look_like_success(
    streams: FakeMexcStreams, client: Client, session: aiohttp.ClientSession
):
    retired = "spot@public.deals.v3.api@MNTLUSDT"
    no_zone = LAST.removesuffix("@UTC+8")
    refused = [await client.ask("SUBSCRIPTION", name) for name in (retired, no_zone)]
    async with session.ws_connect(streams.url) as socket:
        keyless = await Client(socket).ask("SUBSCRIPTION", ACCOUNT)
    streams.refusals[ACCOUNT] = Refusal.OTHER
    other = await client.ask("SUBSCRIPTION", ACCOUNT)
    del streams.refusals[ACCOUNT]
    many = [f"spot@public.aggre.bookTicker.v3.api.pb@10ms@P{n}USDT" for n in range(1)]
    unknown = await client.ask("SUBSCRIPTION", LAST, *many)

    assert refused == [
        {"id": 0, "code": 0, "msg": BLOCKED.format(name)} for name in (retired, no_zone)
    ]
    assert keyless == {"id": 0, "code": 0, "msg": ""}
    assert other["code"] == 0
    assert other["msg"] not in ("", ACCOUNT)
    assert unknown["msg"] == BLOCKED.format(f"{LAST},{many[0]}")
    assert client.socket.closed is False


async def test_an_unknown_key_opens_or_is_told_or_refused(
    streams: FakeMexcStreams, session: aiohttp.ClientSession
):
    url = f"{streams.url}?listenKey={'0' * 64}"
    streams.unknown_key = UnknownKey.TEXT
    async with session.ws_connect(url) as socket:
        told = await Client(socket).text()
    streams.unknown_key = UnknownKey.REFUSED
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(url)

    assert told == "Invalid listen key"
    assert refused.value.status == 403


async def test_prices_are_pushed_when_they_change_and_not_at_the_start(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client
):
    assert (await client.ask("SUBSCRIPTION", LAST, BEST))["msg"] == f"{LAST},{BEST}"
    mexc.move_price("MNTLUSDT", Decimal(2))
    last, best = await client.pushes(2)
    assert await client.ask("UNSUBSCRIPTION", LAST, BEST) == {
        "id": 1,
        "code": 0,
        "msg": f"{LAST},{BEST}",
    }

    assert (last.channel, last.symbol) == (LAST, "MNTLUSDT")
    assert Decimal(last.publicMiniTicker.price) == Decimal("0.004")
    assert Decimal(best.publicAggreBookTicker.bidPrice) == Decimal("0.003996")
    assert streams.subscribed(LAST) == 0


async def test_a_ping_is_answered_with_the_number_zero(streams: FakeMexcStreams, client: Client):
    for said in ('{"method":"PING"}', "ping"):
        await client.socket.send_str(said)
        assert json.loads(await client.text()) == {"id": 0, "code": 0, "msg": "PONG"}
    streams.trouble.dead = True
    await client.socket.send_str('{"method":"PING"}')
    await streams.until(lambda: streams.only.pings == 3)
    streams.trouble.dead = False
    streams.only.ping()

    assert await client.text() == '{"method":"PING"}'


@pytest.mark.parametrize(
    ("subscribes", "pings_every", "ends_after", "why"),
    [
        (False, 10, 30, "unsubscribed"),
        (True, None, 60, "idle"),
        (True, 45, 24 * 3600, "old"),
    ],
    ids=["30 s", "60 s", "24 h"],
)
async def test_a_connection_lives_as_long_as_mexc_lets_it(
    streams: FakeMexcStreams,
    client: Client,
    clock: FakeClock,
    subscribes: bool,
    pings_every: int | None,
    ends_after: int,
    why: str,
):
    mexc_keys = streams.only.key
    assert mexc_keys is not None
    mexc_keys.until += timedelta(days=2)
    if subscribes:
        await client.ask("SUBSCRIPTION", ACCOUNT)
    clock.shift(timedelta(seconds=ends_after - 1))
    if pings_every is not None:
        streams.only.heard_at = clock.steady()
    streams._look(clock.steady())
    alive = streams.only.is_open and not streams.ended
    clock.shift(timedelta(seconds=1))

    assert alive
    assert await client.ends() is aiohttp.WSMsgType.CLOSE
    assert streams.ended == {why: 1}


@pytest.mark.parametrize("how", AtExpiry)
async def test_an_expired_key_ends_the_stream_as_it_is_told(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client, clock: FakeClock, how: AtExpiry
):
    streams.at_expiry, streams.idle_for = how, timedelta(days=1)
    await client.ask("SUBSCRIPTION", ACCOUNT)
    clock.shift(timedelta(minutes=60))
    await streams.until(lambda: bool(streams.ended))
    mexc.deposit(API_KEY, "USDT", Decimal(1))
    if how is not AtExpiry.MUTE:
        frame = await client.socket.receive(timeout=5)
        shown = {
            AtExpiry.CLOSE: 1000,
            AtExpiry.TEXT: "Invalid listen key",
            AtExpiry.BINARY: b"Invalid listen key",
        }
        assert frame.data == shown[how]

    assert streams.pushed[ACCOUNT] == 0


async def test_a_deleted_key_ends_its_connections_and_five_are_the_most_of_one(
    mexc: FakeMexc, streams: FakeMexcStreams, session: aiohttp.ClientSession
):
    key = new_key(mexc)
    url = f"{streams.url}?listenKey={key}"
    sockets = [await session.ws_connect(url) for _ in range(5)]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(url)
    mexc.listen_keys.delete(mexc.ledger.accounts[API_KEY], {"listenKey": key})
    ends = [await Client(socket).ends() for socket in sockets]
    for socket in sockets:
        await socket.close()
    await streams.until(lambda: not streams.connections)

    assert ends == [aiohttp.WSMsgType.CLOSE] * 5
    assert streams.refused == {403: 1}
    assert streams.most_connects_in(timedelta(seconds=1)) == 6


Trouble = Callable[[FakeMexcStreams], object]


def drops(streams: FakeMexcStreams) -> None:
    streams.only.trouble.drop[ACCOUNT] = 1


def duplicates(streams: FakeMexcStreams) -> None:
    streams.trouble.duplicate = True


def swaps(streams: FakeMexcStreams) -> None:
    streams.only.trouble.swap = True


def goes_deaf(streams: FakeMexcStreams) -> None:
    streams.only.trouble.deaf = True


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (drops, [52, 53]),
        (duplicates, [51, 51, 52, 52, 53, 53]),
        (swaps, [52, 51]),
        (goes_deaf, []),
    ],
)
async def test_frames_are_lost_doubled_and_exchanged_as_told(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client, trouble: Trouble, told: list[int]
):
    await client.ask("SUBSCRIPTION", ACCOUNT)
    trouble(streams)
    for _ in range(3):
        mexc.deposit(API_KEY, "USDT", Decimal(1))
    frames = await client.pushes(len(told))
    await client.socket.send_str("ping")

    assert [Decimal(frame.privateAccount.balanceAmount) for frame in frames] == told
    assert json.loads(await client.text())["msg"] == "PONG"


async def test_a_frozen_connection_says_nothing_and_does_not_end(
    mexc: FakeMexc, streams: FakeMexcStreams, client: Client
):
    await client.ask("SUBSCRIPTION", ACCOUNT)
    streams.only.freeze()
    mexc.deposit(API_KEY, "USDT", Decimal(1))
    await client.socket.send_str("ping")
    with pytest.raises(TimeoutError):
        await client.socket.receive(timeout=0.05)

    assert streams.only.pings == 0
    streams.cut_all()
    assert await client.ends() in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_handshakes_fail_as_told_and_the_server_can_be_gone_for_a_while(
    streams: FakeMexcStreams, session: aiohttp.ClientSession
):
    streams.handshakes += [403, 429, CUT]
    statuses = []
    for _ in range(3):
        try:
            await session.ws_connect(streams.url)
        except aiohttp.ClientError as e:
            statuses.append(getattr(e, "status", None))
    await streams.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.ws_connect(streams.url)
    await streams.start()
    async with session.ws_connect(streams.url):
        assert len(streams.connections) == 1

    assert statuses == [403, 429, None]


async def test_a_flood_arrives_whole(mexc: FakeMexc, streams: FakeMexcStreams, client: Client):
    await client.ask("SUBSCRIPTION", ACCOUNT)
    await streams.flood(API_KEY, frames=300)
    frames = await client.pushes(300)

    assert Decimal(frames[-1].privateAccount.balanceAmount) == 50
