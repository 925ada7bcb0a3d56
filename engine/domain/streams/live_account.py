"""What is known of one account by its stream and by reading it, and what that calls for. Pure.

Times are of the steady clock. Nothing here is ever planned from: an order needs balances that were
read. What a stream told and what was read are compared, and each difference is a reason to look.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import Asset
from engine.domain.streams.coalescing import Coalescing
from engine.domain.streams.events import Amounts, BalanceEvent
from engine.domain.streams.seen_balances import SeenBalances, amounts_in
from engine.domain.streams.trust import Doubt, StreamState, Trust, poll_interval

# What was read may lag behind the stream by about a second. So long nothing is traded on what
# contradicts an event; after that what was read counts.
BEHIND_FOR = timedelta(seconds=30)
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
    BEHIND = "behind"  # it lacks an event so young that it may still come to show it
    DIFFERS = "differs"  # an event is missing, or was wrong: the read counts


@dataclass(frozen=True, slots=True)
class _Untold:
    """A change that was read and that no event has told yet, until *by* then."""

    amounts: Amounts
    by: datetime


class LiveAccount:
    """One account of one owner, from its first event on."""

    def __init__(self) -> None:
        self.trust = Trust()
        self.coalescing = Coalescing()
        self.missed = 0
        self._seen = SeenBalances()
        self._last_read: Holdings | None = None
        self._untold: dict[Asset, _Untold] = {}
        self._acknowledged_at: datetime | None = None

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
            self._acknowledged_at = None
            self._last_read = None
            for asset in [*self._seen.last]:
                self._seen.forget(asset)

    def note(self, event: BalanceEvent) -> Told:
        """Take *event*. One that was read before it came is nothing new."""
        noted = self._seen.note(event)
        untold = self._untold.get(event.asset)
        if untold is not None and untold.amounts == event.amounts:
            del self._untold[event.asset]
        was_read = self._last_read and amounts_in(self._last_read, event.asset) == event.amounts
        if not noted.is_new or was_read:
            return Told.NOTHING
        return Told.GAP if noted.is_broken else Told.CHANGE

    def read(self, holdings: Holdings, *, begun: datetime, now: datetime) -> ReadVerdict:
        """Compare *holdings*, asked for when *begun*, with what was told. While they are BEHIND they
        are not remembered.
        """
        contradicted = self._seen.contradicted(holdings, since=begun)
        if any(now - event.at < BEHIND_FOR for event in contradicted):
            return ReadVerdict.BEHIND
        for event in contradicted:
            self._seen.forget(event.asset)
        is_subscribed = self._acknowledged_at is not None and self._acknowledged_at <= begun
        if is_subscribed:
            for asset, amounts in self._changed(holdings).items():
                self._untold[asset] = _Untold(amounts, now + TOLD_WITHIN)
        self._last_read = holdings if is_subscribed else None
        if contradicted:
            self.missed += len(contradicted)
            return ReadVerdict.DIFFERS
        if is_subscribed and not self._untold:
            self.trust = self.trust.agreed()
        return ReadVerdict.AGREES

    def _changed(self, holdings: Holdings) -> Mapping[Asset, Amounts]:
        """Returns what changed since the last read and no event told."""
        before = self._last_read
        if before is None:
            return {}
        changed: dict[Asset, Amounts] = {}
        for asset in {*before.balances, *holdings.balances}:
            amounts, was = amounts_in(holdings, asset), amounts_in(before, asset)
            event = self._seen.last.get(asset)
            if amounts is None or was is None or amounts == was:
                continue
            if event is None or event.amounts != amounts:
                changed[asset] = amounts
        return changed

    def is_deaf(self, now: datetime) -> bool:
        """True if a change was read that no event told in time. Counts each as missed, once."""
        late = [asset for asset, untold in self._untold.items() if untold.by <= now]
        for asset in late:
            del self._untold[asset]
        self.missed += len(late)
        return bool(late)

    def is_seen_twice(
        self, holdings: Holdings, assets: Collection[Asset], *, now: datetime
    ) -> bool:
        """True if the stream told just now what *holdings* have of each of *assets*: a second sight."""
        since = now - SIGHT_FOR
        return all(self._seen.shows(holdings, asset, since=since) for asset in assets)

    def known(self) -> Mapping[Asset, Amounts]:
        """Returns what the stream told last of each asset, to show and to judge by, not to trade on."""
        return {asset: event.amounts for asset, event in self._seen.last.items()}

    def interval(self, own: timedelta, *, fits: timedelta) -> timedelta:
        return poll_interval(self.trust, own, fits=fits)
