"""Polls Telegram with getUpdates, one poll at a time.
    PollFailed
    ├── TokenRefused   the token is wrong or was revoked: no later poll can succeed
    ├── Conflict       another copy of the bot polls: wait for it to stop
    ├── RetryAfter     Telegram's flood control
    └── Unreachable    anything else; try later
No exception and no log line of this module holds the token, which is part of every URL.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx
from sqlalchemy.exc import SQLAlchemyError
from telegram.error import InvalidToken, TelegramError

from bot.updates.inbox import FULL_BATCH, UpdateStore
from engine.backoff import delay, retry
from engine.clock import Clock

# Sent in full each time: Telegram remembers the list of the last call that had one.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
# Beyond the long poll itself. httpx's own timeouts only limit each chunk of a slow answer.
_MARGIN = timedelta(seconds=10)
_LONGEST_PAUSE_S = 86_400

logger = logging.getLogger(__name__)


class PollFailed(Exception):
    """Raised if a poll returned no updates."""


class TokenRefused(PollFailed): ...


class Conflict(PollFailed): ...


class RetryAfter(PollFailed):
    def __init__(self, pause: timedelta) -> None:
        super().__init__(f"asked to wait {pause.total_seconds():.0f} s")
        self.pause = pause


class Unreachable(PollFailed): ...


class Source(Protocol):
    """The source of updates: Telegram, or the demo's terminal."""

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """Wait for updates; *offset* confirms all before it. Raises PollFailed."""
        ...


class OnBrought(Protocol):
    def __call__(self, updates: Sequence[Mapping[str, Any]], /, *, after: timedelta) -> None: ...


@dataclass(eq=False, kw_only=True)
class UpdatePoller:
    """Fetches updates, stores them, and only then confirms them.
    A batch that could not be stored is not confirmed, so Telegram sends it again. *on_answered* is
    called when a poll is answered, *on_brought* with the updates and how long it took.
    """

    source: Source
    store: UpdateStore
    clock: Clock
    on_answered: Callable[[], None] = lambda: None
    on_brought: OnBrought | None = None
    # Polls that Telegram answered: with updates, flood control or a conflict, stored or not.
    answers: int = field(default=0, init=False)
    # While Telegram's flood control applies to polls.
    told_to_wait: bool = field(default=False, init=False)
    _offset: int | None = field(default=None, init=False)

    async def run(self) -> None:
        """Run until cancelled. Raises TokenRefused; every other failure is retried."""
        failures = 0
        while True:
            try:
                await self._poll()
                failures = 0
                continue
            except TokenRefused:
                raise
            except RetryAfter as e:
                self._answered()
                self.told_to_wait = True
                problem, pause = str(e), e.pause
            except PollFailed as e:
                if isinstance(e, Conflict):
                    self._answered()
                failures += 1
                problem, pause = f"{type(e).__name__}: {e}", delay(failures)
            except SQLAlchemyError as e:
                failures += 1
                problem, pause = type(e).__name__, delay(failures)
            logger.warning("poll failed", extra={"problem": problem, "failures": failures})
            await self.clock.sleep(pause)
            self.told_to_wait = False

    def _answered(self) -> None:
        self.answers += 1
        self.on_answered()

    async def _poll(self) -> None:
        began = self.clock.steady()
        batch = await self.source.fetch(self._offset)
        if self.on_brought is not None:
            self.on_brought(batch, after=self.clock.steady() - began)
        self._answered()
        newest = await self.store.store(batch)
        if batch and newest is None:
            raise PollFailed("no update has an id")
        # An empty answer has confirmed everything before the offset. Asking without one from there
        # on matters after a quiet week, when Telegram may start over at a lower number.
        self._offset = None if newest is None else newest + 1


class UpdatesSource:
    """*url* is `<Bot API server>/bot<token>`; a poll is answered after *hold* at the latest."""

    def __init__(
        self, *, http: httpx.AsyncClient, url: str, hold: timedelta = timedelta(seconds=30)
    ) -> None:
        self._http = http
        self._url = f"{url}/getUpdates"
        self._hold = hold

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """Return the oldest unconfirmed updates, not decoded; *offset* confirms all before it.
        Raises PollFailed.
        """
        form = {
            "timeout": str(int(self._hold.total_seconds())),
            "limit": str(FULL_BATCH),
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        if offset is not None:
            form["offset"] = str(offset)
        limit = (self._hold + _MARGIN).total_seconds()
        try:
            async with asyncio.timeout(limit):
                response = await self._http.post(self._url, data=form, timeout=limit)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as e:
            raise Unreachable(type(e).__name__) from None  # its request holds the token
        return _updates(response)


def _updates(response: httpx.Response) -> list[dict[str, Any]]:
    status = response.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        raise TokenRefused(f"Telegram answered {status}")
    if status == HTTPStatus.CONFLICT:
        raise Conflict(f"Telegram answered {status}")
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        raise Unreachable(f"unreadable answer {status}") from None  # it may hold a typed key
    if not isinstance(answer, dict):
        raise Unreachable(f"unexpected answer {status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryAfter(_pause(answer))
    if not response.is_success or not isinstance(answer.get("result"), list):
        raise Unreachable(f"Telegram answered {status}")
    updates = [update for update in answer["result"] if isinstance(update, dict)]
    if skipped := len(answer["result"]) - len(updates):
        logger.error("malformed updates skipped", extra={"count": skipped})
    return updates


def _pause(answer: dict[str, Any]) -> timedelta:
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_PAUSE_S:
        seconds = 1
    return timedelta(seconds=seconds)


async def until_answered(
    call: Callable[[], Awaitable[object]], clock: Clock, *, event: str
) -> None:
    """Repeat a call of the library until Telegram answers it; each failure is logged as *event*.
    Raises TokenRefused.
    """

    def failed(error: TelegramError) -> None:
        if isinstance(error, InvalidToken):  # its text holds the token
            raise TokenRefused("Telegram does not know this token") from None
        logger.warning(event, extra={"problem": type(error).__name__})

    await retry(call, on=TelegramError, clock=clock, failed=failed)
