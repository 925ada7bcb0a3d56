"""Routes a tap: what its button says is done once, if it is not too late."""

from datetime import timedelta
from functools import partial

from telegram import CallbackQuery

from bot.access.permissions import LOOKING_PAGES, needed_for, needed_for_press, only_looks
from bot.interaction.callback_data import (
    Choose,
    Confirm,
    EnterValue,
    Open,
    Report,
    RunCommand,
    SetAlert,
    SetPreset,
    decode,
)
from bot.interaction.confirmations import REBALANCE
from bot.interaction.request import Request, Response, query_chat, tapped
from bot.interaction.update_kind import UpdateKind, rank_of, started_by
from bot.messaging.responder import Responder
from bot.messaging.status_message import StatusMessages
from bot.routing.registry import HandlerRegistry
from bot.views.access import not_allowed_notice
from bot.views.cancelled_updates import tap_begun_view
from bot.views.deposits import BUY
from bot.views.errors import error_view
from bot.views.general import tap_of_unknown_age_view, too_old_tap_view
from bot.views.rebalance_plan import (
    dead_tap_notice,
    foreign_tap_notice,
    plan_expired_view,
    plan_outdated_view,
    used_tap_notice,
)
from bot.views.settings import question_closed_view
from engine.clock import Clock
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.members import Role
from engine.domain.rebalancing.approval import OFFER
from engine.errors import EngineError
from engine.rebalancing.deposits import WAITING
from engine.storage.queues import claims
from engine.storage.serialization import Unreadable

STALE_AFTER = timedelta(minutes=10)
"""What was sent while the bot was off is done all the same, but for what would start trading."""
# Who taps these sends no value for what was asked before.
_ENDING = (RunCommand, SetPreset, SetAlert, Open, EnterValue)
_PLANS = frozenset({REBALANCE, OFFER})
# These taps change nothing that is to be seen.
_NOTICES = {
    RefusalReason.UNKNOWN: dead_tap_notice(),
    RefusalReason.FOREIGN: foreign_tap_notice(),
    RefusalReason.USED: used_tap_notice(),
}


