"""`GET /metrics` for the HTTP server: for whoever has the token, and for nobody where there is none."""

import hmac

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from bot.observability.metrics import Metrics

_SCHEME = "bearer"


class MetricsPage:
    """*answer* is a route's handler; a server that listens early gives *metrics* when there are some."""

    def __init__(self, *, token: str | None) -> None:
        self._token = token
        self.metrics: Metrics | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """404 without a token of ours, 401 without theirs, 503 until there are numbers."""
        if self._token is None:
            return web.Response(status=404)
        if not _is_let_in(request.headers.get("Authorization", ""), self._token):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        if self.metrics is None:
            return web.Response(status=503)
        text = await self.metrics.text()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _is_let_in(header: str, token: str) -> bool:
    """Takes as long for a token that is nearly right as for any other of its length."""
    scheme, _, given = header.partition(" ")
    matches = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return matches and scheme.lower() == _SCHEME
