"""The fake MEXC itself: what other tests rely on it to check."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from engine.clock import SystemClock, to_millis
from engine.exchanges.mexc.signing import PUBLIC_HEADERS, headers_for, signed_query
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault

JSON = dict(PUBLIC_HEADERS)
MNTLUSDT = {"symbol": "MNTLUSDT"}


class Caller:
    """Speaks to the fake as MEXC's documentation says, or otherwise if told so."""

    def __init__(self, fake: FakeMexc, http: httpx.AsyncClient, clock: FakeClock) -> None:
        self._fake = fake
        self._http = http
        self._clock = clock
        self.credentials = Credentials(API_KEY, fake.ledger.accounts[API_KEY].api_secret)

    async def call(
        self, method: str, path: str, params: Mapping[str, str] = MNTLUSDT, *, window: int = 5000
    ):
        query = signed_query(
            list(params.items()),
            credentials=self.credentials,
            timestamp_ms=to_millis(self._clock.now()),
            recv_window_ms=window,
        )
        return await self.raw(method, f"{path}?{query}", headers_for(self.credentials))

    async def raw(self, method: str, target: str, headers):
        response = await self._http.request(
            method, f"{self._fake.url}/api/v3/{target}", headers=headers
        )
        return response.json()


@pytest.fixture
def caller(mexc: FakeMexc, http: httpx.AsyncClient, clock: FakeClock) -> Caller:
    return Caller(mexc, http, clock)


async def test_it_answers_what_needs_no_key(caller: Caller, clock: FakeClock):
    book_ticker = await caller.raw("GET", "ticker/bookTicker?symbol=MNTLUSDT", JSON)

    assert await caller.raw("GET", "ping", JSON) == {}
    assert await caller.raw("GET", "time", JSON) == {"serverTime": to_millis(clock.now())}
    assert len((await caller.raw("GET", "exchangeInfo", JSON))["symbols"]) == 1
    assert (book_ticker["bidPrice"], book_ticker["askPrice"]) == ("0.0019980", "0.0020020")


async def test_an_empty_side_of_the_book_is_shown_empty(mexc: FakeMexc, caller: Caller):
    mexc.ledger.pairs["MNTLUSDT"].bids = []
    ticker = await caller.raw("GET", "ticker/bookTicker?symbol=MNTLUSDT", JSON)

    assert (ticker["bidPrice"], ticker["bidQty"]) == ("", "")


async def test_it_answers_what_needs_a_key(caller: Caller):
    order = await caller.call(
        "POST", "order", MNTLUSDT | {"side": "BUY", "type": "MARKET", "quoteOrderQty": "10"}
    )
    shown = await caller.call("GET", "order", MNTLUSDT | {"orderId": order["orderId"]})
    fee = await caller.call("GET", "tradeFee")

    assert (shown["status"], shown["clientOrderId"]) == ("FILLED", None)
    assert shown["price"] == "0.0021000"
    assert await caller.call("GET", "allOrders") == [shown]
    assert await caller.call("GET", "openOrders") == []
    assert len(await caller.call("GET", "myTrades")) == 1
    assert fee["data"]["takerCommission"] == 0.0005


LIMIT_BUY = MNTLUSDT | {"side": "BUY", "type": "LIMIT", "quantity": "5000", "price": "0.0019"}


async def test_a_limit_order_rests_whatever_its_time_in_force(mexc: FakeMexc, caller: Caller):
    placed = await caller.call("POST", "order", LIMIT_BUY | {"timeInForce": "IOC"})
    shown = await caller.call("GET", "order", MNTLUSDT | {"orderId": placed["orderId"]})
    depth = await caller.raw("GET", "depth?symbol=MNTLUSDT", JSON)

    assert (shown["status"], shown["type"], shown["timeInForce"]) == ("NEW", "LIMIT", None)
    assert await caller.call("GET", "openOrders") == [shown]
    assert ["0.0019000", "5000"] in depth["bids"]


