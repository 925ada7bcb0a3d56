"""An account of the fleet, and its connections: from the attempt to the end."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import AccountEvent
from engine.domain.streams.trust import Doubt
from engine.errors import EngineError, NotConnected
from engine.exchanges.interface import AccountStream, AccountStreams
from engine.streaming.live_accounts import Feed

logger = logging.getLogger(__name__)

# Two seconds in all.
_END_WITHIN_S, _CANCEL_WITHIN_S = 1, 1
_IN_TROUBLE = HTTPStatus.INTERNAL_SERVER_ERROR
_OF_PROXIES = (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT)


class Following(Protocol):
    """Is told which accounts are to have a stream here."""

    def wanted(self, account: Account, *, fence: int) -> None:
        """A check of *account* worked under *fence*: it is ours, and there is something to do."""
        ...

    def unwanted(self, account_id: AccountId) -> None:
        """Another process owns the account, or there is nothing to do for it."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class Member:
    """An account that is to have a connection: two while one replaces the other. *failures* and
    *refusals* are those in a row; with *new_key* its key is made anew.
    """

    account: Account
    fence: int
    streams: AccountStreams
    lines: "list[Line]" = field(default_factory=list)
    failures: int = 0
    refusals: int = 0
    new_key: bool = False

    def means(self, account: Account) -> bool:
        """True if *account* has the same money by the same key."""
        mine, other = self.account, account
        return (mine.settings.dry_run, mine.sealed_key) == (
            other.settings.dry_run,
            other.sealed_key,
        )

    @property
    def is_standing(self) -> bool:
        return any(line.is_acknowledged for line in self.lines)


class Line:
    """One connection, or the attempt at one. Implements AccountFeed."""

    def __init__(
        self, member: Member, feed: Feed, *, replaces: "Line | None", told: Callable[[], None]
    ) -> None:
        self.member = member
        self.feed = feed
        self.replaces = replaces
        self._told = told
        self.task: asyncio.Task[None] | None = None
        self.stream: AccountStream | None = None
        self.problem: EngineError | None = None
        self.opened_at: datetime | None = None
        self.acknowledged_at: datetime | None = None
        self.renewed_at: datetime | None = None  # when another one is to be made
        self.renewals = 0
        self.is_late = False
        self.is_over = False

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_at is not None

    @property
    def refused_by(self) -> int | None:
        """The HTTP status by which the handshake was refused. One that says that nobody was reached
        is none: of a proxy, of a server in trouble.
        """
        status = self.problem.status if isinstance(self.problem, NotConnected) else None
        is_refusal = status is not None and status < _IN_TROUBLE and status not in _OF_PROXIES
        return status if is_refusal else None

    @property
    def is_turned_away(self) -> bool:
        """True if it was refused for what is asked for, and not for how many there are."""
        return self.refused_by not in {None, HTTPStatus.TOO_MANY_REQUESTS}

    def acknowledge(self) -> None:
        if not self.is_over:
            self.feed.acknowledge()
            self._told()

    def event(self, event: AccountEvent) -> None:
        self.feed.event(event)


async def all_over(lines: Sequence[Line]) -> None:
    """End all of *lines* at the same time, within two seconds."""
    async with asyncio.TaskGroup() as ends:
        for line in lines:
            if line.task is not None:
                ends.create_task(end(line, line.task, Doubt.CLOSED))


async def end(line: Line, task: asyncio.Task[None], why: Doubt) -> None:
    """End a connection, or the attempt at one; whatever the other side does, it is over then."""
    if line.stream is not None:
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await line.stream.end(why)
                await asyncio.wait([task])
        except TimeoutError:
            pass
        except Exception:
            logger.exception("stream not ended", extra={"account": line.member.account.id})
    task.cancel()
    await asyncio.wait([task], timeout=_CANCEL_WITHIN_S)