class ButtonRouter:
    def __init__(
        self,
        *,
        registry: HandlerRegistry,
        responder: Responder,
        status_messages: StatusMessages,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._responder = responder
        self._status_messages = status_messages
        self._clock = clock

    async def tapped(
        self,
        query: CallbackQuery,
        role: Role,
        *,
        key: str,
        in_dialog: bool = False,
        is_shared: bool = False,
    ) -> None:
        press = decode(query.data or "")
        as_request = partial(tapped, query, role, at=self._clock.now(), is_shared=is_shared)
        if in_dialog and isinstance(press, _ENDING):
            await self._registry.cancel_question(as_request())
        match press:
            case None:
                await self._toast(query, dead_tap_notice())
            case press if not role.covers(needed := needed_for_press(press, is_shared=is_shared)):
                notice = not_allowed_notice(needed=needed, is_shared=is_shared)
                await self._toast(query, notice)
            case RunCommand():
                request = as_request(command=press.command, argument=press.argument)
                starter = started_by(UpdateKind(request.command, request.argument))
                if not await self._acknowledged(query, request, starter, key=key):
                    return
                await self._responder.answer(
                    request.place,
                    self._registry.do(request),
                    key=key,
                    aside=only_looks(request.command, request.argument),
                    rank=rank_of(request.command),
                )
                await self.followed(request)
            case Report():
                await self._toast(query)
                request = as_request()
                await self._responder.answer(
                    request.place, self._reported(press, request), key=key
                )
                await self.followed(request)
            case Confirm() | Choose():
                option = press.index if isinstance(press, Choose) else 0
                await self._answered(query, press, as_request(option=option), key=key)
            case page:
                request = as_request()
                await self._responder.answer(
                    request.place,
                    self._show(request, page),
                    key=key,
                    in_place=request.message_id,
                    tap=query.id,
                    aside=type(page) in LOOKING_PAGES,
                )

    async def _toast(self, query: CallbackQuery, notice: str | None = None) -> None:
        await self._responder.toast(query.id, notice, chat_id=query_chat(query))

    async def _show(self, request: Request, page: object) -> Response:
        try:
            return await self._registry.page(request, page)
        except EngineError as e:
            return error_view(e, is_shared=request.is_shared)

    async def _reported(self, report: Report, request: Request) -> Response:
        """The card stays, and its buttons for as long as the order is unclear."""
        try:
            report_answer = await self._registry.reported(request, report)
        except EngineError as e:
            return error_view(e, is_shared=request.is_shared)
        if report_answer.is_final:
            await self._responder.strip_buttons(request.chat_id, request.message_id)
        return report_answer.answer

    async def _answered(
        self, query: CallbackQuery, press: Confirm | Choose, request: Request, *, key: str
    ) -> None:
        """A confirmation's button: used by its user alone, and removed before it is acted on."""
        try:
            question = await self._registry.question(press, request)
        except Unreadable:
            question = Refusal(RefusalReason.UNKNOWN)
        why = question.why if isinstance(question, Refusal) else None
        if why is RefusalReason.USED and _was_begun():
            await self._responder.send(request.place, tap_begun_view(), key=key)
            return
        if isinstance(question, Confirmation) and _outlives_a_tap(question, request.option):
            if not await self._acknowledged(query, request, "trade", key=key):
                return
        else:
            await self._toast(query, _NOTICES.get(why) if why else None)
        if why in _NOTICES:  # a used one too: what its first tap led to stays in sight
            return
        await self._responder.strip_buttons(request.chat_id, request.message_id)
        answer = self._decide(question, request)
        await self._responder.answer(request.place, answer, key=key, in_place=request.message_id)
        await self.followed(request)

    async def _acknowledged(
        self, query: CallbackQuery, request: Request, starter: str | None, *, key: str
    ) -> bool:
        """End the spinner. False, and said, where the tap would start trading and is not certain to
        be a new one: Telegram does not say when it was.
        """
        if starter is None:
            await self._toast(query)
            return True
        in_time = await self._responder.in_time(query.id, chat_id=query_chat(query))
        if in_time:
            return True
        view = too_old_tap_view if in_time is False else tap_of_unknown_age_view
        await self._responder.send(request.place, view(name=starter), key=key)
        return False

    async def _decide(self, question: Confirmation | Refusal, request: Request) -> Response:
        if not isinstance(question, Refusal):
            try:
                decided = await self._registry.answered(question, request)
            except EngineError as e:
                return error_view(e, is_shared=request.is_shared)
            except Unreadable:  # asked by another version; nothing was done
                decided = Refusal(RefusalReason.UNKNOWN)
            if not isinstance(decided, Refusal):
                return decided
            question = decided
        return self._closed(question)

    def _closed(self, refusal: Refusal) -> Response:
        """A button that came too late."""
        question = refusal.question
        if refusal.why is RefusalReason.OUTDATED:
            return plan_outdated_view()
        if question is None or refusal.why is not RefusalReason.EXPIRED:
            return question_closed_view()
        if question.kind in _PLANS:
            return plan_expired_view(age=self._clock.now() - question.asked_at)
        return self._registry.late(question) or question_closed_view()

    async def followed(self, request: Request) -> None:
        """Refresh the status message where the author may have changed something."""
        if (
            request.role.covers(Role.TRADER)
            and needed_for(request.command, request.argument) != Role.VIEWER
        ):
            await self._status_messages.refresh_soon(request.chat_id)


def _outlives_a_tap(question: Confirmation, option: int) -> bool:
    """Whether a tap that came late, while the bot was off, would still find it open. *Trade* may,
    and *Buy now*.
    """
    trades = question.kind == OFFER or (question.kind == WAITING and option == BUY)
    return trades and question.expires_at - question.asked_at > STALE_AFTER


def _was_begun() -> bool:
    """Whether the update was worked on before, and what came of that is unknown."""
    held = claims.present()
    return held is not None and held.fence > 1
