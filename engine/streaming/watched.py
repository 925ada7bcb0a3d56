"""What is known here of an account with a stream, under one fence."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import ClientOrderId, Fill
from engine.domain.streams.live_account import LiveAccount
from engine.monitoring.counters import StreamTally

_MOST_FILLS = 1000


class Subscription(Protocol):
    """One connection of an account."""

    is_acknowledged: bool


@dataclass(slots=True, eq=False)
class Watched:
    """One account under one fence. *feeds* are its connections: two while one replaces the other.
    *marks* are its low-balance thresholds, None before its first check. *order* is ours and under
    way since *followed_at*, or was, the last one: what it does to the balances is no new reason to
    trade. Its *fills* were told, and with *was_told* its end, which with *is_told* nobody has looked
    up yet. *again_at* is when a doubt has
    it read, until a check begins; *told_since* is when the first event came of which the last check is.
    """

    account: Account
    fence: int
    assets: frozenset[Asset]
    live: LiveAccount = field(default_factory=LiveAccount)
    feeds: set[Subscription] = field(default_factory=set)
    marks: Sequence[LowBalanceThreshold] | None = None
    is_checking: bool = False
    order: ClientOrderId | None = None
    followed_at: datetime | None = None
    fills: dict[str, Fill] = field(default_factory=dict)
    was_told: bool = False
    is_told: asyncio.Event = field(default_factory=asyncio.Event)
    again_at: datetime | None = None
    was_subscribed: bool = False
    told_since: datetime | None = None

    def check_begins(self, now: datetime, tally: StreamTally) -> None:
        """What was told so far is for this check, or still for it where what was read was behind."""
        since = self.live.coalescing.since
        if since is not None:
            tally.checked(now - since)
        if since is not None or not self.live.is_behind:
            self.told_since = since
        self.live.coalescing.checked(now)

    def order_leaves(self, now: datetime, tally: StreamTally) -> None:
        if self.told_since is not None:
            tally.ordered(now - self.told_since)
        self.told_since = None
        self.live.came = ZERO

    def follow(self, order_id: ClientOrderId | None, *, now: datetime) -> None:
        """That order is under way from *now* on; None if none is."""
        if order_id != self.order:
            self.order = order_id
            if order_id is not None:
                self.followed_at = now
            self.fills.clear()
            self.was_told = False
            self.is_told.clear()

    def end_told(self) -> bool:
        """The end of the order was told. Only the first word of it is one, since only a look-up
        proves it: returns False for any other.
        """
        is_first, self.was_told = not self.was_told, True
        if is_first:
            self.is_told.set()
        return is_first

    def note_fill(self, fill: Fill) -> None:
        if len(self.fills) < _MOST_FILLS:
            self.fills[fill.trade_id] = fill

    async def until_told(self, pause: Coroutine[None, None, None]) -> None:
        """Return after *pause*, or when the end of the order is told, or was since the last call."""
        if self.is_told.is_set():
            pause.close()
        else:
            async with asyncio.TaskGroup() as waits:
                both = [waits.create_task(pause), waits.create_task(_set(self.is_told))]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for wait in both:
                    wait.cancel()
        self.is_told.clear()

    @property
    def is_subscribed(self) -> bool:
        return any(feed.is_acknowledged for feed in self.feeds)

    def is_of(self, account: Account) -> bool:
        """True if the stream tells of the money that *account* trades, by the same key."""
        mine, other = self.account, account
        same_money = mine.settings.dry_run == other.settings.dry_run
        return same_money and mine.sealed_key == other.sealed_key


async def _set(told: asyncio.Event) -> None:
    await told.wait()
