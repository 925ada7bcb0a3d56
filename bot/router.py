"""From an update that passed the gate to the one who answers it, and the answer back."""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from telegram import CallbackQuery, Message, Update
from telegram.ext import Application, CallbackContext, TypeHandler

from bot.asks import Answer, Ask, is_for, replies_to, tapped, typed
from bot.callbacks import Choose, Confirm, Do, Report, decode
from bot.cards import LiveCards
from bot.desk import Desk
from bot.gate import Gate
from bot.handlers.trading import REBALANCE
from bot.messages import Place
from bot.permissions import needed_for, needed_for_press
from bot.replies import Replies
from bot.updates import topic_of
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
from engine.storage import outage
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
        self._kept_out: dict[int, SQLAlchemyError] = {}

    def register(self, application: App) -> None:
        """One door for everything: if the gate itself breaks, nothing behind it is reached."""
        application.add_handler(TypeHandler(Update, self._received))
        application.add_error_handler(_log)

    async def route(self, update: Update, application: App) -> None:
        """Raises SQLAlchemyError where the database was lost before anybody was let in: nobody was
        told of it then, and the same update may be routed again. (A pairing or a move done twice is
        as done once; a wrong code may cost a second try.)
        """
        await application.process_update(update)
        # The library hands what a handler raises to `_log`, never to whoever called it.
        if (error := self._kept_out.pop(update.update_id, None)) is not None:
            raise error

    async def _received(self, update: Update, context: Context) -> None:
        try:
            role = await self._gate.admits(update)
        except SQLAlchemyError as e:
            if not outage.passes(e):
                raise
            self._kept_out[update.update_id] = e
            return
        if role is None:
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
        ask = typed(message, message.text, role)
        if not ask.command:
            # In a group people talk to each other; only a reply to the bot may answer it.
            if ask.is_private or (replies_to(message, my_name) and await self._desk.awaits(ask)):
                await self._replies.answer(ask.place, self._said(ask), key=key)
            return
        if not is_for(message.text, my_name):
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
        ask = typed(message, message.text, role)
        if ask.command and is_for(message.text, my_name):
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
        now = self._clock.now()
        return tapped(query, role, command=command, argument=argument, at=now)


async def _log(_: object, context: Context) -> None:
    logger.error("update broke", exc_info=context.error)


def _starts_trading(ask: Ask) -> str | None:
    """The command, if it would start trading. A halt never comes too late, but lifting one may."""
    if (ask.command, ask.argument.lower()) == ("halt", "off"):
        return "halt off"
    return ask.command if ask.command in _NOT_WHEN_STALE else None
