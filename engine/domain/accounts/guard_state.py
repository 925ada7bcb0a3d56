"""What is stored of an account's crash guard: its values of the last day, and whether it acts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from engine.domain.targets.crash_guard import DAY, ManagedValue

_HOUR = timedelta(hours=1)
_MOST_VALUES = 200
# So much more than the last value is worth storing before an hour is over.
_RISE = Decimal("1.02")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardState:
    """*acted_at* is set while buying is stopped. *values* can be compared while the *basis* is the
    same: the kind of money, the assets, and what of them is managed.
    """

    acted_at: datetime | None = None
    lifted_at: datetime | None = None
    basis: str = ""
    values: tuple[ManagedValue, ...] = ()

    def on(self, basis: str) -> Self:
        """Returns the state with values that can be compared with those of *basis*."""
        return self if self.basis == basis else replace(self, basis=basis, values=())

    def seen(self, value: ManagedValue) -> Sequence[ManagedValue]:
        """Returns the values of the last day, with *value*."""
        return [*(one for one in self.values if value.at - one.at <= DAY), value]

    def is_worth_storing(self, value: ManagedValue) -> bool:
        if not self.values or value.flow or self.rises_to(value):
            return True
        return value.at - self.values[-1].at >= _HOUR

    def rises_to(self, value: ManagedValue) -> bool:
        """True if *value* is notably above the last one: what comes may be a fall from there."""
        return bool(self.values) and value.before > _RISE * self._last

    def nearer(self, *values: ManagedValue) -> ManagedValue:
        """Returns that of *values* which is nearer to the last one; without one, the last of them."""
        if not self.values:
            return values[-1]
        return min(values, key=lambda value: (value.before - self._last).copy_abs())

    @property
    def _last(self) -> Decimal:
        return self.values[-1].before + self.values[-1].flow

    def kept(self, values: Sequence[ManagedValue]) -> Self:
        return replace(self, values=tuple(values[-_MOST_VALUES:]))
