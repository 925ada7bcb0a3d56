"""What the streams of this process told, account by account, and whom it wakes.

The fleet opens feeds and writes to them; checks, orders and `/status` read here. Without a stream
everything answers as if there were none: the account is polled at its own interval.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId, ClientOrderId, Fill
from engine.domain.rebalancing.triggers import stream_trigger
from engine.domain.streams.events import (
    AccountEvent,
    Amounts,
    BalanceEvent,
    Cause,
    FillEvent,
    OrderEvent,
)
from engine.domain.streams.live_account import ReadVerdict, Told
from engine.domain.streams.losses import ReadingAgain
from engine.domain.streams.trust import Doubt, StreamState, Trust, fitting_interval
from engine.monitoring.counters import StreamTally
from engine.streaming.standing import LiveStanding
from engine.streaming.watched import Watched

logger = logging.getLogger(__name__)

# So many accounts that begin are read again at once, so that their streams are proven.
_FEW = 20

Wake = Callable[[AccountId, datetime], None]
Matters = Callable[
    [Account, BalanceEvent, Mapping[Asset, Amounts], Sequence[LowBalanceThreshold]], bool
]


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
    """*on_due* makes an account due at that moment of the steady clock, ahead of those that are only
    polled, and *on_reread* among them; *on_doubt* is told which
    stream is not believed any more. *prices_are_live* says whether prices that may lead to a trade are
    told, too. *matters* says whether an event may change a decision.
    """

    def __init__(self, clock: Clock, *, matters: Matters = stream_trigger.matters) -> None:
        self._clock = clock
        self._matters = matters
        self._watched: dict[AccountId, Watched] = {}
        self._reading_again = ReadingAgain()
        self.on_due: Wake = lambda _account_id, _at: None
        self.on_reread: Wake = lambda _account_id, _at: None
        self.prices_are_live: Callable[[AccountId], bool] = lambda _account_id: False
        self.on_doubt: Callable[[AccountId, Doubt], None] = lambda _account_id, _why: None
        self.tally = StreamTally()
        self.events = 0
        self.missed = 0

    # What the fleet says.

    def open(self, account: Account, *, fence: int) -> Feed:
        """Returns the feed of a connection that is about to be made. Another fence begins anew, and
        so does another key or kind of money.
        """
        watched = self._watched.get(account.id)
        if watched is None or watched.fence != fence or not watched.is_of(account):
            assets = frozenset(account.settings.assets)
            watched = self._watched[account.id] = Watched(account, fence, assets)
        if not watched.is_subscribed:
            watched.live.opened()
        feed = Feed(self, account.id)
        watched.feeds.add(feed)
        return feed

    def close(self, account_id: AccountId) -> None:
        """Forget the account: it has another owner, or no key."""
        if (watched := self._watched.pop(account_id, None)) is not None:
            watched.is_told.set()  # whoever waits for an order looks it up

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
        was_live = watched.is_subscribed
        feed.is_acknowledged = True
        if not was_live:
            watched.live.acknowledged(self._clock.steady())
            # What happened before is told by nobody. An account that begins was read a moment ago:
            # of many that begin together the next poll is soon enough.
            if watched.was_subscribed or len(self._watched) <= _FEW:
                self._read_again(watched)
            watched.was_subscribed = True

    def ended(self, feed: Feed, why: Doubt) -> None:
        watched = self._of(feed)
        if watched is None:
            return
        watched.feeds.discard(feed)
        if watched.is_subscribed:
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
                self._order(watched, event)
            case FillEvent():
                self._fill(watched, event)
            case other:
                assert_never(other)

    # What checks and orders say and ask.

    def checking(
        self,
        account: Account,
        *,
        marks: Sequence[LowBalanceThreshold] = (),
        order: ClientOrderId | None = None,
    ) -> None:
        """A check of *account* begins: what was told so far is for it. *order* is not resolved yet.
        A stream of another key or kind of money is none of this account any more.
        """
        watched = self._watched.get(account.id)
        if watched is None:
            return
        if not watched.is_of(account):
            self.close(account.id)
            self.on_doubt(account.id, Doubt.KEY)
            return
        watched.account, watched.marks = account, marks
        watched.assets = frozenset((*account.settings.assets, *(mark.asset for mark in marks)))
        watched.live.keep_to(watched.assets)
        watched.check_begins(self._clock.steady(), self.tally)
        watched.follow(order, now=self._clock.steady())
        watched.is_told.clear()  # this check looks it up
        watched.is_checking, watched.again_at = True, None

    def checked(self, account_id: AccountId) -> None:
        """The check is over. An order that it left under way and whose end was told is due."""
        watched = self._watched.get(account_id)
        if watched is None:
            return
        watched.is_checking = False
        if watched.order is not None and watched.is_told.is_set():
            self._due(watched, self._clock.steady())

    def read(self, account_id: AccountId, holdings: Holdings, *, begun: datetime) -> ReadVerdict:
        """Compare *holdings*, asked for when *begun* by the steady clock, with what was told."""
        watched = self._watched.get(account_id)
        if watched is None:
            return ReadVerdict.AGREES
        missed = watched.live.missed
        verdict = watched.live.read(
            holdings, assets=watched.assets, begun=begun, now=self._clock.steady()
        )
        self.missed += watched.live.missed - missed
        if verdict is ReadVerdict.DIFFERS:  # no reason to read again: this was read just now
            logger.warning("stream contradicted", extra={"account": account_id})
            self._disbelieve(watched, Doubt.BROKEN)
        return verdict

    def is_seen_twice(
        self, account_id: AccountId, holdings: Holdings, assets: Collection[Asset]
    ) -> bool:
        """True if the stream told just now what *holdings* have of each of *assets*."""
        watched = self._watched.get(account_id)
        return watched is not None and watched.live.is_seen_twice(
            holdings, assets, now=self._clock.steady()
        )

    def cause_of(self, account_id: AccountId, change: BalanceChange) -> Cause | None:
        """Returns why the balance changed, if an event that came just now told of just that."""
        if (watched := self._watched.get(account_id)) is None:
            return None
        now = self._clock.steady()
        return watched.live.cause_of(change.asset, change.before, change.after, now=now)

    def shows_all(
        self, account_id: AccountId, holdings: Holdings, assets: Collection[Asset]
    ) -> bool:
        """True if what the stream told last of all *assets*, just now, is in *holdings*, and the last
        of USDT was no trade.
        """
        watched = self._watched.get(account_id)
        return watched is not None and watched.live.shows_all(
            holdings, assets, now=self._clock.steady()
        )

    def came(self, account_id: AccountId) -> Decimal:
        """Returns the USDT that came without a trade since our last order left, as was told."""
        watched = self._watched.get(account_id)
        return ZERO if watched is None else watched.live.came

    def ordered(self, account_id: AccountId, order_id: ClientOrderId) -> None:
        """An order is about to leave. Until it is settled, what it does to the balances is no new
        reason to trade.
        """
        if (watched := self._watched.get(account_id)) is not None:
            watched.follow(order_id, now=self._clock.steady())
            watched.order_leaves(self._clock.steady(), self.tally)

    def settled(
        self,
        account_id: AccountId,
        order_id: ClientOrderId,
        *,
        after: Holdings | None = None,
        begun: datetime | None = None,
    ) -> None:
        """The order has ended, and is written down. *after* was asked for when *begun*, and shows it.
        What was told meanwhile and is not in what was read last makes the account due.
        """
        watched = self._watched.get(account_id)
        if watched is None or watched.order != order_id:
            return
        since = watched.followed_at
        watched.follow(None, now=self._clock.steady())
        if after is not None and begun is not None and since is not None:
            watched.live.over(after, since=since)
            self.read(account_id, after, begun=begun)
        if watched.live.is_unread():
            self._soon(watched)

    async def sleep(self, account_id: AccountId, duration: timedelta) -> None:
        """Return after *duration*, or as soon as the end of the order that is under way is told, which
        may have been since the last call.
        """
        watched = self._watched.get(account_id)
        if watched is None or watched.order is None:
            await self._clock.sleep(duration)
            return
        await watched.until_told(self._clock.sleep(duration))

    def fills_of(self, account_id: AccountId, order_id: ClientOrderId) -> Collection[Fill]:
        """Returns the fills that were told of the order, if it is the one that is under way."""
        watched = self._watched.get(account_id)
        if watched is None or watched.order != order_id:
            return []
        return [*watched.fills.values()]

    # What the dispatcher and the screens ask.

    def interval(self, account_id: AccountId, own: timedelta) -> timedelta:
        """Returns the time to the account's next poll, never less than its *own* interval."""
        watched = self._watched.get(account_id)
        if watched is None or not self._is_told_all(account_id, watched.account):
            return own
        return watched.live.interval(own, fits=fitting_interval(len(self._watched)))

    def _is_told_all(self, account_id: AccountId, account: Account) -> bool:
        """True if whatever may lead to a trade is told by a stream."""
        return stream_trigger.hangs_on_balances(account) or self.prices_are_live(account_id)

    def standing(self, account_id: AccountId) -> LiveStanding | None:
        """None where there is no stream."""
        watched = self._watched.get(account_id)
        if watched is None:
            return None
        live = watched.live
        return LiveStanding(live.trust.state, live.known(), live.told_at(), live.is_behind)

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

    def _of(self, feed: Feed) -> Watched | None:
        watched = self._watched.get(feed.account_id)
        return watched if watched is not None and feed in watched.feeds else None

    def _balance(self, watched: Watched, event: BalanceEvent) -> None:
        if event.asset not in watched.assets:
            return
        told = watched.live.note(event)
        if told is Told.GAP:
            self._disbelieve(watched, Doubt.BROKEN)
        if told is Told.NOTHING or watched.order is not None or watched.live.coalescing.is_pending:
            return
        if told is Told.GAP or self._may_matter(watched, event):
            self._soon(watched)

    def _may_matter(self, watched: Watched, event: BalanceEvent) -> bool:
        marks = watched.marks
        return marks is None or self._matters(watched.account, event, watched.live.known(), marks)

    def _order(self, watched: Watched, event: OrderEvent) -> None:
        """Its end alone is worth a look-up, which alone proves it."""
        if not event.is_final or ClientOrderId(event.client_order_id) != watched.order:
            return
        if watched.end_told() and not watched.is_checking:
            self._due(watched, self._clock.steady())

    def _fill(self, watched: Watched, event: FillEvent) -> None:
        if ClientOrderId(event.client_order_id) == watched.order:
            watched.note_fill(event.fill)

    def _doubt(self, watched: Watched, why: Doubt) -> None:
        self._disbelieve(watched, why)
        self._read_again(watched)

    def _disbelieve(self, watched: Watched, why: Doubt) -> None:
        watched.live.doubt(why, now=self._clock.steady())
        if watched.live.trust.state is StreamState.SUSPECT:
            for feed in watched.feeds:
                feed.is_acknowledged = False  # its end is no second doubt
        self.on_doubt(watched.account.id, why)

    def _read_again(self, watched: Watched) -> None:
        """At once, or in turn where many are to be; an order that is under way goes first."""
        now = self._clock.steady()
        if watched.order is not None:
            watched.again_at = now
            self._due(watched, now)
            return
        if watched.again_at is None or watched.again_at < now:
            watched.again_at = self._reading_again.moment(now)
        self.on_reread(watched.account.id, watched.again_at)

    def _soon(self, watched: Watched) -> None:
        """Once for all that is told within a moment, and not too often."""
        coalescing = watched.live.coalescing
        if coalescing.is_pending:
            return
        coalescing.event(self._clock.steady())
        if (due := coalescing.due_at()) is not None:
            self._due(watched, due)

    def _due(self, watched: Watched, at: datetime) -> None:
        self.on_due(watched.account.id, at)
