"""Who may command the bot: listed chats, and whoever brought the one-time pairing code.

Deny by default: a chat *and* a user must be known. In a private chat they are the same; in a
group only its members and, if it is listed, people who are known themselves may act.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.people import Circle, Role
from engine.storage import accounts, audit, members
from engine.storage.database import Database

CODE_TRIES = 5
_CODE_BYTES = 9  # 72 bits: five tries find it once in 10^21


class Pairing(Enum):
    ADMITTED = "admitted"
    WRONG = "wrong"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending a code. CLOSED: no code is waiting to be used."""

    pairing: Pairing
    tries_left: int = 0


class Access:
    def __init__(
        self, *, database: Database, clock: Clock, authorized_chats: tuple[int, ...]
    ) -> None:
        self._database = database
        self._clock = clock
        self._listed = frozenset(authorized_chats)
        self._owner = authorized_chats[0] if authorized_chats else None
        self._owner_chat = self._owner

    async def role(self, *, chat_id: int, user_id: int, name: str = "") -> Role | None:
        """What the user may do in the chat; None: nothing. *name*, what they call themselves, is
        kept where they were let in.

        Whoever is known owns their private chat. In a listed group people who are listed trade,
        and the bot's owner owns it; what a group's members were given by name goes before.
        """
        is_private = chat_id == user_id
        if is_private and user_id in self._listed:
            return Role.OWNER
        async with self._database.reading() as session:
            member = await members.find(session, chat_id=chat_id, user_id=user_id)
            if member is None:
                standing = await self._standing(session, chat_id, user_id)
                if standing is None:
                    return await _as_onlooker(session, chat_id)
                known = await members.name_of(session, user_id)
            else:
                standing, known = None, member.name
        if name not in {"", known}:
            async with self._database.writing() as session:
                if member is None:
                    await members.keep_name(session, user_id, name)
                else:
                    await members.rename(session, chat_id=chat_id, user_id=user_id, name=name)
        if member is None:
            return standing
        return Role.OWNER if is_private else member.role

    async def known_chats(self, session: AsyncSession, chat_ids: Collection[int]) -> set[int]:
        """Those of *chat_ids* in which somebody may do something."""
        known = await members.known_chats(session, chat_ids)
        return known | self._listed.intersection(chat_ids)

    async def may_trade(self, session: AsyncSession, *, chat_id: int, user_id: int) -> bool:
        """Whether `role` would let the user pause and resume the chat."""
        if chat_id == user_id and user_id in self._listed:
            return True
        role = await members.role(session, chat_id=chat_id, user_id=user_id)
        if role is None:
            role = await self._standing(session, chat_id, user_id)
        return role is not None and (chat_id == user_id or role.covers(Role.TRADER))

    async def standing(self, chat_id: int, user_id: int) -> Role | None:
        """What AUTHORIZED_CHATS lets the user do in the chat, whatever they were given by name."""
        async with self._database.reading() as session:
            return await self._standing(session, chat_id, user_id)

    async def circle(self, chat_id: int) -> Circle:
        """The people around a chat, for its owners to see and to change."""
        async with self._database.reading() as session:
            owner = self._owner if self._owner is not None else await members.owner(session)
            people = {one for one in (*self._listed, owner) if one is not None and one > 0}
            standing = {}
            for user_id in sorted(people):
                where = user_id if chat_id > 0 else chat_id
                if (role := await self._standing(session, where, user_id)) is not None:
                    standing[user_id] = role
            names = {user_id: await members.name_of(session, user_id) for user_id in standing}
        return Circle(chat_id=chat_id, standing=standing, bot_owner=owner, names=names)

    async def in_groups(self, *, most: int) -> Sequence[tuple[int, int, Role]]:
        """The chat, the user and the role of whoever may more than look in a group."""
        async with self._database.reading() as session:
            found = {
                (chat, user): role
                for chat, user, role in await members.in_groups(session, most=most)
            }
            for chat_id in sorted(one for one in self._listed if one < 0):
                for user_id in sorted(one for one in self._listed if one > 0):
                    role = await self._standing(session, chat_id, user_id)
                    given = await members.role(session, chat_id=chat_id, user_id=user_id)
                    if role is not None and given is None:
                        found[chat_id, user_id] = role
        return [(*who, role) for who, role in found.items()][:most]

    async def _standing(self, session: AsyncSession, chat_id: int, user_id: int) -> Role | None:
        is_listed = user_id in self._listed
        if chat_id == user_id:
            return Role.OWNER if is_listed else None
        if chat_id not in self._listed:
            former = await members.former_chat(session, chat_id)
            if former not in self._listed:
                return None
        if await self._is_owner(session, user_id):
            return Role.OWNER
        return Role.TRADER if is_listed else None

    async def is_owner(self, *, user_id: int) -> bool:
        """The first listed chat, or whoever used the pairing code."""
        async with self._database.reading() as session:
            return await self._is_owner(session, user_id)

    async def _is_owner(self, session: AsyncSession, user_id: int) -> bool:
        if self._owner is not None:
            return user_id == self._owner
        return await members.is_owner(session, user_id=user_id)

    async def owner_chat(self) -> int | None:
        """Where the owner is told of the bot's own troubles; None while it has no owner.

        Asked of the database until it is known: later the database may be what is broken.
        """
        if self._owner_chat is None:
            async with self._database.reading() as session:
                # A private chat has the id of its user.
                self._owner_chat = await members.owner(session)
        return self._owner_chat

    async def refuse_once(self, *, user_id: int) -> bool:
        """Whether this stranger should get an answer: the first time only."""
        async with self._database.writing() as session:
            return await members.refuse_once(session, user_id=user_id, now=self._clock.now())

    async def offer_code(self) -> str | None:
        """A new pairing code if nobody owns the bot yet; the former one is worthless then."""
        if self._owner is not None:
            return None
        code = secrets.token_urlsafe(_CODE_BYTES)
        async with self._database.writing() as session:
            if await members.has_owner(session):
                return None
            await members.set_code(session, code_hash=_hash(code), tries=CODE_TRIES)
        return code

    async def has_code(self) -> bool:
        """Whether a pairing code waits to be used."""
        async with self._database.reading() as session:
            return await members.is_code_offered(session)

    async def pair(self, code: str, *, chat_id: int, user_id: int, name: str = "") -> Attempt:
        """Let the bearer of the right code in, as the owner. The code works once."""
        async with self._database.writing() as session:
            spent = await members.spend_try(session)
            if spent is None:
                return Attempt(Pairing.CLOSED)
            expected, tries_left = spent
            if not hmac.compare_digest(expected, _hash(code)):
                return Attempt(Pairing.WRONG, tries_left)
            await members.void_code(session)
            # Keys are taken in private only, so whoever pairs in a group is let in there as well.
            for admitted_to in {chat_id, user_id}:
                await members.admit(
                    session,
                    chat_id=admitted_to,
                    user_id=user_id,
                    role=Role.OWNER,
                    is_owner=True,
                    now=self._clock.now(),
                    name=name,
                )
            await audit.add(
                session,
                at=self._clock.now(),
                chat_id=chat_id,
                user_id=user_id,
                action="pair",
                subject="the bot",
                detail="none -> owner",
            )
        self._owner_chat = user_id
        return Attempt(Pairing.ADMITTED)


async def _as_onlooker(session: AsyncSession, chat_id: int) -> Role | None:
    account = await accounts.of_chat(session, chat_id)
    return Role.VIEWER if account is not None and account.all_may_look else None


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
