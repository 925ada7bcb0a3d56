"""The process's own HTTP server: health, metrics and webhook, as routes that it is given.

It tells nobody what it is, logs no request (a path or a header may hold a secret), and reads no
body beyond a bound.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import hdrs, web

# No update of Telegram's comes near it.
MOST_BODY = 1024 * 1024
_BACKLOG = 128
# What is being answered when the process ends; the host's patience is short.
_SHUTDOWN_S = 1.0
_KEEP_ALIVE_S = 75.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# By method and path.
Routes = Mapping[tuple[str, str], Handler]

logger = logging.getLogger(__name__)
# The library logs what it cannot read, whole: strangers would write our log, or a secret into it.
_MUTE = logging.getLogger(f"{__name__}.library")
_MUTE.disabled = True


@asynccontextmanager
async def serve(routes: Routes, *, port: int, host: str = "0.0.0.0") -> AsyncGenerator[int]:  # noqa: S104 - a host's router comes from outside
    """Answer on *port* until the block is left; yields the port, which matters for 0.

    Raises OSError where the port cannot be had. A handler that raises is logged and answered
    with 500.
    """
    application = web.Application(client_max_size=MOST_BODY)
    application.on_response_prepare.append(_say_nothing_of_us)
    for (method, path), handler in routes.items():
        application.router.add_route(method, path, _guarded(handler))
        if method == hdrs.METH_GET:  # what many monitors ask
            application.router.add_route(hdrs.METH_HEAD, path, _guarded(handler))
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
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        bound: int = runner.addresses[0][1]
        logger.info("serving", extra={"port": bound})
        yield bound
    finally:
        await runner.cleanup()


def _guarded(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            # The supervisor: one request's mistake must not reach the others, nor its peer.
            logger.exception("request failed")
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    return answer


async def _say_nothing_of_us(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop(hdrs.SERVER, None)
