"""Orders that need the user: what became of one, and whether one that is not known is cancelled."""

from dataclasses import dataclass
from typing import assert_never

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import Report, Word
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.stray_orders import stray_answer_view
from bot.views.unresolved_order import (
    already_clear_view,
    believed_view,
    doubted_view,
    known_now_view,
    set_aside_view,
    still_unclear_view,
)
from engine.domain.accounts.confirmation import Confirmation
from engine.execution.manual_resolution import (
    AlreadyClear,
    KnownNow,
    ReportAccepted,
    ReportContradicted,
    ResolutionResult,
    StillUnclear,
)
from engine.execution.stray_orders import STRAY, StrayOrder, StrayStands

SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """*is_final*: the order is resolved, so the buttons that asked about it may go."""

    answer: Message
    is_final: bool


@dataclass(frozen=True, eq=False)
class UnresolvedOrderHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            taps={
                SET_ASIDE: ConfirmationHandler(self.ctx.confirmations.once(self._set_aside)),
                STRAY: ConfirmationHandler(self.ctx.confirmations.once(self._cancel_stray)),
            }
        )

    async def reported(self, request: Request, report: Report) -> ReportAnswer:
        """A tap on the message: the engine accepts the report, or shows what contradicts it."""
        clarified = await self._resolve(request, report)
        match clarified:
            case AlreadyClear():
                return ReportAnswer(already_clear_view(clarified), is_final=True)
            case KnownNow():
                return ReportAnswer(known_now_view(clarified), is_final=clarified.is_final)
            case StillUnclear():
                return ReportAnswer(still_unclear_view(clarified), is_final=False)
            case ReportAccepted():
                return ReportAnswer(believed_view(clarified), is_final=True)
            case ReportContradicted():
                question_id = await self.ctx.confirmations.ask(
                    request, kind=SET_ASIDE, payload=report.client_order_id
                )
                return ReportAnswer(
                    doubted_view(clarified, confirmation_id=question_id), is_final=False
                )
            case _:
                assert_never(clarified)

    async def _set_aside(self, question: Confirmation, request: Request) -> Message:
        """The tap on "I looked" or "I am sure": the order no longer holds the account up."""
        account = await self.ctx.resolution.set_aside(
            request.chat_id, request.user_id, question.payload
        )
        if isinstance(account, AlreadyClear):
            return already_clear_view(account)
        return set_aside_view(account=account)

    async def _cancel_stray(self, question: Confirmation, request: Request) -> Message:
        """The tap on "Cancel it", under an order that is not known here."""
        account, stray = (
            await self.ctx.accounts.own(request.chat_id),
            payload_of(question, StrayOrder),
        )
        answer = await self.ctx.stray_orders.cancel(account, stray, user_id=request.user_id)
        again_id = None
        if isinstance(answer, StrayStands):
            again_id = await self.ctx.confirmations.ask(request, kind=STRAY, payload=stray)
        return stray_answer_view(answer, stray, account=account, again_id=again_id)

    async def _resolve(self, request: Request, report: Report) -> ResolutionResult:
        if report.word is Word.LOOK_AGAIN:
            return await self.ctx.resolution.look_again(request.chat_id, report.client_order_id)
        return await self.ctx.resolution.claim(
            request.chat_id,
            request.user_id,
            report.client_order_id,
            filled=report.word is Word.FILLED,
        )
