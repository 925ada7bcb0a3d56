"""The gate: deny by default, by chat and by user, before anything else looks at an update."""

import re
from collections.abc import Awaitable, Callable
from typing import assert_never

from telegram import Message, Update, User

from bot.access import Access, Pairing
from bot.asks import Answer, Command, typed
from bot.door import Door
from bot.messages import Place
from bot.replies import Replies
from bot.updates import name_of, topic_of
from bot.views.access import no_tries_left_view, stranger_view, wrong_code_view
from engine.domain.people import Role
from engine.invitations import Admitted

_START = re.compile(r"/start(?:@\w+)?\s+(\S{1,64})\s*")


class Gate:
    """Lets known people pass, the bearer of the code in, and everybody else go unheard.

    *on_migrated* hears of a group's old and new id as soon as Telegram says so.
    """

    def __init__(
        self,
        *,
        access: Access,
        door: Door,
        replies: Replies,
        welcome: Command,
        on_migrated: Callable[[int, int], Awaitable[None]],
    ) -> None:
        self._access = access
        self._door = door
        self._replies = replies
        self._welcome = welcome
        self._on_migrated = on_migrated

    async def admits(self, update: Update) -> Role | None:
        """What this user may do in this chat; who may do nothing is turned away."""
        if update.message is not None and await self._moved(update.message):
            return None
        chat, user = update.effective_chat, update.effective_user
        if chat is None or user is None or update.my_chat_member is not None:
            return None
        role = await self._access.role(chat_id=chat.id, user_id=user.id, name=name_of(user))
        if role is None:
            await self._turn_away(update, user, chat_id=chat.id)
        return role

    async def _moved(self, message: Message) -> bool:
        """Telegram's own word, in the old chat and in the new one, that they are the same group."""
        if (new := message.migrate_to_chat_id) is not None:
            await self._on_migrated(message.chat_id, new)
            return True
        if (old := message.migrate_from_chat_id) is not None:
            await self._on_migrated(old, message.chat_id)
            return True
        return False

    async def _turn_away(self, update: Update, user: User, *, chat_id: int) -> None:
        key = f"gate:{update.update_id}"
        if update.callback_query is not None:
            await self._replies.toast(update.callback_query.id)
            return
        message = update.message
        place = Place(chat_id, topic_of(message))
        code = _START.fullmatch((message and message.text) or "")
        if message is not None and code is not None:
            answer = await self._knocked(code[1], message, user, place)
            if answer is not None:
                await self._replies.answer(place, answer, key=key)
                return
        if await self._access.refuse_once(user_id=user.id):
            view = stranger_view(
                chat_id=chat_id, user_id=user.id, has_code=await self._access.has_code()
            )
            await self._replies.send(place, view, key=key)

    async def _knocked(
        self, code: str, message: Message, user: User, place: Place
    ) -> Awaitable[Answer] | None:
        """The answer to a code: an invitation's first, then the one that pairs. None where neither
        is to be had, or this user has guessed too often.
        """
        chat_id, name = place.chat_id, name_of(user)
        opened = await self._door.knock(code, chat_id=chat_id, user_id=user.id, name=name)
        if opened.answer is not None and opened.admitted is not Admitted.WRONG:
            return _said(opened.answer)
        attempt = await self._access.pair(code, chat_id=chat_id, user_id=user.id, name=name)
        match attempt.pairing:
            case Pairing.ADMITTED:
                await self._door.shown_to(Role.OWNER, chat_id=chat_id, user_id=user.id)
                return self._welcome(typed(message, "/start", Role.OWNER))
            case Pairing.WRONG:
                left = attempt.tries_left
                return _said(wrong_code_view(tries_left=left) if left else no_tries_left_view())
            case Pairing.CLOSED:
                return None if opened.answer is None else _said(opened.answer)
            case _:
                assert_never(attempt.pairing)


async def _said(answer: Answer) -> Answer:
    return answer
