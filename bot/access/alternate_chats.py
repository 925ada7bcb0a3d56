"""Finds the other chats that may receive news about a chat."""

from collections.abc import Sequence

from bot.access.authorization import Access
from engine.domain.accounts.members import Role
from engine.storage.accounts import accounts, members
from engine.storage.database import Database


class AlternateChats:
    def __init__(self, *, access: Access, database: Database) -> None:
        self._access = access
        self._database = database

    async def of(self, chat_id: int) -> Sequence[int]:
        """List the bot owner's chat, then a group's owners' chats, or a private chat user's
        groups.
        Only chats with an account are listed.
        """
        owner = await self._access.owner_chat()
        related = [] if owner is None else [owner]
        related += await (self._owners_of(chat_id) if chat_id < 0 else self._groups_of(chat_id))
        async with self._database.reading() as session:
            known = [one for one in related if await accounts.of_chat(session, one) is not None]
        return [one for one in dict.fromkeys(known) if one != chat_id]

    async def _owners_of(self, group: int) -> list[int]:
        async with self._database.reading() as session:
            people = await members.of_chat(session, group)
        return [one.user_id for one in people if one.role is Role.OWNER]

    async def _groups_of(self, user_id: int) -> list[int]:
        async with self._database.reading() as session:
            given = list(await members.groups_owned_by(session, user_id))
        standing = [
            group
            for group in self._access.listed_groups
            if await self._access.standing(group, user_id) is Role.OWNER
        ]
        return [*given, *standing]
