"""What a stream said of an account's balances: the last value of each asset, and from when. Pure.

No event has a number and none is sent again, so a value that does not follow from the one before
means that an event is missing. That is a reason to look, never to trade.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import Asset
from engine.domain.streams.events import Amounts, BalanceEvent, Cause
from engine.errors import BadData

# A stream writes up to 18 places, and what is read may be rounded.
_ROUNDING = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Noted:
    """*is_new*: the value changed. *is_broken*: an event before this one is missing."""

    is_new: bool = False
    is_broken: bool = False


class SeenBalances:
    """The last value of each asset; never more than one an asset."""

    def __init__(self) -> None:
        self._last: dict[Asset, BalanceEvent] = {}
        self._over: dict[Asset, tuple[int, int]] = {}

    @property
    def last(self) -> Mapping[Asset, BalanceEvent]:
        return self._last

    def known(self) -> set[Asset]:
        """Returns the assets of which anything was told."""
        return {*self._last, *self._over}

    def note(self, event: BalanceEvent) -> Noted:
        """Keep *event*, unless a newer one of its asset is known. One that comes again is nothing
        new, and no younger by it.
        """
        known = self._last.get(event.asset)
        if known is not None and (event.order < known.order or _is_repeated(event, known)):
            return Noted()
        if event.order < self._over.get(event.asset, event.order):
            return Noted()
        self._last[event.asset] = event
        if known is None:
            return Noted(is_new=True)
        is_new = not is_same(event.amounts, known.amounts)
        return Noted(is_new, is_broken=is_new and not is_same(event.before, known.amounts))

    def contradicted(self, holdings: Holdings, *, since: datetime) -> tuple[BalanceEvent, ...]:
        """Returns the events that *holdings* do not show, of those that came before they were asked
        for, *since* then. What came later may be in them or not.
        """
        return tuple(
            event
            for event in self._last.values()
            if event.at <= since and not _may_show(holdings, event)
        )

    def shows(self, holdings: Holdings, asset: Asset, *, since: datetime) -> bool:
        """True if an event that came *since* then told what *holdings* have of *asset*."""
        event = self._last.get(asset)
        if event is None or event.at < since:
            return False
        return is_same(amounts_in(holdings, asset), event.amounts)

    def cause_of(
        self, asset: Asset, before: Decimal, after: Decimal, *, since: datetime
    ) -> Cause | None:
        """Returns why *asset* went from one total to the other; None unless a single event that came
        *since* then tells of just that.
        """
        event = self._last.get(asset)
        if event is None or event.at < since:
            return None
        is_all = (sum(event.before), sum(event.amounts)) == (before, after)
        return event.cause if is_all else None

    def forget(self, asset: Asset) -> None:
        """What was told of *asset* was wrong."""
        self._last.pop(asset, None)
        self._over.pop(asset, None)

    def end(self, asset: Asset) -> None:
        """What was told of *asset* is over, and so is what was made before it and comes later."""
        if (event := self._last.pop(asset, None)) is not None:
            self._over[asset] = event.order


def amounts_in(holdings: Holdings, asset: Asset) -> Amounts | None:
    """Returns what is free and locked of *asset*; None where that cannot be read."""
    try:
        balance = holdings.of(asset)
    except BadData:
        return None
    return balance.free, balance.locked


def is_same(some: Amounts | None, others: Amounts | None) -> bool:
    """True if both say the same, up to how they are rounded; what is not known is never the same."""
    if some is None or others is None:
        return False
    return all(abs(one - other) <= _ROUNDING for one, other in zip(some, others, strict=True))


def _is_repeated(event: BalanceEvent, known: BalanceEvent) -> bool:
    return event.order[0] == known.order[0] and event.amounts == known.amounts


def _may_show(holdings: Holdings, event: BalanceEvent) -> bool:
    read = amounts_in(holdings, event.asset)
    return read is None or is_same(read, event.amounts)
