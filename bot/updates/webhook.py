"""Receives updates by webhook; each is stored before it is acknowledged.
Telegram repeats an update that is not answered with 200, the oldest of a chat first, and sends
nothing else of that chat until then. So what can never be stored is answered with 200 too.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web
from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.updates.inbox import UpdateStore
from bot.updates.polling import ALLOWED_UPDATES, TokenRefused, until_answered
from bot.updates.webhook_secret import WebhookSecret
from bot.web.server import body_of
from engine.backoff import delay
from engine.clock import Clock
from engine.storage import availability

PATH = "/telegram"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_LOOK_EVERY = timedelta(minutes=1)
# A host's router times out after 30 s.
_PATIENCE_S = 20.0

logger = logging.getLogger(__name__)


class Webhook:
    """The webhook route. It answers 503 while there is no *store*."""

    def __init__(self) -> None:
        self._store: UpdateStore | None = None
        self._secret: WebhookSecret | None = None

    def open(self, store: UpdateStore, secret: WebhookSecret) -> None:
        self._store, self._secret = store, secret

    def shut(self) -> None:
        self._store = None

    async def take(self, request: web.Request) -> web.Response:
        """Return 200 if stored, or not worth repeating. Without the secret nothing is read."""
        if self._store is None or self._secret is None:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            if not await self._secret.is_known(request.headers.get(SECRET_HEADER, "")):
                return web.Response(status=HTTPStatus.NOT_FOUND)
            update = _read(await body_of(request))
            async with asyncio.timeout(_PATIENCE_S):
                await self._store.store([update])
        except (ValueError, RecursionError, web.HTTPRequestEntityTooLarge) as e:
            logger.error("update rejected: %s", type(e).__name__)  # noqa: TRY400 - its text may hold a key
        except availability.AWAY as e:  # a TimeoutError is an OSError
            logger.warning("update not stored, Telegram repeats it: %s", type(e).__name__)
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return web.Response()


def _read(body: bytes) -> dict[str, Any]:
    """Raises ValueError or RecursionError."""
    update = json.loads(body)
    if not isinstance(update, dict):
        raise ValueError("no object")  # noqa: TRY004 - as any other text that is no update
    return update


@dataclass(eq=False, kw_only=True, repr=False)
class Registration:
    """Registers *url* as the bot's webhook with Telegram, and keeps it registered.
    *on_seen* is called whenever Telegram confirms that the webhook is set.
    """

    bot: Bot
    clock: Clock
    url: str
    secret: str
    on_seen: Callable[[], None] = lambda: None
    is_done: bool = field(default=False, init=False)
    _seen_error: object = field(default=None, init=False)

    async def run(self) -> None:
        """Run until cancelled. Raises TokenRefused; every other failure is retried."""
        failures = 0
        while True:
            try:
                await self._look()
                failures, pause = 0, _LOOK_EVERY
            except InvalidToken:
                raise TokenRefused("Telegram does not know this token") from None
            except TelegramError as e:
                failures += 1
                pause = delay(failures)
                # Telegram's refusal helps the operator; other errors say nothing, or hold what was
                # sent.
                problem = e.message if isinstance(e, BadRequest) else type(e).__name__
                logger.warning("webhook not set: %s", problem, extra={"failures": failures})
            await self.clock.sleep(pause)

    async def _look(self) -> None:
        """Set the webhook at first, as secret and kinds cannot be read; later if it is gone."""
        if self.is_done:
            info = await self.bot.get_webhook_info()
            self._tell(info)
            if info.url == self.url:
                self.on_seen()
                return
            logger.warning("webhook removed; does another process poll?")
            self.is_done = False
        await self.bot.set_webhook(
            self.url, allowed_updates=ALLOWED_UPDATES, secret_token=self.secret
        )
        self.is_done = True
        self.on_seen()
        logger.info("webhook set")

    def _tell(self, info: WebhookInfo) -> None:
        """Log each failed delivery that Telegram reports since the last look."""
        if info.last_error_date in (None, self._seen_error):
            return
        self._seen_error = info.last_error_date
        waiting = {"waiting": info.pending_update_count, "problem": info.last_error_message}
        logger.warning("webhook delivery failed", extra=waiting)


async def remove_webhook(bot: Bot, clock: Clock) -> None:
    """Remove an earlier webhook, while which Telegram refuses polls. Pending updates are kept.
    Raises TokenRefused; every other failure is retried.
    """

    async def remove() -> None:
        await bot.delete_webhook()

    await until_answered(remove, clock, event="webhook not removed")
