"""Detects, stores and reports deposits, withdrawals and trades by hand.

A check does not wait for the user's answer: it trades as the settings say.
"""

import secrets
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import ChangeFinding, detect_changes
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.accounts.settings import MAX_TARGET
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.alerts.alerts import BalanceChanged
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.market.pairs import USDT
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.pending_change import PendingChange
from engine.exchanges.interface import Market
from engine.exchanges.pair_data import quantity_step
from engine.notifications.publish import publish
from engine.storage.accounts import accounts
from engine.storage.chat import confirmations
from engine.storage.database import Database
from engine.storage.serialization import to_json
from engine.storage.trading import balance_changes, check_results

# The kind of the question what to do with USDT that arrived; its payload is a Proposal.
DEPOSIT = "keep_deposit"
_ASKED_FOR = timedelta(days=1)
# Limit of alerts in an hour: a user who makes more transfers knows of them.
_HOUR, _MANY = timedelta(hours=1), 6


class BalanceChangeMonitor:
    def __init__(self, *, database: Database, clock: Clock, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner

    async def detect(self, duty: CheckInput, holdings: Holdings) -> ChangeFinding | None:
        """Compare what is held with what was seen before; None where nothing is to be kept."""
        account, last, settings = duty.account, duty.last_seen, duty.account.settings
        if last is not None and last.is_still(holdings):
            return None
        price = None
        if last is not None:
            async with self._database.reading() as session:
                price = await check_results.price_of(session, account.id, settings.symbol)
        return detect_changes(
            last,
            holdings,
            symbol=settings.symbol,
            dry_run=settings.dry_run,
            last_fill=duty.last_fill,
            price=price,
            now=self._clock.now(),
        )

    async def record(
        self, duty: CheckInput, finding: ChangeFinding | None, market: Market, *, fence: int
    ) -> None:
        """Store and report a finding; one that was kept already changes nothing."""
        account, last, settings = duty.account, duty.last_seen, duty.account.settings
        if finding is None:
            return
        step = await quantity_step(market, settings.symbol) if finding.moved else None
        async with self._database.writing() as session:
            now = self._database.now()
            if not await accounts.unchanged(
                session, account, owner=self._owner, fence=fence, now=now
            ):
                return  # balances of another pair or key are not comparable
            noted = await balance_changes.last_seen_of(session, [account.id])
            if noted.get((account.id, settings.dry_run)) != last:
                return  # by this very check, before it had to start again
            doubtful = last and await balance_changes.has_doubtful(session, account.id, last)
            await balance_changes.see(session, account.id, finding.seen, dry_run=settings.dry_run)
            if finding.moved and not doubtful:
                await self._tell(session, account, finding, step=step)

    async def _tell(
        self,
        session: AsyncSession,
        account: Account,
        finding: ChangeFinding,
        *,
        step: Decimal | None,
    ) -> None:
        settings, now = account.settings, self._clock.now()
        earlier = await balance_changes.count(session, account.id, since=now - _HOUR)
        ids = [await balance_changes.add(session, account.id, moved) for moved in finding.moved]
        alert = BalanceChanged(
            dry_run=settings.dry_run,
            symbol=settings.symbol,
            moved=tuple(finding.moved),
            by_hand=finding.by_hand,
            held=finding.seen.amounts[USDT],
            target=settings.target,
            band=settings.band,
            autonomy=settings.autonomy,
            quantity_step=step,
            last_for_now=earlier + len(ids) >= _MANY,
        )
        if earlier >= _MANY:
            return  # a user trades by hand: kept, but not reported
        target = _target_that_keeps(account, finding)
        if target is not None and await balance_changes.asks_about_deposits(session, account.id):
            found = SettingsPatch.of(account).only(["target", "symbol", "dry_run"])
            question = Confirmation(
                id=secrets.token_urlsafe(9),
                chat_id=account.chat_id,
                user_id=ANY_TRADER,
                kind=DEPOSIT,
                payload=to_json(PendingChange(wanted=SettingsPatch(target=target), found=found)),
                asked_at=now,
                expires_at=now + _ASKED_FOR,
            )
            await confirmations.ask(session, question)
            alert = alert.asking(question.id, new_target=target)
        await publish(session, account.chat_id, alert, key=f"moved:{account.id}:{ids[0]}", now=now)


def _target_that_keeps(account: Account, finding: ChangeFinding) -> Decimal | None:
    """Returns the target to offer after a deposit that leaves the band."""
    settings, arrived = account.settings, finding.of(USDT)
    if finding.by_hand or arrived is None or arrived.change <= ZERO:
        return None
    if finding.seen.amounts[USDT] <= settings.band.high:
        return None
    target = (settings.target + arrived.change).quantize(CENT, ROUND_DOWN)
    return target if settings.target < target <= MAX_TARGET else None
