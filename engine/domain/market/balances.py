"""Balances of an account at the moment they were read."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset
from engine.errors import BadData

# The key of rows whose asset cannot be read.
NAMELESS = Asset("")


class Counting(Enum):
    """Whether coins locked in the user's own open orders count as held."""

    HELD = "held"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Balance:
    """*free* may be used by an order, *locked* sits in open orders; neither is ever negative."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    def __post_init__(self) -> None:
        for amount in (self.free, self.locked):
            if not amount.is_finite() or amount < ZERO:
                raise ValueError(f"a balance cannot be {amount}")

    @property
    def total(self) -> Decimal:
        return self.free + self.locked

    def counted(self, counting: Counting) -> Decimal:
        return self.free if counting is Counting.FREE else self.total


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every asset of one account. An asset the exchange does not list is held at zero.

    *unreadable* says what was read of assets whose rows make no sense, by their `folded` names.
    """

    balances: Mapping[Asset, Balance]
    read_at: datetime
    unreadable: Mapping[Asset, str] = field(default_factory=dict)

    def of(self, asset: Asset) -> Balance:
        """Raises BadData, which names the asset and what was read, where that is no balance."""
        if self.unreadable and (odd := self.unreadable.get(folded(asset))) is not None:
            raise BadData(odd)
        if (balance := self.balances.get(asset)) is not None:
            return balance
        for listed, balance in self.balances.items():
            if folded(listed) == folded(asset):
                raise BadData(f'MEXC writes {asset} as "{listed}" ({balance.total:f})')
        if NAMELESS in self.unreadable:  # it may be the row of this asset
            raise BadData(f"MEXC lists no {asset}, but {self.unreadable[NAMELESS]}")
        return Balance()


def folded(name: str) -> Asset:
    """Returns *name* without case, width, blanks and invisible characters.
    Two assets that only differ in these are taken for one that was misspelt.
    """
    if name.isascii() and name.isalnum():
        return Asset(name.upper())  # nearly all names; the rest would change nothing
    plain = unicodedata.normalize("NFKC", name)
    return Asset("".join(c for c in plain if c.isprintable() and not c.isspace()).upper())


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What an account held when that changed last, by asset, open orders included."""

    amounts: Mapping[Asset, Decimal]
    at: datetime

    def lost_in(self, holdings: Holdings) -> bool:
        """True if an asset is missing that was there before."""
        return any(holdings.of(asset).total == ZERO < held for asset, held in self.amounts.items())

    def is_still(self, holdings: Holdings) -> bool:
        return all(holdings.of(asset).total == held for asset, held in self.amounts.items())

    def is_of(self, assets: Collection[Asset]) -> bool:
        """True if these are the balances of *assets*, and of no others."""
        return self.amounts.keys() == set(assets)
