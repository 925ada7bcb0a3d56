"""What the buttons of a waiting deposit offer: to trade it now, or to keep it by a higher target."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Self

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import MAX_TARGET, TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.decimals import CENT
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.planner import goal_of
from engine.domain.targets.goals import DUST
from engine.domain.targets.target import FixedUsdt


@dataclass(frozen=True, slots=True)
class DepositOffer:
    """*amount* waits, *buys* is what would be traded for it, *new_target* what would keep it.
    *new_target* is None where no target is so high.
    """

    amount: Decimal
    buys: Decimal
    new_target: Decimal | None

    @classmethod
    def of(cls, account: Account, amount: Decimal, *, held: Decimal) -> Self:
        """Raises ValueError where the target is planned as a portfolio: no deposit waits then."""
        settings, fixed = account.settings, account.settings.fixed_goal
        excess = held - goal_of(settings).aim(held, least=DUST)
        # What else is out of the band is traded at once, unless nothing is without an answer.
        alone = settings.autonomy is TradingMode.AUTO and not fixed.band.holds(held - amount)
        buys = min(amount, excess) if alone else excess
        return cls(amount, buys, target_that_keeps(fixed.target, amount))

    def as_change(self, account: Account) -> PendingChange:
        """To store with the buttons."""
        return PendingChange(
            wanted=SettingsPatch(target=FixedUsdt(self.new_target) if self.new_target else None),
            found=SettingsPatch.of(account).only(["target", "symbol", "dry_run"]),
            side=Side.BUY,
            expected_quote=self.buys,
        )


def target_that_keeps(target: Decimal, amount: Decimal) -> Decimal | None:
    """Returns the target raised by *amount*, to the cent; None where that is no target."""
    raised = (target + amount).quantize(CENT, ROUND_DOWN)
    return raised if target < raised <= MAX_TARGET else None
