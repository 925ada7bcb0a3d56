"""Publishes each member's command menu and the bot's description to Telegram.
Failures are logged and have no other effect.
"""

import logging
from collections.abc import Awaitable, Sequence

from telegram import (
    Bot,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatMember,
)
from telegram.error import TelegramError

from bot.access.authorization import Access
from bot.access.permissions import needed_for
from bot.views.help import COMMANDS, DESCRIPTION, SHORT_DESCRIPTION
from engine.domain.accounts.members import Role

# Each is a request to Telegram at every start.
_MOST_MEMBERS = 50

logger = logging.getLogger(__name__)


class CommandMenu:
    def __init__(self, bot: Bot, access: Access) -> None:
        self._bot = bot
        self._access = access

    async def publish(self) -> None:
        """Publish all menus, once at start. A group's members see the viewer's or their own."""
        looking = menu_of(Role.VIEWER)
        everything = menu_of(Role.OWNER)
        groups, private = BotCommandScopeAllGroupChats(), BotCommandScopeAllPrivateChats()
        await _tried(self._bot.set_my_commands(looking), "menu")
        await _tried(self._bot.set_my_commands(looking, scope=groups), "menu of groups")
        await _tried(self._bot.set_my_commands(everything, scope=private), "menu of private chats")
        await _tried(self._bot.set_my_short_description(SHORT_DESCRIPTION), "short description")
        await _tried(self._bot.set_my_description(DESCRIPTION), "description")
        # Repeated at each start, as a new version may have new commands.
        for chat_id, user_id, role in await self._access.in_groups(most=_MOST_MEMBERS):
            await self.show(chat_id=chat_id, user_id=user_id, role=role)
        for chat_id, role in await self._access.shared_chats(most=_MOST_MEMBERS):
            await self.show_shared(chat_id, role)

    async def show_shared(self, chat_id: int, role: Role | None) -> None:
        """Publish the menu of a private chat that sees another one's account; None: its own again."""
        if chat_id < 0:
            return
        scope = BotCommandScopeChat(chat_id)
        if role is None:
            await _tried(self._bot.delete_my_commands(scope=scope), "menu of a shared chat")
        else:
            menu = menu_of(role, is_shared=True)
            await _tried(self._bot.set_my_commands(menu, scope=scope), "menu of a shared chat")

    async def show(self, *, chat_id: int, user_id: int, role: Role | None) -> None:
        """Publish the menu of one member of a group; None: they are not a member any more."""
        if chat_id == user_id:
            return  # in private every user is owner and sees everything
        scope = BotCommandScopeChatMember(chat_id, user_id)
        if role is None or role is Role.VIEWER:
            await _tried(self._bot.delete_my_commands(scope=scope), "menu of a member")
        else:
            await _tried(self._bot.set_my_commands(menu_of(role), scope=scope), "menu of a member")


def menu_of(role: Role, *, is_shared: bool = False) -> Sequence[tuple[str, str]]:
    """Return the commands that *role* allows, with their descriptions."""
    return [
        (name, does)
        for name, does in COMMANDS
        if role.covers(needed_for(name, "", is_shared=is_shared))
    ]


async def _tried(call: Awaitable[bool], what: str) -> None:
    try:
        await call
    except TelegramError as e:
        logger.warning("bot profile not updated: %s", what, extra={"problem": type(e).__name__})
