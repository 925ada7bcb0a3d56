"""Input of a check: what is known of its account before the exchange is asked."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.execution.maker_first import unwanted
from engine.domain.market.balances import LastSeen
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Order, Trigger
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.run_request import RunRequest
from engine.domain.rebalancing.slices.run import SlicedRun
from engine.domain.targets.timing import SlotStep, When


@dataclass(frozen=True, slots=True)
class SliceDue:
    """Slice *number* of a trade over time, to be traded by this check."""

    number: int
    slices: int
    run_id: str
    trade: ManualTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInput:
    """Everything a check of one account needs from the database, read in one go. While *sliced*
    runs nothing is traded but its slices; *due* is the one that this check found due. *time_zone*
    is read where the account trades at set times; *slot* is the one that is due or was missed.
    """

    account: Account
    unresolved: Order | None = None
    last_fill: Order | None = None
    trouble: Incident | None = None
    request: RunRequest | None = None
    marks: tuple[LowBalanceThreshold, ...] = ()
    last_seen: LastSeen | None = None
    sliced: SlicedRun | None = None
    due: SliceDue | None = None
    time_zone: str | None = None
    slot: SlotStep | None = None

    @property
    def to_centre(self) -> bool:
        """True if what is inside its band may be traded too."""
        if self.request is not None:
            return True
        is_slot = self.slot is not None and not self.slot.missed
        return is_slot and self.account.settings.pacing.when in {When.SCHEDULE, When.EITHER}

    @property
    def filled_at(self) -> datetime | None:
        """When the last trade was filled."""
        return self.last_fill.resolved_at if self.last_fill else None

    @property
    def trigger(self) -> Trigger:
        by_itself = self.request is None and self.due is None
        return Trigger.INTERVAL if by_itself else Trigger.PERSON

    @property
    def trade(self) -> ManualTrade | None:
        """Returns the trade that a user asked for, whatever the target says."""
        if self.due is not None:
            return self.due.trade
        manual = self.request.manual if self.request else None
        return manual.trade if manual else None

    def why_unwanted(self, order: Order) -> EndReason | None:
        """Returns why *order*, which rests, is cancelled before its time; None where it may go on."""
        account = self.account
        return unwanted(
            order,
            version=account.version,
            is_paused=account.settings.paused,
            is_halted=account.halted,
            is_asked=self.request is not None or self.due is not None,
        )
