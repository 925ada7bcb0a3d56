"""Reads over HTTP: limits, errors, the exchange's clock, and what the log may show."""

import asyncio
import gzip
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from engine.clock import Clock, SystemClock
from engine.errors import (
    AddressRefused,
    BadCredentials,
    BadData,
    ClockRefused,
    HostRefused,
    InsufficientBalance,
    MissingPermission,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import ACCOUNT, TICKER_PRICE, TIME, Endpoint
from engine.exchanges.mexc.transport import Transport
from engine.exchanges.rate_limiter import Priority, RateLimiter, RateLimits
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY, API_SECRET
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply, Request, serve
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, TRUNCATED, Fault, refusal

ACCOUNT_PATH = ACCOUNT.path
PRICE = [("symbol", "MNTLUSDT")]
Reader = Callable[[], Awaitable[object]]


def client_of(transport: Transport, url: str, *, clock: Clock | None = None) -> MexcClient:
    clock = clock or SystemClock()
    return MexcClient(transport, base_url=url, clock=clock, budget=RateLimiter(clock))


@asynccontextmanager
async def raw_server(*chunks: bytes, pause: float = 0) -> AsyncGenerator[str]:
    """Answers anything with *chunks*, one after another, and then says no more."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await SystemClock().sleep(timedelta(seconds=pause))
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def test_an_unsigned_read_carries_neither_key_nor_signature(
    mexc: FakeMexc, mexc_client: MexcClient
):
    reading = await mexc_client.read(TICKER_PRICE, PRICE)

    assert reading.contents == {"symbol": "MNTLUSDT", "price": "0.002"}
    assert [request.query for request in mexc.seen] == [{"symbol": "MNTLUSDT"}]
    assert "x-mexc-apikey" not in mexc.seen[0].headers


async def test_a_signed_read_first_learns_the_time_and_then_never_again(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials
):
    for _ in range(3):
        await mexc_client.read(ACCOUNT, credentials=credentials)

    assert mexc.requests == {("GET", TIME.path): 1, ("GET", ACCOUNT_PATH): 3}
    assert {request.headers["content-type"] for request in mexc.seen} == {"application/json"}


async def test_a_base_url_may_end_with_a_slash(
    mexc: FakeMexc, transport: Transport, clock: FakeClock
):
    client = client_of(transport, mexc.url + "/", clock=clock)

    await client.read(TICKER_PRICE, PRICE)

    assert mexc.requests == {("GET", TICKER_PRICE.path): 1}


HTML_401 = Reply(status=401, body=b"<html>", content_type="text/html")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(700002), BadCredentials),
        (refusal(10072), BadCredentials),
        (HTML_401, BadCredentials),
        (refusal(700007), MissingPermission),
        (refusal(700007, status=403), MissingPermission),
        (refusal(30004, status=200), InsufficientBalance),
        (Reply(status=404, body=b"<html>"), Rejected),
        (refusal(500, status=500), Unavailable),
        (refusal(30004, status=503), Unavailable),
        (BAD_GATEWAY, Unavailable),
        (DROPPED, Unavailable),
        (TRUNCATED, Unavailable),
        (Reply(status=400, body=b"nope"), BadData),
        (Reply(status=302, headers={"location": "http://127.0.0.1:1/"}), HostRefused),
        (Reply(body=b"<html>Access Denied</html>", content_type="text/html"), HostRefused),
        (
            Reply(status=403, body=b"<HTML><TITLE>Access Denied", content_type="text/html"),
            HostRefused,
        ),
        (Reply(status=403, body=b'{"message":"Forbidden"}'), HostRefused),
        (Reply(status=451), HostRefused),
        (Reply(body=b"\xef\xbb\xbf\r\n<!DOCTYPE html>", content_type="text/html"), HostRefused),
        (Reply(status=503, body=b"<title>Just a moment...</title>"), HostRefused),
        (Reply(status=503, body=b"<title>503 Service Unavailable</title>"), Unavailable),
        (Reply(status=405, body=b"<title>405</title>"), HostRefused),
        (Reply(status=511, body=b"sign in"), HostRefused),
        (refusal(1, status=403), RateLimited),
        (Reply(body=b'{"price":'), BadData),
        (Reply(body=b"[" * 100_000), BadData),
        (Reply(body=b" " * 1_100_000), BadData),
        (Reply(headers={"content-encoding": "br"}), BadData),
        (Reply(headers={"content-encoding": "gzip"}), BadData),
        (Reply(body=gzip.compress(b"{}")[:-4], headers={"content-encoding": "gzip"}), BadData),
        (Reply(body=gzip.compress(b" " * 9**8), headers={"content-encoding": "gzip"}), BadData),
    ],
    ids=[
        *("bad-signature", "unknown-key", "401-html", "no-permission", "403-about-the-key"),
        *("error-with-200", "404", "500", "503-with-code", "502-html", "dropped", "truncated"),
        *(
            "400-without-code",
            "redirect",
            "200-html",
            "403-html",
            "403-of-a-content-network",
            "451",
            *("200-html-with-a-mark", "503-challenge", "503-html", "405-html", "511"),
        ),
        *("403-with-a-code", "half-an-object", "nesting", "too-long"),
        *("unknown-encoding", "no-gzip", "cut-gzip", "gzip-bomb"),
    ],
)
async def test_each_way_a_read_can_fail_has_its_error(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials, reply: Reply, error: type
):
    mexc.inject(Fault("GET", ACCOUNT_PATH, reply=reply))
    with pytest.raises(error) as caught:
        await mexc_client.read(ACCOUNT, credentials=credentials)

    assert caught.type is error
    assert mexc.requests["GET", ACCOUNT_PATH] == 1


async def test_a_gzipped_answer_is_understood(mexc: FakeMexc, mexc_client: MexcClient):
    body = gzip.compress(b'{"price":"1"}')
    mexc.inject(
        Fault(
            "GET", TICKER_PRICE.path, reply=Reply(body=body, headers={"content-encoding": "gzip"})
        )
    )

    reading = await mexc_client.read(TICKER_PRICE, PRICE)

    assert reading.contents == {"price": "1"}


async def test_nobody_listening_is_unavailable(transport: Transport):
    client = client_of(transport, "http://127.0.0.1:1")

    with pytest.raises(Unavailable, match="ClientConnectorError"):
        await client.read(TICKER_PRICE, PRICE)


async def test_an_answer_that_never_comes_is_given_up(mexc: FakeMexc, hasty: Transport):
    mexc.inject(Fault("GET", TICKER_PRICE.path, hang=True))

    with pytest.raises(Unavailable):
        await client_of(hasty, mexc.url).read(TICKER_PRICE, PRICE)


async def test_a_slow_drip_does_not_outlast_the_time_limit(hasty: Transport):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    async with raw_server(head, *[b"x"] * 20, pause=0.1) as url:
        client = client_of(hasty, url)

        with pytest.raises(Unavailable, match="TimeoutError"):
            await client.read(TICKER_PRICE, PRICE)


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        *((429, None, 60), (418, None, 120)),
        *((429, "7", 7), (429, "0", 1), (429, "soon", 60), (418, "999999999", 259_200)),
    ],
)
async def test_a_limit_silences_every_account(
    mexc: FakeMexc,
    mexc_client: MexcClient,
    clock: FakeClock,
    credentials: Credentials,
    status: int,
    retry_after: str | None,
    seconds: int,
):
    headers = {"retry-after": retry_after} if retry_after else {}
    reply = Reply(status=status, body=b"<html>", headers=headers)
    mexc.inject(Fault("GET", TICKER_PRICE.path, reply=reply))
    with pytest.raises(RateLimited) as first:
        await mexc_client.read(TICKER_PRICE, PRICE)
    clock.shift(timedelta(seconds=seconds) / 2)
    with pytest.raises(RateLimited) as second:
        await mexc_client.read(ACCOUNT, credentials=credentials)

    assert (first.value.retry_after, second.value.retry_after) == (seconds, seconds / 2)
    assert mexc.requests.total() == 1

    clock.shift(timedelta(seconds=seconds) / 2)
    await mexc_client.read(TICKER_PRICE, PRICE)


@pytest.mark.parametrize("status", [403, 451])
async def test_a_refusal_of_this_host_silences_every_account_and_is_not_called_its_pace(
    mexc: FakeMexc,
    mexc_client: MexcClient,
    clock: FakeClock,
    credentials: Credentials,
    status: int,
):
    mexc.inject(Fault("GET", TICKER_PRICE.path, reply=Reply(status=status, body=b"<html>")))
    with pytest.raises(HostRefused, match=f"HTTP {status}"):
        await mexc_client.read(TICKER_PRICE, PRICE)
    clock.shift(timedelta(minutes=4))
    with pytest.raises(HostRefused, match=f"HTTP {status}"):
        await mexc_client.read(ACCOUNT, credentials=credentials)

    assert mexc.requests.total() == 1

    clock.shift(timedelta(minutes=1))
    await mexc_client.read(TICKER_PRICE, PRICE)


async def test_a_redirect_refuses_this_host_and_the_next_question_may_be_asked(
    mexc: FakeMexc, mexc_client: MexcClient
):
    elsewhere = Reply(status=302, headers={"location": "https://www.example.com/restricted"})
    mexc.inject(Fault("GET", TICKER_PRICE.path, reply=elsewhere))
    with pytest.raises(HostRefused, match="HTTP 302"):
        await mexc_client.read(TICKER_PRICE, PRICE)

    await mexc_client.read(TICKER_PRICE, PRICE)


async def test_a_refused_address_says_which(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials
):
    mexc.ledger.accounts[API_KEY].addresses = ("10.0.0.1",)

    with pytest.raises(AddressRefused, match=r"IP \[127\.0\.0\.1\] not in the ip white list"):
        await mexc_client.read(ACCOUNT, credentials=credentials)


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_that_differs_from_ours_is_followed(
    mexc: FakeMexc, mexc_client: MexcClient, clock: FakeClock, credentials: Credentials, hours: int
):
    mexc.clock_offset = timedelta(hours=hours)

    await mexc_client.read(ACCOUNT, credentials=credentials)

    behind = clock.now() + mexc.clock_offset - mexc_client.time.now()
    assert timedelta() < behind < timedelta(seconds=1)


async def test_a_refused_stamp_is_measured_anew_and_tried_once_more(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials
):
    await mexc_client.read(ACCOUNT, credentials=credentials)
    mexc.clock_offset = timedelta(minutes=5)

    await mexc_client.read(ACCOUNT, credentials=credentials)

    # The jump of the clock is believed when a second sample confirms it.
    assert mexc.requests == {("GET", TIME.path): 3, ("GET", ACCOUNT_PATH): 3}


async def test_a_stamp_that_stays_refused_is_not_tried_for_ever(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials
):
    mexc.inject(Fault("GET", ACCOUNT_PATH, reply=refusal(700003), times=None))
    with pytest.raises(ClockRefused):
        await mexc_client.read(ACCOUNT, credentials=credentials)

    assert mexc.requests["GET", ACCOUNT_PATH] == 2


async def test_a_clock_that_jumps_about_is_not_trusted_until_it_settles(
    mexc: FakeMexc, mexc_client: MexcClient, clock: FakeClock
):
    await mexc_client.resync()
    before = mexc_client.time.now()
    year = 365 * 24 * 3600 * 1000
    for number in (1, 2):
        reply = Reply(body=b'{"serverTime":%d}' % (1_764_000_000_000 + number * year))
        mexc.inject(Fault("GET", TIME.path, reply=reply))
    with pytest.raises(Unavailable, match="jumps"):
        await mexc_client.resync()
    while_jumping = (mexc_client.time.trusted, mexc_client.time.now())

    await mexc_client.resync()

    assert while_jumping == (False, before)
    assert (mexc_client.time.trusted, mexc_client.time.now()) == (True, before)


async def test_many_who_ask_for_the_time_at_once_are_answered_by_one_request(
    mexc: FakeMexc, mexc_client: MexcClient
):
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(mexc_client.resync())

    assert mexc.requests == {("GET", TIME.path): 1}


async def test_a_round_trip_too_slow_to_measure_by_is_no_measurement(transport: Transport):
    clock = FakeClock()

    async def slow(_: Request) -> Reply:
        clock.shift(timedelta(seconds=3))
        return Reply(body=b'{"serverTime":1764000000000}')

    async with serve(slow) as url:
        client = client_of(transport, url, clock=clock)
        with pytest.raises(Unavailable, match="too slow"):
            await client.resync()

    assert not client.time.trusted


async def test_a_reading_knows_when_its_question_left_after_waiting(
    mexc: FakeMexc, transport: Transport, clock: FakeClock
):
    budget = RateLimiter(clock, RateLimits(weight=10))
    client = MexcClient(transport, base_url=mexc.url, clock=clock, budget=budget)
    first = await client.read(TICKER_PRICE, PRICE)

    second = await client.read(TICKER_PRICE, PRICE)

    assert second.asked_at - first.asked_at == timedelta(seconds=10)


async def test_neither_log_nor_error_shows_key_secret_or_signature(
    mexc: FakeMexc,
    mexc_client: MexcClient,
    credentials: Credentials,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    shown = []
    for reply in (
        *(None, BAD_GATEWAY, DROPPED, TRUNCATED, Reply(body=b"<html>"), HTML_401),
        refusal(1, f"{API_KEY} and {API_SECRET} and {'a1' * 32}"),
    ):
        if reply is not None:
            mexc.inject(Fault("GET", ACCOUNT_PATH, reply=reply))
        try:
            await mexc_client.read(ACCOUNT, credentials=credentials)
        except (Unavailable, Rejected) as e:
            shown += [str(e), repr(e), str(e.__cause__), repr(e.__cause__)]
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)

    assert "/api/v3/account" in logged
    assert shown
    for text in (logged, "".join(shown)):
        assert API_KEY not in text
        assert API_SECRET not in text
        assert "signature" not in text
        assert "a1" * 32 not in text


async def test_an_unknown_path_is_a_refusal_in_plain_words(mexc_client: MexcClient):
    with pytest.raises(Rejected, match="404"):
        await mexc_client.read(Endpoint("GET", "/api/v3/nowhere", 1, Priority.CHECK))
