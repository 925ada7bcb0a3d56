"""All streams of the process: who is told what checks found, and whom no check here is about any more."""

import logging
from dataclasses import dataclass
from typing import Protocol

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckFailed, CheckResult
from engine.streaming.connections import Following
from engine.streaming.live_prices import LivePrices

logger = logging.getLogger(__name__)


class Watching(Protocol):
    """What the dispatcher tells."""

    def checked(self, account: Account, look: CheckResult, *, fence: int) -> None:
        """A check of *account*, which is ours under *fence*, ended."""
        ...

    def unwanted(self, account_id: AccountId) -> None:
        """Another process owns the account, or there is nothing to do for it."""
        ...


class Nobody:
    """Satisfies `Watching` where there are no streams."""

    def checked(self, account: Account, look: CheckResult, *, fence: int) -> None:
        """Nobody wants to know."""

    def unwanted(self, account_id: AccountId) -> None:
        """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Satisfies `Watching`: the accounts' own streams, and those of prices where there are any. What
    is wrong with them ends no check: the account is polled.
    """

    fleet: Following
    prices: LivePrices | None = None

    def checked(self, account: Account, look: CheckResult, *, fence: int) -> None:
        try:
            if not isinstance(look.verdict, CheckFailed):
                self.fleet.wanted(account, fence=fence)
            if self.prices is not None:
                self.prices.checked(account, look)
        except Exception:
            logger.exception("streams failed", extra={"account": account.id})
            self.unwanted(account.id)

    def unwanted(self, account_id: AccountId) -> None:
        try:
            self.fleet.unwanted(account_id)
            if self.prices is not None:
                self.prices.unwanted(account_id)
        except Exception:
            logger.exception("streams failed", extra={"account": account_id})

    def prices_are_live(self, account_id: AccountId) -> bool:
        """True if what the account's decision hangs on are live prices, and its balances."""
        return self.prices is not None and self.prices.are_live(account_id)
