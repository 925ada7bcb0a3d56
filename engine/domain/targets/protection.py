"""Protected amounts: never counted, never sold. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset, Side


@dataclass(frozen=True, slots=True)
class NotCovered:
    """Only *held* is there of the *protected* amount of what the order would bring: it would vanish
    into that, and be traded again.
    """

    side: Side
    held: Decimal
    protected: Decimal


@dataclass(frozen=True, slots=True)
class Managed:
    """What is counted of an asset, and how much of it may be sold now.

    Nothing is bought where less is held than is protected: it would vanish into the protected
    amount, and be bought again. For USDT that means: nothing is sold.
    """

    quantity: Decimal
    free: Decimal
    buying: bool = True


def managed(balance: Balance, *, counting: Counting, protected: Decimal = ZERO) -> Managed:
    held = balance.counted(counting)
    quantity = max(ZERO, held - protected)
    return Managed(quantity, min(balance.free, quantity), buying=held >= protected)


def without_protected(
    holdings: Holdings, protected: Mapping[Asset, Decimal], *, counting: Counting
) -> Holdings:
    """Returns *holdings* as if what is protected were not there."""
    if not protected:
        return holdings

    def rest(asset: Asset, amount: Decimal) -> Balance:
        balance = holdings.of(asset)
        part = managed(balance, counting=counting, protected=amount)
        if counting is Counting.FREE:
            return replace(balance, free=part.free)
        return Balance(free=part.free, locked=part.quantity - part.free)

    rests = {asset: rest(asset, amount) for asset, amount in protected.items()}
    return replace(holdings, balances={**holdings.balances, **rests})
