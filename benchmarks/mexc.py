"""A MEXC that answers quickly, for any key: `python -m benchmarks.mexc [--delay S] [--enforce] [--streams PEM]`.

Its ledger is true (an order changes the balances, a look-up finds it), its errors are only those
of the limits. (The tests' fake checks far more, and costs more than the clients that ask it.)

    /_/seen    every request since the last time this was asked: [seconds, method and path, key]
    /_/counts  how many requests so far, by method and path
    /_/limits  the weight that was let through, and how many requests were refused
    /_/streams  where `benchmarks/mexc_streams.py` serves beside it
    /_/drift?key=K&usdt=5    money comes or goes, and is told; when it was
    /_/hold?key=K&USDT=220&T0=5000    what the key holds; T0 to T2499 are tokens at MNTL's price
"""

import argparse
import json
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.mexc_streams import Streams, balance_frame, deal_frames, listen_key, started
from benchmarks.serving import Answer, Request, serve_forever

SYMBOL = "MNTLUSDT"
ACCOUNT, ORDER, DEPTH = "GET /api/v3/account", "POST /api/v3/order", "GET /api/v3/depth"
_ASK, _BID, _FEE = Decimal("0.002002"), Decimal("0.001998"), Decimal("0.0005")
_PLACES = Decimal("0.00000001")
# The 2026 figures: weight per 10 s and address, orders and account reads per second and key.
ADDRESS_LIMIT, ADDRESS_WINDOW_S = 300, 10.0
ORDERS_PER_S, READS_PER_S = 12, 2
WEIGHTS = {
    ACCOUNT: 10,
    "GET /api/v3/order": 2,
    "GET /api/v3/allOrders": 10,
    "GET /api/v3/myTrades": 10,
    "GET /api/v3/exchangeInfo": 25,
    DEPTH: 3,
    "GET /api/v3/openOrders": 3,
    "GET /api/v3/ticker/price": 10,
    "GET /api/v3/ticker/bookTicker": 10,
    "GET /api/v3/ticker/24hr": 25,
    "GET /api/v3/tradeFee": 20,
}
_LISTED_PAIRS = 2500  # what a client that loads all markets gets
_OTHER_ASSETS = 18


