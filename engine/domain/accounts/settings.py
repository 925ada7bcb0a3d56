"""Settings of a chat: the target, the band around it, and their limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.accounts.deposits import TRADED_AT_ONCE, DepositChoice, DepositRule
from engine.domain.execution.bound import USUAL_SLIPPAGE, ExecutionMode, Slippage
from engine.domain.market.balances import Counting, Holdings
from engine.domain.market.decimals import ZERO, is_positive
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.destination import Destination, usual_destination
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.pacing import UNPACED, Pacing
from engine.domain.targets.protection import without_protected
from engine.domain.targets.target import FixedUsdt, Target, amounts_of

MIN_INTERVAL = timedelta(seconds=1)
MAX_INTERVAL = timedelta(days=1)
MAX_TARGET = Decimal(1_000_000_000)


class TradingMode(Enum):
    """What happens when a trade is due: it is sent, offered first, or only reported."""

    AUTO = "auto"
    ASK = "ask"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Band:
    """At or between *low* and *high* nothing is traded."""

    low: Decimal
    high: Decimal

    def holds(self, amount: Decimal) -> bool:
        return self.low <= amount <= self.high


@dataclass(frozen=True, slots=True)
class FixedTarget:
    """A target that is an amount of USDT, with its band: no price changes either."""

    target: Decimal
    band: Band


def _fixed(target: Target, threshold: Threshold) -> FixedTarget | None:
    if not isinstance(target, FixedUsdt) or threshold.points is not None:
        return None
    amount = target.quote_amount
    reach = threshold.in_quote(amount)
    return FixedTarget(amount, Band(low=max(ZERO, amount - reach), high=amount + reach))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One chat's settings. *interval* is between two checks.

    *bands* replace the threshold for the assets named. Without a *destination* it is the usual one
    of the target. *protected* amounts, in units, are never counted and never sold. *pacing* is when
    trades may happen. With *twice* two checks in a row must find shares outside. Bands that are *scaled*
    follow volatility.
    """

    target: Target
    threshold: Threshold
    interval: timedelta
    symbol: Symbol
    counting: Counting = Counting.HELD
    dry_run: bool = False
    paused: bool = True
    autonomy: TradingMode = TradingMode.AUTO
    deposits: DepositRule = TRADED_AT_ONCE
    execution: ExecutionMode = ExecutionMode.MARKET
    slippage: Slippage = USUAL_SLIPPAGE
    bands: Mapping[Asset, ShareBand] = field(default_factory=dict, hash=False)
    destination: Destination | None = None
    protected: Mapping[Asset, Decimal] = field(default_factory=dict, hash=False)
    pacing: Pacing = UNPACED
    twice: bool = False
    scaled: bool = False
    fixed: FixedTarget | None = field(init=False, repr=False, compare=False)
    """The target as an amount of USDT; None where it is planned as a portfolio."""

    def __post_init__(self) -> None:
        if any(amount > MAX_TARGET for amount in amounts_of(self.target)):
            raise ValueError(f"a target must be above 0 and at most {MAX_TARGET} USDT")
        if not all(is_positive(amount) for amount in self.protected.values()):
            raise ValueError(f"a protected amount is above zero: {self.protected}")
        if not MIN_INTERVAL <= self.interval <= MAX_INTERVAL:
            raise ValueError("the interval must be from 1 s to 1 day")
        object.__setattr__(self, "fixed", _fixed(self.target, self.threshold))

    @property
    def fixed_goal(self) -> FixedTarget:
        """The fixed target. Raises ValueError where the target is planned as a portfolio."""
        if self.fixed is None:
            raise ValueError(f"{self.target} is planned as a portfolio")
        return self.fixed

    @property
    def targeting(self) -> TargetSettings:
        """The target with what is set around it, as a portfolio is planned by."""
        return TargetSettings(
            target=self.target,
            threshold=self.threshold,
            token=base_of(self.symbol),
            bands=self.bands,
        )

    @property
    def looks_twice(self) -> bool:
        """True if two checks in a row must find something outside: of parts alone."""
        return self.twice and self.targeting.basket is not None

    def managed(self, holdings: Holdings) -> Holdings:
        """Returns *holdings* as if what is protected were not there."""
        return without_protected(holdings, self.protected, counting=self.counting)

    def held(self, holdings: Holdings) -> Decimal:
        """Returns the USDT that counts for the target: without what is protected."""
        return self.managed(holdings).of(USDT).counted(self.counting)

    @property
    def leads_to(self) -> Destination:
        return self.destination or usual_destination(self.target)

    @property
    def assets(self) -> tuple[Asset, ...]:
        """What is traded: USDT and each token."""
        return (USDT, *self.targeting.tokens)

    @property
    def asks_about_deposits(self) -> bool:
        """True if a deposit waits for an answer: also where no order leaves without one."""
        choice = self.deposits.choice
        if choice is DepositChoice.KEEP:
            return False
        return choice is DepositChoice.ASK or self.autonomy is not TradingMode.AUTO
