"""What the streams of this process told, account by account, and whom it wakes.

The fleet opens feeds and writes to them; checks, orders and `/status` read here. Without a stream
everything answers as if there were none: the account is polled at its own interval.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId, ClientOrderId, Fill
from engine.domain.streams.events import (
    AccountEvent,
    Amounts,
    BalanceEvent,
    FillEvent,
    OrderEvent,
)
from engine.domain.streams.live_account import LiveAccount, ReadVerdict, Told
from engine.domain.streams.losses import ReadingAgain
from engine.domain.streams.trust import Doubt, StreamState, Trust, fitting_interval

logger = logging.getLogger(__name__)

_MOST_FILLS = 1000

Wake = Callable[[AccountId, datetime], None]


@dataclass(frozen=True, slots=True)
class LiveStanding:
    """How far an account's stream is, and what it told last, to show and never to trade on."""

    state: StreamState
    known: Mapping[Asset, Amounts]


@dataclass(slots=True, eq=False)
class _Watched:
    """One account under one fence. *feeds* are its connections: two while one replaces the other.
    *again_at* is when a doubt has it read, until a check begins.
    """

    account: Account
    fence: int
    live: LiveAccount = field(default_factory=LiveAccount)
    feeds: set["Feed"] = field(default_factory=set)
    orders: set[ClientOrderId] = field(default_factory=set)
    fills: dict[str, dict[str, Fill]] = field(default_factory=dict)
    again_at: datetime | None = None


class Feed:
    """Where one connection of an account writes. It is deaf once the account has another owner."""

    def __init__(self, accounts: "LiveAccounts", account_id: AccountId) -> None:
        self._accounts = accounts
        self.account_id = account_id
        self.is_acknowledged = False

    def acknowledge(self) -> None:
        """Every channel is subscribed."""
        self._accounts.acknowledged(self)

    def event(self, event: AccountEvent) -> None:
        self._accounts.event(self, event)

    def end(self, why: Doubt) -> None:
        """The connection is over. That is a doubt where it was the last that was subscribed."""
        self._accounts.ended(self, why)


