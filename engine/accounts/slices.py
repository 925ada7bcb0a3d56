"""Begins a trade over time at a user's tap, and stops it."""

from datetime import timedelta

from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.decimals import plain
from engine.domain.rebalancing.slices.plan import SlicesOffer, SlicesSized
from engine.domain.rebalancing.slices.run import SlicedRun
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.serialization import from_json
from engine.storage.service import Service
from engine.storage.trading import run_requests, sliced_trades


class SliceService(Service):
    async def begin(
        self,
        account: Account,
        confirmation_id: str,
        sized: SlicesSized,
        offered: SlicesOffer,
        *,
        chat_id: int,
        user_id: int,
        message_id: int | None = None,
        option: int = 0,
    ) -> SlicedRun | Refusal:
        """Use the button up and begin what it is about, in one step. *sized* and *offered* are the
        plan made again, at the prices of now.

        OUTDATED where that is another one than was shown, or the account was changed since then.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session,
                confirmation_id,
                chat_id=chat_id,
                user_id=user_id,
                now=now,
                message_id=message_id,
            )
            if isinstance(taken, Refusal):
                return taken
            shown = from_json(taken.payload, SlicesOffer)
            current = await accounts.locked(session, account.id)
            is_taken = current.halted or current.slicing_until is not None
            if is_taken or shown.version != current.version or not shown.holds(offered):
                return Refusal(RefusalReason.OUTDATED, taken)
            run = shown.run(
                option, sized, plan_id=taken.id, user_id=user_id, settings=current.settings
            )
            await run_requests.drop(session, account.id)
            await sliced_trades.add(session, account.id, run)
            await accounts.note_slices(session, current, until=run.trade.deadline)
            unit = "tokens" if run.trade.in_base else "USDT"
            what = f"{run.trade.side.value.lower()} {plain(run.trade.total)} {unit}"
            minutes = run.trade.span // timedelta(minutes=1)
            await audit.record(
                session,
                account.chat_id,
                user_id,
                "trade",
                f"{what} in {run.count} slices, {minutes} min",
                subject=account.uuid,
                at=now,
            )
        return run

    async def stop(self, account: Account, *, user_id: int) -> bool:
        """Let no further slice leave; a check tells what was traded. False where none could have."""
        async with self.database.writing() as session:
            current = await accounts.locked(session, account.id)
            ended = await sliced_trades.end(session, account.id, SlicesEnd.CANCELLED)
            if ended:
                await accounts.renew(session, current)
                await audit.record(
                    session,
                    account.chat_id,
                    user_id,
                    "trade",
                    "stop the rest of the slices",
                    subject=account.uuid,
                    at=self.clock.now(),
                )
        return ended
