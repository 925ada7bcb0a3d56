"""Every request to the exchange is counted by how it ended and how long it took, and by nothing else."""

from datetime import timedelta

import pytest

from engine.clock import SystemClock
from engine.errors import EngineError
from engine.exchanges.mexc import endpoints
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.endpoints import TICKER_PRICE, Endpoint
from engine.exchanges.request_stats import RequestOutcome, ending_of
from tests.exchange.test_mexc_client import client_of
from tests.fakes.http import Reply
from tests.fakes.metrics import value_of
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, refusal

ADDRESS = (TICKER_PRICE.method, TICKER_PRICE.path)


@pytest.mark.parametrize(
    ("reply", "ending"),
    [
        (None, RequestOutcome.OK),
        (BAD_GATEWAY, RequestOutcome.SERVER_ERROR),
        (DROPPED, RequestOutcome.NO_ANSWER),
        (refusal(30000), RequestOutcome.REFUSED),
        (refusal(1, status=403), RequestOutcome.WAF),
        (refusal(1, status=418), RequestOutcome.BANNED),
        (refusal(1, status=429), RequestOutcome.TOO_MANY),
    ],
    ids=str,
)
async def test_each_ending_is_counted_once(reply: Reply | None, ending: RequestOutcome):
    async with FakeMexc() as mexc, open_transport() as transport:
        if reply is not None:
            mexc.inject(Fault(*ADDRESS, reply=reply))
        mexc_client = client_of(transport, mexc.url)
        try:
            await mexc_client.read(TICKER_PRICE, [("symbol", "MNTLUSDT")])
        except EngineError:
            assert ending is not RequestOutcome.OK
    traffic = mexc_client.traffic

    assert {e: value_of(traffic.ended, *ADDRESS, e.value) for e in RequestOutcome} == {
        e: e is ending for e in RequestOutcome
    }
    assert value_of(traffic.took, *ADDRESS, part="_count") == 1
    assert value_of(traffic.took, *ADDRESS, part="_sum") > 0


async def test_what_never_left_took_no_time():
    async with FakeMexc() as mexc:
        url = mexc.url
    async with open_transport() as transport:
        mexc_client = client_of(transport, url)
        with pytest.raises(EngineError):
            await mexc_client.read(TICKER_PRICE)

    assert value_of(mexc_client.traffic.ended, *ADDRESS, "never_left") == 1
    assert value_of(mexc_client.traffic.took, *ADDRESS, part="_count") == 0


async def test_a_request_without_an_end_is_counted_with_the_time_it_was_waited_for():
    patience = timedelta(seconds=0.1)
    async with FakeMexc() as mexc, open_transport(time_limit=patience) as transport:
        mexc.inject(Fault(*ADDRESS, hang=True))
        mexc_client = client_of(transport, mexc.url, clock=SystemClock())
        with pytest.raises(EngineError):
            await mexc_client.read(TICKER_PRICE)

    assert value_of(mexc_client.traffic.ended, *ADDRESS, "no_answer") == 1
    took_s = value_of(mexc_client.traffic.took, *ADDRESS, part="_sum")
    assert took_s >= patience.total_seconds()


def test_a_status_that_nobody_expects_is_a_refusal():
    for status in ("301", "404", "451"):
        assert ending_of(status) is RequestOutcome.REFUSED


def test_endpoints_are_a_handful_and_hold_nothing_of_a_person():
    known = [e for e in vars(endpoints).values() if isinstance(e, Endpoint)]

    assert 5 < len(known) < 30
    assert all(e.path.startswith("/api/v3/") and "?" not in e.path for e in known)
