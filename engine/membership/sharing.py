"""An account that its owner shares: links made and used, chats that see it, and the end of that.

Every function works inside the caller's transaction, and takes locks in the order link, share,
account.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import NOTHING
from engine.domain.accounts.members import SHARED_IDS, Role
from engine.domain.accounts.shares import Share, ShareLink
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.membership.invitations import TRIES, TRIES_WITHIN
from engine.notifications.publish import publish
from engine.security.one_time_codes import hash_of, new_code
from engine.storage.accounts import (
    accounts,
    acting,
    audit,
    invitations,
    members,
    share_links,
    shares,
)
from engine.storage.chat import confirmations, conversations, status_messages, undeliverable
from engine.storage.database import Database
from engine.storage.text_encoding import storable
from engine.storage.trading import run_requests

LIFETIME = timedelta(hours=24)
# Chats that see an account, with the links that are open: as many as a list has buttons.
MOST = 8
_LINK = "a link for 24 h"


class Redeemed(Enum):
    """Result of sending a link's code."""

    JOINED = "joined"
    ALREADY = "already"  # the chat sees this account with this role
    OWN_KEY = "own key"  # the chat trades with a key of its own
    OTHER = "other"  # it sees another one's account
    RUNS_THE_BOT = "runs the bot"
    USED = "used"
    EXPIRED = "expired"
    IN_GROUP = "in a group"


@dataclass(frozen=True, slots=True)
class NewLink:
    """*code_hash* is what is stored of the *code*."""

    code: str
    code_hash: str


class LinkRefused(Enum):
    """Why no link is made."""

    NO_KEY = "no key"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Redemption:
    """*paused_own*: the chat's own paper account was trading."""

    result: Redeemed
    account: Account | None = None
    share: Share | None = None
    paused_own: bool = False


class Sharing:
    """*is_bot_owner* tells whether a user runs the bot."""

    def __init__(
        self, *, database: Database, clock: Clock, is_bot_owner: Callable[[int], Awaitable[bool]]
    ) -> None:
        self._database = database
        self._clock = clock
        self._is_bot_owner = is_bot_owner

    async def make_link(self, chat_id: int, *, user_id: int, role: Role) -> NewLink | LinkRefused:
        """A new code for the account of a private chat."""
        now, code = self._clock.now(), new_code()
        made = NewLink(code, hash_of(code))
        async with self._database.writing() as session:
            account = await accounts.of_chat(session, chat_id)
            if account is None or user_id != chat_id:
                return LinkRefused.NO_KEY
            account = await accounts.locked(session, account.id)
            if account.sealed_key is None:
                return LinkRefused.NO_KEY
            let_in = len(await shares.of_account(session, account.id))
            if let_in + await share_links.count_open(session, account.id, now=now) >= MOST:
                return LinkRefused.TOO_MANY
            link = ShareLink(
                account_id=account.id, role=role, made_by=user_id, expires_at=now + LIFETIME
            )
            await share_links.add(session, link, code_hash=made.code_hash, now=now)
            await _note(session, account, user_id, "share", role.value, NOTHING, _LINK, now)
        return made

    async def withdraw(self, chat_id: int, code_hash: str, *, user_id: int) -> bool:
        """Revoke a link of the chat's own account; False where it was used or has expired."""
        now = self._clock.now()
        async with self._database.writing() as session:
            account = await accounts.of_chat(session, chat_id)
            link = await share_links.find(session, code_hash)
            if account is None or link is None:
                return False
            if not await share_links.void(session, account.id, now=now, code_hash=code_hash):
                return False
            await _note(session, account, user_id, "share", link.role.value, _LINK, NOTHING, now)
        return True

    async def redeem(
        self, code: str, *, chat_id: int, user_id: int, name: str
    ) -> Redemption | None:
        """Let the chat see the account of a valid code. None where it is no code of a link, or this
        user has guessed too often: whoever asks then counts the guess.
        """
        now = self._clock.now()
        runs_the_bot = await self._is_bot_owner(user_id)
        async with self._database.writing() as session:
            guessed = await invitations.guesses(session, user_id=user_id, since=now - TRIES_WITHIN)
            if guessed >= TRIES or user_id in SHARED_IDS:
                return None
            link = await share_links.find(session, hash_of(code), for_update=True)
            if link is None:
                return None
            if chat_id != user_id:
                return Redemption(Redeemed.IN_GROUP)
            if runs_the_bot:
                return Redemption(Redeemed.RUNS_THE_BOT)
            redeemed = await admit(
                session, link, hash_of(code), chat_id=chat_id, user_id=user_id, name=name, now=now
            )
        if redeemed.result is Redeemed.JOINED:
            acting.leave()
        return redeemed

    async def of(self, chat_id: int) -> Share | None:
        """The share by which the chat sees another one's account."""
        async with self._database.reading() as session:
            return await shares.of_chat(session, chat_id)

    async def seen_by(self, chat_id: int) -> Sequence[Share]:
        """The chats that see the account of *chat_id*, the oldest first."""
        async with self._database.reading() as session:
            account = await accounts.of_chat(session, chat_id)
            return [] if account is None else await shares.of_account(session, account.id)

    async def owner_of(self, share: Share) -> str:
        """What the account's owner is called; "" until known."""
        async with self._database.reading() as session:
            return await _owner_name(session, share)

    async def remove(self, chat_id: int, shared_chat: int, *, user_id: int) -> Share | None:
        """End what *shared_chat* sees of the account of *chat_id*, and tell it; None where it sees
        nothing of it.
        """
        now = self._clock.now()
        async with self._database.writing() as session:
            account = await accounts.of_chat(session, chat_id)
            share = await shares.of_chat(session, shared_chat, for_update=True)
            if account is None or share is None or share.account_id != account.id:
                return None
            await _end(session, share, user_id=user_id, now=now, disconnected=False)
        return share

    async def leave(self, chat_id: int, *, user_id: int) -> bool:
        """See the chat's own account again; the owner is told. False where it saw no other."""
        now = self._clock.now()
        async with self._database.writing() as session:
            share = await shares.of_chat(session, chat_id, for_update=True)
            if share is None:
                return False
            account = await _over(session, share, user_id=user_id, now=now)
            alert = SharingLeft(chat_id=chat_id, name=share.name, role=share.role)
            key = f"share:left:{chat_id}:{share.created_at.isoformat()}"
            await publish(session, account.chat_id, alert, key=key, now=now)
        acting.leave()
        return True


