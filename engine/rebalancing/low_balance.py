"""Reports assets whose balance falls below, or is back above, the user's threshold."""

from decimal import Decimal

from engine.clock import to_millis
from engine.domain.accounts.low_balance import Crossing, crossings
from engine.domain.alerts.alerts import LowBalanceOver, LowBalanceReached
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import floor_to_step
from engine.domain.market.pairs import base_of
from engine.domain.rebalancing.check_input import CheckInput
from engine.exchanges.interface import Market
from engine.exchanges.pair_data import quantity_step
from engine.notifications.publish import publish
from engine.storage.accounts import low_balance
from engine.storage.service import Service


class LowBalanceMonitor(Service):
    async def observe(self, duty: CheckInput, holdings: Holdings, market: Market) -> None:
        """Report each crossed threshold once. Without one nothing is read or written."""
        account = duty.account
        crossed = crossings(duty.marks, holdings, counting=account.settings.counting)
        if not crossed:
            return
        now, symbol = self.clock.now(), account.settings.symbol
        step = await quantity_step(market, symbol)
        async with self.database.writing() as session:
            for crossing in crossed:
                if not await low_balance.turn(session, account.id, crossing.mark):
                    continue  # set again since the duty was read: the next check reads it
                alert = _alert(duty, crossing, step)
                key = f"low:{account.id}:{crossing.mark.asset}:{to_millis(now)}"
                await publish(session, account.chat_id, alert, key=key, now=now)


def _alert(
    duty: CheckInput, crossing: Crossing, step: Decimal | None
) -> LowBalanceReached | LowBalanceOver:
    settings, mark = duty.account.settings, crossing.mark
    left = crossing.left
    if step is not None and mark.asset == base_of(settings.symbol):
        left = floor_to_step(left, step)
    if mark.told:
        return LowBalanceOver(
            dry_run=settings.dry_run, asset=mark.asset, below=mark.below, left=left
        )
    return LowBalanceReached(
        dry_run=settings.dry_run,
        symbol=settings.symbol,
        asset=mark.asset,
        below=mark.below,
        left=left,
    )