async def test_a_resting_order_is_filled_as_a_maker_once_the_price_comes_to_it(
    mexc: FakeMexc, caller: Caller
):
    placed = await caller.call("POST", "order", LIMIT_BUY)
    mexc.ledger.fill(mexc.orders[0], Decimal(1000))
    mexc.move_price("MNTLUSDT", Decimal("0.94"))
    shown = await caller.call("GET", "order", MNTLUSDT | {"orderId": placed["orderId"]})
    trades = await caller.call("GET", "myTrades")
    refused = await caller.call("DELETE", "order", MNTLUSDT | {"orderId": placed["orderId"]})

    assert (shown["status"], shown["cummulativeQuoteQty"]) == ("FILLED", "9.5000000")
    assert [(row["qty"], row["isMaker"]) for row in trades] == [("4000", True), ("1000", True)]
    assert refused["code"] == -2011
    assert mexc.ledger.accounts[API_KEY].of("USDT").locked == 0


async def test_a_price_out_of_the_band_is_refused(mexc: FakeMexc, caller: Caller):
    mexc.ledger.pairs["MNTLUSDT"].price_band = Decimal("0.01")

    assert (await caller.call("POST", "order", LIMIT_BUY))["code"] == 30087


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("GET", "order", {"symbol": "MNTLUSDT"}, 700004),
        ("GET", "order", {"origClientOrderId": "x"}, 700004),
        ("GET", "order", {"symbol": "MNTLUSDT", "orderId": "x"}, -2013),
        ("GET", "apiKeyInfo", {"accessKey": "other"}, 700004),
        ("POST", "order", {"symbol": "MNTLUSDT", "newClientOrderId": "a" * 33}, 700008),
        ("POST", "order", {"symbol": "MNTLUSDT", "newClientOrderId": "a b"}, 700008),
        ("POST", "order", {"symbol": "MNTLUSDT"}, 700004),
        ("POST", "order", {"symbol": "MNTLUSDT", "side": "BUY"}, 700004),
        ("POST", "order", {"symbol": "MNTLUSDT", "side": "BUY", "type": "FILL_OR_KILL"}, 30041),
        ("POST", "order", {"symbol": "MNTLUSDT", "side": "BUY", "type": "LIMIT"}, 700004),
        ("DELETE", "order", {"symbol": "MNTLUSDT"}, 700004),
        ("DELETE", "order", {"symbol": "MNTLUSDT", "orderId": "x"}, -2011),
        ("POST", "order", {"symbol": "MNTLUSDT", "side": "BUY", "type": "MARKET"}, 700004),
        (
            "POST",
            "order",
            {"symbol": "MNTLUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "1E+1"},
            33333,
        ),
        (
            "POST",
            "order",
            {"symbol": "MNTLUSDT", "side": "SELL", "type": "MARKET", "quantity": "0"},
            400,
        ),
    ],
    ids=range(15),
)
async def test_it_refuses_what_mexc_refuses(
    caller: Caller, method: str, path: str, params: dict[str, str], code: int
):
    assert (await caller.call(method, path, params))["code"] == code


async def test_it_checks_key_content_type_stamp_and_signature(caller: Caller, clock: FakeClock):
    headers = headers_for(caller.credentials)
    now = to_millis(clock.now())

    assert (await caller.raw("GET", "account", {}))["code"] == 700013
    assert (await caller.raw("GET", "account", JSON))["code"] == 400
    assert (await caller.raw("GET", f"account?timestamp={now}", headers))["code"] == 700004
    assert (await caller.raw("GET", "account?a=1&signature=00", headers))["code"] == 700002
    assert (await caller.call("GET", "account", window=60_001))["code"] == 700005
    unstamped = signed_query([], credentials=caller.credentials, timestamp_ms=-1)
    assert (await caller.raw("GET", f"account?{unstamped}", headers))["code"] == 700004


