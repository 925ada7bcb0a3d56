"""The owner's halt: stops all accounts until the owner lifts it; survives restarts."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account, Halt
from engine.domain.accounts.audit import ALL_ACCOUNTS
from engine.domain.accounts.confirmation import Refusal
from engine.domain.alerts.alerts import Halted, HaltLifted
from engine.domain.orders.order import AccountId, Order
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit
from engine.storage.accounts import halt as stored_halt
from engine.storage.chat import confirmations
from engine.storage.database import InTransaction
from engine.storage.serialization import to_json
from engine.storage.service import Service
from engine.storage.trading import orders

# The user id of a halt that no user made.
NOBODY = 0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HaltResult:
    """The *halt* in force; *changed* is True if this request began it.
    *under_way* are orders, of any chat, that had left already and will still be reported.
    """

    halt: Halt
    changed: bool
    under_way: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class HaltImpact:
    """Effect of a halt. *trading* of the *accounts* resume when it is lifted.
    *live* of these trade real money.
    """

    halt: Halt
    accounts: int
    trading: int
    live: int


class Halts(Service):
    async def halt(
        self, *, chat_id: int, user_id: int, first: InTransaction | None = None
    ) -> HaltResult:
        """Halt: after this returns no order of any account leaves, except those `under_way`.

        Every other chat with an account is alerted, but not *chat_id*, which asked. Idempotent.
        *first* runs before all else in the same transaction.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            if first is not None:
                await first(session)
            if (halt := await stored_halt.settled(session)) is not None:
                every = [account.id for account in await accounts.every(session)]
                left = await orders.unresolved_of(session, every)
                return HaltResult(halt, changed=False, under_way=tuple(left.values()))
            halt = Halt(at=now, user_id=user_id)
            stopped, left = await self._begin(session, halt, asked_in=chat_id)
        logger.warning("halted", extra={"user": user_id, "accounts": stopped})
        return HaltResult(halt, changed=True, under_way=tuple(left.values()))

    async def halt_restored(self, session: AsyncSession, *, made_at: datetime) -> None:
        """Halt, inside the transaction that restores a backup, until the owner has checked it.

        Every chat is alerted. A halt that was in force stays.
        """
        if await stored_halt.settled(session) is not None:
            return
        halt = Halt(at=self.clock.now(), user_id=NOBODY)
        reason = f"restored from a backup of {made_at.isoformat()}"
        await self._begin(session, halt, asked_in=NOBODY, reason=reason)

    async def _begin(
        self, session: AsyncSession, halt: Halt, *, asked_in: int, reason: str | None = None
    ) -> tuple[int, Mapping[AccountId, Order]]:
        """Halt; returns how many accounts it stopped, and their orders that had left already."""
        await stored_halt.put(session, halt)
        stopped = await accounts.halt_all(session, halted=True)
        # Asked only now: a gate that was faster than the mark has committed by then.
        left = await orders.unresolved_of(session, [account.id for account in stopped])
        for account in stopped:
            order = left.get(account.id)
            alert = Halted(
                dry_run=account.settings.dry_run,
                expected_quote=order.expected_quote if order else None,
            )
            await self._tell(session, account, alert, but_not=asked_in)
        detail = reason or f"{len(stopped)} accounts, {len(left)} orders under way"
        await audit.record(
            session, asked_in, halt.user_id, "halt", detail, subject=ALL_ACCOUNTS, at=halt.at
        )
        return len(stopped), left

    async def waiting(self) -> HaltImpact | None:
        """Returns what lifting the halt would start; None where there is none."""
        async with self.database.reading() as session:
            if (halt := await stored_halt.in_force(session)) is None:
                return None
            every = await accounts.every(session)
        trading = [one for one in every if one.can_trade and not one.settings.paused]
        live = [one for one in trading if not one.settings.dry_run]
        return HaltImpact(halt, len(every), len(trading), len(live))

    async def lift(self, confirmation_id: str, *, chat_id: int, user_id: int) -> bool | Refusal:
        """A tap on "Lift": use it up, and end the halt it was about; whether that was in force.

        Every account is as it was before: what was paused stays paused.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session, confirmation_id, chat_id=chat_id, user_id=user_id, now=now
            )
            if isinstance(taken, Refusal):
                return taken
            halt = await stored_halt.settled(session)
            if halt is None or to_json(halt) != taken.payload:
                return False
            await stored_halt.put(session, None)
            freed = await accounts.halt_all(session, halted=False)
            for account in freed:
                settings = account.settings
                alert = HaltLifted(dry_run=settings.dry_run, paused=settings.paused)
                await self._tell(session, account, alert, but_not=chat_id)
            detail = f"halted at {halt.at.isoformat()} by {halt.user_id}"
            await audit.record(
                session, chat_id, user_id, "lift the halt", detail, subject=ALL_ACCOUNTS, at=now
            )
        logger.warning("halt lifted", extra={"user": user_id, "accounts": len(freed)})
        return True

    async def _tell(
        self, session: AsyncSession, account: Account, alert: Halted | HaltLifted, *, but_not: int
    ) -> None:
        """The chat that asked has it in its answer."""
        # The version is new with each change, so each is alerted once.
        key = f"halt:{account.id}:{account.version}"
        now = self.clock.now()
        await publish(session, account.chat_id, alert, key=key, now=now, but_not=but_not)
