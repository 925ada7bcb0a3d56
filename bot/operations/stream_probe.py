"""The probe of `check` for streams: whether MEXC acknowledges a public channel from here. It has no
key, and nothing private is asked for.
"""

import asyncio
import ssl
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.config.library_environment import most_streams
from bot.config.settings import ProcessSettings
from bot.operations.report import ReportLine, fine, look
from engine.clock import Clock
from engine.domain.streams.trust import Doubt, StreamsOff
from engine.errors import NotConnected
from engine.exchanges.mexc.push_messages import BEST_PRICES
from engine.exchanges.mexc.stream import OnAnswer, connected, open_streams

_ABOUT = "streams"
_CHANNEL = f"{BEST_PRICES}@BTCUSDT"
_ANSWER_WITHIN_S = 5
_WITHOUT = "Trading does not need them: without one, an account is checked at its interval."
_OFF = {
    StreamsOff.BY_SETTING: "off: STREAMS=off",
    StreamsOff.BY_ADDRESS: "off: MEXC_API_URL is set, and MEXC_STREAM_URL is not",
}


async def streams(settings: ProcessSettings, clock: Clock, tls: ssl.SSLContext) -> ReportLine:
    """Probe MEXC's streams through the program's own client and proxy."""
    if settings.streams_off is not None:
        return fine(_ABOUT, f"{_OFF[settings.streams_off]}; accounts are checked at intervals")
    if _is_open_to_all(settings.mexc_stream_url):
        says = "MEXC_STREAM_URL is ws://: whoever is between can read the key of each stream"
        return look(_ABOUT, says, "Set it to the wss:// address. Such a key reads an account.")
    where = "through MEXC_PROXY" if settings.mexc_proxy else "from this host"
    began = clock.steady()
    try:
        said = await _asked(settings, clock, tls)
    except NotConnected as e:
        if e.status is None:
            says = f"MEXC's streams cannot be reached {where}"
            return look(_ABOUT, says, f"Look at the network between. {_WITHOUT}")
        says = f"MEXC's streams refuse this server: HTTP {e.status}, {where}"
        return look(_ABOUT, says, f"Move it to another region, or set MEXC_PROXY. {_WITHOUT}")
    if said != _CHANNEL:
        no_answer = f"MEXC's streams can be reached {where} and do not answer"
        refusal = f"MEXC's streams refuse a public channel, asked {where}"
        says = no_answer if said is None else refusal
        return look(_ABOUT, says, f"Run this again in some minutes. {_WITHOUT}")
    took = (clock.steady() - began) // timedelta(milliseconds=1)
    most = most_streams(settings.mexc_streams_per_address)
    return fine(
        _ABOUT, f"MEXC's streams answer {where} in {took} ms; at most {most:,} accounts have one"
    )


async def _asked(settings: ProcessSettings, clock: Clock, tls: ssl.SSLContext) -> str | None:
    """Returns what was answered to a subscription; None if nothing was. Raises NotConnected."""
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with open_streams(settings.mexc_stream_url, proxy=settings.mexc_proxy, tls=tls) as away:
        stream = await connected(
            away,
            listen_key=None,
            clock=clock,
            on_event=lambda _: None,
            on_answer=_into(answer),
        )
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(stream.run())
            await stream.subscribe([_CHANNEL])
            reading.add_done_callback(lambda _: answer.cancel())
            await asyncio.wait([answer], timeout=_ANSWER_WITHIN_S)
            await stream.close()
    return answer.result() if answer.done() and not answer.cancelled() else None


def _is_open_to_all(url: str) -> bool:
    """True if what is sent there leaves this machine in clear text."""
    address = urlsplit(url)
    if address.scheme == "wss" or address.hostname == "localhost":
        return False
    try:
        return not ip_address(address.hostname or "").is_loopback
    except ValueError:
        return True


def _into(answer: "asyncio.Future[str]") -> OnAnswer:
    def answered(_: str, said: str) -> Doubt | None:
        if not answer.done():
            answer.set_result(said)
        return None

    return answered
