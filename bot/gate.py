"""The gate: deny by default, by chat and by user, before anything else looks at an update."""

import re

from telegram import Update

from bot.access import Access, Pairing
from bot.asks import Ask, Command
from bot.messages import Place
from bot.replies import Replies
from bot.updates import topic_of
from bot.views.access import no_tries_left_view, stranger_view, wrong_code_view
from engine.domain.people import Role

_START = re.compile(r"/start(?:@\w+)?\s+(\S{1,64})\s*")


class Gate:
    """Lets known people pass, the bearer of the code in, and everybody else go unheard."""

    def __init__(self, *, access: Access, replies: Replies, welcome: Command) -> None:
        self._access = access
        self._replies = replies
        self._welcome = welcome

    async def admits(self, update: Update) -> Role | None:
        """What this user may do in this chat; who may do nothing is turned away."""
        chat, user = update.effective_chat, update.effective_user
        if chat is None or user is None or update.my_chat_member is not None:
            return None
        role = await self._access.role(chat_id=chat.id, user_id=user.id)
        if role is None:
            await self._turn_away(update, chat_id=chat.id, user_id=user.id)
        return role

    async def _turn_away(self, update: Update, *, chat_id: int, user_id: int) -> None:
        key = f"gate:{update.update_id}"
        if update.callback_query is not None:
            await self._replies.toast(update.callback_query.id)
            return
        message = update.message
        place = Place(chat_id, topic_of(message))
        code = _START.fullmatch((message and message.text) or "")
        if message is not None and code is not None:
            attempt = await self._access.pair(code[1], chat_id=chat_id, user_id=user_id)
            if attempt.pairing is Pairing.ADMITTED:
                ask = Ask(
                    chat_id=chat_id,
                    user_id=user_id,
                    role=Role.OWNER,
                    topic_id=place.topic_id,
                    is_private=chat_id == user_id,
                    command="start",
                    argument="",
                    message_id=message.message_id,
                    asked_at=message.date,
                )
                await self._replies.answer(ask.place, self._welcome(ask), key=key)
                return
            if attempt.pairing is Pairing.WRONG:
                wrong = (
                    wrong_code_view(tries_left=attempt.tries_left)
                    if attempt.tries_left
                    else no_tries_left_view()
                )
                await self._replies.send(place, wrong, key=key)
                return
        if await self._access.refuse_once(user_id=user_id):
            view = stranger_view(
                chat_id=chat_id, user_id=user_id, has_code=await self._access.has_code()
            )
            await self._replies.send(place, view, key=key)
