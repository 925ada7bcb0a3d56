"""From an update that passed the gate to the one who answers it, and the answer back."""

import logging
import re
from datetime import timedelta
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType
from telegram.ext import Application, CallbackContext, TypeHandler

from bot.asks import Answer, Ask
from bot.callbacks import Choose, Confirm, Do, Report, decode
from bot.cards import LiveCards
from bot.desk import Desk
from bot.gate import Gate
from bot.handlers.trading import REBALANCE
from bot.messages import Place
from bot.permissions import needed_for, needed_for_press
from bot.replies import Replies
from bot.updates import name_of, shows_button, topic_of
from bot.views.access import not_allowed_notice, not_allowed_view
from bot.views.conversation import (
    edited_view,
    plain_text_view,
    too_old_view,
    unknown_command_view,
)
from bot.views.errors import error_view, internal_error_view
from bot.views.plan import (
    dead_tap_notice,
    foreign_tap_notice,
    plan_expired_view,
    plan_outdated_view,
    used_tap_notice,
)
from bot.views.settings import question_closed_view
from engine.clock import Clock
from engine.domain.people import Role
from engine.errors import EngineError
from engine.storage.confirmations import Confirmation, Refusal, Why
from engine.storage.offers import OFFER

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]

# What was sent while the bot was off is done all the same, but for what would start trading.
_STALE_AFTER = timedelta(minutes=10)
_NOT_WHEN_STALE = frozenset({"resume", "rebalance"})
_PLANS = frozenset({REBALANCE, OFFER})
# These taps change nothing that is to be seen.
_NOTICES = {
    Why.UNKNOWN: dead_tap_notice(),
    Why.FOREIGN: foreign_tap_notice(),
    Why.USED: used_tap_notice(),
}
_COMMAND = re.compile(
    r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>\w+))?(?:\s+(?P<rest>.*))?", re.DOTALL
)

logger = logging.getLogger(__name__)


