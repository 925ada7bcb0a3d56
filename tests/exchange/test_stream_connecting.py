"""Connecting to MEXC's streams: failing handshakes, proxies, certificates, and no secret in any word."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.domain.streams.trust import Doubt
from engine.errors import NotConnected
from engine.exchanges.mexc import stream as stream_module
from engine.exchanges.mexc.push_messages import ACCOUNT, DEALS
from engine.exchanges.mexc.stream import open_streams
from tests.exchange.streaming import PRIVATE, Away, new_key
from tests.fakes.certificates import self_signed, server_side, trusting
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_connection import Refusal
from tests.fakes.mexc_streams import CUT, NO_ANSWER, FakeMexcStreams
from tests.fakes.raw import Proxy, raw_server, running_proxy


@pytest.mark.parametrize(
    ("handshake", "said", "status"),
    [
        (403, "the handshake was refused", 403),
        (429, "the handshake was refused", 429),
        (200, "the handshake was refused", 200),
        (CUT, "ServerDisconnectedError", None),
        (NO_ANSWER, "TimeoutError", None),
    ],
)
async def test_a_failed_handshake_names_neither_the_address_nor_the_key(
    away: Away,
    monkeypatch: pytest.MonkeyPatch,
    handshake: int,
    said: str,
    status: int | None,
):
    monkeypatch.setattr(stream_module, "_CONNECT_WITHIN_S", 0.05 if handshake < 0 else 5)
    away.streams.handshakes.append(handshake)
    with pytest.raises(NotConnected) as failed:
        await away.connect(new_key(away.mexc))

    assert (str(failed.value), failed.value.status) == (said, status)
    assert failed.value.__suppress_context__
    assert not any(secret in repr(failed.value) for secret in ("127.0", "listenKey"))


@pytest.mark.parametrize("status", [301, 307])
async def test_the_key_goes_to_no_other_address_wherever_a_server_sends_us(
    away: Away, status: int
):
    """Whoever answers in the exchange's place would have it in clear text."""
    async with raw_server(_silence) as elsewhere:

        async def redirect(head: bytes, writer: asyncio.StreamWriter) -> None:
            query = head.split(b" ")[1].partition(b"?")[2]
            writer.write(
                b"HTTP/1.1 %d Elsewhere\r\nLocation: %s/ws?%s\r\nContent-Length: 0\r\n\r\n"
                % (status, elsewhere.url.encode(), query)
            )

        async with (
            raw_server(redirect) as front,
            open_streams(f"{front.url.replace('http', 'ws')}/ws", tls=NO_CERTIFICATES) as session,
        ):
            with pytest.raises(NotConnected, match=r"^the handshake was refused$") as failed:
                await replace(away, session=session).connect(new_key(away.mexc))

        assert failed.value.status == status
        assert elsewhere.connections == 0
        assert len(front.heads) == 1


async def _silence(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_server_that_is_gone_is_not_connected(away: Away):
    await away.streams.stop()
    with pytest.raises(NotConnected, match=r"^ClientConnectorError$"):
        await away.connect(new_key(away.mexc))
    await away.streams.start()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    async with running_proxy() as opened:
        yield opened


@pytest.fixture
async def through(
    mexc: FakeMexc, clock: FakeClock, certificate: Path, proxy: Proxy
) -> AsyncGenerator[Away]:
    """By a proxy that wants a password, to a server whose certificate is ours."""
    async with (
        FakeMexcStreams(mexc, tls=server_side(certificate)) as streams,
        open_streams(
            streams.url,
            proxy=f"http://mexc%40home:p%3Ass@127.0.0.1:{proxy.port}",
            tls=trusting(certificate),
        ) as session,
    ):
        yield Away(mexc, streams, session, clock)


async def test_a_proxy_is_told_who_asks_and_never_the_key(through: Away, proxy: Proxy):
    key = new_key(through.mexc)
    async with through.following(key=key) as followed:
        await followed.stream.subscribe([ACCOUNT])
        await through.streams.until(lambda: bool(followed.acknowledged))
        through.deposit()
        await through.streams.until(lambda: bool(followed.events))
        proxy.cuts_after = 0
        await followed.stream.beat()
        through.clock.shift(timedelta(seconds=15))
        await followed.stream.beat()

        assert await followed.ends() is Doubt.CLOSED

    assert proxy.authorized_as() == "mexc@home:p:ss"
    assert not any(key.encode() in asked for asked in proxy.asked)
    assert "p%3Ass" not in repr(through.session)
    assert "Basic" not in repr(through.session)


async def test_a_half_open_connection_with_tls_is_closed_without_an_answer(
    through: Away, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "_CLOSE_WITHIN_S", 0.05)
    async with through.subscribed() as (followed, connection):
        connection.freeze()
        await followed.stream.end(Doubt.SILENT)

        assert await asyncio.wait_for(followed.run, timeout=1) is Doubt.SILENT


def refuses(proxy: Proxy) -> None:
    proxy.refuses = b"407 No"


def hangs_up(proxy: Proxy) -> None:
    proxy.hangs_up = True


def resets_in_the_handshake(proxy: Proxy) -> None:
    proxy.cuts_after = 100


@pytest.mark.parametrize("fails", [refuses, hangs_up, resets_in_the_handshake])
async def test_a_failing_proxy_is_no_connection_and_tells_no_secret(
    through: Away, proxy: Proxy, caplog: pytest.LogCaptureFixture, fails: Callable[[Proxy], None]
):
    caplog.set_level(logging.DEBUG)
    fails(proxy)
    key = new_key(through.mexc)
    with pytest.raises(NotConnected) as failed:
        await through.connect(key)

    shown = f"{failed.value!r} {told(caplog)}"
    assert failed.value.status is None
    assert not any(secret in shown for secret in (key, "p:ss", "p%3Ass", "home"))


async def test_a_certificate_that_nobody_vouches_for_is_not_connected_to(
    mexc: FakeMexc, clock: FakeClock, certificate: Path
):
    async with (
        FakeMexcStreams(mexc, tls=server_side(certificate)) as streams,
        open_streams(streams.url, tls=NO_CERTIFICATES) as session,
    ):
        with pytest.raises(NotConnected, match=r"^ClientConnectorCertificateError$"):
            await Away(mexc, streams, session, clock).connect(new_key(mexc))

        assert streams.connects == []


def told(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with what does not stand in the text."""
    return " ".join(str(record.__dict__) for record in caplog.records)


async def test_no_log_shows_a_key_whatever_happens(away: Away, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    key = new_key(away.mexc)
    for refusal in (*Refusal, None):
        away.streams.refusals = {DEALS: refusal} if refusal is not None else {}
        async with away.following(key=key) as followed:
            await followed.stream.subscribe(PRIVATE)
            if refusal is not Refusal.TEXT:
                await away.taken()
                away.streams.only.garbage()
                away.streams.only.abort()
            await followed.ends()
    away.streams.handshakes += [403, CUT]
    for _ in range(2):
        with pytest.raises(NotConnected):
            await away.connect(key)

    assert "stream channel refused" in caplog.text
    assert key not in told(caplog)
