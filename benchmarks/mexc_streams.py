"""MEXC's streams, to as many connections as want them, over TLS: `python -m benchmarks.mexc_streams PEM`.

Every channel is subscribed, every PING answered. With `benchmarks/mexc.py --streams PEM` they tell of
its ledger, and it gives out the listen keys.

    /_/where   the streams' address
    /_/counts  how many connections stand, subscribed; how many were made in all, the most within a second
    /_/cut     all connections end
    /_/flood?key=K&frames=5000&a_second=5000    of the API key's USDT, always another amount
"""

import argparse
import asyncio
import hashlib
import json
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.certificates import server_side
from tests.fakes.mexc_push_encoder import pushed
from tests.fakes.mexc_pushes import ACCOUNT, DEALS, ORDERS

_BURSTS_A_SECOND = 100


def listen_key(api_key: str) -> str:
    return hashlib.sha256(api_key.encode()).hexdigest()


class Streams:
    """*address* is known once it serves."""

    def __init__(self) -> None:
        self.address = ""
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._subscribed: set[web.WebSocketResponse] = set()
        self._begun: list[float] = []
        self._telling: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        self._begun.append(time.monotonic())
        await socket.prepare(request)
        self._open[socket] = request
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(self._answer(socket, json.loads(message.data)))
        finally:
            del self._open[socket]
            self._subscribed.discard(socket)
        return socket

    async def where(self, _: web.Request) -> web.Response:
        return web.json_response(self.address)

    async def counts(self, _: web.Request) -> web.Response:
        begun = self._begun
        most = max((bisect_left(begun, at + 1) - n for n, at in enumerate(begun)), default=0)
        return web.json_response(
            {
                "standing": len(self._open),
                "subscribed": len(self._subscribed),
                "made": len(begun),
                "most_a_second": most,
            }
        )

    async def cut(self, _: web.Request) -> web.Response:
        for request in [*self._open.values()]:
            if request.transport is not None:
                request.transport.abort()
        return web.json_response({})

    async def flood(self, request: web.Request) -> web.Response:
        asked = request.query
        sockets, frames = self._of(asked["key"]), int(asked["frames"])
        a_second, begun = int(asked["a_second"]), time.monotonic()
        for sent in range(frames):
            free, change = (Decimal(41), Decimal(1)) if sent % 2 else (Decimal(40), Decimal(-1))
            frame = balance_frame("USDT", free, change, "DEPOSIT")
            for socket in sockets:
                await socket.send_bytes(frame)
            if sent % (a_second // _BURSTS_A_SECOND) == 0:
                await asyncio.sleep(max(0.0, begun + sent / a_second - time.monotonic()))
        return web.json_response(time.monotonic() - begun)

    def tell(self, api_key: str, frames: Sequence[bytes]) -> None:
        for socket in self._of(api_key):
            task = asyncio.create_task(_send(socket, frames))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _of(self, api_key: str) -> list[web.WebSocketResponse]:
        wanted = listen_key(api_key)
        return [s for s, request in self._open.items() if request.query["listenKey"] == wanted]

    def _answer(self, socket: web.WebSocketResponse, said: dict[str, object]) -> str:
        match said:
            case {"method": "SUBSCRIPTION", "params": [channel], "id": number}:
                if channel == ACCOUNT:
                    self._subscribed.add(socket)
                return json.dumps({"id": number, "code": 0, "msg": channel})
            case _:
                return json.dumps({"id": 0, "code": 0, "msg": "PONG"})


async def _send(socket: web.WebSocketResponse, frames: Sequence[bytes]) -> None:
    for frame in frames:
        await socket.send_bytes(frame)


def balance_frame(asset: str, free: Decimal, change: Decimal, kind: str) -> bytes:
    """Nothing of it is locked."""
    now_ms = int(time.time() * 1000)
    fields = {
        "vcoinName": asset,
        "balanceAmount": f"{free:f}",
        "balanceAmountChange": f"{change:f}",
        "frozenAmount": "0",
        "frozenAmountChange": "0",
        "type": kind,
        "time": now_ms,
    }
    return pushed(ACCOUNT, "privateAccount", fields, made_ms=now_ms, sent_ms=now_ms)


def deal_frames(order: Mapping[str, Any], trade: Mapping[str, Any]) -> list[bytes]:
    """An order that was filled at once, by one deal: rows of REST."""
    side = {"tradeType": 1 if trade["isBuyer"] else 2}
    filled = {
        "id": order["orderId"],
        "clientId": order["clientOrderId"] or "",
        "price": order["price"],
        "quantity": order["origQty"],
        "avgPrice": order["price"],
        "orderType": 5,
        "cumulativeQuantity": order["executedQty"],
        "cumulativeAmount": order["cummulativeQuoteQty"],
        "status": 2,
        "createTime": order["time"],
    }
    deal = {
        "price": trade["price"],
        "quantity": trade["qty"],
        "amount": trade["quoteQty"],
        "tradeId": trade["id"],
        "clientOrderId": trade["clientOrderId"] or "",
        "orderId": trade["orderId"],
        "feeAmount": trade["commission"],
        "feeCurrency": trade["commissionAsset"],
        "time": trade["time"],
    }
    bodies = ((ORDERS, "privateOrders", filled | side), (DEALS, "privateDeals", deal | side))
    return [
        pushed(channel, body, fields, symbol=order["symbol"], sent_ms=order["time"])
        for channel, body, fields in bodies
    ]


async def started(streams: Streams, certificate: Path) -> str:
    """Returns the base URL of what is told here, and not in a stream."""
    application = web.Application()
    application.add_routes(
        [
            web.get("/ws", streams.serve),
            web.get("/_/where", streams.where),
            web.get("/_/counts", streams.counts),
            web.get("/_/cut", streams.cut),
            web.get("/_/flood", streams.flood),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    secret = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side(certificate))
    plain = web.TCPSite(runner, "127.0.0.1", 0)
    await secret.start()
    await plain.start()
    (_, secret_port), (_, port) = runner.addresses
    streams.address = f"wss://127.0.0.1:{secret_port}/ws"
    return f"http://127.0.0.1:{port}"


async def _serve(certificate: Path) -> None:
    print(await started(Streams(), certificate), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate", type=Path)
    asyncio.run(_serve(parser.parse_args().certificate))
