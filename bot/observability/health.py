"""Is it alive, and can it work? Judged from what the process knows without asking anybody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

# A healthy poll is answered within 40 s, and failed ones are half a minute apart.
_POLL_OLD = timedelta(seconds=90)
# The heart beats twice a second; under load, or while the database thinks, less often.
_BEAT_OLD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What is known of the process. *beat* and *polled* are how long ago something was; None is
    never, or for *polled*, that others take the updates. *registered*: the webhook; None where
    there need not be one. *online*: Telegram knows the bot.
    """

    database_away: bool
    beat: timedelta | None
    online: bool
    polls: bool
    polled: timedelta | None
    registered: bool | None


def unready_reasons(signs: ProcessState | None) -> Sequence[str]:
    """Why the process cannot do its work just now; None: it has not got its database yet."""
    if signs is None:
        return ["the database was not reached yet"]
    reasons = []
    if signs.database_away:
        reasons.append("the database does not answer")
    elif signs.beat is None or signs.beat > _BEAT_OLD:
        reasons.append("the engine does not tick")
    if not signs.online:
        reasons.append("Telegram was not reached yet")
    elif signs.polls and (signs.polled is None or signs.polled > _POLL_OLD):
        reasons.append("Telegram answers no poll")
    elif signs.registered is False:
        reasons.append("the webhook is not set yet")
    return reasons


class Health:
    """The routes. *signs* gives None until there is a database."""

    def __init__(self) -> None:
        self.signs: Callable[[], ProcessState | None] = lambda: None

    async def healthz(self, _: web.Request) -> web.Response:
        """200 as long as the event loop turns: whoever gets no answer may start it anew."""
        return _json(HTTPStatus.OK, {"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        """200, or 503 with the reasons: whoever asks should not start it anew for that."""
        reasons = unready_reasons(self.signs())
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        word = "not ready" if reasons else "ready"
        return _json(status, {"status": word, "reasons": list(reasons)})


def _json(status: HTTPStatus, content: dict[str, object]) -> web.Response:
    return web.json_response(content, status=status, headers={"Cache-Control": "no-store"})