class Window:
    """At most *limit* in any *seconds*; what is refused does not count."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit, self._seconds = limit, seconds
        self._taken: deque[tuple[float, int]] = deque()
        self._used = 0

    def takes(self, weight: int, *, now: float) -> bool:
        while self._taken and self._taken[0][0] <= now - self._seconds:
            self._used -= self._taken.popleft()[1]
        if self._used + weight > self._limit:
            return False
        self._taken.append((now, weight))
        self._used += weight
        return True


@dataclass(slots=True)
class _Purse:
    held: dict[str, Decimal] = field(
        default_factory=lambda: {"USDT": Decimal(40), "MNTL": Decimal(100_000)}
    )


class Mexc:
    def __init__(self, *, delay: float, enforce: bool) -> None:
        self._delay = delay
        self._enforce = enforce
        self._streams, self._streams_url = Streams(), ""
        self._purses: defaultdict[str, _Purse] = defaultdict(_Purse)
        self._orders: dict[str, dict[str, Any]] = {}
        self._trades: dict[str, dict[str, Any]] = {}
        self._seen: list[tuple[float, str, str]] = []
        self._counts: Counter[str] = Counter()
        self._address = Window(ADDRESS_LIMIT, ADDRESS_WINDOW_S)
        self._by_key: dict[tuple[str, str], Window] = {}
        self._weight, self._refused = 0, 0
        rest = [_balance(f"AST{n}", Decimal("1.5")) for n in range(_OTHER_ASSETS)]
        self._rest = ",".join(map(json.dumps, rest)).encode()
        others = [_pair(f"T{n}") for n in range(_LISTED_PAIRS)]
        self._all_pairs = _listing([_pair("MNTL"), *others])
        levels = [[f"{_ASK:f}", "9000000"]], [[f"{_BID:f}", "9000000"]]
        book = {"lastUpdateId": 1, "asks": levels[0], "bids": levels[1]}
        self._always = {
            DEPTH: json.dumps(book).encode(),
            "GET /api/v3/ping": b"{}",
            "PUT /api/v3/userDataStream": b"{}",
            "DELETE /api/v3/userDataStream": b"{}",
            "POST /api/v3/order/test": b"{}",
            "GET /api/v3/openOrders": b"[]",
            "GET /api/v3/ticker/bookTicker": _tickers(),
            "GET /api/v3/ticker/24hr": _tickers(lastPrice=f"{_BID:f}", closeTime=_millis()),
            "GET /api/v3/ticker/price": b'{"symbol":"%s","price":"%s"}'
            % (SYMBOL.encode(), f"{_BID:f}".encode()),
            "GET /api/v3/capital/config/getall": b"[]",
            "GET /api/v1/contract/detail": b'{"success":true,"code":0,"data":[]}',
        }

    async def stream(self, certificate: Path) -> None:
        """Tell what happens from now on."""
        self._streams_url = await started(self._streams, certificate)

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/_/"):
            return Answer(json.dumps(self._confide(request)).encode())
        now, what = time.monotonic(), f"{request.method} {request.path}"
        key = request.headers.get("x-mexc-apikey", "")
        self._seen.append((now, what, key))
        self._counts[what] += 1
        if self._enforce and not self._has_room(what, key, now=now):
            self._refused += 1
            body = b'{"code":429,"msg":"Too many requests"}'
            return Answer(body, status=429, delay=self._delay, headers={"Retry-After": "10"})
        found = self._contents(what, key, request.query)
        if found is None:
            return Answer(b'{"code":404,"msg":"Not found"}', status=404, delay=self._delay)
        return Answer(found, delay=self._delay)

    def _has_room(self, what: str, key: str, *, now: float) -> bool:
        per_second = {ORDER: ORDERS_PER_S, ACCOUNT: READS_PER_S}.get(what)
        if per_second is not None:
            window = self._by_key.setdefault((what, key), Window(per_second, 1.0))
            if not window.takes(1, now=now):
                return False
        weight = WEIGHTS.get(what, 1)
        if not self._address.takes(weight, now=now):
            return False
        self._weight += weight
        return True

    def _contents(self, what: str, key: str, query: dict[str, str]) -> bytes | None:  # noqa: PLR0911 - a list
        match what:
            case "GET /api/v3/account":
                return self._account(self._purses[key])
            case "GET /api/v3/time":
                return b'{"serverTime":%d}' % _millis()
            case "GET /api/v3/exchangeInfo":
                symbol = query.get("symbol")
                return _listing([_pair(_base(symbol))]) if symbol else self._all_pairs
            case "POST /api/v3/order":
                return json.dumps(self._place(key, query)).encode()
            case "GET /api/v3/order":
                known = query.get("origClientOrderId") or query.get("orderId", "")
                return json.dumps(self._orders[known]).encode()
            case "GET /api/v3/myTrades":
                return json.dumps([self._trades[query["orderId"]]]).encode()
            case "GET /api/v3/apiKeyInfo":
                return json.dumps(_key_info(key)).encode()
            case "POST /api/v3/userDataStream":
                return json.dumps({"listenKey": listen_key(key)}).encode()
            case _:
                return self._always.get(what)

    def _account(self, purse: _Purse) -> bytes:
        ours = [_balance(asset, free) for asset, free in purse.held.items()]
        return (
            b'{"canTrade":true,"canWithdraw":true,"canDeposit":true,"updateTime":null,'
            b'"accountType":"SPOT","permissions":["SPOT"],"balances":[%s,%s]}'
            % (",".join(map(json.dumps, ours)).encode(), self._rest)
        )

    def _place(self, key: str, query: dict[str, str]) -> dict[str, Any]:
        symbol, is_buy = query["symbol"], query["side"] == "BUY"
        price = _ASK if is_buy else _BID  # whatever the order's own: all of it is offered there
        if "quantity" in query:
            base = Decimal(query["quantity"])
        else:
            base = (Decimal(query["quoteOrderQty"]) / price).quantize(Decimal(1), "ROUND_DOWN")
        fee = base * price * _FEE
        order_id, client_id = f"C02__{len(self._trades)}", query.get("newClientOrderId")
        common = {"symbol": symbol, "orderId": order_id, "clientOrderId": client_id}
        row = common | {
            "price": f"{price:f}",
            "origQty": f"{base:f}",
            "executedQty": f"{base:f}",
            "cummulativeQuoteQty": f"{base * price:f}",
            "status": "FILLED",
            "type": query["type"],
            "side": query["side"],
            "time": _millis(),
            "updateTime": _millis(),
        }
        self._orders[order_id] = self._orders[client_id or order_id] = row
        self._trades[order_id] = common | {
            "id": f"{order_id}X",
            "price": f"{price:f}",
            "qty": f"{base:f}",
            "quoteQty": f"{base * price:f}",
            "commission": f"{fee.quantize(_PLACES):f}",
            "commissionAsset": "USDT",
            "time": _millis(),
            "isBuyer": is_buy,
        }
        self._add(key, "USDT", (-base if is_buy else base) * price - fee, "ENTRUST")
        self._add(key, _base(symbol), base if is_buy else -base, "ENTRUST")
        if self._streams_url:
            self._streams.tell(key, deal_frames(row, self._trades[order_id]))
        return row

    def _add(self, key: str, asset: str, amount: Decimal, kind: str) -> None:
        held = self._purses[key].held
        held[asset] = held.get(asset, Decimal(0)) + amount
        if self._streams_url:
            self._streams.tell(key, [balance_frame(asset, held[asset], amount, kind)])

    def _confide(self, request: Request) -> object:  # noqa: PLR0911 - a list
        match request.path.removeprefix("/_/"):
            case "seen":
                seen, self._seen = self._seen, []
                return seen
            case "counts":
                return self._counts
            case "limits":
                return {"weight": self._weight, "refused": self._refused}
            case "drift":
                amount = Decimal(request.query["usdt"])
                self._add(request.query["key"], "USDT", amount, "DEPOSIT")
                return time.monotonic()
            case "streams":
                return self._streams_url
            case "hold":
                held = {k: Decimal(v) for k, v in request.query.items() if k != "key"}
                self._purses[request.query["key"]].held = held
                return {}
            case _:
                return {}


def _balance(asset: str, free: Decimal) -> dict[str, str]:
    return {"asset": asset, "free": f"{free:f}", "locked": "0", "available": f"{free:f}"}


def _pair(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "status": "1",
        "fullName": base,
        "baseAsset": base,
        "baseAssetPrecision": 0,
        "quoteAsset": "USDT",
        "quotePrecision": 6,
        "quoteAssetPrecision": 6,
        "baseCommissionPrecision": 2,
        "quoteCommissionPrecision": 5,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": "1",
        "baseSizePrecision": "0",
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": "2000000",
        "makerCommission": "0",
        "takerCommission": f"{_FEE:f}",
        "quoteAmountPrecisionMarket": "1",
        "maxQuoteAmountMarket": "100000",
        "tradeSideType": 1,
        "st": False,
    }


def _base(symbol: str) -> str:
    return symbol.removesuffix("USDT")


def _tickers(**more: object) -> bytes:
    prices = {
        "bidPrice": f"{_BID:f}",
        "askPrice": f"{_ASK:f}",
        "bidQty": "9000000",
        "askQty": "9000000",
    }
    bases = ["MNTL", *(f"T{n}" for n in range(_LISTED_PAIRS))]
    return json.dumps([{"symbol": f"{base}USDT", **prices, **more} for base in bases]).encode()


def _listing(pairs: list[dict[str, Any]]) -> bytes:
    return json.dumps({"timezone": "CST", "rateLimits": [], "symbols": pairs}).encode()


def _key_info(key: str) -> dict[str, Any]:
    return {
        "accessKey": key,
        "status": 1,
        "permissions": "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,SPOT_DEAL_WRITE",
        "remainingValidity": 80,
        "ipWhiteList": "",
    }


def _millis() -> int:
    return int(time.time() * 1000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--enforce", action="store_true")
    parser.add_argument("--streams", type=Path, help="the file with its certificate")
    chosen = parser.parse_args()
    mexc = Mexc(delay=chosen.delay, enforce=chosen.enforce)
    if chosen.streams:
        serve_forever(mexc.answer, first=lambda: mexc.stream(chosen.streams))
    else:
        serve_forever(mexc.answer)
