"""What Telegram shows of the bot itself: the menu of commands, for each what they may do, and the
words on its page. Whatever goes wrong here is logged and harms nothing.
"""

import logging
from collections.abc import Awaitable, Sequence

from telegram import (
    Bot,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChatMember,
)
from telegram.error import TelegramError

from bot.access.authorization import Access
from bot.access.permissions import needed_for
from bot.views.help import COMMANDS, DESCRIPTION, SHORT_DESCRIPTION
from engine.domain.accounts.members import Role

# Each is a call to Telegram at every start.
_MOST_MEMBERS = 50

logger = logging.getLogger(__name__)


class CommandMenu:
    def __init__(self, bot: Bot, access: Access) -> None:
        self._bot = bot
        self._access = access

    async def publish(self) -> None:
        """Once at start. A group's members see what a viewer may, unless they may more."""
        looking = menu_of(Role.VIEWER)
        everything = menu_of(Role.OWNER)
        groups, private = BotCommandScopeAllGroupChats(), BotCommandScopeAllPrivateChats()
        await _tried(self._bot.set_my_commands(looking), "menu")
        await _tried(self._bot.set_my_commands(looking, scope=groups), "menu of groups")
        await _tried(self._bot.set_my_commands(everything, scope=private), "menu of private chats")
        await _tried(self._bot.set_my_short_description(SHORT_DESCRIPTION), "short description")
        await _tried(self._bot.set_my_description(DESCRIPTION), "description")
        # Anew at each start, as a new version may have new commands.
        for chat_id, user_id, role in await self._access.in_groups(most=_MOST_MEMBERS):
            await self.show(chat_id=chat_id, user_id=user_id, role=role)

    async def show(self, *, chat_id: int, user_id: int, role: Role | None) -> None:
        """The menu of one member of a group; None: they are none any more."""
        if chat_id == user_id:
            return  # in private everybody owns their chat and sees everything
        scope = BotCommandScopeChatMember(chat_id, user_id)
        if role is None or role is Role.VIEWER:
            await _tried(self._bot.delete_my_commands(scope=scope), "menu of a member")
        else:
            await _tried(self._bot.set_my_commands(menu_of(role), scope=scope), "menu of a member")


def menu_of(role: Role) -> Sequence[tuple[str, str]]:
    """The commands that somebody with *role* may send, and what they do."""
    return [(name, does) for name, does in COMMANDS if role.covers(needed_for(name, ""))]


async def _tried(call: Awaitable[bool], what: str) -> None:
    try:
        await call
    except TelegramError as e:
        logger.warning("not shown in Telegram: %s", what, extra={"problem": type(e).__name__})