@pytest.mark.parametrize(
    ("ahead_ms", "accepted"), [(999, True), (1000, False), (-5000, True), (-5001, False)]
)
async def test_it_takes_stamps_only_within_the_window(
    mexc: FakeMexc, caller: Caller, ahead_ms: int, accepted: bool
):
    mexc.clock_offset = -timedelta(milliseconds=ahead_ms)
    answer = await caller.call("GET", "account")

    assert ("balances" in answer) is accepted
    assert accepted or answer["code"] == 700003


async def test_a_fault_lasts_as_often_as_it_was_told_or_until_it_is_removed(
    mexc: FakeMexc, http: httpx.AsyncClient
):
    async def status() -> int:
        return (await http.get(f"{mexc.url}/api/v3/ping", headers=JSON)).status_code

    mexc.inject(Fault("GET", "/api/v3/ping", reply=BAD_GATEWAY, times=2))
    counted = [await status() for _ in range(3)]
    lasting = mexc.inject(Fault("GET", "/api/v3/ping", reply=BAD_GATEWAY, times=None))
    lasted = [await status() for _ in range(3)]
    mexc.remove(lasting)

    assert counted == [502, 502, 200]
    assert lasted == [502] * 3
    assert await status() == 200


async def test_it_keeps_real_time_unless_told_otherwise(http: httpx.AsyncClient):
    async with FakeMexc() as fake:
        stated = (await http.get(f"{fake.url}/api/v3/time", headers=JSON)).json()

    assert abs(stated["serverTime"] - to_millis(SystemClock().now())) < 5000


USER_DATA = "userDataStream"


async def test_a_listen_key_lasts_an_hour_from_when_it_was_made_or_extended(
    mexc: FakeMexc, caller: Caller, clock: FakeClock
):
    made = await caller.call("POST", USER_DATA, {})
    clock.shift(timedelta(minutes=59))
    extended = await caller.call("PUT", USER_DATA, made)
    clock.shift(timedelta(minutes=59))
    listed = await caller.call("GET", USER_DATA, {})
    clock.shift(timedelta(minutes=1))
    late = await caller.call("PUT", USER_DATA, made)

    assert re.fullmatch("[0-9a-f]{64}", made["listenKey"])
    assert extended == made
    assert listed == {"listenKey": [made["listenKey"]], "total": 1, "available": 59}
    assert late == {"code": "730708", "msg": "listen key information error"}
    assert mexc.listen_keys.put_ages == [timedelta(minutes=59)]
    assert mexc.listen_keys.of(API_KEY) == []


async def test_an_account_has_sixty_listen_keys_and_another_account_none_of_them(
    mexc: FakeMexc, caller: Caller
):
    made = [await caller.call("POST", USER_DATA, {}) for _ in range(61)]
    gone = await caller.call("DELETE", USER_DATA, made[0])
    mexc.add_account("other", caller.credentials.api_secret)
    caller.credentials = Credentials("other", caller.credentials.api_secret)
    theirs = await caller.call("DELETE", USER_DATA, made[1])

    assert len({key["listenKey"] for key in made[:60]}) == 60
    assert made[60]["code"] == 400
    assert gone == made[0]
    assert theirs["code"] == "730708"
    assert mexc.listen_keys.made == 60
    assert len(mexc.listen_keys.of(API_KEY)) == 59


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
async def test_listen_keys_are_for_signed_requests_with_the_right_to_read(
    mexc: FakeMexc, caller: Caller, method: str
):
    made = await caller.call("POST", USER_DATA, {})
    unsigned = await caller.raw(
        method, f"{USER_DATA}?listenKey={made['listenKey']}", headers_for(caller.credentials)
    )
    mexc.ledger.accounts[API_KEY].permissions = frozenset({"SPOT_DEAL_READ"})

    assert unsigned["code"] == 700004
    assert (await caller.call(method, USER_DATA, made))["code"] == 700007
