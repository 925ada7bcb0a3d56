"""`GET /metrics` for the HTTP server; it requires a bearer token."""

import hmac

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from bot.observability.metrics import Metrics

_SCHEME = "bearer"


class MetricsPage:
    """*answer* is a route's handler; *metrics* returns None until there is a database."""

    def __init__(self, *, token: str | None) -> None:
        self._token = token
        self.metrics: Metrics | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """Return 404 if no token is set, 401 for a wrong one, 503 until there are numbers."""
        if self._token is None:
            return web.Response(status=404)
        if not _is_let_in(request.headers.get("Authorization", ""), self._token):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        if self.metrics is None:
            return web.Response(status=503)
        text = await self.metrics.text()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _is_let_in(header: str, token: str) -> bool:
    """Compare in constant time."""
    scheme, _, given = header.partition(" ")
    matches = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return matches and scheme.lower() == _SCHEME
