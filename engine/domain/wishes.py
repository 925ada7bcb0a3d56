"""Settings that a person wants to have, and what has to be so for that wish still to hold."""

from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self

from engine.domain.accounts import Account
from engine.domain.holdings import Counting
from engine.domain.limits import Limits
from engine.domain.pairs import Side, Symbol
from engine.domain.planner import Order
from engine.domain.target import Autonomy, Threshold

_SAME_DEAL = Decimal("0.05")
_SAME_DEAL_QUOTE = Decimal("0.10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Values for some of an account's settings; those that are None it is not about."""

    target: Decimal | None = None
    threshold: Threshold | None = None
    interval_s: int | None = None
    symbol: Symbol | None = None
    counting: Counting | None = None
    autonomy: Autonomy | None = None
    dry_run: bool | None = None
    limits: Limits | None = None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Everything, as it is."""
        settings = account.settings
        return cls(
            target=settings.target,
            threshold=settings.threshold,
            interval_s=settings.interval // timedelta(seconds=1),
            symbol=settings.symbol,
            counting=settings.counting,
            autonomy=settings.autonomy,
            dry_run=settings.dry_run,
            limits=account.limits,
        )

    @property
    def names(self) -> list[str]:
        """What it is about."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]

    def only(self, names: list[str]) -> Self:
        return type(self)(**{name: getattr(self, name) for name in names})

    def now(self, account: Account) -> Self:
        """What *account* has where this wants something."""
        return type(self).of(account).only(self.names)

    def for_settings(self) -> dict[str, Any]:
        """The part that is fields of `Settings`. Going back to real money pauses trading."""
        wanted = {name: getattr(self, name) for name in self.names}
        wanted.pop("limits", None)
        if "interval_s" in wanted:
            wanted["interval"] = timedelta(seconds=wanted.pop("interval_s"))
        if self.dry_run is False:
            wanted["paused"] = True
        return wanted


def difference(before: Account, after: Account) -> tuple[Wish, Wish]:
    """What *before* and *after* have where they differ."""
    old, new = Wish.of(before), Wish.of(after)
    names = [name for name in new.names if getattr(old, name) != getattr(new, name)]
    return old.only(names), new.only(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a tap would set, kept with its button. It holds only while the account has what was
    *found*, and, where *version* is given, while nothing at all was changed. *side* and
    *expected_quote* are the order that the person was shown, if one could be foreseen; *in_panel*
    says whether it is answered by a page of the panel.
    """

    wanted: Wish
    found: Wish
    version: int | None = None
    side: Side | None = None
    expected_quote: Decimal | None = None
    in_panel: bool = False

    def covers(self, order: Order) -> bool:
        """Whether *order* is what the person said yes to, or less of it, give or take what a
        moving price does.
        """
        if self.expected_quote is None or order.side is not self.side:
            return False
        allowance = max(self.expected_quote * _SAME_DEAL, _SAME_DEAL_QUOTE)
        return order.expected_quote <= self.expected_quote + allowance

    def holds(self, account: Account) -> bool:
        same = self.version is None or self.version == account.version
        return same and self.found.now(account) == self.found
