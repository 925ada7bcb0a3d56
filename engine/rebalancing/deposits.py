"""Deposits in a check: which of the balance waits, and what a new deposit leads to.

Everything is written in the transaction that stores the balances: what was seen once is either
waiting, kept or to be traded, after a crash too.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import BY_ITSELF
from engine.domain.accounts.balance_changes import BalanceChange, ChangeFinding
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.accounts.deposits import (
    DAY,
    DepositChoice,
    WaitingDeposit,
    still_waiting,
    waiting_with,
)
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.alerts.deposit_alerts import DepositKept, DepositWaiting
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT
from engine.domain.rebalancing.deposit_offer import DepositOffer, target_that_keeps
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.streams.events import Cause
from engine.domain.targets.target import FixedUsdt
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.serialization import to_json

# The kinds of the questions below a waiting deposit, and below one that was kept.
WAITING, KEPT = "waiting_deposit", "kept_deposit"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSeen:
    """Balances of a check, without what is protected, and the *arrived* USDT that nothing else explains."""

    held: Decimal
    total: Decimal
    arrived: Decimal
    rest: WaitingDeposit | None
    moved: tuple[BalanceChange, ...] = ()
    quantity_step: Decimal | None = None
    cause: Cause | None = None

    def facts(self, settings: Settings) -> dict[str, Any]:
        """What every alert of changed balances says, under *settings*."""
        return {
            "dry_run": settings.dry_run,
            "symbol": settings.symbol,
            "moved": self.moved,
            "quantity_step": self.quantity_step,
            "cause": self.cause,
            "held": self.held,
            "target": fixed.target if (fixed := settings.fixed) else None,
        }


def rest_of(
    account: Account, holdings: Holdings, finding: ChangeFinding | None
) -> WaitingDeposit | None:
    """Returns what still waits of an earlier deposit; nothing does in a portfolio."""
    if (fixed := account.settings.fixed) is None:
        return None
    moved = finding.of(USDT) if finding is not None else None
    fell = ZERO if moved is None else -moved.change
    total = managed_quote(holdings, account.settings).total
    return still_waiting(account.waiting, total=total, target=fixed.target, fell=fell)


def managed_quote(holdings: Holdings, settings: Settings) -> Balance:
    """Returns the USDT that counts for the target: without what is protected."""
    return settings.managed(holdings).of(USDT)


async def settle(
    session: AsyncSession, account: Account, seen: DepositSeen, *, now: datetime
) -> tuple[Account, bool]:
    """Store what waits from now on, or raise the target by what arrived.
    Returns the account as it is then, and whether the chat was told of the deposit.
    """
    settings, rest, arrived = account.settings, seen.rest, seen.arrived
    if (fixed := settings.fixed) is None:  # a portfolio shares a deposit out at once
        return await _note(session, account, rest), False
    asks, choice = settings.asks_about_deposits, settings.deposits.choice
    if arrived > ZERO and choice is DepositChoice.KEEP:
        target = target_that_keeps(fixed.target, arrived)
        if target is not None:
            account = await _note(session, account, rest)
            return await _keep(session, account, seen, target, now=now), True
        asks = True  # no target is so high
    is_out = seen.held > fixed.band.high
    if rest is not None and rest.is_over(now) and not (asks and is_out):
        rest = None
    waits = asks or choice is DepositChoice.WAIT
    amount = waiting_with(rest, arrived=arrived, total=seen.total, target=fixed.target)
    is_new = arrived > ZERO and waits and is_out and amount > ZERO
    if settings.autonomy is not TradingMode.AUTO and not fixed.band.holds(seen.held - amount):
        is_new = False  # the chat is asked about the drift already, of which this is a part now
    if is_new or (rest is not None and rest.is_over(now)):
        until = now + (DAY if asks else settings.deposits.waits_for)
        if rest is not None:
            until = max(until, rest.until)
        account = await ask(session, account, amount, held=seen.held, until=until, now=now)
        await _tell(session, account, seen, asks=asks, now=now)
        return account, is_new
    return await _note(session, account, rest), False


async def _note(session: AsyncSession, account: Account, rest: WaitingDeposit | None) -> Account:
    if rest == account.waiting:
        return account
    return await accounts.note_waiting(session, account, rest)


async def ask(
    session: AsyncSession,
    account: Account,
    amount: Decimal,
    *,
    held: Decimal,
    until: datetime,
    now: datetime,
    offered: Decimal | None = None,
) -> Account:
    """Let *amount* wait until then, with new buttons; those before come too late.
    *offered* is what the buttons are for, if that is less.
    """
    if account.waiting is not None:
        await confirmations.call_off(session, account.waiting.question_id, now=now)
    offer = DepositOffer.of(account, offered or amount, held=held)
    question = Confirmation(
        id=secrets.token_urlsafe(9),
        chat_id=account.chat_id,
        user_id=ANY_TRADER,
        kind=WAITING,
        payload=to_json(offer.as_change(account)),
        asked_at=now,
        expires_at=until,
    )
    await confirmations.ask(session, question)
    waiting = WaitingDeposit(amount=amount, until=until, question_id=question.id)
    return await accounts.note_waiting(session, account, waiting)


async def _tell(
    session: AsyncSession, account: Account, seen: DepositSeen, *, asks: bool, now: datetime
) -> None:
    waiting = account.waiting
    if waiting is None:
        return
    offer = DepositOffer.of(account, waiting.amount, held=seen.held)
    alert = DepositWaiting(
        **seen.facts(account.settings),
        amount=offer.amount,
        buys=offer.buys,
        new_target=offer.new_target,
        until=waiting.until,
        asks=asks,
        question_id=waiting.question_id,
        order_limit=account.limits_in_force.order,
    )
    key = f"deposit:{waiting.question_id}"
    await publish(session, account.chat_id, alert, key=key, now=now)


async def _keep(
    session: AsyncSession, account: Account, seen: DepositSeen, target: Decimal, *, now: datetime
) -> Account:
    after = await accounts.change(session, account, target=FixedUsdt(target))
    await audit.add_changes(session, account, after, at=now, user_id=BY_ITSELF)
    back = PendingChange(
        wanted=SettingsPatch(target=account.settings.target),
        found=SettingsPatch.of(after).only(["target", "symbol", "dry_run"]),
    )
    question = Confirmation(
        id=secrets.token_urlsafe(9),
        chat_id=account.chat_id,
        user_id=ANY_TRADER,
        kind=KEPT,
        payload=to_json(back),
        asked_at=now,
        expires_at=now + DAY,
    )
    await confirmations.ask(session, question)
    alert = DepositKept(
        **seen.facts(after.settings),
        former_target=account.settings.fixed_goal.target,
        question_id=question.id,
    )
    await publish(session, account.chat_id, alert, key=f"deposit:{question.id}", now=now)
    return after
