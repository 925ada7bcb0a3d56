"""An account as the engine sees it: whose it is, what it wants, whether it holds a key."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.guard_state import GuardState
from engine.domain.accounts.risk_limits import AUTOMATIC, Limits, LimitsInForce
from engine.domain.accounts.settings import Settings
from engine.domain.market.decimals import ZERO
from engine.domain.orders.order import AccountId
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.scaling import Widths, scaled_settings
from engine.domain.targets.target import amounts_of
from engine.domain.targets.timing import Sighting


@dataclass(frozen=True, slots=True)
class Halt:
    """The owner stopped all accounts at once, and only the owner lifts it."""

    at: datetime
    user_id: int


PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One chat's account; *version* changes with every change.
    *sealed_key* is the encrypted exchange key, *key_tail* its last four characters; both None
    without a key. *halted* is set by the owner for all accounts and does not change *paused*. No
    plan is offered until *not_before*. *key_expires_at* is None where MEXC does not say,
    *topic_id* where the chat is no forum; *all_may_look* lets every member of the chat see what a
    viewer sees. *waiting* is a deposit that is not traded yet. *outside_since* is when the balance
    was found out of its band, by all checks since then. While *slicing_until* is set a trade over
    time runs, until then at the latest, and nothing else is traded. *slot_at* is the last set time
    that was dealt with, or when checks began to keep to them. *guard* is what its crash guard saw, *sighted*
    what the last check found outside, where two in a row must;
    *widths* are those of its bands today, where they follow volatility.
    """

    id: AccountId
    uuid: str
    chat_id: int
    version: int
    settings: Settings
    sealed_key: str | None
    key_tail: str | None
    limits: Limits = AUTOMATIC
    halted: bool = False
    not_before: datetime | None = None
    key_expires_at: datetime | None = None
    topic_id: int | None = None
    all_may_look: bool = False
    waiting: WaitingDeposit | None = None
    outside_since: datetime | None = None
    slicing_until: datetime | None = None
    slot_at: datetime | None = None
    guard: GuardState | None = None
    sighted: Sighting | None = None
    widths: Widths | None = None

    @property
    def buying_stopped_at(self) -> datetime | None:
        """Since when the crash guard lets nothing be bought."""
        is_set = self.settings.pacing.crash_guard is not None
        return self.guard.acted_at if is_set and self.guard is not None else None

    @property
    def targeting(self) -> TargetSettings:
        """The target with the bands that are in force."""
        targeting = self.settings.targeting
        if not self.settings.scaled or self.widths is None:
            return targeting
        return scaled_settings(targeting, self.widths.factors)

    @property
    def can_trade(self) -> bool:
        return self.settings.dry_run or self.sealed_key is not None

    @property
    def funds(self) -> str | None:
        """Names the balances traded: those on paper, or those of the key with this end."""
        return PAPER if self.settings.dry_run else self.key_tail

    def with_money(self, *, dry_run: bool) -> Self:
        """Returns the same account, as if it traded on paper or for real."""
        return replace(self, settings=replace(self.settings, dry_run=dry_run))

    def waits(self, now: datetime) -> WaitingDeposit | None:
        """Returns the deposit that still waits *now*; none does in a portfolio."""
        if self.waiting is None or self.waiting.is_over(now) or self.settings.fixed is None:
            return None
        return self.waiting

    @property
    def stopped(self) -> bool:
        """True if no order may leave, by a pause or a halt."""
        return self.settings.paused or self.halted

    @property
    def limits_in_force(self) -> LimitsInForce:
        """By the largest amount of USDT that the target names."""
        return self.limits.for_target(max(amounts_of(self.settings.target), default=ZERO))
