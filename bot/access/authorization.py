"""Who may command the bot: listed chats, and the user who sent the one-time pairing code.
Deny by default: a chat *and* a user must be authorized. In a private chat they are the same; in a
group only its members and, if it is listed, users who are authorized themselves may act.
"""

import hmac
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from bot.access.start_links import StartLinks
from engine.clock import Clock
from engine.domain.accounts.members import SHARED_IDS, ChatMembers, Role
from engine.domain.accounts.shares import Share
from engine.membership.invitations import TRIES, TRIES_WITHIN
from engine.security.one_time_codes import hash_of, new_code
from engine.storage.accounts import accounts, audit, invitations, members, share_links, shares
from engine.storage.database import Database, InTransaction

# Of all strangers together; one user has TRIES a day. Then the code is replaced, so no stranger
# can lock the owner out, and 1,000 tries find one of 69 bits once in 10^17.
_CODE_TRIES = 1000
_SAID_AGAIN_AFTER = timedelta(days=1)

logger = logging.getLogger(__name__)


class Pairing(Enum):
    """Outcome of sending a pairing code."""

    ADMITTED = "admitted"
    WRONG = "wrong"
    CLOSED = "closed"  # no code is valid
    NO_TRIES_LEFT = "unheard"  # this user has no tries left


class Access:
    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        authorized_chats: tuple[int, ...],
        links: StartLinks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._links = links
        self._listed = frozenset(authorized_chats)
        self._owner = authorized_chats[0] if authorized_chats else None
        self._owner_chat = self._owner

    async def role(self, *, chat_id: int, user_id: int) -> Role | None:
        """Return the user's role in the chat; None if they have none."""
        return (await self.visit(chat_id=chat_id, user_id=user_id))[0]

    async def visit(
        self, *, chat_id: int, user_id: int, name: str = "", beside: InTransaction | None = None
    ) -> tuple[Role | None, Share | None]:
        """Return the user's role in the chat, and the share by which it sees another one's account:
        then the role is no more than that allows.
        *name* is what the user calls themselves; it is stored where they were admitted. *beside*
        reads something else in the same transaction.
        """
        share: Share | None = None

        async def look(session: AsyncSession) -> None:
            nonlocal share
            if beside is not None:
                await beside(session)
            share = await shares.of_chat(session, chat_id)

        role = await self.own_role(chat_id=chat_id, user_id=user_id, name=name, beside=look)
        if share is not None and user_id not in SHARED_IDS:
            role = share.role_of(user_id, role)
        return role, share

    async def own_role(
        self, *, chat_id: int, user_id: int, name: str = "", beside: InTransaction | None = None
    ) -> Role | None:
        """Return the user's role in the chat as `visit`, whatever is shared with it.
        An authorized user owns their private chat. In a listed group, listed users are traders and
        the bot's owner is owner; a role assigned to a member takes precedence.
        """
        is_private = chat_id == user_id
        async with self._database.reading() as session:
            if beside is not None:
                await beside(session)
            if user_id in SHARED_IDS:
                return None
            if is_private and user_id in self._listed:
                return Role.OWNER
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
        """Return those of *chat_ids* in which some user has a role."""
        known = await members.known_chats(session, chat_ids)
        return known | self._listed.intersection(chat_ids)

    async def may_trade(self, session: AsyncSession, *, chat_id: int, user_id: int) -> bool:
        """True if the user's `role` in the chat includes pausing and resuming."""
        is_private = chat_id == user_id
        role = Role.OWNER if is_private and user_id in self._listed else None
        if role is None:
            role = await members.role(session, chat_id=chat_id, user_id=user_id)
        if role is None:
            role = await self._standing(session, chat_id, user_id)
        share = await shares.of_chat(session, chat_id)
        if share is not None:
            role = share.role_of(user_id, role)
            return role is not None and role.covers(Role.TRADER)
        return role is not None and (is_private or role.covers(Role.TRADER))

    @property
    def listed_groups(self) -> list[int]:
        return sorted(chat_id for chat_id in self._listed if chat_id < 0)

    async def standing(self, chat_id: int, user_id: int) -> Role | None:
        """Return the role the user has by AUTHORIZED_CHATS, ignoring assigned roles."""
        async with self._database.reading() as session:
            return await self._standing(session, chat_id, user_id)

    async def circle(self, chat_id: int) -> ChatMembers:
        """Return the members of a chat, for its owners to see and to change."""
        async with self._database.reading() as session:
            owner = self._owner if self._owner is not None else await members.owner(session)
            people = {one for one in (*self._listed, owner) if one is not None and one > 0}
            people -= SHARED_IDS
            standing = {}
            for user_id in sorted(people):
                where = user_id if chat_id > 0 else chat_id
                if (role := await self._standing(session, where, user_id)) is not None:
                    standing[user_id] = role
            names = {user_id: await members.name_of(session, user_id) for user_id in standing}
        return ChatMembers(chat_id=chat_id, standing=standing, bot_owner=owner, names=names)

    async def in_groups(self, *, most: int) -> Sequence[tuple[int, int, Role]]:
        """List chat, user and role of all group members whose role is above viewer."""
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

    async def shared_chats(self, *, most: int) -> Sequence[tuple[int, Role]]:
        """List the private chats that see another one's account, with their role."""
        async with self._database.reading() as session:
            return await shares.private_chats(session, most=most)

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
        """True for the first listed chat, and for the user who used the pairing code."""
        async with self._database.reading() as session:
            return await self._is_owner(session, user_id)

    async def _is_owner(self, session: AsyncSession, user_id: int) -> bool:
        if self._owner is not None:
            return user_id == self._owner
        return await members.is_owner(session, user_id=user_id)

    async def owner_chat(self) -> int | None:
        """Return the chat that receives alerts about the bot itself; None while it has no owner.
        Read from the database until it is known, then kept: later the database may be what fails.
        """
        if self._owner_chat is None:
            async with self._database.reading() as session:
                # The chat id of a private chat is its user's id.
                self._owner_chat = await members.owner(session)
        return self._owner_chat

    async def refuse_once(self, *, user_id: int) -> bool:
        """True if this stranger should get an answer: the first time only."""
        async with self._database.writing() as session:
            return await members.refuse_once(session, user_id=user_id, now=self._clock.now())

    async def first_time(self, what: str) -> bool:
        """True the first time *what* is asked about; it is recorded."""
        return await self.is_news(what, again_after=None)

    async def is_news(
        self, what: str, *, again_after: timedelta | None = _SAID_AGAIN_AFTER
    ) -> bool:
        """Like `first_time`, but true again after *again_after*."""
        now = self._clock.now()
        async with self._database.writing() as session:
            return await members.is_news(session, what, now=now, again_after=again_after)

    async def knows_chat(self, chat_id: int) -> bool:
        """True if the chat is listed, also under its former id, or has members."""
        if chat_id in self._listed:
            return True
        async with self._database.reading() as session:
            former = await members.former_chat(session, chat_id)
            return (
                former in self._listed
                or await members.has_any(session, chat_id=chat_id)
                or await shares.of_chat(session, chat_id) is not None
            )

    async def may_be_linked(self) -> bool:
        """True if a link to an account is open, which a group may use."""
        async with self._database.reading() as session:
            return await share_links.is_any_open(session, now=self._clock.now())

    async def knows_person(self, user_id: int) -> bool:
        """True if the user has a role in some chat."""
        if user_id in self._listed:
            return True
        async with self._database.reading() as session:
            return await members.is_any(session, user_id=user_id)

    async def offer_code(self) -> bool:
        """Log a new pairing code if the bot has no owner yet; return whether it did.
        The former code becomes invalid, and every user's tries are reset.
        """
        if self._owner is not None:
            return False
        code = new_code()
        async with self._database.writing() as session:
            if await members.has_owner(session):
                return False
            await members.set_code(session, code_hash=hash_of(code), tries=_CODE_TRIES)
            await invitations.forget_guesses(session)
        self._links.announce(code)
        return True

    async def has_code(self) -> bool:
        """True if a pairing code is valid."""
        async with self._database.reading() as session:
            return await members.is_code_offered(session)

    async def pair(self, code: str, *, chat_id: int, user_id: int, name: str = "") -> Pairing:
        """Admit the sender of the right code as the owner. The code works once.
        A wrong code must be counted by the next check (`InvitationCodes.redeem`).
        """
        now, replacement, came = self._clock.now(), None, Pairing.WRONG
        async with self._database.writing() as session:
            guessed = await invitations.guesses(session, user_id=user_id, since=now - TRIES_WITHIN)
            if guessed >= TRIES or user_id in SHARED_IDS:
                return Pairing.NO_TRIES_LEFT
            spent = await members.spend_try(session)
            if spent is None:
                return Pairing.CLOSED
            expected, tries_left = spent
            if hmac.compare_digest(expected, hash_of(code)):
                await self._admit(session, chat_id=chat_id, user_id=user_id, name=name)
                came = Pairing.ADMITTED
            elif not tries_left:
                replacement = new_code()
                await members.set_code(session, code_hash=hash_of(replacement), tries=_CODE_TRIES)
        if replacement is not None:
            logger.warning("pairing code replaced: too many wrong codes")
            self._links.announce(replacement)
        if came is Pairing.ADMITTED:
            self._owner_chat = user_id
        return came

    async def _admit(
        self, session: AsyncSession, *, chat_id: int, user_id: int, name: str
    ) -> None:
        await members.void_code(session)
        # API keys are accepted in private only, so a user who pairs in a group is admitted there
        # as well.
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
        await audit.record(
            session,
            chat_id,
            user_id,
            "pair",
            "none -> owner",
            subject="the bot",
            at=self._clock.now(),
        )


async def _as_onlooker(session: AsyncSession, chat_id: int) -> Role | None:
    account = await accounts.of_chat(session, chat_id)
    return Role.VIEWER if account is not None and account.all_may_look else None
