"""From an update that passed the gate to the one who answers it, and the answer back."""

import logging
import re
from datetime import timedelta
from typing import Any, assert_never

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot.asks import Answer, Ask
from bot.callbacks import Choose, Confirm, Do, HistoryPage, decode
from bot.desk import Desk
from bot.gate import Gate
from bot.handlers.trading import REBALANCE
from bot.replies import Replies
from bot.views.conversation import (
    edited_view,
    plain_text_view,
    too_old_view,
    unknown_command_view,
)
from bot.views.errors import error_view, internal_error_view
from bot.views.plan import dead_tap_notice, foreign_tap_notice, plan_expired_view, plan_used_view
from bot.views.settings import question_closed_view
from engine.clock import Clock
from engine.errors import EngineError
from engine.storage.confirmations import Refusal, Why

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]

# What was sent while the bot was off is done all the same, but for what would start trading.
_STALE_AFTER = timedelta(minutes=10)
_NOT_WHEN_STALE = frozenset({"resume", "rebalance"})
# A tap on these shows the same card anew.
_IN_PLACE = frozenset({"status", "history"})
_COMMAND = re.compile(
    r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>\w+))?(?:\s+(?P<rest>.*))?", re.DOTALL
)

logger = logging.getLogger(__name__)


class Router:
    def __init__(self, *, gate: Gate, desk: Desk, replies: Replies, clock: Clock) -> None:
        self._gate = gate
        self._desk = desk
        self._replies = replies
        self._clock = clock

    def register(self, application: App) -> None:
        """The gate stands in a group of its own, before everything."""
        application.add_handler(TypeHandler(Update, self._gate.check), group=-1)
        application.add_handler(CallbackQueryHandler(self._tapped))
        application.add_handler(
            MessageHandler(filters.UpdateType.EDITED_MESSAGE & filters.COMMAND, self._edited)
        )
        application.add_handler(
            MessageHandler(filters.UpdateType.MESSAGE & filters.TEXT, self._typed)
        )
        application.add_error_handler(self._broke)

    async def _typed(self, update: Update, context: Context) -> None:
        message = update.message
        if message is None or message.from_user is None or message.text is None:
            return
        key = f"update:{update.update_id}"
        command = _COMMAND.fullmatch(message.text)
        if command is None:
            await self._said(_ask(message, "", ""), message.text, key=key)
            return
        if command["bot"] and command["bot"].lower() != context.bot.username.lower():
            return  # meant for another bot in the group
        name = command["name"].lower()
        ask = _ask(message, name, (command["rest"] or "").strip())
        await self._desk.turned_away(ask)
        age = self._clock.now() - ask.asked_at
        if name in _NOT_WHEN_STALE and age > _STALE_AFTER:
            await self._replies.send(ask.chat_id, too_old_view(command=name, age=age), key=key)
        else:
            await self._replies.answer(ask.chat_id, self._do(ask), key=key)

    async def _said(self, ask: Ask, text: str, *, key: str) -> None:
        """Plain text: an answer to a step of a dialog, or a person who needs a hint."""

        async def answer() -> Answer:
            try:
                answered = await self._desk.said(ask, text)
            except EngineError as e:
                return error_view(e)
            return answered or plain_text_view()

        await self._replies.answer(ask.chat_id, answer(), key=key)

    async def _edited(self, update: Update, _: Context) -> None:
        """A command is acted on as it was first sent; its edits are not commands."""
        if update.edited_message is not None:
            await self._replies.send(
                update.edited_message.chat_id, edited_view(), key=f"update:{update.update_id}"
            )

    async def _do(self, ask: Ask) -> Answer:
        command = self._desk.commands.get(ask.command)
        if command is None:
            return unknown_command_view(name=ask.command)
        try:
            return await command(ask)
        except EngineError as e:
            logger.info("command failed", extra={"command": ask.command, "error": str(e)})
            return error_view(e)

    async def _tapped(self, update: Update, _: Context) -> None:
        query = update.callback_query
        if query is None or query.message is None:
            return
        key = f"update:{update.update_id}"
        match press := decode(query.data or ""):
            case None:
                await self._replies.toast(query.id, dead_tap_notice())
            case Do():
                await self._replies.toast(query.id)
                ask = self._tap(query, press.command, press.argument)
                in_place = ask.message_id if ask.command in _IN_PLACE else None
                await self._replies.answer(ask.chat_id, self._do(ask), key=key, in_place=in_place)
            case HistoryPage():
                await self._replies.toast(query.id)
                ask = self._tap(query, "history", "")
                page = self._desk.history_page(ask, press)
                await self._replies.answer(ask.chat_id, page, key=key, in_place=ask.message_id)
            case Confirm() | Choose():
                await self._answered(query, press, key=key)
            case _:
                assert_never(press)

    async def _answered(self, query: CallbackQuery, press: Confirm | Choose, *, key: str) -> None:
        """A question's button: only its person's tap touches it, and it goes before the deed."""
        ask = self._tap(query, "", "")
        refusal = await self._desk.refusal(press.id, ask)
        if refusal is not None and refusal.why in {Why.UNKNOWN, Why.FOREIGN}:
            notice = dead_tap_notice if refusal.why is Why.UNKNOWN else foreign_tap_notice
            await self._replies.toast(query.id, notice())
            return
        await self._replies.toast(query.id)
        await self._replies.strip_buttons(ask.chat_id, ask.message_id)
        outcome = refusal or await self._decide(press, ask)
        answer = self._closed(outcome) if isinstance(outcome, Refusal) else outcome
        await self._replies.answer(ask.chat_id, _ready(answer), key=key, in_place=ask.message_id)

    async def _decide(self, press: Confirm | Choose, ask: Ask) -> Answer | Refusal:
        try:
            if isinstance(press, Confirm):
                return await self._desk.confirmed(press.id, ask)
            return await self._desk.chosen(press.id, press.index, ask)
        except EngineError as e:
            return error_view(e)

    def _closed(self, refusal: Refusal) -> Answer:
        """A button that came too late, or a second time."""
        question = refusal.question
        if question is None or question.kind != REBALANCE:
            return question_closed_view()
        if refusal.why is Why.EXPIRED:
            return plan_expired_view(age=self._clock.now() - question.asked_at)
        return plan_used_view()

    def _tap(self, query: CallbackQuery, command: str, argument: str) -> Ask:
        message = query.message
        if message is None:
            raise ValueError("a tap without its message")
        return Ask(
            chat_id=message.chat.id,
            user_id=query.from_user.id,
            is_private=message.chat.type == ChatType.PRIVATE,
            command=command,
            argument=argument,
            message_id=message.message_id,
            asked_at=self._clock.now(),
        )

    async def _broke(self, update: object, context: Context) -> None:
        """A bug of ours: logged once, and the person hears that it was not their fault."""
        logger.error("update broke", exc_info=context.error)
        if isinstance(update, Update) and update.effective_chat is not None:
            await self._replies.send(
                update.effective_chat.id,
                internal_error_view(),
                key=f"broke:{update.update_id}",
            )


def _ask(message: Message, command: str, argument: str) -> Ask:
    if message.from_user is None:
        raise ValueError("a message without its sender")
    return Ask(
        chat_id=message.chat_id,
        user_id=message.from_user.id,
        is_private=message.chat.type == ChatType.PRIVATE,
        command=command,
        argument=argument,
        message_id=message.message_id,
        asked_at=message.date,
    )


async def _ready(answer: Answer) -> Answer:
    return answer
