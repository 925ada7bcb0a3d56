"""Settings that a user requests, and the values under which the request still applies."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bound import ExecutionMode, Slippage
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import Asset, Symbol
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.target import Target


@dataclass(frozen=True, slots=True)
class DestinationChoice:
    """Where trades lead; None is the usual place of the target."""

    chosen: Destination | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPatch:
    """Values for some of an account's settings; those that are None it is not about."""

    target: Target | None = None
    threshold: Threshold | None = None
    interval_s: int | None = None
    symbol: Symbol | None = None
    counting: Counting | None = None
    autonomy: TradingMode | None = None
    dry_run: bool | None = None
    limits: Limits | None = None
    bands: Mapping[Asset, ShareBand] | None = None
    destination: DestinationChoice | None = None
    protected: Mapping[Asset, Decimal] | None = None
    execution: ExecutionMode | None = None
    slippage: Slippage | None = None
    pacing: Pacing | None = None
    twice: bool | None = None
    scaled: bool | None = None

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
            bands=settings.bands,
            destination=DestinationChoice(settings.destination),
            protected=settings.protected,
            execution=settings.execution,
            slippage=settings.slippage,
            pacing=settings.pacing,
            twice=settings.twice,
            scaled=settings.scaled,
        )

    @property
    def names(self) -> list[str]:
        """Returns the names of the settings it changes."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]

    def only(self, names: list[str]) -> Self:
        return type(self)(**{name: getattr(self, name) for name in names})

    def now(self, account: Account) -> Self:
        """Returns the values that *account* has for the settings of this patch."""
        return type(self).of(account).only(self.names)

    def for_settings(self) -> dict[str, Any]:
        """The part that is fields of `Settings`. Going back to real money pauses trading."""
        wanted = {name: getattr(self, name) for name in self.names}
        wanted.pop("limits", None)
        if "interval_s" in wanted:
            wanted["interval"] = timedelta(seconds=wanted.pop("interval_s"))
        if self.destination is not None:
            wanted["destination"] = self.destination.chosen
        if self.dry_run is False:
            wanted["paused"] = True
        return wanted


def difference(before: Account, after: Account) -> tuple[SettingsPatch, SettingsPatch]:
    """Returns the values of *before* and *after* that differ."""
    old, new = SettingsPatch.of(before), SettingsPatch.of(after)
    names = [name for name in new.names if getattr(old, name) != getattr(new, name)]
    return old.only(names), new.only(names)
