"""What is known of one account by its stream and by reading it, and what that calls for. Pure.

Times are of the steady clock. Nothing here is ever planned from: an order needs balances that were
read. What a stream told and what was read are compared, and each difference is a reason to look.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.streams.coalescing import Coalescing
from engine.domain.streams.events import Amounts, BalanceEvent, Cause
from engine.domain.streams.seen_balances import SeenBalances, amounts_in, is_same
from engine.domain.streams.trust import Doubt, StreamState, Trust, poll_interval

# What was read may lag behind the stream by about a second. So long nothing is planned on what
# contradicts an event; after that what was read counts, and so it does where one such read follows
# another for so long, since events never stop.
BEHIND_FOR = timedelta(seconds=30)
# So long reads go on counting then, so that what has to be read twice can be.
COUNTS_FOR = timedelta(seconds=6)
# So long an event may come after a read that shows its change.
TOLD_WITHIN = timedelta(seconds=10)
# So long an event is a sight of its own, beside the read that agrees.
SIGHT_FOR = timedelta(minutes=1)


class Told(Enum):
    """What an event calls for."""

    NOTHING = "nothing"  # known already
    CHANGE = "change"
    GAP = "gap"  # an event before this one is missing


class ReadVerdict(Enum):
    """What a read of the balances is worth beside the stream."""

    AGREES = "agrees"
    BEHIND = (
        "behind"  # it lacks an event so young that it may still come to show it: not to plan on
    )
    DIFFERS = "differs"  # an event is missing, or was wrong: the read counts


@dataclass(slots=True)
class _Untold:
    """A change to *amounts*, to be told *until* then. *is_passed*: an event went on from there."""

    amounts: Amounts
    until: datetime
    is_passed: bool = False

    def is_still(self, event: BalanceEvent, *, is_new: bool) -> bool:
        """True if the change is not told by *event* either, alone or with what came after it."""
        self.is_passed = self.is_passed or is_same(event.before, self.amounts)
        if is_same(event.amounts, self.amounts):
            return False
        return self.is_passed or not is_new


class LiveAccount:
    """One account of one owner, from its first event on."""

    def __init__(self) -> None:
        self.trust = Trust()
        self.coalescing = Coalescing()
        self.missed = 0
        self._seen = SeenBalances()
        self._read: Mapping[Asset, Amounts] | None = None
        # Of these an event told something else than the last read, or there was none yet.
        self._unread: set[Asset] = set()
        # Changes that were read and that no event has told yet.
        self._untold: dict[Asset, _Untold] = {}
        self._acknowledged_at: datetime | None = None
        self._behind_since: datetime | None = None
        self._counts_until: datetime | None = None
        # USDT that came without a trade since our last order left; less than nothing is what went.
        self.came = ZERO

    def opened(self) -> None:
        self.trust = self.trust.opened()

    def acknowledged(self, now: datetime) -> None:
        """Every channel is subscribed from *now* on."""
        self.trust = self.trust.acknowledged()
        self._acknowledged_at = now

    def doubt(self, why: Doubt, *, now: datetime) -> None:
        """The stream is not believed any more; what it told before is not compared again."""
        self.trust = self.trust.doubted(why, now=now)
        self._untold.clear()
        if self.trust.state is StreamState.SUSPECT:
            self._acknowledged_at = self._read = self._behind_since = None
            self.keep_to(())

    def keep_to(self, assets: Collection[Asset]) -> None:
        """Nothing but *assets* matters from now on."""
        for asset in self._seen.known() - {*assets}:
            self._forget(asset)

    def note(self, event: BalanceEvent) -> Told:
        """Take *event*. One that was read before it came is nothing new."""
        asset, noted = event.asset, self._seen.note(event)
        untold = self._untold.get(asset)
        if untold is not None and not untold.is_still(event, is_new=noted.is_new):
            del self._untold[asset]
        if not noted.is_new:
            return Told.NOTHING
        if asset == USDT and event.cause is not Cause.TRADE:
            self.came += sum(event.amounts) - sum(event.before)
        was_read = self._read is not None and is_same(self._read.get(asset), event.amounts)
        if was_read and asset not in self._unread:
            return Told.NOTHING
        self._unread.add(asset)
        return Told.GAP if noted.is_broken else Told.CHANGE

    def over(self, holdings: Holdings, *, since: datetime) -> None:
        """Our own order left at *since*, and *holdings* show it: what was told before is over."""
        for event in self._seen.contradicted(holdings, since=since):
            self._seen.end(event.asset)
            self._unread.discard(event.asset)
            self._untold.pop(event.asset, None)

    def read(
        self, holdings: Holdings, *, assets: Collection[Asset], begun: datetime, now: datetime
    ) -> ReadVerdict:
        """Compare what *holdings*, asked for when *begun*, have of *assets* with what was told. While
        they are BEHIND they are not remembered.
        """
        contradicted = self._seen.contradicted(holdings, since=begun)
        young = {event.asset for event in contradicted if now - event.at < BEHIND_FOR}
        if young and (self._counts_until is None or self._counts_until <= now):
            self._behind_since = self._behind_since or now
            if now - self._behind_since < BEHIND_FOR:
                return ReadVerdict.BEHIND
            self._counts_until = now + COUNTS_FOR
        self._behind_since = None
        # One that a read showed before is not wrong: a newer one is on its way, or missing.
        wrong = {event.asset for event in contradicted} & self._unread - young
        for asset in wrong:
            self._forget(asset)
        self._remember(holdings, assets, begun=begun, now=now)
        if wrong:
            self.missed += len(wrong)
            return ReadVerdict.DIFFERS
        if self._read is not None and not self._untold and not young:
            self.trust = self.trust.agreed()
        return ReadVerdict.AGREES

    def _remember(
        self, holdings: Holdings, assets: Collection[Asset], *, begun: datetime, now: datetime
    ) -> None:
        read = {
            asset: amounts
            for asset in assets
            if (amounts := amounts_in(holdings, asset)) is not None
        }
        before, last = self._read or {}, self._seen.last
        self._unread = {
            asset for asset in self._unread if not is_same(read.get(asset), last[asset].amounts)
        }
        if self._acknowledged_at is None or self._acknowledged_at > begun:
            self._read = None
            return
        self._read = read
        for asset, amounts in read.items():
            if asset not in before or is_same(before[asset], amounts):
                continue
            event = last.get(asset)
            if event is None or (event.at <= begun and not is_same(event.amounts, amounts)):
                self._untold[asset] = _Untold(amounts, now + TOLD_WITHIN)

    def is_unread(self) -> bool:
        """True if something was told that the last read did not show."""
        read = self._read or {}
        return any(
            not is_same(read.get(asset), self._seen.last[asset].amounts) for asset in self._unread
        )

    def is_deaf(self, now: datetime) -> bool:
        """True if a change was read that no event told in time. Counts each as missed, once."""
        late = [asset for asset, untold in self._untold.items() if untold.until <= now]
        for asset in late:
            del self._untold[asset]
        self.missed += len(late)
        return bool(late)

    def is_seen_twice(
        self, holdings: Holdings, assets: Collection[Asset], *, now: datetime
    ) -> bool:
        """True if the stream told just now what *holdings* have of each of *assets*: a second sight.
        Of none it is none.
        """
        since = now - SIGHT_FOR
        return bool(assets) and all(
            self._seen.shows(holdings, asset, since=since) for asset in assets
        )

    def shows_all(self, holdings: Holdings, assets: Collection[Asset], *, now: datetime) -> bool:
        """True if *holdings* are a second sight of all *assets*, and the last change of USDT was no
        trade.
        """
        usdt = self._seen.last.get(USDT)
        is_traded = usdt is None or usdt.cause is Cause.TRADE
        return not is_traded and self.is_seen_twice(holdings, assets, now=now)

    def cause_of(
        self, asset: Asset, before: Decimal, after: Decimal, *, now: datetime
    ) -> Cause | None:
        """Returns why *asset* went from one total to the other, if an event told of just that."""
        return self._seen.cause_of(asset, before, after, since=now - SIGHT_FOR)

    def known(self) -> Mapping[Asset, Amounts]:
        """Returns what was told or read last of each asset, to show and to judge by, not to trade on."""
        told = {asset: event.amounts for asset, event in self._seen.last.items()}
        if self._read is None:
            return told
        return {**self._read, **{asset: told[asset] for asset in self._unread}}

    @property
    def is_behind(self) -> bool:
        """True if what was read last lacked an event, so that it is read again."""
        return self._behind_since is not None

    def told_at(self) -> datetime | None:
        """Returns when the newest of what is `known` was told; None if nothing is."""
        return max((event.at for event in self._seen.last.values()), default=None)

    def interval(self, own: timedelta, *, fits: timedelta) -> timedelta:
        return poll_interval(self.trust, own, fits=fits)

    def _forget(self, asset: Asset) -> None:
        self._seen.forget(asset)
        self._unread.discard(asset)
        self._untold.pop(asset, None)