class Router:
    def __init__(
        self, *, gate: Gate, desk: Desk, replies: Replies, cards: LiveCards, clock: Clock
    ) -> None:
        self._gate = gate
        self._desk = desk
        self._replies = replies
        self._cards = cards
        self._clock = clock

    def register(self, application: App) -> None:
        """One door for everything: if the gate itself breaks, nothing behind it is reached."""
        application.add_handler(TypeHandler(Update, self._received))
        application.add_error_handler(_log)

    async def _received(self, update: Update, context: Context) -> None:
        if (role := await self._gate.admits(update)) is None:
            return
        key = f"update:{update.update_id}"
        try:
            if update.callback_query is not None:
                await self._tapped(update.callback_query, role, key=key)
            elif update.message is not None:
                await self._typed(update.message, role, my_name=context.bot.username, key=key)
            elif update.edited_message is not None:
                message = update.edited_message
                await self._edited(message, role, my_name=context.bot.username, key=key)
        except Exception:
            # A bug of ours: the person hears that it was not their fault, `_log` has the rest.
            if update.effective_chat is not None:
                place = Place(update.effective_chat.id, topic_of(update.effective_message))
                await self._replies.send(place, internal_error_view(), key=f"broke:{key}")
            raise

    async def _typed(self, message: Message, role: Role, *, my_name: str, key: str) -> None:
        if message.from_user is None or message.text is None:
            return
        ask = _ask(message, message.text, role)
        if not ask.command:
            # In a group people talk to each other; only a reply to the bot may answer it.
            if ask.is_private or (_replies_to(message, my_name) and await self._desk.awaits(ask)):
                await self._replies.answer(ask.place, self._said(ask), key=key)
            return
        if not _is_for(message.text, my_name):
            return
        await self._desk.turned_away(ask)
        age = self._clock.now() - ask.asked_at
        if (starter := _starts_trading(ask)) and age > _STALE_AFTER:
            too_old = too_old_view(command=starter, age=age)
            await self._replies.send(ask.place, too_old, key=key)
        else:
            await self._replies.answer(ask.place, self._do(ask), key=key)
            await self._followed(ask)

    async def _followed(self, ask: Ask) -> None:
        """Whoever may change something has perhaps done so: the card tells."""
        if ask.role.covers(Role.TRADER) and needed_for(ask.command, ask.argument) != Role.VIEWER:
            await self._cards.follow(ask.chat_id)

    async def _said(self, ask: Ask) -> Answer:
        """Plain text: an answer to a step of a dialog, or a person who needs a hint."""
        if not ask.role.covers(Role.TRADER):
            return plain_text_view()
        try:
            answered = await self._desk.said(ask, ask.argument)
        except EngineError as e:
            return error_view(e)
        return answered or plain_text_view()

    async def _edited(self, message: Message, role: Role, *, my_name: str, key: str) -> None:
        """A command is acted on as it was first sent; its edits are not commands."""
        if message.from_user is None or message.text is None:
            return
        ask = _ask(message, message.text, role)
        if ask.command and _is_for(message.text, my_name):
            stray = await self._desk.stray(ask)
            await self._replies.send(ask.place, stray or edited_view(), key=key)

    async def _do(self, ask: Ask) -> Answer:
        command = self._desk.commands.get(ask.command)
        if command is None:
            return await self._desk.stray(ask) or unknown_command_view(name=ask.command)
        needed = needed_for(ask.command, ask.argument)
        if not ask.role.covers(needed):
            return not_allowed_view(role=ask.role, needed=needed)
        try:
            return await command(ask)
        except EngineError as e:
            logger.info("command failed", extra={"command": ask.command, "error": str(e)})
            return error_view(e)

    async def _tapped(self, query: CallbackQuery, role: Role, *, key: str) -> None:
        match press := decode(query.data or ""):
            case None:
                await self._replies.toast(query.id, dead_tap_notice())
            case press if not role.covers(needed_for_press(press)):
                await self._replies.toast(query.id, not_allowed_notice())
            case Do():
                in_time = await self._replies.toast(query.id)
                ask = self._tap(query, role, press.command, press.argument)
                if (starter := _starts_trading(ask)) and not in_time:
                    too_old = too_old_view(command=starter, age=None)
                    await self._replies.send(ask.place, too_old, key=key)
                    return
                await self._replies.answer(ask.place, self._do(ask), key=key)
                await self._followed(ask)
            case Report():
                await self._replies.toast(query.id)
                ask = self._tap(query, role)
                await self._replies.answer(ask.place, self._reported(press, ask), key=key)
                await self._followed(ask)
            case Confirm() | Choose():
                await self._answered(query, press, role, key=key)
            case page:
                ask = self._tap(query, role)
                shown = self._show(ask, page)
                await self._replies.answer(
                    ask.place, shown, key=key, in_place=ask.message_id, tap=query.id
                )

    async def _show(self, ask: Ask, page: object) -> Answer:
        try:
            return await self._desk.pages[type(page)](ask, page)
        except EngineError as e:
            return error_view(e)

    async def _reported(self, report: Report, ask: Ask) -> Answer:
        """The card stays, and its buttons for as long as the order is unclear."""
        try:
            told = await self._desk.reported(ask, report)
        except EngineError as e:
            return error_view(e)
        if told.over:
            await self._replies.strip_buttons(ask.chat_id, ask.message_id)
        return told.answer

    async def _answered(
        self, query: CallbackQuery, press: Confirm | Choose, role: Role, *, key: str
    ) -> None:
        """A question's button: only its person's tap touches it, and it goes before the deed."""
        ask = self._tap(query, role)
        question = await self._desk.question(press, ask)
        why = question.why if isinstance(question, Refusal) else None
        await self._replies.toast(query.id, _NOTICES.get(why) if why else None)
        if why in _NOTICES:  # a used one too: what its first tap led to stays in sight
            return
        await self._replies.strip_buttons(ask.chat_id, ask.message_id)
        answer = self._decide(question, press, ask)
        await self._replies.answer(ask.place, answer, key=key, in_place=ask.message_id)
        await self._followed(ask)

    async def _decide(
        self, question: Confirmation | Refusal, press: Confirm | Choose, ask: Ask
    ) -> Answer:
        if not isinstance(question, Refusal):
            try:
                decided = await self._desk.answered(question, press, ask)
            except EngineError as e:
                return error_view(e)
            if not isinstance(decided, Refusal):
                return decided
            question = decided
        return self._closed(question)

    def _closed(self, refusal: Refusal) -> Answer:
        """A button that came too late."""
        question = refusal.question
        if refusal.why is Why.OUTDATED:
            return plan_outdated_view()
        if question is None or refusal.why is not Why.EXPIRED:
            return question_closed_view()
        if question.kind in _PLANS:
            return plan_expired_view(age=self._clock.now() - question.asked_at)
        return self._desk.late(question) or question_closed_view()

    def _tap(self, query: CallbackQuery, role: Role, command: str = "", argument: str = "") -> Ask:
        message = query.message
        if message is None:
            raise ValueError("a tap without its message")
        return Ask(
            chat_id=message.chat.id,
            user_id=query.from_user.id,
            role=role,
            name=name_of(query.from_user),
            topic_id=topic_of(message),
            is_private=message.chat.type == ChatType.PRIVATE,
            command=command,
            argument=argument,
            message_id=message.message_id,
            asked_at=self._clock.now(),
            is_shown=shows_button(message, query.data),
        )


async def _log(_: object, context: Context) -> None:
    logger.error("update broke", exc_info=context.error)


def _starts_trading(ask: Ask) -> str | None:
    """The command, if it would start trading. A halt never comes too late, but lifting one may."""
    if (ask.command, ask.argument.lower()) == ("halt", "off"):
        return "halt off"
    return ask.command if ask.command in _NOT_WHEN_STALE else None


def _replies_to(message: Message, my_name: str) -> bool:
    """Whether it is a reply to one of the bot's own messages."""
    replied = message.reply_to_message
    author = replied.from_user if replied is not None else None
    return author is not None and author.username == my_name


def _is_for(text: str, my_name: str) -> bool:
    """Whether a command is not meant for another bot in the group."""
    command = _COMMAND.fullmatch(text)
    addressee = command and command["bot"]
    return not addressee or addressee.lower() == my_name.lower()


def _ask(message: Message, text: str, role: Role) -> Ask:
    """Plain text is an Ask without a command."""
    if message.from_user is None:
        raise ValueError("a message without its sender")
    command = _COMMAND.fullmatch(text)
    return Ask(
        chat_id=message.chat_id,
        user_id=message.from_user.id,
        role=role,
        name=name_of(message.from_user),
        topic_id=topic_of(message),
        is_private=message.chat.type == ChatType.PRIVATE,
        command=command["name"].lower() if command else "",
        argument=((command["rest"] or "") if command else text).strip(),
        message_id=message.message_id,
        asked_at=message.date,
    )
