"""Use cases of a deposit that waits: trade it, keep it, or let it wait on."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts.account_service import RUN_WITHIN, Change
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.deposits import DepositChoice, WaitingDeposit
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.run_request import RunRequest
from engine.rebalancing import deposits
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.service import Service
from engine.storage.trading import run_requests


class DepositService(Service):
    """Each use case uses the buttons of the deposit up, in one step with what it does.
    OUTDATED, and nothing changes, where they are not those of the deposit that waits now.
    """

    async def trade(
        self, question_id: str, *, chat_id: int, user_id: int, expected_quote: Decimal
    ) -> Account | Refusal:
        """End the wait. Where the account does not trade by itself, the tap asks for an order of
        about *expected_quote*, as that on a plan does.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await self._take(session, question_id, chat_id, user_id, now)
            if isinstance(taken, Refusal):
                return taken
            account, waiting = taken
            after = await accounts.wait_with(session, account, None)
            if after.settings.autonomy is not TradingMode.AUTO:
                request = RunRequest(question_id, Side.BUY, expected_quote, now + RUN_WITHIN)
                await run_requests.put(session, account.id, request)
            await self._note(session, account, waiting, "trade now", user_id, now)
        return after

    async def keep(
        self,
        question_id: str,
        *,
        chat_id: int,
        user_id: int,
        change: PendingChange,
        always: bool = False,
    ) -> Change | Refusal:
        """Raise the target as *change* says; OUTDATED too where it does not apply any more.
        *always*: the next deposits are kept, too.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await self._take(session, question_id, chat_id, user_id, now, change)
            if isinstance(taken, Refusal):
                return taken
            account, waiting = taken
            kept = await accounts.wait_with(session, account, None)
            wishes = change.wanted.for_settings()
            if always:
                rule = replace(account.settings.deposits, choice=DepositChoice.KEEP)
                wishes["deposits"] = rule
            after = await accounts.change(session, kept, **wishes)
            await self._note(session, account, waiting, "keep", user_id, now)
            await audit.add_changes(session, account, after, at=now, user_id=user_id)
        return Change(account, after)

    async def wait(
        self,
        question_id: str,
        *,
        chat_id: int,
        user_id: int,
        offered: Decimal,
        held: Decimal,
        longer: timedelta = timedelta(),
    ) -> Account | Refusal:
        """Wait *longer* from now on, or else as long as before, with new buttons for *offered*.
        What waits stays: only a check knows what is left of it.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await self._take(session, question_id, chat_id, user_id, now)
            if isinstance(taken, Refusal):
                return taken
            account, waiting = taken
            asked = await deposits.ask(
                session,
                account,
                waiting.amount,
                held=held,
                until=max(waiting.until, now + longer),
                now=now,
                offered=offered,
            )
            # Under a new version: an order planned at the end of the wait stops.
            after = await accounts.wait_with(session, account, asked.waiting)
            if longer:
                await self._note(session, account, waiting, "wait", user_id, now)
        return after

    async def _take(
        self,
        session: AsyncSession,
        question_id: str,
        chat_id: int,
        user_id: int,
        now: datetime,
        change: PendingChange | None = None,
    ) -> tuple[Account, WaitingDeposit] | Refusal:
        found = await accounts.of_chat(session, chat_id)
        account = None if found is None else await accounts.locked(session, found.id)
        waiting = None if account is None else account.waits(now)
        if account is None or waiting is None or waiting.question_id != question_id:
            return Refusal(RefusalReason.OUTDATED)
        if change is not None and not change.holds(account):
            return Refusal(RefusalReason.OUTDATED)
        taken = await confirmations.take(
            session, question_id, chat_id=chat_id, user_id=user_id, now=now
        )
        return taken if isinstance(taken, Refusal) else (account, waiting)

    async def _note(
        self,
        session: AsyncSession,
        account: Account,
        waiting: WaitingDeposit,
        answer: str,
        user_id: int,
        now: datetime,
    ) -> None:
        detail = f"{plain(waiting.amount)} USDT -> {answer}"
        await audit.record(
            session, account.chat_id, user_id, "deposit", detail, subject=account.uuid, at=now
        )
