"""Input of a check: what is known of its account before the exchange is asked."""

from dataclasses import dataclass

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.balances import LastSeen
from engine.domain.orders.order import Order, Trigger
from engine.domain.rebalancing.run_request import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInput:
    """Everything a check of one account needs from the database, read in one go."""

    account: Account
    unresolved: Order | None = None
    last_fill: Order | None = None
    trouble: Incident | None = None
    request: RunRequest | None = None
    marks: tuple[LowBalanceThreshold, ...] = ()
    last_seen: LastSeen | None = None

    @property
    def trigger(self) -> Trigger:
        return Trigger.INTERVAL if self.request is None else Trigger.PERSON
