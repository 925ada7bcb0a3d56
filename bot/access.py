"""Who may command the bot: listed chats, and whoever brought the one-time pairing code.

Deny by default: a chat *and* a user must be known. In a private chat they are the same; in a
listed group only people who are known themselves may act.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import Enum

from engine.clock import Clock
from engine.storage import members
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

    async def allows(self, *, chat_id: int, user_id: int) -> bool:
        if user_id in self._listed and (chat_id == user_id or chat_id in self._listed):
            return True
        async with self._database.reading() as session:
            if await members.is_member(session, chat_id=chat_id, user_id=user_id):
                return True
            if chat_id not in self._listed:
                return False
            return await members.is_member(session, chat_id=user_id, user_id=user_id)

    async def is_owner(self, *, user_id: int) -> bool:
        """The first listed chat, or whoever used the pairing code."""
        if self._owner is not None:
            return user_id == self._owner
        async with self._database.reading() as session:
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

    async def pair(self, code: str, *, chat_id: int, user_id: int) -> Attempt:
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
                    is_owner=True,
                    now=self._clock.now(),
                )
        self._owner_chat = user_id
        return Attempt(Pairing.ADMITTED)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
