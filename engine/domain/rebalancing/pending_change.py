"""A change of settings that waits for the user's confirmation."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.pairs import Side
from engine.domain.portfolio.plan import PortfolioPlan
from engine.domain.rebalancing.planner import ProposedOrder
from engine.domain.rebalancing.run_request import price_allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A change that a tap would make, stored with its button.
    It is valid while the account has what was *found*, and, where *version* is given, is
    unchanged. *side* and *expected_quote* are the order shown to the user, if one could be
    forecast; *in_panel* says whether it is answered by a page of the panel.
    """

    wanted: SettingsPatch
    found: SettingsPatch
    version: int | None = None
    side: Side | None = None
    expected_quote: Decimal | None = None
    in_panel: bool = False

    def covers(self, order: ProposedOrder) -> bool:
        """True if *order* is what the user confirmed, or less, within the price tolerance."""
        if self.expected_quote is None or order.side is not self.side:
            return False
        return order.expected_quote <= self.expected_quote + price_allowance(self.expected_quote)

    def covers_plan(self, plan: PortfolioPlan) -> bool:
        """As `covers`, of all trades of *plan*: *expected_quote* is what they come to, and *side*
        that of the first.
        """
        if self.expected_quote is None or not plan.legs or plan.legs[0].side is not self.side:
            return False
        return plan.turnover <= self.expected_quote + price_allowance(self.expected_quote)

    def holds(self, account: Account) -> bool:
        same = self.version is None or self.version == account.version
        return same and self.found.now(account) == self.found
