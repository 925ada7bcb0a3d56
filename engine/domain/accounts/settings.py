"""Settings of a chat: the target, the band around it, and their limits."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.accounts.deposits import TRADED_AT_ONCE, DepositChoice, DepositRule
from engine.domain.execution.bound import USUAL_SLIPPAGE, ExecutionMode, Slippage
from engine.domain.market.balances import Counting
from engine.domain.market.decimals import ZERO, is_positive
from engine.domain.market.pairs import Symbol
from engine.domain.targets.bands import Threshold

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One chat's settings. *target* is USDT; *interval* is between two checks."""

    target: Decimal
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

    def __post_init__(self) -> None:
        if not is_positive(self.target) or self.target > MAX_TARGET:
            raise ValueError(f"a target must be above 0 and at most {MAX_TARGET} USDT")
        if not MIN_INTERVAL <= self.interval <= MAX_INTERVAL:
            raise ValueError("the interval must be from 1 s to 1 day")

    @property
    def band(self) -> Band:
        reach = self.threshold.in_quote(self.target)
        return Band(low=max(ZERO, self.target - reach), high=self.target + reach)

    @property
    def asks_about_deposits(self) -> bool:
        """True if a deposit waits for an answer: also where no order leaves without one."""
        choice = self.deposits.choice
        if choice is DepositChoice.KEEP:
            return False
        return choice is DepositChoice.ASK or self.autonomy is not TradingMode.AUTO
