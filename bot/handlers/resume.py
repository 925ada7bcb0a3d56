"""`/resume`, and the question before a large first order."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import change_to_confirm, needs_a_yes
from bot.handlers.target_card import plan_needs_a_yes, plan_to_confirm
from bot.handlers.unresolved_order import SET_ASIDE
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.access import not_allowed_view
from bot.views.ask_resume import (
    ANSWERS,
    START,
    START_ASKING,
    ask_resume_plan_view,
    ask_resume_view,
    resume_late_view,
    resume_overtaken_view,
    stays_paused_view,
)
from bot.views.components.listening import ask_plain_resume_view
from bot.views.halt import no_resume_in_a_halt_view
from bot.views.pause_resume import cannot_resume_view, resumed_view
from bot.views.unresolved_order import ask_set_aside_view
from engine.accounts.account_service import Change
from engine.accounts.pending_changes import StaleChange
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import RESUME, Confirmation, Refusal
from engine.domain.accounts.members import Role
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.orders.order import Order, OrderState
from engine.domain.rebalancing.pending_change import PendingChange
from engine.errors import NoKey
from engine.rebalancing.preview import Foreseen


@dataclass(frozen=True, eq=False)
class ResumeHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"resume": self.resume},
            taps={
                RESUME: ConfirmationHandler(
                    self._answered,
                    choices=lambda _: len(ANSWERS),
                    late=lambda _: resume_late_view(),
                )
            },
        )

    async def resume(self, request: Request) -> Message:
        """Resume, or first ask: what the user found at MEXC where an order is unresolved, and
        whether to start where the first order is large.
        """
        account = await self.ctx.accounts.of(request.chat_id)
        answer, foreseen = await self._before_start(request, account)
        if answer is not None:
            return answer
        try:
            change = await self.ctx.accounts.resume(request.chat_id, user_id=request.user_id)
        except NoKey:
            return cannot_resume_view(account=await self.ctx.accounts.of(request.chat_id))
        if change.after.halted:
            return no_resume_in_a_halt_view(account=change.after)
        return await self._resumed(change, foreseen if change.before == account else None)

    async def plain_word(self, request: Request) -> Message:
        """The word without its slash starts nothing; what `/resume` asks is asked at once."""
        account = await self.ctx.accounts.of(request.chat_id)
        answer, _ = await self._before_start(request, account)
        return answer or ask_plain_resume_view()

    async def _before_start(
        self, request: Request, account: Account
    ) -> tuple[Message | None, Foreseen | None]:
        """Why trading cannot start, or what is asked first; None where neither is. And what the
        first check would do, where that was looked at.
        """
        if account.halted:
            return no_resume_in_a_halt_view(account=account), None
        unresolved = (await self.ctx.overviews.of(account)).unresolved
        if unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN:
            return await self._about_unresolved(request, account, unresolved), None
        return await self._question(request, account)

    async def _about_unresolved(self, request: Request, account: Account, order: Order) -> Message:
        if request.is_shared:
            return not_allowed_view(role=request.role, needed=Role.OWNER, is_shared=True)
        question_id = await self.ctx.confirmations.ask(
            request, kind=SET_ASIDE, payload=order.client_order_id
        )
        return ask_set_aside_view(account=account, order=order, confirmation_id=question_id)

    async def _question(
        self, request: Request, account: Account, *, agreed: PendingChange | None = None
    ) -> tuple[Message | None, Foreseen | None]:
        """The question whether to start; None where the first order is small, on paper, asked
        about anyway, or no more than was *agreed*. And what the first check would do, where that
        was looked at.
        """
        settings = account.settings
        is_live = account.can_trade and not settings.dry_run and settings.paused
        if not is_live or settings.autonomy is not TradingMode.AUTO:
            return None, None
        if settings.fixed is None:
            return await self._about_plan(request, account, agreed=agreed), None
        foreseen = await self.ctx.previews.foresee(account)
        if not needs_a_yes(foreseen, target=settings.fixed.target, agreed=agreed):
            return None, foreseen
        proposal = change_to_confirm(account, SettingsPatch(), foreseen, in_panel=False)
        question_id = await self.ctx.confirmations.ask(request, kind=RESUME, payload=proposal)
        view = ask_resume_view(
            account=account,
            foreseen=foreseen,
            confirmation_id=question_id,
            is_shared=request.is_shared,
        )
        return view, foreseen

    async def _about_plan(
        self, request: Request, account: Account, *, agreed: PendingChange | None
    ) -> Message | None:
        """The same, where the first check trades several tokens."""
        planned = await self.ctx.target_previews.next(account)
        if not plan_needs_a_yes(planned, agreed=agreed):
            return None
        proposal = plan_to_confirm(account, SettingsPatch(), planned, in_panel=False)
        question_id = await self.ctx.confirmations.ask(request, kind=RESUME, payload=proposal)
        return ask_resume_plan_view(
            account=account,
            planned=planned,
            confirmation_id=question_id,
            is_shared=request.is_shared,
        )

    async def _answered(self, question: Confirmation, request: Request) -> Message | Refusal:
        """Priced again: asks again where the first order is larger by now than was shown."""
        account, foreseen = await self.ctx.accounts.of(request.chat_id), None
        proposal = payload_of(question, PendingChange)
        if request.option == START_ASKING and request.is_shared:
            return not_allowed_view(role=request.role, needed=Role.OWNER, is_shared=True)
        if request.option == START and proposal.holds(account):
            again, foreseen = await self._question(request, account, agreed=proposal)
            if again is not None:
                taken = await self.ctx.confirmations.take(question.id, request)
                return taken if isinstance(taken, Refusal) else again
        if request.option not in {START, START_ASKING}:
            taken = await self.ctx.confirmations.take(question.id, request)
            return taken if isinstance(taken, Refusal) else stays_paused_view(account=account)
        done = await self.ctx.pending_changes.start(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            asking=request.option == START_ASKING,
        )
        if isinstance(done, Refusal):
            return done
        if isinstance(done, StaleChange):
            return resume_overtaken_view(account=done.account)
        return await self._resumed(done, foreseen)

    async def _resumed(self, change: Change, foreseen: Foreseen | None) -> Message:
        """*foreseen* is of the account before the change, which differs in nothing that counts."""
        outlook = (
            None if foreseen is None else await self.ctx.previews.shown(change.after, foreseen)
        )
        return resumed_view(
            **await self.forecast(change.after, outlook), already=change.before == change.after
        )
