"""Access filter: deny by default, by chat and by user, before anything else reads an update."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import ChatMember, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatType

from bot.access.authorization import Access, Pairing
from bot.access.invitation_codes import InvitationCodes
from bot.interaction.message import MessagePlace
from bot.interaction.request import Command, Response, is_command_for, query_chat, typed
from bot.messaging.responder import Responder
from bot.updates.decode import name_of, topic_of
from bot.updates.message_text import author_of, is_secondhand, speaker_of, text_of
from bot.views.access import (
    no_author_view,
    no_tries_left_view,
    secondhand_view,
    stranger_view,
    wrong_code_view,
)
from engine.accounts.deliverability import Deliverability
from engine.clock import Clock
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share
from engine.membership.invitations import Admitted
from engine.storage.accounts import alert_preferences
from engine.storage.chat import conversations, status_messages
from engine.storage.database import Database

_MINUTE = timedelta(minutes=1)
_STRANGERS_A_MINUTE = 60
_START = re.compile(r"/start(?:@\w+)?\s+(\S{1,64})\s*")
_GROUPS = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
_OUTSIDE = frozenset({ChatMember.LEFT, ChatMember.BANNED})


@dataclass(slots=True)
class Visit:
    """What one read tells of an update. *role* is what its author may do in the chat; None: nothing.
    *share* is how the chat sees another one's account; None: it sees its own.
    *in_dialog*: they were asked to type something there. *time_zone* is the chat's; None: UTC.
    """

    role: Role | None = None
    share: Share | None = None
    in_dialog: bool = False
    has_card: bool = False
    time_zone: str | None = None
    is_silent: bool = False


class AccessFilter:
    """Lets known people pass, the bearer of a code in, and nobody else.

    *on_migrated* gets a group's old and new id as soon as Telegram says so.
    """

    def __init__(
        self,
        *,
        access: Access,
        invitation_codes: InvitationCodes,
        responder: Responder,
        welcome: Command,
        on_migrated: Callable[[int, int], Awaitable[None]],
        clock: Clock,
        database: Database,
        deliverability: Deliverability,
    ) -> None:
        self._access = access
        self._database = database
        self._deliverability = deliverability
        self._invitation_codes = invitation_codes
        self._responder = responder
        self._welcome = welcome
        self._on_migrated = on_migrated
        self._stranger_limit = StrangerLimit(clock)

    async def authorize(self, update: Update, *, my_name: str) -> Visit | None:
        """Who wrote this message or tapped, if they may do something in its chat.

        Who may do nothing is answered at most once, and in a group only for a command. What waits
        for the chat is tried again.
        """
        key = f"gate:{update.update_id}"
        visit = await self._read_visit(update)
        if visit.is_silent and (chat := update.effective_chat) is not None:
            may_write = update.my_chat_member is not None
            await self._deliverability.stirred(chat.id, may_write=may_write)
        if (change := update.my_chat_member) is not None:
            await self._answer_added(change, key=key)
        elif update.message is not None and await self._follow_migration(update.message):
            pass
        elif visit.role is not None:
            return visit
        else:
            await self._decline(update, my_name=my_name, key=key)
        return None

    async def _decline(self, update: Update, *, my_name: str, key: str) -> None:
        if (query := update.callback_query) is not None:
            if update.effective_chat is not None:
                await self._responder.toast(query.id, chat_id=query_chat(query))
            return
        # Posts of channels and messages of businesses are no messages to the bot.
        message = update.message or update.edited_message
        if message is None or update.effective_chat is None:
            return
        if (user := author_of(message)) is None:
            await self._decline_without_author(message, my_name=my_name, key=key)
            return
        is_edit = update.message is None
        await self._decline_message(message, user, is_edit=is_edit, my_name=my_name, key=key)

    async def _read_visit(self, update: Update) -> Visit:
        visit, chat, user = Visit(), update.effective_chat, _acting_user(update)
        if chat is None:
            return visit

        async def look(session: AsyncSession) -> None:
            await self._database.verify_within(session)
            visit.is_silent = await self._deliverability.is_silent(session, chat.id)
            visit.has_card = await status_messages.get(session, chat.id) is not None
            visit.time_zone = await alert_preferences.time_zone_of_chat(session, chat.id)
            if user is not None:
                visit.in_dialog = await conversations.is_any(
                    session, chat_id=chat.id, user_id=user.id
                )

        if user is None:
            async with self._database.reading() as session:
                await look(session)
        else:
            visit.role, visit.share = await self._access.visit(
                chat_id=chat.id, user_id=user.id, name=name_of(user), beside=look
            )
            if visit.share is not None:
                visit.time_zone = visit.share.time_zone
        return visit

    async def _follow_migration(self, message: Message) -> bool:
        """Telegram's own word, in the old chat and in the new one, that they are the same group."""
        if (new := message.migrate_to_chat_id) is not None:
            await self._on_migrated(message.chat_id, new)
            return True
        if (old := message.migrate_from_chat_id) is not None:
            await self._on_migrated(old, message.chat_id)
            return True
        return False

    async def _answer_added(self, change: ChatMemberUpdated, *, key: str) -> None:
        """Answer who added the bot to a group that is not listed; after that it is silent there.
        While a link to an account is open, the group's link may have added it, and sends the code.
        """
        chat = change.chat
        came = change.old_chat_member.status in _OUTSIDE
        if chat.type not in _GROUPS or not came or change.new_chat_member.status in _OUTSIDE:
            return
        if await self._access.knows_chat(chat.id) or await self._access.may_be_linked():
            return
        await self._notify_group(MessagePlace(chat.id), user=change.from_user, key=key)

    async def _notify_group(self, place: MessagePlace, *, user: User | None, key: str) -> bool:
        """The one answer that a group gets which is not listed; whether this is it."""
        if not await self._access.first_time(f"group:{place.chat_id}"):
            return False
        await self._refuse(place, user=user, key=key)
        return True

    async def _refuse(self, place: MessagePlace, *, user: User | None, key: str) -> None:
        has_code = await self._access.has_code()
        user_id = None if user is None else user.id
        view = stranger_view(chat_id=place.chat_id, user_id=user_id, has_code=has_code)
        await self._responder.send(place, view, key=key)

    async def _decline_without_author(self, message: Message, *, my_name: str, key: str) -> None:
        """A channel, an anonymous administrator or a bot speaks: it gets no role, code or key in."""
        if speaker_of(message) == 0 or not is_command_for(message, my_name):
            return
        place, speaker = MessagePlace(message.chat_id, topic_of(message)), speaker_of(message)
        if message.chat.type in _GROUPS and not await self._access.knows_chat(place.chat_id):
            await self._notify_group(place, user=None, key=key)
        elif await self._may_answer(place.chat_id) and await self._access.is_news(
            f"no_author:{place.chat_id}:{speaker}"
        ):
            view = no_author_view(is_anonymous=speaker == place.chat_id)
            await self._responder.send(place, view, key=key)

    async def _decline_message(
        self, message: Message, user: User, *, is_edit: bool, my_name: str, key: str
    ) -> None:
        place = MessagePlace(message.chat_id, topic_of(message))
        is_group = message.chat.type != ChatType.PRIVATE
        if is_group and not is_command_for(message, my_name):
            return  # members talk to each other
        code = None if is_edit else _START.fullmatch(text_of(message))
        if code is not None and is_secondhand(message):
            if await self._access.refuse_once(user_id=user.id):
                await self._responder.send(place, secondhand_view(), key=key)
            return
        if code is not None:
            answer = await self._redeem_code(code[1], message, user, place)
            if answer is not None:
                await self._responder.answer(place, answer, key=key)
                return
        if await self._may_answer(place.chat_id):
            await self._explain(place, user, is_group=is_group, key=key)

    async def _may_answer(self, chat_id: int) -> bool:
        """Whether one more stranger is answered there; the others may be when they write again."""
        return self._stranger_limit.is_open() and not await self._responder.is_behind(chat_id)

    async def _explain(self, place: MessagePlace, user: User, *, is_group: bool, key: str) -> None:
        """Tells an author who cannot be served once why, and how to be admitted."""
        if is_group and not await self._access.knows_chat(place.chat_id):
            if await self._notify_group(place, user=user, key=key):
                return
            if not await self._access.knows_person(user.id):
                return
        if await self._access.refuse_once(user_id=user.id):
            await self._refuse(place, user=user, key=key)

    async def _redeem_code(
        self, code: str, message: Message, user: User, place: MessagePlace
    ) -> Awaitable[Response] | None:
        """The answer to a code: the one that pairs first, then an invitation's. None where neither
        is to be had, or this user has guessed too often.
        """
        chat_id, name = place.chat_id, name_of(user)
        pairing = await self._access.pair(code, chat_id=chat_id, user_id=user.id, name=name)
        if pairing is Pairing.NO_TRIES_LEFT:
            return None
        if pairing is Pairing.ADMITTED:
            await self._invitation_codes.shown_to(Role.OWNER, chat_id=chat_id, user_id=user.id)
            return self._welcome(typed(message, Role.OWNER))
        opened = await self._invitation_codes.redeem(
            code, chat_id=chat_id, user_id=user.id, name=name, title=message.chat.title or ""
        )
        is_wrong = opened.admitted in {Admitted.WRONG, Admitted.NO_TRIES_LEFT}
        match pairing:
            case Pairing.WRONG if is_wrong:
                left = opened.tries_left
                return _as_response(
                    wrong_code_view(tries_left=left) if left else no_tries_left_view()
                )
            case Pairing.WRONG | Pairing.CLOSED:
                return None if opened.answer is None else _as_response(opened.answer)
            case _:
                assert_never(pairing)


def _acting_user(update: Update) -> User | None:
    """A tap carries the real user, whatever identity they write as."""
    if (query := update.callback_query) is not None:
        return query.from_user
    message = update.message or update.edited_message
    moves = message is not None and (message.migrate_to_chat_id or message.migrate_from_chat_id)
    return None if message is None or moves else author_of(message)


async def _as_response(answer: Response) -> Response:
    return answer


class StrangerLimit:
    """So many strangers a minute are looked at twice, however many come: the others may be answered
    when they write again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.steady()
        self._seen = 0

    def is_open(self) -> bool:
        """Whether there is some left; it is used up by asking."""
        now = self._clock.steady()
        if now - self._since >= _MINUTE:
            self._since, self._seen = now, 0
        self._seen += 1
        return self._seen <= _STRANGERS_A_MINUTE
