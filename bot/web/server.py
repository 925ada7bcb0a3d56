"""The process's HTTP server: serves health, metrics and webhook as the routes it is given.
It sends no server name, logs no request (a path or a header may hold a secret), and reads no body
beyond a limit.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from bot.web.connection_limits import Connections

# No update of Telegram's is as large.
MOST_BODY = 1024 * 1024
_BACKLOG = 128
# For requests in progress when the process ends; hosts kill soon after.
_SHUTDOWN_S = 1.0
_KEEP_ALIVE_S = 75.0
_BODY_WITHIN_S = 10.0
_ALL_IPV4, _ALL_IPV6 = "0.0.0.0", "::"  # noqa: S104 - a host's router comes from outside
_NO_IPV6 = {
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.ENOPROTOOPT,
    errno.EPFNOSUPPORT,
    errno.EPROTONOSUPPORT,
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# By method and path.
Routes = Mapping[tuple[str, str], Handler]

logger = logging.getLogger(__name__)
# The library logs unreadable requests whole: strangers could write into our log.
_MUTE = logging.getLogger(f"{__name__}.library")
_MUTE.disabled = True


@asynccontextmanager
async def serve(
    routes: Routes, *, port: int, host: str | None = None, connections: Connections | None = None
) -> AsyncGenerator[int]:
    """Serve on *port* until the block ends; yields the port, which matters for 0.
    *host* is an address of this machine; None is all of them, of both families. Raises OSError if
    the port cannot be bound. A handler that raises is logged and answered with 500.
    """
    connections = Connections() if connections is None else connections
    application = web.Application(client_max_size=MOST_BODY, middlewares=[_guarded(connections)])
    application.on_response_prepare.append(_say_nothing_of_us)
    for (method, path), handler in routes.items():
        application.router.add_route(method, path, handler)
        if method == hdrs.METH_GET:  # many monitors send HEAD
            application.router.add_route(hdrs.METH_HEAD, path, handler)
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_MUTE,
        handle_signals=False,
        keepalive_timeout=_KEEP_ALIVE_S,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        if runner.server is None:
            raise RuntimeError("a runner that is set up has a server")
        answering = await asyncio.get_running_loop().create_server(
            connections.bounded(runner.server), sock=_listener(host, port), backlog=_BACKLOG
        )
        with closing(answering):  # accepts no more; the runner closes the connections
            bound: int = answering.sockets[0].getsockname()[1]
            logger.info("serving", extra={"port": bound})
            yield bound
    finally:
        await runner.cleanup()


def _listener(host: str | None, port: int) -> socket.socket:
    """Bind every address of both families, or of IPv4 alone if the machine has no IPv6."""
    if host in {None, _ALL_IPV6} and socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                (_ALL_IPV6, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
        except OSError as e:
            if host is not None or e.errno not in _NO_IPV6:
                raise
    address = host or _ALL_IPV4
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=_BACKLOG)


def _guarded(connections: Connections) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            async with connections.at_work(request.transport):
                return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            # A bug in one request must not reach the others, nor its text the client.
            logger.exception("request failed")
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    return answer


async def body_of(request: web.Request) -> bytes:
    """Return the body. Raises web.HTTPRequestTimeout if it stalls, and as `read` if too large."""
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


async def _say_nothing_of_us(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop(hdrs.SERVER, None)
