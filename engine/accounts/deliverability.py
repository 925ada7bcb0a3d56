"""Handles chats in which Telegram accepts no messages, and their recovery.

The chat's messages stay in the outbox. Another chat is alerted, trading is paused where no user
can follow it, and resumed when messages are accepted.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts.halt import NOBODY
from engine.domain.accounts.account import Account
from engine.domain.accounts.undeliverable import Refused, Undeliverable
from engine.domain.alerts.alerts import ChatDeliverable, ChatUndeliverable
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit, members, shares
from engine.storage.chat import undeliverable
from engine.storage.queues import outbox
from engine.storage.service import Service
from engine.storage.trading import sliced_trades

# A shorter interruption is not worth a message in the chat itself.
_WORTH_SAYING = timedelta(minutes=10)
# Limits retries per chat: members of a group may write often, and each is a request to Telegram.
_TRIES, _TRIES_WITHIN = 10, timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class Deliverability(Service):
    """Deliverability of chats. *others* are those to alert about a chat, most private first."""

    others: Callable[[int], Awaitable[Sequence[int]]]

    def __post_init__(self) -> None:
        self._stirred: dict[int, deque[datetime]] = {}

    async def refused(self, chat_id: int, *, problem: str, gone: bool) -> Undeliverable:
        """Record that Telegram refused a message for the chat; returns the state.

        A chat that only sees another chat's account pauses nothing, and no other chat is alerted.
        A chat that is gone is paused at once. One in which the bot may not write is paused after
        an hour without a delivered message, and only if another chat was alerted: Telegram has
        refused whole installations by mistake, and those must not be paused without an alert.
        """
        others = await self.others(chat_id)
        now = self.clock.now()
        async with self.database.writing() as session:
            account = await _own_account(session, chat_id)
            before = await undeliverable.get(session, chat_id)
            chat = (
                Undeliverable(chat_id=chat_id, since=now, last_at=now, problem=problem, gone=gone)
                if before is None
                else replace(before, last_at=now, problem=problem, gone=gone)
            )
            if account is not None:
                account = await self._paused(session, account, chat, now=now)
                chat = await self._tell_another(session, account, chat, others, now=now)
            await undeliverable.put(session, chat)
        return chat

    async def delivered(self, chat_id: int) -> None:
        """Telegram took a message for the chat. Nothing changes where it always did."""
        async with self.database.reading() as session:
            if await undeliverable.get(session, chat_id) is None:
                return
        now = self.clock.now()
        async with self.database.writing() as session:
            chat = await undeliverable.get(session, chat_id)
            if chat is None or not await undeliverable.forget(session, chat_id):
                return
            if (account := await _own_account(session, chat_id)) is not None:
                resumed = await self._resumed(session, account, now=now)
                await self._tell_end(session, resumed or account, chat, resumed is not None, now)
        logger.warning("chat reachable", extra={"chat_id": chat_id})

    async def stirred(self, chat_id: int, *, may_write: bool = False) -> bool:
        """Retry the chat's messages after an update from it; returns True if it was undeliverable.
        At most a few times a minute, except if the bot's rights changed (*may_write*).
        """
        async with self.database.reading() as session:
            if not await self.is_silent(session, chat_id):
                return False
        now = self.clock.steady()
        tried = self._stirred.setdefault(chat_id, deque(maxlen=_TRIES))
        if not may_write and len(tried) == _TRIES and now - tried[0] < _TRIES_WITHIN:
            return True
        tried.append(now)
        async with self.database.writing() as session:
            await outbox.hurry(session, chat_id=chat_id, now=self.clock.now())
        return True

    async def is_silent(self, session: AsyncSession, chat_id: int) -> bool:
        """True if the chat is undeliverable, so that `stirred` would retry."""
        if await undeliverable.get(session, chat_id) is not None:
            return True
        self._stirred.pop(chat_id, None)
        return False

    async def of_chat(self, chat_id: int) -> Refused:
        async with self.database.reading() as session:
            every = await undeliverable.every(session)
        return Refused(
            here=next((one for one in every if one.chat_id == chat_id), None),
            others=tuple(one for one in every if chat_id in one.told),
        )

    async def silent_chats(self) -> Sequence[int]:
        async with self.database.reading() as session:
            return [one.chat_id for one in await undeliverable.every(session)]

    async def _paused(
        self, session: AsyncSession, account: Account, chat: Undeliverable, *, now: datetime
    ) -> Account:
        is_paused = account.settings.paused
        if not chat.gone and (
            # A trade over time runs in a pause too, and ends by another one.
            (is_paused and not await sliced_trades.may_run(session, account.id))
            or now < chat.pauses_at
            or not await outbox.any_arrived(session, [_key(chat, told) for told in chat.told])
        ):
            return account
        after = await accounts.change(session, account, paused=True)
        if not chat.gone and not is_paused:
            await undeliverable.mark_paused(session, account.id)
            logger.warning("account paused: chat unreachable", extra={"account": account.id})
        await audit.add_changes(session, account, after, at=now, user_id=NOBODY)
        return after

    async def _resumed(
        self, session: AsyncSession, account: Account, *, now: datetime
    ) -> Account | None:
        """None where the pause, if there is one, is not due to the silence, or not any more."""
        account = await accounts.locked(session, account.id)
        if not await undeliverable.is_paused(session, account.id):
            return None
        after = await accounts.change(session, account, paused=False)
        await audit.add_changes(session, account, after, at=now, user_id=NOBODY)
        return after

    async def _tell_another(
        self,
        session: AsyncSession,
        account: Account,
        chat: Undeliverable,
        others: Sequence[int],
        *,
        now: datetime,
    ) -> Undeliverable:
        """Alert one other chat once; the next one if that one cannot be reached either."""
        silent = [one.chat_id for one in await undeliverable.every(session)]
        if any(told not in silent for told in chat.told):
            return chat
        not_these = {chat.chat_id, *silent, *chat.told}
        told = next((other for other in others if other not in not_these), None)
        if told is None:
            return chat
        alert = ChatUndeliverable(
            dry_run=account.settings.dry_run,
            chat_id=chat.chat_id,
            name=await _name_of(session, chat.chat_id),
            since=chat.since,
            problem=chat.problem,
            gone=chat.gone,
            paused=account.stopped,
            pauses_at=chat.pauses_at,
        )
        await publish(session, told, alert, key=_key(chat, told), now=now)
        return replace(chat, told=(*chat.told, told))

    async def _tell_end(
        self,
        session: AsyncSession,
        account: Account,
        chat: Undeliverable,
        resumed: bool,
        now: datetime,
    ) -> None:
        alert = ChatDeliverable(
            dry_run=account.settings.dry_run,
            chat_id=chat.chat_id,
            name=await _name_of(session, chat.chat_id),
            since=chat.since,
            at=now,
            problem=chat.problem,
            resumed=resumed,
            paused=account.stopped,
        )
        listeners = dict.fromkeys(chat.told, alert)
        if not chat.gone and (resumed or now - chat.since >= _WORTH_SAYING):
            listeners[chat.chat_id] = replace(alert, here=True)
        for listener, words in listeners.items():
            key = f"{_key(chat, listener)}:over"
            await publish(session, listener, words, key=key, now=now)


async def _own_account(session: AsyncSession, chat_id: int) -> Account | None:
    """The account that trades for the chat; None where it sees another chat's."""
    if await shares.of_chat(session, chat_id) is not None:
        return None
    return await accounts.of_chat(session, chat_id)


def _key(chat: Undeliverable, listener: int) -> str:
    return f"undeliverable:{chat.chat_id}:{chat.since.isoformat()}:{listener}"


async def _name_of(session: AsyncSession, chat_id: int) -> str:
    """Returns the user's name for a private chat; a group's name is not known."""
    if chat_id < 0:
        return ""
    member = await members.find(session, chat_id=chat_id, user_id=chat_id)
    return member.name if member else await members.name_of(session, chat_id)
