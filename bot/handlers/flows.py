"""`/profit deposits`: what came and went in a span, and an owner's corrections of it."""

from dataclasses import dataclass
from datetime import date

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import FlowPage, FlowsPage
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request, Response
from bot.parsing.spans import parse_span
from bot.views.access import not_allowed_view
from bot.views.flows import (
    button_of,
    corrected_view,
    correction_view,
    flow_changed_view,
    flows_view,
)
from bot.views.profit import no_profit_view
from engine.accounts.profit import NoReport
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.members import Role
from engine.domain.market.decimals import ZERO
from engine.domain.profit.corrections import CorrectionOffer, movements
from engine.domain.profit.spans import Span, span_of, text_of

FLOW = "flow"
FLOWS = frozenset({"deposits", "withdrawals", "flows"})
"""The first word of `/profit` that lists what came and went."""


@dataclass(frozen=True, slots=True)
class AskedFlow:
    """*offer* was shown with what was made in *span*."""

    offer: CorrectionOffer
    span: str


@dataclass(frozen=True, eq=False)
class FlowsHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            taps={
                FLOW: ConfirmationHandler(
                    self._chosen, choices=lambda q: len(payload_of(q, AskedFlow).offer.choices)
                )
            },
            pages={FlowsPage: self._page, FlowPage: self._flow},
        )

    async def typed(self, request: Request) -> Message:
        """The list of the span that is the request's argument."""
        span: Span | date | Message = await self.parse(
            request, parse_span, beginning="profit deposits"
        )
        if isinstance(span, Message):
            return span
        return await self._page(request, FlowsPage(text_of(span), 0))

    async def _page(self, request: Request, page: FlowsPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        found = await self.ctx.profits.report(account, span_of(page.span))
        if isinstance(found, NoReport):
            return no_profit_view(account=account, reason=found)
        return flows_view(
            account=account, report=found.report, page=page, may_correct=_may_correct(request)
        )

    async def _flow(self, request: Request, tapped: FlowPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        found = await self.ctx.profits.report(account, span_of(tapped.span))
        if isinstance(found, NoReport):
            return no_profit_view(account=account, reason=found)
        known = movements(found.report)
        movement = next((one for one in known if button_of(one, tapped.span) == tapped), None)
        if movement is None:
            return flow_changed_view(account=account, span=tapped.span)
        offer = CorrectionOffer(
            dry_run=account.settings.dry_run,
            at=movement.at,
            keys=movement.keys,
            was=movement.correction,
        )
        question_id = await self.ctx.confirmations.ask(
            request, kind=FLOW, payload=AskedFlow(offer, tapped.span)
        )
        return correction_view(
            account=account,
            movement=movement,
            made=found.report.made,
            span=tapped.span,
            question_id=question_id,
        )

    async def _chosen(self, question: Confirmation, request: Request) -> Response | Refusal:
        if not _may_correct(request):
            return not_allowed_view(
                role=request.role, needed=Role.OWNER, is_shared=request.is_shared
            )
        asked = payload_of(question, AskedFlow)
        correction = asked.offer.choices[request.option]
        refusal = await self.ctx.flow_corrections.correct(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            offer=asked.offer,
            correction=correction,
        )
        account = await self.ctx.accounts.of(request.chat_id)
        if refusal is not None and refusal.why is RefusalReason.OUTDATED:
            return flow_changed_view(account=account, span=asked.span)
        if refusal is not None:
            return refusal
        self.ctx.status_messages.recount(account)
        found = await self.ctx.profits.report(account, span_of(asked.span))
        known = () if isinstance(found, NoReport) else movements(found.report)
        return corrected_view(
            account=account,
            was=asked.offer.was,
            correction=correction,
            movement=next((one for one in known if one.keys == asked.offer.keys), None),
            made=ZERO if isinstance(found, NoReport) else found.report.made,
            span=asked.span,
        )


def _may_correct(request: Request) -> bool:
    return request.role.covers(Role.OWNER) and not request.is_shared
