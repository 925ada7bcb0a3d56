"""What a check notices in the balances beside the target: an asset that runs low, or is back."""

from engine.clock import Clock, to_millis
from engine.domain.accounts import Duty
from engine.domain.alerts import LowMarkOver, LowMarkReached
from engine.domain.holdings import Holdings
from engine.domain.low_marks import Crossing, crossings
from engine.storage import low_marks, outbox
from engine.storage.database import Database


class Watch:
    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def over(self, duty: Duty, holdings: Holdings) -> None:
        """Tell of each mark that was crossed, once. Where none was, nothing is written or asked."""
        account = duty.account
        crossed = crossings(duty.marks, holdings, counting=account.settings.counting)
        if not crossed:
            return
        now = self._clock.now()
        async with self._database.writing() as session:
            for crossing in crossed:
                if not await low_marks.turn(session, account.id, crossing.mark):
                    continue  # set anew since the duty was read: the next check sees that
                await outbox.add_alert(
                    session,
                    chat_id=account.chat_id,
                    alert=_alert(duty, crossing),
                    dedupe_key=f"low:{account.id}:{crossing.mark.asset}:{to_millis(now)}",
                    now=now,
                )


def _alert(duty: Duty, crossing: Crossing) -> LowMarkReached | LowMarkOver:
    settings, mark = duty.account.settings, crossing.mark
    if mark.told:
        return LowMarkOver(
            dry_run=settings.dry_run, asset=mark.asset, below=mark.below, left=crossing.left
        )
    return LowMarkReached(
        dry_run=settings.dry_run,
        symbol=settings.symbol,
        asset=mark.asset,
        below=mark.below,
        left=crossing.left,
    )