async def admit(
    session: AsyncSession,
    link: ShareLink,
    code_hash: str,
    *,
    chat_id: int,
    user_id: int,
    name: str,
    now: datetime,
    is_told: bool = False,
) -> Redemption:
    """Let a chat see the account of *link*, which is locked; the owner is told, unless *is_told*. The
    chat's own account, which has no key, is paused, and what was asked of it counts no more.
    """
    account = await accounts.get(session, link.account_id)
    before = await shares.of_chat(session, chat_id, for_update=True)
    own = await accounts.of_chat(session, chat_id)
    if own is not None:
        own = await accounts.locked(session, own.id)
    refused = refusal(link, account, chat_id=chat_id, before=before, own=own, now=now)
    if refused is not None:
        return Redemption(refused)
    if not await share_links.use(session, code_hash, user_id=user_id, now=now):
        return Redemption(Redeemed.USED)
    if before is not None:
        await _over(session, before, user_id=user_id, now=now)
    share = Share(
        chat_id=chat_id,
        account_id=account.id,
        role=link.role,
        user_id=user_id,
        name=name,
        shared_by=link.made_by,
        created_at=now,
    )
    await shares.add(session, share)
    await members.forget_stranger(session, user_id)
    await _forget_questions(session, chat_id, now=now)
    paused = await _pause_own(session, own, user_id=user_id, now=now)
    await _note(
        session, account, user_id, "share_join", _who(share), NOTHING, link.role.value, now
    )
    if not is_told:
        alert = SharingBegun(chat_id=chat_id, name=name, role=link.role)
        await publish(session, account.chat_id, alert, key=f"share:{code_hash}", now=now)
    return Redemption(Redeemed.JOINED, account, share, paused_own=paused)


