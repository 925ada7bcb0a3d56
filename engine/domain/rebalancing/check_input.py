"""What a check knows of its account before it asks the exchange."""

from dataclasses import dataclass

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Trouble
from engine.domain.accounts.low_balance import LowMark
from engine.domain.market.balances import LastSeen
from engine.domain.orders.order import Intent
from engine.domain.rebalancing.run_request import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Everything a check of one account needs from the database, read in one go."""

    account: Account
    unresolved: Intent | None = None
    last_fill: Intent | None = None
    trouble: Trouble | None = None
    request: RunRequest | None = None
    marks: tuple[LowMark, ...] = ()
    last_seen: LastSeen | None = None