class LiveAccounts:
    """*on_due* makes an account due at that moment of the steady clock; *on_doubt* is told which
    stream is not believed any more. *matters* says whether an event may change a decision.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        matters: Callable[[Account, BalanceEvent, Mapping[Asset, Amounts]], bool],
    ) -> None:
        self._clock = clock
        self._matters = matters
        self._watched: dict[AccountId, _Watched] = {}
        self._reading_again = ReadingAgain()
        self._order_told: defaultdict[AccountId, asyncio.Event] = defaultdict(asyncio.Event)
        self.on_due: Wake = lambda _account_id, _at: None
        self.on_doubt: Callable[[AccountId, Doubt], None] = lambda _account_id, _why: None
        self.events = 0
        self.missed = 0

    # What the fleet says.

    def open(self, account: Account, *, fence: int) -> Feed:
        """Returns the feed of a connection that is about to be made. Another fence begins anew."""
        watched = self._watched.get(account.id)
        if watched is None or watched.fence != fence:
            watched = self._watched[account.id] = _Watched(account, fence)
        if not any(feed.is_acknowledged for feed in watched.feeds):
            watched.live.opened()
        feed = Feed(self, account.id)
        watched.feeds.add(feed)
        return feed

    def close(self, account_id: AccountId) -> None:
        """Forget the account: it has another owner, or no key."""
        self._watched.pop(account_id, None)

    def doubt(self, account_id: AccountId, why: Doubt) -> None:
        """The account is looked at now, and at its own interval from then on."""
        if (watched := self._watched.get(account_id)) is not None:
            self._doubt(watched, why)

    def doubt_all(self, why: Doubt) -> None:
        for watched in [*self._watched.values()]:
            self._doubt(watched, why)

    def acknowledged(self, feed: Feed) -> None:
        watched = self._of(feed)
        if watched is None:
            return
        was_live = any(one.is_acknowledged for one in watched.feeds)
        feed.is_acknowledged = True
        if not was_live:
            watched.live.acknowledged(self._clock.steady())
            self._read_again(watched)  # what happened before is told by nobody

    def ended(self, feed: Feed, why: Doubt) -> None:
        watched = self._of(feed)
        if watched is None:
            return
        watched.feeds.discard(feed)
        if any(one.is_acknowledged for one in watched.feeds):
            return
        if feed.is_acknowledged:
            self._doubt(watched, why)
        elif watched.live.trust.state is not StreamState.SUSPECT:
            # Nothing was believed of it: while the exchange is away, nobody is read more often.
            watched.live.doubt(why, now=self._clock.steady())

    def event(self, feed: Feed, event: AccountEvent) -> None:
        watched = self._of(feed)
        if watched is None:
            return
        self.events += 1
        match event:
            case BalanceEvent():
                self._balance(watched, event)
            case OrderEvent():
                if ClientOrderId(event.client_order_id) in watched.orders:
                    self._hurry(watched)
            case FillEvent():
                self._fill(watched, event)
            case other:
                assert_never(other)

    # What checks and orders ask.

    def checking(self, account: Account) -> None:
        """A check of *account* begins: what was told so far is for it."""
        if (watched := self._watched.get(account.id)) is not None:
            watched.account = account
            watched.again_at = None
            watched.live.coalescing.checked(self._clock.steady())

    def read(self, account_id: AccountId, holdings: Holdings, *, begun: datetime) -> ReadVerdict:
        """Compare *holdings*, asked for when *begun* by the steady clock, with what was told."""
        watched = self._watched.get(account_id)
        if watched is None:
            return ReadVerdict.AGREES
        missed = watched.live.missed
        verdict = watched.live.read(holdings, begun=begun, now=self._clock.steady())
        self.missed += watched.live.missed - missed
        if verdict is ReadVerdict.DIFFERS:
            logger.warning("stream contradicted", extra={"account": account_id})
            self._doubt(watched, Doubt.BROKEN)
        return verdict

    def is_seen_twice(
        self, account_id: AccountId, holdings: Holdings, assets: Collection[Asset]
    ) -> bool:
        """True if the stream told just now what *holdings* have of each of *assets*."""
        watched = self._watched.get(account_id)
        return watched is not None and watched.live.is_seen_twice(
            holdings, assets, now=self._clock.steady()
        )

    @contextmanager
    def order_under_way(self, account_id: AccountId, order_id: ClientOrderId) -> Iterator[None]:
        """While an order of ours is, what it does to the balances is no new reason to trade."""
        watched = self._watched.get(account_id)
        if watched is None:
            yield
            return
        watched.orders.add(order_id)
        try:
            yield
        finally:
            watched.orders.discard(order_id)
            if not watched.orders:
                watched.fills.clear()

    async def sleep(self, account_id: AccountId, duration: timedelta) -> None:
        """Return after *duration*, or as soon as the stream tells of an order that is under way."""
        told = self._order_told[account_id]
        told.clear()
        async with asyncio.TaskGroup() as waits:
            both = [waits.create_task(one) for one in (self._clock.sleep(duration), told.wait())]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for wait in both:
                wait.cancel()

    def fills_of(self, account_id: AccountId, exchange_order_id: str) -> Collection[Fill]:
        """Returns the fills that were told of an order that is under way."""
        watched = self._watched.get(account_id)
        return [] if watched is None else [*watched.fills.get(exchange_order_id, {}).values()]

    # What the dispatcher and the screens ask.

    def interval(self, account_id: AccountId, own: timedelta) -> timedelta:
        """Returns the time to the account's next poll, never less than its *own* interval."""
        watched = self._watched.get(account_id)
        if watched is None:
            return own
        return watched.live.interval(own, fits=fitting_interval(len(self._watched)))

    def standing(self, account_id: AccountId) -> LiveStanding | None:
        """None where there is no stream."""
        watched = self._watched.get(account_id)
        if watched is None:
            return None
        return LiveStanding(watched.live.trust.state, watched.live.known())

    def trust(self, account_id: AccountId) -> Trust:
        watched = self._watched.get(account_id)
        return Trust() if watched is None else watched.live.trust

    def states(self) -> Mapping[StreamState, int]:
        """Returns how many accounts are in each state."""
        count = dict.fromkeys(StreamState, 0)
        for watched in self._watched.values():
            count[watched.live.trust.state] += 1
        return count

    def beat(self, account_id: AccountId) -> None:
        """Look whether the account's stream is deaf. Called now and then."""
        watched = self._watched.get(account_id)
        if watched is None:
            return
        missed = watched.live.missed
        if watched.live.is_deaf(self._clock.steady()):
            self.missed += watched.live.missed - missed
            logger.warning("stream deaf", extra={"account": account_id})
            self._doubt(watched, Doubt.DEAF)

    def _of(self, feed: Feed) -> _Watched | None:
        watched = self._watched.get(feed.account_id)
        return watched if watched is not None and feed in watched.feeds else None

    def _balance(self, watched: _Watched, event: BalanceEvent) -> None:
        told = watched.live.note(event)
        if told is Told.GAP:
            self._doubt(watched, Doubt.BROKEN)
            return
        if told is Told.NOTHING or watched.orders:
            return
        if self._matters(watched.account, event, watched.live.known()):
            watched.live.coalescing.event(self._clock.steady())
            if (due := watched.live.coalescing.due_at()) is not None:
                self._due(watched, due)

    def _fill(self, watched: _Watched, event: FillEvent) -> None:
        if ClientOrderId(event.client_order_id) not in watched.orders:
            return
        fills = watched.fills.setdefault(event.exchange_order_id, {})
        if len(fills) < _MOST_FILLS:
            fills[event.fill.trade_id] = event.fill

    def _hurry(self, watched: _Watched) -> None:
        self._order_told[watched.account.id].set()

    def _doubt(self, watched: _Watched, why: Doubt) -> None:
        watched.live.doubt(why, now=self._clock.steady())
        if watched.live.trust.state is StreamState.SUSPECT:
            for feed in watched.feeds:
                feed.is_acknowledged = False  # its end is no second doubt
        self._read_again(watched)
        self.on_doubt(watched.account.id, why)

    def _read_again(self, watched: _Watched) -> None:
        """At once, or in turn where many are to be; an order that is under way goes first."""
        now = self._clock.steady()
        if watched.orders:
            watched.again_at = now
        elif watched.again_at is None or watched.again_at < now:
            watched.again_at = self._reading_again.moment(now)
        self._due(watched, watched.again_at)

    def _due(self, watched: _Watched, at: datetime) -> None:
        self.on_due(watched.account.id, at)