def refusal(
    link: ShareLink,
    account: Account,
    *,
    chat_id: int,
    before: Share | None,
    own: Account | None,
    now: datetime,
) -> Redeemed | None:
    """Why the link does not let a chat in that has seen *before*, and has its *own* account. In a
    group everybody reads the code: then it is for that group alone.
    """
    sees_another = before is not None and before.account_id != account.id
    reasons = {
        Redeemed.ALREADY: before is not None
        and (before.account_id, before.role) == (account.id, link.role),
        Redeemed.USED: link.used_at is not None or link.requested_chat not in {None, chat_id},
        Redeemed.EXPIRED: not link.is_open(now) or account.sealed_key is None,
        Redeemed.OTHER: sees_another,
        Redeemed.OWN_KEY: own is not None and own.sealed_key is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def end_all(session: AsyncSession, account: Account, *, user_id: int, now: datetime) -> None:
    """Nobody but its own chat sees the account from now on, and its links admit nobody."""
    await share_links.void(session, account.id, now=now)
    for share in await shares.of_account(session, account.id, for_update=True):
        await _end(session, share, user_id=user_id, now=now, disconnected=True)


async def end_for_user(
    session: AsyncSession, user_id: int, *, removed_by: int, now: datetime
) -> None:
    """End what a user's private chat sees of others' accounts, and what others see of theirs."""
    account = await accounts.of_chat(session, user_id)
    if account is not None:
        await end_all(session, account, user_id=removed_by, now=now)
    share = await shares.of_chat(session, user_id, for_update=True)
    if share is not None:
        await _over(session, share, user_id=removed_by, now=now)


async def _end(
    session: AsyncSession, share: Share, *, user_id: int, now: datetime, disconnected: bool
) -> None:
    await _over(session, share, user_id=user_id, now=now)
    alert = SharingEnded(owner=await _owner_name(session, share), disconnected=disconnected)
    key = f"share:over:{share.chat_id}:{share.created_at.isoformat()}"
    await publish(session, share.chat_id, alert, key=key, now=now)


async def _over(session: AsyncSession, share: Share, *, user_id: int, now: datetime) -> Account:
    """The share, which is locked, is over: nothing that its users asked for is done any more."""
    await shares.remove(session, share.chat_id)
    await _forget_questions(session, share.chat_id, now=now)
    silent = await undeliverable.get(session, share.chat_id)
    if silent is not None and not silent.told:  # of messages about this account alone
        await undeliverable.forget(session, share.chat_id)
    account = await accounts.locked(session, share.account_id)
    if share.role is not Role.VIEWER:
        asked = (await run_requests.of_accounts(session, [account.id])).get(account.id)
        question = await confirmations.get(session, asked.confirmation_id) if asked else None
        if question is not None and question.chat_id == share.chat_id:
            await run_requests.drop(session, account.id)
        # An order that is planned for it already stops at its gate.
        account = await accounts.renew(session, account)
    await _note(session, account, user_id, "unshare", _who(share), share.role.value, NOTHING, now)
    return account


async def _forget_questions(session: AsyncSession, chat_id: int, *, now: datetime) -> None:
    await confirmations.expire(session, chats=[chat_id], now=now)
    await conversations.end_all(session, chat_id)
    await status_messages.forget_chat(session, chat_id)


async def _pause_own(
    session: AsyncSession, own: Account | None, *, user_id: int, now: datetime
) -> bool:
    if own is None:
        return False
    if own.settings.paused or not own.can_trade:
        await accounts.unmark_pause(session, own.id)
        return False
    paused = await accounts.change(session, own, paused=True)
    await run_requests.drop(session, own.id)
    await audit.add_changes(session, own, paused, at=now, user_id=user_id)
    return True


async def _owner_name(session: AsyncSession, share: Share) -> str:
    name = await members.name_in(session, chat_id=share.shared_by, user_id=share.shared_by)
    return name or await members.name_of(session, share.shared_by)


async def _note(
    session: AsyncSession,
    account: Account,
    user_id: int,
    action: str,
    subject: str,
    before: str,
    after: str,
    now: datetime,
) -> None:
    """In the audit of the account's own chat."""
    await audit.record(
        session,
        account.chat_id,
        user_id,
        action,
        f"{before} -> {after}",
        subject=await storable(session, subject),
        at=now,
    )


def _who(share: Share) -> str:
    return f"{share.chat_id} {share.name}".strip()
