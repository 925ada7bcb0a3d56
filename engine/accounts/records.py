"""Reads what is stored of an account: trades, checks, and which user asked for them."""

from collections.abc import Sequence
from datetime import datetime

from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.band_history import PastBand, past_bands
from engine.domain.accounts.flows import Flow
from engine.domain.orders.order import ClientOrderId, Order, Trigger
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.replay import Replay
from engine.domain.rebalancing.slices.run import plan_of
from engine.storage.accounts import alert_preferences, audit, members, shares
from engine.storage.chat import confirmations
from engine.storage.database import Database
from engine.storage.trading import bookkeeping, decision_history, history, orders
from engine.storage.trading.bookkeeping import Counted, Position

__all__ = ["AccountRecords", "Counted", "Position"]


class AccountRecords:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def events(
        self, account: Account, *, most: int, skip: int
    ) -> Sequence[Order | BalanceChange]:
        """Trades, and what moved without an order of ours, newest first."""
        async with self._database.reading() as session:
            return await history.page(session, account.id, most=most, skip=skip)

    async def order(self, account: Account, client_order_id: ClientOrderId) -> Order | None:
        """An order of this account: an id alone opens no other account's books."""
        async with self._database.reading() as session:
            order = await orders.get(session, client_order_id)
        return order if order is not None and order.account_id == account.id else None

    async def replay(self, account: Account, client_order_id: ClientOrderId) -> Replay | None:
        """The decision for an order of this account, made again; None where it has no such order."""
        async with self._database.reading() as session:
            replay = await orders.replay(session, client_order_id)
        return replay if replay is not None and replay.order.account_id == account.id else None

    async def bands(self, account: Account, *, since: datetime) -> Sequence[PastBand]:
        """The account's band from *since* on, as it was."""
        async with self._database.reading() as session:
            changes = await audit.band_changes(session, chat_id=account.chat_id, since=since)
        return past_bands(account.settings, changes, since=since)

    async def asked_by(self, account: Account, order: Order) -> tuple[int, str | None] | None:
        """The user whose tap the order came from, and their name; the run names the tap."""
        if order.trigger is not Trigger.PERSON:
            return None
        async with self._database.reading() as session:
            user_id = await confirmations.answered_by(session, plan_of(order.run_id))
            if user_id is None:
                return None
            name = await members.name_in(session, chat_id=account.chat_id, user_id=user_id)
            shared = await shares.of_account(session, account.id)
        names = (one.name for one in shared if one.is_private and one.user_id == user_id)
        return user_id, name or next(names, None)

    async def checks_before(
        self, account: Account, told: CheckResult | None, *, most: int, skip: int
    ) -> Sequence[CheckResult]:
        """What the checks decided, newest first, without *told*."""
        async with self._database.reading() as session:
            newest = await decision_history.latest(session, account.id, most=1)
            is_told = bool(newest) and told is not None and newest[0].at == told.at
            return await decision_history.latest(
                session, account.id, most=most, skip=skip + is_told
            )

    async def count_booked(self, account: Account, *, real_only: bool) -> Counted:
        async with self._database.reading() as session:
            return await bookkeeping.count(session, account.id, real_only=real_only)

    async def booked_after(
        self, account: Account, last: Position | None, *, most: int, real_only: bool
    ) -> tuple[Sequence[Order | Flow], Position | None]:
        """The next trades and flows after *last*, oldest first, and where they end."""
        async with self._database.reading() as session:
            return await bookkeeping.after(
                session, account.id, last=last, most=most, real_only=real_only
            )

    async def time_zone(self, account: Account) -> str | None:
        """The chat's time zone, as a name of the tz database; None where it has set none."""
        async with self._database.reading() as session:
            return await alert_preferences.time_zone_of_chat(session, account.chat_id)
