"""From an update that passed the access filter to its handler, and the answer back."""

import logging
from collections import deque
from contextlib import suppress
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.ext import Application, CallbackContext, TypeHandler

from bot.access.permissions import only_looks
from bot.interaction.message import MessagePlace
from bot.interaction.request import (
    Request,
    Response,
    is_command_for,
    query_chat,
    replies_to,
    typed,
)
from bot.interaction.update_kind import UpdateKind, rank_of, started_by
from bot.messaging.responder import Responder
from bot.messaging.status_message import StatusMessages
from bot.routing.access_filter import AccessFilter, Visit
from bot.routing.button_router import STALE_AFTER, ButtonRouter
from bot.routing.registry import HandlerRegistry
from bot.routing.viewer_limit import MOST_A_MINUTE, Turn, ViewerLimit
from bot.updates.decode import topic_of
from bot.updates.message_text import is_service, text_of
from bot.updates.telegram_clock import TelegramClock
from bot.views.access import secondhand_view, share_begun_view, share_over_view
from bot.views.cancelled_updates import database_away_view
from bot.views.components.times import times_in
from bot.views.errors import error_view, internal_error_view
from bot.views.general import (
    edited_view,
    for_another_bot_view,
    no_text_view,
    plain_text_view,
    too_many_questions_notice,
    too_many_questions_view,
    too_old_view,
)
from engine.clock import Clock
from engine.domain.accounts.members import Role
from engine.errors import EngineError, innermost
from engine.storage import availability
from engine.storage.accounts.acting import ShareLost, acting_in
from engine.storage.queues.claims import ClaimLost

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]

logger = logging.getLogger(__name__)


