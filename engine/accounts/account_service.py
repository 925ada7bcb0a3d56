"""Use cases of a chat's account: settings, pause and resume, key, dry run."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts import key_sharing
from engine.accounts.chat_migration import moved_to
from engine.accounts.key_expiry import asked_again_at
from engine.accounts.order_in_the_way import cancel_run
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import RESUME, Confirmation, Refusal, RefusalReason
from engine.domain.accounts.key_expiry import expiry
from engine.domain.accounts.settings import Settings
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import plain
from engine.domain.orders.order import Order
from engine.domain.rebalancing.approval import ApprovalState
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT, lacks_an_asset, most_of
from engine.domain.rebalancing.manual_trade import MANUAL, ManualRun
from engine.domain.rebalancing.run_request import ManualOffer, RunOffer, RunRequest
from engine.errors import AccountShared, KeyElsewhere, NoKey, PaperOnly, Unavailable
from engine.exchanges.interface import (
    ExchangeFor,
    KeyInspection,
    KeyInspector,
    RevokeStream,
    no_stream,
)
from engine.membership import sharing
from engine.notifications.changes import tell_others
from engine.security.vault import Vault
from engine.storage.accounts import accounts, audit, shares, timed_pauses
from engine.storage.chat import confirmations
from engine.storage.database import Database, InTransaction
from engine.storage.serialization import from_json
from engine.storage.trading import approvals, orders, run_requests, sliced_trades

_TAIL = 4
# A confirmed run not started by then has expired: prices have moved.
RUN_WITHIN = timedelta(seconds=60)
# A user waits for it; all they send meanwhile waits too, except /pause and /halt.
_INSPECTED_WITHIN_S = 15
OpenPaper = Callable[[Account, Holdings | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Change:
    """An account before and after a request; equal where nothing changed.
    *under_way* is an order that had already left and will still be reported; *called_off*: a
    confirmed run was cancelled; *slices_ended*: a trade over time was.
    """

    before: Account
    after: Account
    under_way: Order | None = None
    called_off: bool = False
    slices_ended: bool = False


AfterChange = Callable[[AsyncSession, Change], Awaitable[None]]


class AccountService:
    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        vault: Vault,
        defaults: Settings,
        key_check: KeyInspector,
        exchange_for: ExchangeFor,
        open_paper: OpenPaper,
        paper_only: bool,
        revoke_stream: RevokeStream = no_stream,
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._defaults = defaults
        self._key_check = key_check
        self._exchange_for = exchange_for
        self._open_paper = open_paper
        self._paper_only = paper_only
        self._revoke_stream = revoke_stream

    async def of(self, chat_id: int) -> Account:
        """The account that the chat sees: one that is shared with it, or else its `own`."""
        async with self._database.reading() as session:
            account = await accounts.acting_for(session, chat_id)
        return await self.own(chat_id) if account is None else account

    async def own(self, chat_id: int) -> Account:
        """The chat's own account; made with the default settings at the first call."""
        async with self._database.reading() as session:
            account = await accounts.of_chat(session, chat_id)
            if account is None and (moved := await moved_to(session, chat_id)) is not None:
                # What was written to a group before it moved may be read after that.
                account = await accounts.of_chat(session, moved)
        if account is not None:
            return account
        async with self._database.writing() as session:
            account = await accounts.get_or_create(
                session, chat_id=chat_id, settings=self._defaults, now=self._clock.now()
            )
        if account.settings.dry_run:
            await self._open_paper(account, None)
        return account

    async def change(
        self,
        account: Account,
        *,
        user_id: int,
        then: AfterChange | None = None,
        **wishes: Any,
    ) -> Change:
        """Set fields of the account's Settings, except dry_run and paused.
        *then* is the last step of the same transaction.

        Here as below: a change by *user_id* is audited, an unchanged value is not.
        """
        async with self._database.writing() as session:
            current = await accounts.get(session, account.id)
            if "symbol" in wishes and wishes["symbol"] != current.settings.symbol:
                await cancel_run(session, current.id)
            after = await accounts.change(session, current, **wishes)
            await self._note(session, current, after, user_id)
            change = Change(current, after)
            if then is not None:
                await then(session, change)
        return change

    async def lift_guard(self, account: Account, *, user_id: int) -> Change:
        """Let the crash guard's stop of buys end; what fell before counts no more."""
        now = self._clock.now()
        async with self._database.writing() as session:
            current = await accounts.locked(session, account.id)
            if current.buying_stopped_at is None or current.guard is None:
                return Change(current, current)
            state = replace(current.guard, acted_at=None, lifted_at=now)
            after = await accounts.set_guard(session, current, state)
            await audit.record(
                session,
                current.chat_id,
                user_id,
                "crash guard",
                "lifted",
                subject=current.uuid,
                at=now,
            )
        return Change(current, after)

    async def pause(
        self,
        chat_id: int,
        *,
        user_id: int,
        first: InTransaction | None = None,
        ends_at: datetime | None = None,
    ) -> Change:
        """Pause: after this returns no order leaves, except one `under_way`. Idempotent.
        *first* runs before all else in the same transaction. With *ends_at* `timed_pause.py` ends
        the pause; without it an end that it had is forgotten.

        A confirmed run that has not begun is cancelled, and a trade over time ends: resuming must
        not start them.
        """
        before = await self.of(chat_id)
        async with self._database.writing() as session:
            if first is not None:
                await first(session)
            current = await accounts.get(session, before.id)
            if current.settings.paused:
                # An open question must not start it after this. Before the account is locked, in
                # the order of a tap on the question.
                now = self._clock.now()
                chats = await shares.chats_of(session, current)
                await confirmations.expire(session, chats=chats, kind=RESUME, now=now)
            ran = await sliced_trades.may_run(session, before.id)
            after = await accounts.change(session, current, paused=True)
            if ends_at is not None:
                pause = TimedPause(
                    user_id=user_id, version=after.version, ends_at=ends_at, due_at=ends_at
                )
                await timed_pauses.put(session, after.id, pause)
            await self._note(session, current, after, user_id)
            called_off = await run_requests.drop(session, before.id)
            unresolved = await orders.unresolved_of(session, [before.id])
        return Change(
            current,
            after,
            under_way=unresolved.get(before.id),
            called_off=called_off,
            slices_ended=ran,
        )

    async def resume(self, chat_id: int, *, user_id: int) -> Change:
        """Raises NoKey without a key or dry run, AccountElsewhere. Nothing changes in a halt."""
        before = await self.of(chat_id)
        if not before.can_trade:
            raise NoKey("no key is connected")
        async with self._database.writing() as session:
            current = await accounts.get(session, before.id)
            after = current
            if not current.halted:
                await key_sharing.refuse_resume(session, current)
                after = await accounts.change(session, current, paused=False)
                await self._note(session, current, after, user_id)
        return Change(current, after)

    async def connect(
        self, chat_id: int, *, user_id: int, api_key: str, api_secret: str
    ) -> KeyInspection:
        """Check the key at the exchange and store it sealed; trading is paused.

        Raises what KeyInspector.inspect raises, KeyElsewhere, AccountElsewhere, AccountShared, and
        OrderUnresolved: another account's key could not look the order up. Then nothing is stored.
        """
        async with self._database.reading() as session:
            await _refuse_shared(session, chat_id)
        account = await self.own(chat_id)
        try:
            async with asyncio.timeout(_INSPECTED_WITHIN_S):
                facts = await self._key_check.inspect(
                    api_key=api_key, api_secret=api_secret, symbol=account.settings.symbol
                )
        except TimeoutError as e:
            raise Unavailable("the key could not be checked in time") from e
        number = await self._key_check.account_number(api_key=api_key, api_secret=api_secret)
        now = self._clock.now()
        key_print = hashlib.sha256(api_key.encode()).hexdigest()
        sealed = self._vault.seal_credentials(
            api_key=api_key, api_secret=api_secret, account_uuid=account.uuid, chat_id=chat_id
        )
        async with self._database.writing() as session:
            if account.sealed_key is None:
                # Whoever saw the account by a key that is gone does not see it by this one.
                await sharing.end_all(session, account, user_id=user_id, now=now)
            if await accounts.is_key_elsewhere(session, account, key_print=key_print):
                raise KeyElsewhere("another chat trades with this key")
            await key_sharing.refuse_second(session, account, number=number)
            await cancel_run(session, account.id)
            # The account is locked: no share comes meanwhile (sharing.py).
            await _refuse_shared(session, chat_id)
            current = await accounts.get(session, account.id)
            after = await accounts.store_key(
                session,
                current,
                sealed_key=sealed,
                key_tail=api_key[-_TAIL:],
                key_print=key_print,
                expires_at=expiry(facts.days_left, now=now),
                checked_at=asked_again_at(now) if number is None else now,
            )
            await key_sharing.connected(session, key_print=key_print, number=number, now=now)
            await self._note(session, current, after, user_id)
        await self._revoke_stream(current)
        return facts

    async def disconnect(self, chat_id: int, *, user_id: int, key_tail: str) -> Change:
        """Forget the key that ends in *key_tail* and pause; another one stays. Nobody else sees the
        account any more.

        Raises OrderUnresolved while an order still needs it.
        """
        account = await self.own(chat_id)
        async with self._database.writing() as session:
            current = await accounts.get(session, account.id)
            if current.sealed_key is not None and current.key_tail == key_tail:
                await sharing.end_all(session, current, user_id=user_id, now=self._clock.now())
            await cancel_run(session, account.id)
            current = await accounts.get(session, account.id)
            after = (
                current
                if current.sealed_key is None or current.key_tail != key_tail
                else await accounts.forget_key(session, current)
            )
            await self._note(session, current, after, user_id)
        if after.sealed_key is None:
            await self._revoke_stream(current)
        return Change(current, after)

    async def dry_run(self, chat_id: int, *, user_id: int, on: bool) -> Change:
        """Switch between paper and real. Going back to real money pauses trading.

        Going to paper opens a ledger: a copy of the account's balances, or an example purse where
        no key is connected. Raises PaperOnly in the demo, OrderUnresolved, and Unavailable or Rejected
        where the balances cannot be read.
        """
        account = await self.own(chat_id)
        if account.settings.dry_run is on:
            return Change(account, account)
        if self._paper_only:
            raise PaperOnly("there is no real exchange here")
        if on:
            holdings = None
            if account.sealed_key is not None:
                holdings = await self._surely_held(account)
            await self._open_paper(account, holdings)
        async with self._database.writing() as session:
            await cancel_run(session, account.id)
            current = await accounts.get(session, account.id)
            paused = current.settings.paused or not on
            after = await accounts.change(session, current, dry_run=on, paused=paused)
            await self._note(session, current, after, user_id)
        if on:
            await self._revoke_stream(current)
        return Change(current, after)

    async def _surely_held(self, account: Account) -> Holdings:
        """Returns the balances for a paper ledger, read twice where an asset is missing."""
        exchange, assets = self._exchange_for(account), account.settings.assets
        holdings = await exchange.holdings()
        if not lacks_an_asset(holdings, assets):
            return holdings
        await self._clock.sleep(SECOND_SIGHT)
        return most_of(holdings, await exchange.holdings(), assets)

    async def confirm_run(
        self,
        confirmation_id: str,
        *,
        chat_id: int,
        user_id: int,
        message_id: int | None = None,
        option: int = 0,
    ) -> RunRequest | Refusal:
        """A tap on "Trade": use the button up and leave the run for the engine, in one step.
        *option* is the button, where the plan of a trade by hand has two.

        OUTDATED where anything about the account was changed since the plan was shown.
        """
        now = self._clock.now()
        account = await self.of(chat_id)
        async with self._database.writing() as session:
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
            offer, manual = _confirmed(taken, option, user_id=user_id)
            current = await accounts.get(session, account.id)
            if offer.version != current.version or current.slicing_until is not None:
                return Refusal(RefusalReason.OUTDATED, taken)
            request = RunRequest(
                confirmation_id=taken.id,
                side=offer.side,
                expected_quote=offer.expected_quote,
                expires_at=now + RUN_WITHIN,
                manual=manual,
                bound=offer.bound,
                plan=offer.plan,
            )
            await run_requests.put(session, account.id, request)
            await approvals.answered(session, account.id, taken.id, ApprovalState.TAKEN, now)
            detail = f"{offer.side.value.lower()} {plain(offer.expected_quote)} USDT"
            await audit.record(
                session, account.chat_id, user_id, "trade", detail, subject=account.uuid, at=now
            )
        return request

    async def _note(
        self, session: AsyncSession, before: Account, after: Account, user_id: int
    ) -> None:
        now = self._clock.now()
        await audit.add_changes(session, before, after, at=now, user_id=user_id)
        await tell_others(session, before, after, user_id=user_id, now=now)


def _confirmed(
    taken: Confirmation, option: int, *, user_id: int
) -> tuple[RunOffer, ManualRun | None]:
    if taken.kind != MANUAL:
        return from_json(taken.payload, RunOffer), None
    by_hand = from_json(taken.payload, ManualOffer)
    return by_hand.offer, by_hand.run(option, user_id=user_id)


async def _refuse_shared(session: AsyncSession, chat_id: int) -> None:
    if await shares.of_chat(session, chat_id) is not None:
        raise AccountShared("the chat sees another one's account")
