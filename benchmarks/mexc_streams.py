"""MEXC's streams, to as many connections as want them, over TLS: `python -m benchmarks.mexc_streams PEM`.

Every channel is subscribed, every PING answered. It prints its address.

    /_/counts  how many connections stand, how many were made in all, the most within a second
    /_/cut     all connections end
"""

import argparse
import asyncio
import json
import time
from bisect import bisect_left
from pathlib import Path

from aiohttp import WSMsgType, web

from tests.fakes.certificates import server_side


class Streams:
    def __init__(self) -> None:
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._begun: list[float] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        self._begun.append(time.monotonic())
        await socket.prepare(request)
        self._open[socket] = request
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(_answer(json.loads(message.data)))
        finally:
            del self._open[socket]
        return socket

    async def counts(self, _: web.Request) -> web.Response:
        begun = self._begun
        most = max((bisect_left(begun, at + 1) - n for n, at in enumerate(begun)), default=0)
        counts = {"standing": len(self._open), "made": len(begun), "most_a_second": most}
        return web.json_response(counts)

    async def cut(self, _: web.Request) -> web.Response:
        for request in [*self._open.values()]:
            if request.transport is not None:
                request.transport.abort()
        return web.json_response({})


def _answer(said: dict[str, object]) -> str:
    match said:
        case {"method": "SUBSCRIPTION", "params": [channel], "id": number}:
            return json.dumps({"id": number, "code": 0, "msg": channel})
        case _:
            return json.dumps({"id": 0, "code": 0, "msg": "PONG"})


async def serve(certificate: Path) -> None:
    streams = Streams()
    application = web.Application()
    application.add_routes(
        [
            web.get("/ws", streams.serve),
            web.get("/_/counts", streams.counts),
            web.get("/_/cut", streams.cut),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    secret = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side(certificate))
    plain = web.TCPSite(runner, "127.0.0.1", 0)
    await secret.start()
    await plain.start()
    (_, secret_port), (_, port) = runner.addresses
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "port": secret_port}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate", type=Path)
    asyncio.run(serve(parser.parse_args().certificate))
