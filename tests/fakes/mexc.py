"""A MEXC that speaks HTTP on a real socket, checks signatures, and misbehaves on request.

async with FakeMexc() as fake:
    fake.add_account("key", "secret", USDT="50", MNTL="20000")
    fake.inject(Fault("POST", "/api/v3/order", reply=DROPPED, executes=True))
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from engine.clock import Clock, SystemClock, to_millis
from tests.fakes.http import Reply, Request, serve
from tests.fakes.mexc_books import Account, Funds, Pair, Refused, missing, mntl
from tests.fakes.mexc_faults import DROPPED, Fault, json_reply, next_fault
from tests.fakes.mexc_ledger import Ledger, LedgerOrder
from tests.fakes.mexc_limits import MexcLimits
from tests.fakes.mexc_listen_keys import ListenKeys, uid_of
from tests.fakes.mexc_rows import (
    candle_row,
    level_rows,
    order_row,
    pair_row,
    ticker_row,
    trade_rows,
)

OUR_ADDRESS = "127.0.0.1"
_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_DISTANT_MS = 4_000_000_000_000
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    answer: Callable[[Account, Query], object] | None = None
    public: Callable[[Account | None, Query], object] | None = None
    permission: str | None = None


class FakeMexc:
    """*requests* counts by method and path, *order_posts* each POST of a client order id.

    *limits* are enforced where there are any; they are out of the way in most tests.
    *clock_offset* is how far its clock is ahead of *clock*.
    """

    def __init__(self, clock: Clock | None = None, *, port: int = 0) -> None:
        self._clock = clock or SystemClock()
        self._port = port
        self._stack = AsyncExitStack()
        self._closing = asyncio.Event()
        self._faults: list[Fault] = []
        self.url = ""
        self.limits: MexcLimits | None = None
        self.clock_offset = timedelta()
        self.ledger = Ledger(self.now)
        self.listen_keys = ListenKeys(self.now)
        self.requests: Counter[tuple[str, str]] = Counter()
        self.order_posts: Counter[str] = Counter()
        self.cancelled_says_new = False
        self.seen: list[Request] = []
        self._routes = self._all_routes()
        self.add_pair(mntl())

    async def __aenter__(self) -> Self:
        self.url = await self._stack.enter_async_context(serve(self._handle, port=self._port))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()  # whoever hangs lets go
        await self._stack.aclose()

    @property
    def orders(self) -> list[LedgerOrder]:
        return self.ledger.orders

    def add_pair(self, pair: Pair) -> Pair:
        self.ledger.pairs[pair.symbol] = pair
        return pair

    def add_account(self, api_key: str, api_secret: str, **balances: str) -> Account:
        funds = {asset: Funds(free=Decimal(free)) for asset, free in balances.items()}
        told = self.ledger.journal.moved
        account = Account(api_key=api_key, api_secret=api_secret, funds=funds, told=told)
        self.ledger.accounts[api_key] = account
        return account

    def deposit(self, api_key: str, asset: str, amount: Decimal, *, kind: str = "DEPOSIT") -> None:
        """Or what else *kind* is, as MEXC names it in its account's stream; below zero, it leaves."""
        self.ledger.accounts[api_key].of(asset).move(free=amount, kind=kind)

    def move_price(self, symbol: str, factor: Decimal) -> None:
        self.ledger.pairs[symbol].move(factor)
        self.ledger.fill_crossed(symbol)

    def inject(self, fault: Fault) -> Fault:
        """Faults of one path take effect in the order they were injected."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        self._faults.remove(fault)

    async def _handle(self, request: Request) -> Reply:
        self.requests[request.method, request.path] += 1
        self.seen.append(request)
        if (request.method, request.path) == ("POST", "/api/v3/order"):
            self.order_posts[request.query.get("newClientOrderId", "")] += 1
        if self.limits is not None and (refused := self.limits.judge(request)) is not None:
            return refused
        fault = next_fault(self._faults, request)
        if fault is None:
            return self._answer(request)
        if fault.delay:  # else at once: on a busy machine a mere turn may look like hanging
            await SystemClock().sleep(fault.delay)
        true_answer = None
        if fault.executes or (fault.reply is None and not fault.hang):
            true_answer = self._answer(request)
        if fault.answer_delay:
            await SystemClock().sleep(fault.answer_delay)
        if fault.hang:
            await self._closing.wait()
            return DROPPED
        return fault.reply or true_answer or DROPPED

    def _answer(self, request: Request) -> Reply:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return Reply(status=404, body=b"<html>404</html>", content_type="text/html")
        try:
            return json_reply(self._contents(route, request))
        except Refused as e:
            extend = {"_extend": None} if isinstance(e.code, int) else {}
            return json_reply({"msg": e.message, "code": e.code} | extend, status=e.status)

    def _contents(self, route: _Route, request: Request) -> object:
        if request.headers.get("content-type") != "application/json":
            raise Refused(700013, "Invalid content Type.")
        signed = "signature" in request.query
        if route.public is not None:
            return route.public(self._authenticated(request) if signed else None, request.query)
        account = self._authenticated(request)
        if route.permission is not None and route.permission not in account.permissions:
            raise Refused(700007, "No permission to access the endpoint.")
        return route.answer(account, request.query) if route.answer else {}

    def _authenticated(self, request: Request) -> Account:
        api_key = request.headers.get("x-mexc-apikey")
        if not api_key:
            raise Refused(400, "api key required")
        account = self.ledger.accounts.get(api_key)
        if account is None:
            raise Refused(10072, "Api key info invalid")
        if account.refused is not None:
            raise account.refused
        if account.addresses and OUR_ADDRESS not in account.addresses:
            raise Refused(700006, f"IP [{OUR_ADDRESS}] not in the ip white list")
        signed, found, signature = request.query_string.rpartition("&signature=")
        if not found:
            raise missing("signature")
        total = signed.encode() + request.body
        expected = hmac.digest(account.api_secret.encode(), total, "sha256").hex()
        if not hmac.compare_digest(signature, expected):
            raise Refused(700002, "Signature for this request is not valid.")
        self._check_stamp(request.query)
        return account

    def _check_stamp(self, query: Query) -> None:
        stated, window = query.get("timestamp", ""), query.get("recvWindow", "5000")
        if not stated.isdecimal() or not window.isdecimal():
            raise missing("timestamp")
        if int(window) > 60_000:
            raise Refused(700005, "recvWindow must less than 60000")
        now = self._now_ms()
        if not (int(stated) < now + 1000 and now - int(stated) <= int(window)):
            raise Refused(700003, "Timestamp for this request is outside of the recvWindow.")

    def now(self) -> datetime:
        """By MEXC's clock, which goes on whatever is done to that of the program's host."""
        return self._clock.steady() + self.clock_offset

    def _now_ms(self) -> int:
        return to_millis(self.now())

    def _all_routes(self) -> dict[tuple[str, str], _Route]:
        read, deal = "SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"
        keys, user_data = self.listen_keys, "/api/v3/userDataStream"
        return {
            ("GET", "/api/v3/ping"): _Route(public=lambda _c, _q: {}),
            ("GET", "/api/v3/time"): _Route(public=lambda _c, _q: {"serverTime": self._now_ms()}),
            ("GET", "/api/v3/exchangeInfo"): _Route(public=self._exchange_info),
            ("GET", "/api/v3/depth"): _Route(public=self._depth),
            ("GET", "/api/v3/ticker/price"): _Route(public=self._ticker_price),
            ("GET", "/api/v3/klines"): _Route(public=self._klines),
            ("GET", "/api/v3/ticker/bookTicker"): _Route(public=self._book_ticker),
            ("GET", "/api/v3/account"): _Route(self._account, permission=read),
            ("GET", "/api/v3/apiKeyInfo"): _Route(self._key_info),
            ("GET", "/api/v3/uid"): _Route(self._uid, permission=read),
            ("GET", "/api/v3/tradeFee"): _Route(self._trade_fee, permission=read),
            ("POST", "/api/v3/order"): _Route(self._place, permission="SPOT_DEAL_WRITE"),
            ("POST", "/api/v3/order/test"): _Route(self._test, permission="SPOT_DEAL_WRITE"),
            ("GET", "/api/v3/order"): _Route(self._order, permission=deal),
            ("GET", "/api/v3/myTrades"): _Route(self._my_trades, permission=deal),
            ("DELETE", "/api/v3/order"): _Route(self._cancel, permission="SPOT_DEAL_WRITE"),
            ("GET", "/api/v3/openOrders"): _Route(self._open_orders, permission=deal),
            ("GET", "/api/v3/allOrders"): _Route(self._all_orders, permission=deal),
            ("POST", user_data): _Route(keys.make, permission=read),
            ("PUT", user_data): _Route(keys.extend, permission=read),
            ("GET", user_data): _Route(keys.list, permission=read),
            ("DELETE", user_data): _Route(keys.delete, permission=read),
        }

    def _exchange_info(self, caller: Account | None, query: Query) -> object:
        listed = []
        for symbol in [query["symbol"]] if "symbol" in query else list(self.ledger.pairs):
            try:
                listed.append(pair_row(self.ledger.pair(symbol, caller)))
            except Refused:
                continue  # a pair that is hidden or unknown is simply not listed
        return {
            "timezone": "CST",
            "serverTime": self._now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": listed,
        }

    def _depth(self, caller: Account | None, query: Query) -> object:
        pair = self.ledger.pair(query.get("symbol"), caller)
        limit = int(query.get("limit", "100"))
        return {
            "lastUpdateId": pair.update_ids.pop(0) if pair.update_ids else 20453289489,
            "bids": level_rows(self.ledger.levels(pair, "BUY")[:limit]),
            "asks": level_rows(self.ledger.levels(pair, "SELL")[:limit]),
            "timestamp": self._now_ms(),
        }

    def _ticker_price(self, caller: Account | None, query: Query) -> object:
        pair = self.ledger.pair(query.get("symbol"), caller)
        return {"symbol": pair.symbol, "price": f"{pair.last:f}"}

    def _klines(self, caller: Account | None, query: Query) -> object:
        """The end is exclusive, the last candle may be open, and no page has more than 500."""
        pair = self.ledger.pair(query.get("symbol"), caller)
        if query.get("interval") != "60m":
            raise Refused(-1121, "Invalid interval.")
        start, end = int(query["startTime"]), min(int(query["endTime"]), self._now_ms())
        first = -(-start // _HOUR_MS) * _HOUR_MS
        limit = min(int(query.get("limit", "500")), 500)
        return [candle_row(pair, at) for at in range(first, end, _HOUR_MS)][:limit]

    def _book_ticker(self, caller: Account | None, query: Query) -> object:
        """Of all pairs that *caller* may see where none is named; a list then."""
        if "symbol" in query:
            return ticker_row(self.ledger, self.ledger.pair(query["symbol"], caller))
        shown = []
        for symbol in self.ledger.pairs:
            with suppress(Refused):
                shown.append(ticker_row(self.ledger, self.ledger.pair(symbol, caller)))
        return shown

    def _account(self, account: Account, _: Query) -> object:
        return {
            "makerCommission": None,
            "takerCommission": None,
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "permissions": ["SPOT"],
            "balances": [
                {
                    "asset": asset,
                    "free": f"{funds.free:f}",
                    "locked": f"{funds.locked:f}",
                    "available": f"{funds.free:f}",
                }
                for asset, funds in self.ledger.balances(account).items()
                if funds.free or funds.locked
            ],
        }

    def _key_info(self, account: Account, query: Query) -> object:
        if query.get("accessKey") != account.api_key:
            raise missing("accessKey")
        return {
            "note": "ballast",
            "accessKey": account.api_key,
            "status": account.key_status,
            "createTime": "2026-09-14T18:53:36.000+00:00",
            "permissions": ",".join(sorted(account.permissions)),
            "remainingValidity": account.days_left,
            "ipWhiteList": ",".join(account.addresses),
        }

    def _uid(self, account: Account, _: Query) -> object:
        return {"uid": account.uid or uid_of(account)}

    def _trade_fee(self, account: Account, query: Query) -> object:
        pair = self.ledger.pair(query.get("symbol"), account)
        return {
            "data": {"makerCommission": 0, "takerCommission": float(pair.taker_fee)},
            "code": 0,
            "msg": "success",
            "timestamp": self._now_ms(),
        }

    def _place(self, account: Account, query: Query) -> object:
        order = self.ledger.place(account, query)
        row = order_row(order)
        shown = ("symbol", "orderId", "orderListId", "price", "origQty", "type", "side")
        return {name: row[name] for name in shown} | {"transactTime": to_millis(order.at)}

    def _cancel(self, account: Account, query: Query) -> object:
        """Without the status, as the real answer; *cancelled_says_new*: with the status of before."""
        pair = self.ledger.pair(query.get("symbol"), account)
        client_id, order_id = query.get("origClientOrderId"), query.get("orderId")
        if not client_id and not order_id:
            raise missing("orderId")
        order = self.ledger.cancel(account, client_id=client_id, order_id=order_id)
        row = order_row(order)
        shown = ("orderId", "price", "origQty", "type", "side")
        says = {"status": "NEW"} if self.cancelled_says_new else {}
        return {"symbol": pair.symbol} | {name: row[name] for name in shown} | says

    def _open_orders(self, account: Account, query: Query) -> object:
        """Of all pairs where none is named."""
        return [
            order_row(order)
            for order in self.orders
            if order.api_key == account.api_key
            and order.left
            and self.ledger.is_visible(order)
            and query.get("symbol") in (None, order.symbol)
        ]

    def _test(self, account: Account, query: Query) -> object:
        self.ledger.check(account, query)
        return {}

    def _order(self, account: Account, query: Query) -> object:
        self.ledger.pair(query.get("symbol"), account)
        client_id, order_id = query.get("origClientOrderId"), query.get("orderId")
        if not client_id and not order_id:
            raise missing("orderId")
        return order_row(self.ledger.find(account, client_id=client_id, order_id=order_id))

    def _all_orders(self, account: Account, query: Query) -> object:
        """At most *limit*, in a window that must not begin more than seven days ago."""
        now = self._now_ms()
        start, end = int(query.get("startTime", now - _DAY_MS)), int(query.get("endTime", now))
        if start < now - 7 * _DAY_MS:
            raise Refused(33333, "param error")
        found = [order_row(order) for order in self._visible(account, query)]
        inside = [row for row in found if start <= row["time"] <= end]
        return inside[: int(query.get("limit", "500"))]

    def _my_trades(self, account: Account, query: Query) -> object:
        """The newest of the window, newest first, and never more than a page."""
        wanted = query.get("orderId")
        start, end = int(query.get("startTime", "0")), int(query.get("endTime", _DISTANT_MS))
        found = [
            row
            for order in self._visible(account, query)
            if wanted in (None, order.order_id)
            for row in trade_rows(order)[: self.ledger.fills_shown]
            if start <= row["time"] <= end
        ]
        newest_first = sorted(found, key=lambda row: row["time"], reverse=True)
        return newest_first[: min(int(query.get("limit", "100")), 100)]

    def _visible(self, account: Account, query: Query) -> list[LedgerOrder]:
        pair = self.ledger.pair(query.get("symbol"), account)
        return [
            order
            for order in self.orders
            if (order.api_key, order.symbol) == (account.api_key, pair.symbol)
            and self.ledger.is_visible(order)
        ]
