"""Liveness and readiness, from what the process knows without asking another service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

# A healthy poll is answered within 40 s, and failed ones are half a minute apart.
_POLL_OLD = timedelta(seconds=90)
# The heartbeat runs twice a second; less often under load or while the database is slow.
_BEAT_OLD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """The state of the process.
    *beat* and *polled* are ages; None is never, or for *polled*, that other processes take the
    updates. *registered*: the webhook is set; None where there need not be one. *online*: Telegram
    knows the bot.
    """

    database_away: bool
    beat: timedelta | None
    online: bool
    polls: bool
    polled: timedelta | None
    registered: bool | None


def unready_reasons(state: ProcessState | None) -> Sequence[str]:
    """Return why the process cannot work now; None: it has no database yet."""
    if state is None:
        return ["the database was not reached yet"]
    reasons = []
    if state.database_away:
        reasons.append("the database does not answer")
    elif state.beat is None or state.beat > _BEAT_OLD:
        reasons.append("the engine does not tick")
    if not state.online:
        reasons.append("Telegram was not reached yet")
    elif state.polls and (state.polled is None or state.polled > _POLL_OLD):
        reasons.append("Telegram answers no poll")
    elif state.registered is False:
        reasons.append("the webhook is not set yet")
    return reasons


class Health:
    """The routes `/healthz` and `/readyz`. *state* returns None until there is a database."""

    def __init__(self) -> None:
        self.state: Callable[[], ProcessState | None] = lambda: None

    async def healthz(self, _: web.Request) -> web.Response:
        """Return 200 while the event loop runs; without an answer a host may restart it."""
        return _json(HTTPStatus.OK, {"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        """Return 200, or 503 with the reasons; a host should not restart the process for a 503."""
        reasons = unready_reasons(self.state())
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        word = "not ready" if reasons else "ready"
        return _json(status, {"status": word, "reasons": list(reasons)})


def _json(status: HTTPStatus, content: dict[str, object]) -> web.Response:
    return web.json_response(content, status=status, headers={"Cache-Control": "no-store"})
