"""One connection to MEXC's streams, from the handshake to its end, at a server that misbehaves."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from engine.domain.streams.trust import Doubt
from engine.exchanges.mexc import stream as stream_module
from engine.exchanges.mexc.push_messages import ACCOUNT, DEALS, ORDERS, BalancePushed
from engine.exchanges.mexc.stream import (
    Stream,
)
from tests.exchange.streaming import PRIVATE, Away
from tests.exchange.test_push_messages import WIRE
from tests.fakes.mexc_connection import Connection, Refusal

KEY_TEXT = "Invalid listen key"


async def test_a_change_of_the_account_is_an_event_and_each_acknowledgement_comes_once(away: Away):
    async with away.following() as followed:
        await followed.stream.subscribe(PRIVATE)
        await away.streams.until(lambda: away.streams.subscribed(DEALS) == 1)
        away.deposit()
        await away.streams.until(lambda: bool(followed.events))
    (event,) = followed.events

    assert followed.acknowledged == list(PRIVATE)
    assert away.streams.subscribed() == 0
    assert isinstance(event, BalancePushed)
    assert (event.free, event.kind) == (Decimal(70), "DEPOSIT")
    assert followed.refused == []


@pytest.mark.parametrize(
    "refusal", [Refusal.BLOCKED, Refusal.EMPTY, Refusal.OTHER], ids=lambda one: one.name
)
@pytest.mark.parametrize("channel", [ACCOUNT, DEALS])
async def test_only_the_very_channel_as_an_answer_is_an_acknowledgement(
    away: Away, refusal: Refusal, channel: str
):
    away.streams.refusals[channel] = refusal
    async with away.following() as followed:
        await followed.stream.subscribe(PRIVATE)
        await away.streams.until(lambda: bool(followed.refused))
        await away.taken()

    # An empty answer names no channel: the oldest that is not answered counts as refused.
    assert followed.refused == [channel]
    assert followed.acknowledged == [one for one in PRIVATE if one != channel]


async def test_without_an_answer_or_without_a_key_a_channel_is_not_acknowledged(away: Away):
    away.streams.refusals[ORDERS] = Refusal.NO_ANSWER
    async with away.following() as followed:
        await followed.stream.subscribe(PRIVATE)
        await away.taken()
    async with away.following(key=None) as keyless:
        await keyless.stream.subscribe([ACCOUNT])
        await away.streams.until(lambda: bool(keyless.refused))

    assert followed.acknowledged == [ACCOUNT, DEALS]
    assert keyless.acknowledged == []
    assert keyless.refused == [ACCOUNT]


@pytest.mark.parametrize(
    ("answers", "acknowledged", "refused"),
    [
        ([(1, ACCOUNT), (2, DEALS)], [ACCOUNT, DEALS], []),
        ([(2, DEALS), (1, ACCOUNT)], [DEALS, ACCOUNT], []),
        ([(0, DEALS), (0, ACCOUNT)], [DEALS, ACCOUNT], []),  # without our numbers
        ([(1, ACCOUNT), (1, ACCOUNT)], [ACCOUNT], []),  # one of them twice
        ([(1, DEALS), (2, DEALS)], [DEALS], [ACCOUNT]),
        ([(1, ACCOUNT), (7, "")], [ACCOUNT], []),
        ([(1, ACCOUNT), ([2], DEALS), (None, ACCOUNT), ("2", DEALS)], [ACCOUNT], []),
    ],
    ids=["in order", "exchanged", "number 0", "twice", "another", "unasked", "odd numbers"],
)
async def test_each_answer_counts_for_its_own_channel(
    away: Away, answers: list[tuple[Any, str]], acknowledged: list[str], refused: list[str]
):
    away.streams.refusals[None] = Refusal.NO_ANSWER
    async with away.following() as followed:
        await followed.stream.subscribe([ACCOUNT, DEALS])
        for number, message in answers:
            away.streams.only.say(json.dumps({"id": number, "code": 0, "msg": message}))
        await away.taken()

    assert followed.acknowledged == acknowledged
    assert followed.refused == refused


def dies(connection: Connection) -> None:
    connection.trouble.dead = True


@pytest.mark.parametrize("fault", [dies, Connection.freeze], ids=["dead", "half-open"])
async def test_whoever_is_silent_is_left_within_25_seconds(
    away: Away, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Connection], None]
):
    monkeypatch.setattr(stream_module, "_CLOSE_WITHIN_S", 0.05)
    async with away.subscribed() as (followed, connection):
        await followed.stream.beat()
        away.clock.shift(timedelta(seconds=15))
        await followed.stream.beat()
        await away.streams.until(lambda: connection.pings == 1)
        await away.taken()
        fault(connection)
        began, took = away.clock.steady(), timedelta()
        while followed.stream._why is None:
            wait = await followed.stream.beat()
            took = away.clock.steady() - began
            away.clock.shift(wait)

    assert await followed.ends() is Doubt.SILENT
    assert took == timedelta(seconds=25)


async def test_who_answers_each_ping_is_never_left(away: Away):
    async with away.subscribed() as (followed, connection):
        for number in range(1, 9):
            away.clock.shift(timedelta(seconds=15))
            wait = await followed.stream.beat()
            await away.streams.until(lambda n=number: connection.pings == n)  # type: ignore[misc]
            await away.taken()
            assert wait == timedelta(seconds=10)
            assert await followed.stream.beat() == timedelta(seconds=15)
        assert not followed.run.done()


async def test_an_event_is_life_and_what_cannot_be_read_is_none(
    away: Away, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "_CLOSE_WITHIN_S", 0.05)
    async with away.subscribed() as (followed, connection):
        connection.trouble.dead = True
        away.clock.shift(timedelta(seconds=15))
        await followed.stream.beat()
        away.clock.shift(timedelta(seconds=9))
        connection.trouble.dead = False
        away.deposit()
        await away.streams.until(lambda: bool(followed.events))
        connection.trouble.dead = True
        away.clock.shift(timedelta(seconds=6))
        assert await followed.stream.beat() == timedelta(seconds=10)
        away.clock.shift(timedelta(seconds=10))
        connection.garbage()
        await away.streams.until(lambda: len(followed.stream._garbage) == 1)
        await followed.stream.beat()

        assert await followed.ends() is Doubt.SILENT


async def test_all_odd_frames_are_read_or_dropped_and_none_ends_the_stream(away: Away):
    async with away.subscribed() as (followed, connection):
        for case in WIRE:
            connection.garbage(bytes.fromhex(case["hex"]))
            await away.taken()
            away.clock.shift(timedelta(seconds=31))
        away.deposit()
        await away.taken()

        assert not followed.run.done()
        assert isinstance(followed.events[-1], BalancePushed)


TEXTS = {
    "no JSON": "no",
    "a list": "[1]",
    "nested too deep": "[" * 50_000,
    "a number too long": '{"id":' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_three_unreadable_frames_within_a_minute_end_the_stream(away: Away, text: str):
    async with away.subscribed() as (followed, connection):
        for _ in range(2):
            connection.garbage()
            connection.say(text)
            await away.taken()
            away.clock.shift(timedelta(seconds=60))
        connection.garbage(KEY_TEXT.encode())
        connection.say(text)
        await away.taken()
        assert not followed.run.done()
        connection.garbage(b'{"id":0,"code":0,"msg":"PONG"}')

        assert await followed.ends() is Doubt.GARBAGE


def huge(connection: Connection) -> None:
    connection.garbage(bytes(1 << 17))


def promises_much(connection: Connection) -> None:
    connection.raw(b"\x82\x7f" + (1 << 40).to_bytes(8, "big") + bytes(1000))


def no_frame(connection: Connection) -> None:
    connection.raw(b"\xff\xff\xff\xff")


def no_utf8(connection: Connection) -> None:
    connection.raw(b"\x81\x02\xff\xfe")


def pings_and_resets(connection: Connection) -> None:
    connection.protocol_ping()
    connection.abort()


def half_a_frame(connection: Connection) -> None:
    connection.raw(b"\x82\x10half")
    connection.hang_up()


ENDS: dict[str, tuple[Callable[[Connection], None], Doubt]] = {
    "a goodbye": (Connection.close, Doubt.CLOSED),
    "a FIN": (Connection.hang_up, Doubt.CLOSED),
    "a reset": (Connection.abort, Doubt.CLOSED),
    "a ping and a reset": (pings_and_resets, Doubt.CLOSED),
    "half a frame and a FIN": (half_a_frame, Doubt.CLOSED),
    "the key's text": (lambda connection: connection.say(KEY_TEXT), Doubt.KEY),
    "128 KiB": (huge, Doubt.GARBAGE),
    "a promise of 1 TiB": (promises_much, Doubt.GARBAGE),
    "no frame at all": (no_frame, Doubt.GARBAGE),
    "a text that is none": (no_utf8, Doubt.GARBAGE),
}


@pytest.mark.parametrize(("end", "why"), ENDS.values(), ids=ENDS)
async def test_however_a_connection_ends_it_says_why(
    away: Away, end: Callable[[Connection], None], why: Doubt
):
    async with away.subscribed() as (followed, connection):
        end(connection)

        assert await followed.ends() is why
        await away.streams.until(lambda: not away.streams.connections)
        await followed.stream.beat()  # whoever did not see the end yet
        await followed.stream.subscribe([DEALS])


async def test_a_failing_send_is_no_error_but_the_end(away: Away):
    class Broken:
        """What the library raises when it answers a ping on a connection that is gone."""

        def __aiter__(self) -> "Broken":
            return self

        async def __anext__(self) -> aiohttp.WSMessage:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

        async def close(self) -> None:
            """Nothing is open."""

    socket: Any = Broken()
    stream = Stream(socket, clock=away.clock, on_event=lambda _: None, on_answer=lambda *_: None)

    assert await stream.run() is Doubt.CLOSED


@pytest.mark.parametrize("is_asked", [True, False], ids=["our answer", "our ping"])
async def test_who_reads_nothing_of_what_is_said_holds_nobody_up(
    away: Away, monkeypatch: pytest.MonkeyPatch, is_asked: bool
):
    """Whatever the other side sends meanwhile, which is life otherwise."""
    monkeypatch.setattr(stream_module, "_SEND_WITHIN_S", 0.02)

    class Full:
        """Its buffer takes no more; the library waits for room."""

        def __init__(self) -> None:
            self.frames = 0
            self.is_closed = asyncio.Event()

        def __aiter__(self) -> "Full":
            return self

        async def __anext__(self) -> aiohttp.WSMessage:
            self.frames += 1
            if not is_asked or self.frames > 1:
                await self.is_closed.wait()
                raise StopAsyncIteration
            return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, '{"method":"PING"}', "")

        async def send_str(self, _: str) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None:
            self.is_closed.set()

    socket: Any = Full()
    stream = Stream(socket, clock=away.clock, on_event=lambda _: None, on_answer=lambda *_: None)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(stream.run())
        if not is_asked:
            away.clock.shift(timedelta(seconds=15))
            await stream.beat()

    assert run.result() is Doubt.SILENT
    assert socket.is_closed.is_set()


async def test_a_refusal_that_quotes_the_key_leaves_no_part_of_it_in_the_log(
    away: Away, caplog: pytest.LogCaptureFixture
):
    key = "0123456789abcdef" * 4
    away.streams.refusals[None] = Refusal.NO_ANSWER
    async with away.following() as followed:
        await followed.stream.subscribe([ACCOUNT])
        text = f"{'not subscribed ' * 11}{key}"
        away.streams.only.say(json.dumps({"id": 1, "code": 0, "msg": text}))
        await away.streams.until(lambda: bool(followed.refused))

    (record,) = caplog.records
    assert "not subscribed" in record.__dict__["said"]
    assert key[:16] not in str(record.__dict__)


async def test_pings_of_the_server_are_answered_both_ways(away: Away):
    async with away.subscribed() as (_, connection):
        connection.ping()
        connection.protocol_ping()
        await away.streams.until(lambda: connection.pongs == connection.protocol_pongs == 1)


async def test_a_cancelled_run_closes_the_connection(away: Away):
    async with away.subscribed() as (followed, connection):
        followed.run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await followed.run
        await away.streams.until(lambda: not away.streams.connections)

        assert connection.close_code == 1000


@pytest.mark.long
async def test_closing_a_half_open_connection_takes_two_seconds_at_most(away: Away):
    loop = asyncio.get_running_loop()
    async with away.subscribed() as (followed, connection):
        connection.freeze()
        began = loop.time()
        await followed.stream.end(Doubt.SILENT)
        ended = loop.time()

        assert await followed.ends() is Doubt.SILENT
        assert ended - began < 0.5  # whoever ends it waits for nothing
        assert 1.5 < loop.time() - began < 2.5