class Router:
    def __init__(
        self,
        *,
        access_filter: AccessFilter,
        registry: HandlerRegistry,
        responder: Responder,
        status_messages: StatusMessages,
        clock: Clock,
        telegram_time: TelegramClock,
    ) -> None:
        self._access_filter = access_filter
        self._registry = registry
        self._responder = responder
        self._taps = ButtonRouter(
            registry=registry, responder=responder, status_messages=status_messages, clock=clock
        )
        self._clock = clock
        self._telegram_time = telegram_time
        self._viewer_limit = ViewerLimit(clock)
        self._errors: dict[int, Exception] = {}
        self._notified_of_outage: set[int] = set()
        self._albums: deque[str] = deque(maxlen=100)

    def register(self, application: App) -> None:
        """One entry for everything: if the access filter breaks, no handler is reached."""
        application.add_handler(TypeHandler(Update, self._received))
        application.add_error_handler(_log)

    async def route(self, update: Update, application: App) -> None:
        """Raises what kept the update from being answered, and nobody was told of: SQLAlchemyError
        while the database is away (then the same update may be routed again; a pairing, a move or
        a setting done twice is as done once, and a wrong code may cost a second try), ClaimLost, or
        what broke.
        """
        await application.process_update(update)
        # The library passes what a handler raises to `_log`, never to its caller.
        error = self._errors.pop(update.update_id, None)
        if error is None or not availability.passes(error):
            self._notified_of_outage.discard(update.update_id)
        if error is not None:
            raise error

    async def _received(self, update: Update, context: Context) -> None:
        try:
            visit = await self._access_filter.authorize(update, my_name=context.bot.username)
            if visit is not None and visit.role is not None:
                with times_in(visit.time_zone):
                    await self._admitted(update, visit, visit.role, my_name=context.bot.username)
        except Exception as e:  # noqa: BLE001 - see below
            # The inbox worker decides whether it is retried.
            self._errors[update.update_id] = innermost(e)

    async def _admitted(self, update: Update, visit: Visit, role: Role, *, my_name: str) -> None:
        chat, key = update.effective_chat, f"update:{update.update_id}"
        try:
            with acting_in(0 if chat is None else chat.id, visit.share):
                await self._carry_out(update, visit, role, my_name=my_name, key=key)
        except Exception as e:
            if isinstance(cause := innermost(e), ClaimLost) or chat is None:
                raise
            place = MessagePlace(chat.id, topic_of(update.effective_message))
            if isinstance(cause, ShareLost):
                view = share_over_view() if visit.share else share_begun_view()
                await self._responder.send(place, view, key=f"over:{key}")
                return
            if availability.passes(cause):
                await self._notify_database_away(place, update.update_id)
                raise
            # A bug of ours: the user learns that it is not their fault, the log has the rest.
            logger.exception("update broke")
            await self._responder.send(place, internal_error_view(), key=f"broke:{key}")

    async def _carry_out(
        self, update: Update, visit: Visit, role: Role, *, my_name: str, key: str
    ) -> None:
        if update.callback_query is not None:
            if await self._is_one_tap_too_many(update.callback_query, visit):
                return
            await self._taps.tapped(
                update.callback_query,
                role,
                key=key,
                in_dialog=visit.in_dialog,
                is_shared=visit.share is not None,
            )
        elif update.message is not None and not is_service(update):
            request = typed(update.message, role, is_shared=visit.share is not None)
            await self._typed(update.message, request, visit, my_name=my_name, key=key)
        elif update.edited_message is not None:
            await self._edited(update.edited_message, role, my_name=my_name, key=key)

    async def _notify_database_away(self, place: MessagePlace, update_id: int) -> None:
        """Tells once that the message is carried out when the database is back."""
        if update_id not in self._notified_of_outage:
            self._notified_of_outage.add(update_id)
            with suppress(*availability.AWAY, ClaimLost):
                await self._responder.send(place, database_away_view(), key=f"waits:{update_id}")

    async def _typed(
        self, message: Message, request: Request, visit: Visit, *, my_name: str, key: str
    ) -> None:
        if not request.command:
            # In a group members talk to each other; only a reply to the bot may answer it.
            mine = request.is_private or (
                replies_to(message, my_name) and await self._registry.is_in_conversation(request)
            )
            if mine and not self._is_more_of_album(message):
                await self._responder.answer(request.place, self._answer_text(request), key=key)
            return
        if not is_command_for(message, my_name):
            if request.is_private:
                await self._responder.send(request.place, for_another_bot_view(), key=key)
            return
        if await self._is_too_much(request, key=key):
            return
        if request.is_secondhand:
            stray = await self._registry.stray(request)
            await self._responder.send(request.place, stray or secondhand_view(), key=key)
            return
        if visit.in_dialog:
            await self._registry.end_conversation(request)
        age = self._telegram_time.now() - request.asked_at
        if (
            starter := started_by(UpdateKind(request.command, request.argument))
        ) and age > STALE_AFTER:
            too_old = too_old_view(command=starter, age=age)
            await self._responder.send(request.place, too_old, key=key)
        else:
            await self._responder.answer(
                request.place,
                self._registry.do(request),
                key=key,
                aside=only_looks(request.command, request.argument),
                rank=rank_of(request.command),
                cancellable=starter is not None,
            )
            if visit.has_card:
                await self._taps.followed(request)

    def _is_more_of_album(self, message: Message) -> bool:
        """True for the later messages of an album without text, which is answered once."""
        if message.media_group_id is None or text_of(message):
            return False
        album = f"{message.chat_id}:{message.media_group_id}"
        if album in self._albums:
            return True
        self._albums.append(album)
        return False

    async def _is_too_much(self, request: Request, *, key: str) -> bool:
        """True if a viewer of a group, or of another one's account, has to wait; the first time the
        chat is told so.
        """
        if request.role is not Role.VIEWER or (request.is_private and not request.is_shared):
            return False
        if await self._responder.is_behind(request.chat_id):
            return True
        turn = self._viewer_limit.asks(request.chat_id)
        if turn is Turn.DECLINED:
            view = too_many_questions_view(most=MOST_A_MINUTE)
            await self._responder.send(request.place, view, key=key)
        return turn is not Turn.ANSWERED

    async def _is_one_tap_too_many(self, query: CallbackQuery, visit: Visit) -> bool:
        """As above; the answer to a tap is no message, so it is ended in any case."""
        chat_id = query_chat(query)
        if visit.role is not Role.VIEWER or (chat_id >= 0 and visit.share is None):
            return False
        turn = self._viewer_limit.asks(chat_id)
        if turn is not Turn.ANSWERED:
            await self._responder.toast(query.id, too_many_questions_notice(), chat_id=chat_id)
        return turn is not Turn.ANSWERED

    async def _answer_text(self, request: Request) -> Response:
        """Plain text: an answer to a step of a conversation, or else a hint."""
        hint = plain_text_view(request.argument) if request.argument else no_text_view()
        if request.is_secondhand and request.argument:
            hint = secondhand_view()
        if not request.role.covers(Role.TRADER):
            return await self._registry.stray(request) or hint
        try:
            return await self._registry.continue_conversation(request, request.argument) or hint
        except EngineError as e:
            return error_view(e, is_shared=request.is_shared)

    async def _edited(self, message: Message, role: Role, *, my_name: str, key: str) -> None:
        """A command counts as it was first sent; its edits are not commands."""
        if not is_command_for(message, my_name):
            return
        request = typed(message, role)
        if not await self._is_too_much(request, key=key):
            stray = await self._registry.stray(request)
            await self._responder.send(request.place, stray or edited_view(), key=key)


async def _log(_: object, context: Context) -> None:
    logger.error("update broke", exc_info=context.error)
