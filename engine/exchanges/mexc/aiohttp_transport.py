"""HTTP transport over aiohttp that detects requests which can never have left.

aiohttp instead of httpx: at 50 requests in flight it costs a fifteenth, and its exceptions say
where a request failed. `httpx-aiohttp` drops that and reports a connection that broke *after* an
order was sent as a ConnectTimeout.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import httpx
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from engine.exchanges.mexc.transport import Answer, NeverLeft, NoAnswer, answer_from

_TIME_LIMIT = timedelta(seconds=8)
# Waiting for a free connection included.
_CONNECT_WITHIN = timedelta(seconds=3)
# Idle TLS connections cost 0.3 MB each.
_CONNECTIONS = 32
# Shorter than servers keep them: an order should not meet a connection that is being closed.
_KEPT_ALIVE_S = 15
_DNS_KEPT_S = 30


class _Connector(aiohttp.TCPConnector):
    """Marks failures of `connect`: a request is written after it returns, so it never left.
    The same holds for a refusal by the proxy: it knows only where to connect to.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the overridden method's own
    ) -> Connection:
        try:
            return await super().connect(req, traces, timeout)
        except (aiohttp.ClientError, OSError) as e:
            raise NeverLeft(error_name(e)) from None


class SocketTransport:
    """Implements `Transport`."""

    def __init__(
        self, session: aiohttp.ClientSession, *, time_limit: timedelta, proxy: URL | None
    ) -> None:
        self._session = session
        self._limit_s = time_limit.total_seconds()
        self._proxy = proxy.with_user(None) if proxy else None
        self._proxy_headers: dict[str, str] | None = None
        if proxy and proxy.user is not None:
            authorization = aiohttp.encode_basic_auth(proxy.user, proxy.password or "")
            self._proxy_headers = {"Proxy-Authorization": authorization}

    async def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        try:
            # A limit per chunk would start again with each: a slow stream would never end.
            async with (
                asyncio.timeout(self._limit_s),
                self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers={**headers, "Accept-Encoding": "gzip"},
                    allow_redirects=False,
                    proxy=self._proxy,
                    proxy_headers=self._proxy_headers,
                ) as response,
            ):
                return await answer_from(
                    response.status, response.headers, response.content.iter_any()
                )
        except (aiohttp.ClientError, OSError) as e:
            raise NoAnswer(error_name(e)) from None


@asynccontextmanager
async def open_transport(
    *,
    proxy: str | None = None,
    time_limit: timedelta = _TIME_LIMIT,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[SocketTransport]:
    """Open the process's transport. *proxy* is `http://user:password@host:port`.
    Proxies of the environment are ignored. *tls* defaults to the system's certificates.
    """
    # Shorter than the request's limit, so that "never left" is not mistaken for "no answer".
    connect = min(time_limit / 2, _CONNECT_WITHIN).total_seconds()
    async with aiohttp.ClientSession(
        connector=_Connector(
            ssl=tls or httpx.create_ssl_context(trust_env=False),
            limit=_CONNECTIONS,
            keepalive_timeout=_KEPT_ALIVE_S,
            ttl_dns_cache=_DNS_KEPT_S,
            resolver=aiohttp.ThreadedResolver(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=None),
        middlewares=(_once,),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        through = URL(proxy) if proxy else None
        yield SocketTransport(session, time_limit=time_limit, proxy=through)


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send once: aiohttp by itself repeats a GET whose connection broke."""
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as e:
        raise NoAnswer(error_name(e)) from None


def error_name(error: Exception) -> str:
    """Returns the error's type only, never chained.
    Its text names the signed address, and its arguments the proxy's password.
    """
    status = f" {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else ""
    return f"{type(error).__name__}{status}"
