"""What a stream said of an account's balances: the last value of each asset, and from when. Pure.

No event has a number and none is sent again, so a value that does not follow from the one before
means that an event is missing. That is a reason to look, never to trade.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import Asset

# An account that was read may lag behind its own stream by about a second; so long it is believed.
BEHIND_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEvent:
    """An asset's *free* and *locked* amounts, and what they were *before*; *order* is when the
    exchange made and pushed it, of which the greater counts; *at* is when it arrived here.
    """

    asset: Asset
    free: Decimal
    locked: Decimal
    before: tuple[Decimal, Decimal]
    order: tuple[int, int]
    at: datetime


@dataclass(frozen=True, slots=True)
class Noted:
    """*is_new*: the value changed. *is_broken*: an event before this one is missing."""

    is_new: bool = False
    is_broken: bool = False


class SeenBalances:
    """The last value of each asset; never more than one an asset."""

    def __init__(self) -> None:
        self._last: dict[Asset, BalanceEvent] = {}

    @property
    def last(self) -> Mapping[Asset, BalanceEvent]:
        return self._last

    def note(self, event: BalanceEvent) -> Noted:
        """Keep *event*, unless a newer one of its asset is known. One that comes twice is nothing
        new.
        """
        known = self._last.get(event.asset)
        if known is not None and event.order < known.order:
            return Noted()
        self._last[event.asset] = event
        if known is None:
            return Noted(is_new=True)
        held = known.free, known.locked
        is_new = (event.free, event.locked) != held
        return Noted(is_new, is_broken=is_new and event.before != held)

    def agree(self, holdings: Holdings, *, since: datetime) -> bool:
        """True if *holdings* show every event that came before they were asked for, *since* then.
        What came later may be in them or not.
        """
        return not self.missing(holdings, since=since)

    def missing(self, holdings: Holdings, *, since: datetime) -> tuple[Asset, ...]:
        """Returns the assets whose last event *holdings* contradict."""
        return tuple(
            asset
            for asset, event in self._last.items()
            if event.at <= since
            and (holdings.of(asset).free, holdings.of(asset).locked) != (event.free, event.locked)
        )

    def is_behind(self, holdings: Holdings, *, now: datetime) -> bool:
        """True if *holdings* lack an event that is so young that they may still come to show it."""
        young = [event for event in self._last.values() if now - event.at < BEHIND_FOR]
        return any(
            (holdings.of(event.asset).free, holdings.of(event.asset).locked)
            != (event.free, event.locked)
            for event in young
        )

    def replace(self, holdings: Holdings) -> None:
        """What was read counts from here on: events before it are forgotten."""
        self._last = {
            asset: event for asset, event in self._last.items() if event.at > holdings.read_at
        }
