"""Telegram's updates as they come over the wire, one poll at a time.

    PollFailed
    ├── TokenRefused   the token is wrong or was revoked: no later poll can succeed
    ├── Conflict       another copy of the bot polls: wait for it to stop
    ├── RetryAfter     Telegram asks for silence
    └── Unreachable    anything else; try later

No exception and no log line of this module holds the token, which is part of every address.
"""

import asyncio
import json
import logging
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

# Always sent in full: Telegram remembers the list of the last call that had one.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_BATCH = 100
# Beyond the long poll itself. httpx's own timeouts only limit each chunk of a dripping answer.
_MARGIN = timedelta(seconds=10)
_LONGEST_PAUSE_S = 86_400

logger = logging.getLogger(__name__)


class PollFailed(Exception):
    """No updates came."""


class TokenRefused(PollFailed): ...


class Conflict(PollFailed): ...


class RetryAfter(PollFailed):
    def __init__(self, pause: timedelta) -> None:
        super().__init__(f"asked to wait {pause.total_seconds():.0f} s")
        self.pause = pause


class Unreachable(PollFailed): ...


class UpdatesSource:
    """*url* is `<Bot API server>/bot<token>`; a poll is answered after *hold* at the latest."""

    def __init__(
        self, *, http: httpx.AsyncClient, url: str, hold: timedelta = timedelta(seconds=30)
    ) -> None:
        self._http = http
        self._url = f"{url}/getUpdates"
        self._hold = hold

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """The oldest unconfirmed updates, unread; asking with *offset* confirms all before it.

        Raises PollFailed.
        """
        form = {
            "timeout": str(int(self._hold.total_seconds())),
            "limit": str(_BATCH),
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
        logger.error("updates that are no objects skipped", extra={"count": skipped})
    return updates


def _pause(answer: dict[str, Any]) -> timedelta:
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_PAUSE_S:
        seconds = 1
    return timedelta(seconds=seconds)
