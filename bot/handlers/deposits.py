"""`/deposits`, and the taps on a deposit that waits or was kept."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request, Response
from bot.parsing.settings import Topic, parse_deposits
from bot.views.alerts.balance_changes import CHOICES, LEAVE, left_view
from bot.views.deposits import (
    ALWAYS,
    ANSWERS,
    BUY,
    CHANGED,
    DAY,
    UNREAD,
    always_kept,
    buying_view,
    cannot_buy_view,
    deposit_late_view,
    deposit_over_view,
    deposits_changed_view,
    deposits_view,
    undo_keep_late_view,
    waiting_view,
)
from bot.views.rebalance_plan import plan_accepted_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.deposits import DepositChoice, WaitingDeposit, still_waiting
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.deposit_offer import DepositOffer
from engine.domain.rebalancing.pending_change import PendingChange
from engine.rebalancing.balance_changes import DEPOSIT
from engine.rebalancing.deposits import KEPT, WAITING

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class DepositsHandler(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={"deposits": self.deposits},
            taps={
                DEPOSIT: ConfirmationHandler(
                    self._answered_before, choices=lambda _: len(CHOICES)
                ),
                WAITING: ConfirmationHandler(
                    self._answered,
                    choices=lambda _: len(ANSWERS),
                    late=lambda _: deposit_late_view(),
                ),
                KEPT: ConfirmationHandler(
                    partial(self.setting_change.price_again, action="undo"),
                    late=lambda _: undo_keep_late_view(),
                ),
            },
        )

    async def deposits(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        now = self.ctx.clock.now()
        if not request.argument:
            view = deposits_view(account=account, now=now)
            # What waits is asked in the owner's chat.
            return replace(view, keyboard=None) if request.is_shared else view
        rule = await self.parse(request, parse_deposits)
        if isinstance(rule, Message):
            return rule
        if rule.choice is not DepositChoice.WAIT:
            rule = replace(rule, wait=account.settings.deposits.wait)
        change = await self.ctx.accounts.change(account, user_id=request.user_id, deposits=rule)
        return deposits_changed_view(
            account=change.after, changed=change.before != change.after, now=now
        )

    async def _answered_before(
        self, question: Confirmation, request: Request
    ) -> Response | Refusal:
        """A question of an older version, below a deposit that was traded at once."""
        if request.option != LEAVE:
            return await self.setting_change.price_again(question, request, action="keep deposit")
        taken = await self.ctx.confirmations.take(question.id, request)
        if isinstance(taken, Refusal):
            return taken
        return left_view(account=await self.ctx.accounts.of(request.chat_id))

    async def _answered(self, question: Confirmation, request: Request) -> Response | Refusal:
        account = await self.ctx.accounts.of(request.chat_id)
        waiting = account.waits(self.ctx.clock.now())
        if waiting is None or waiting.question_id != question.id:
            return deposit_over_view(account=account)
        if request.option == BUY:
            answer = await self._buy(question, account, request)
        elif request.option == DAY:
            answer = await self._wait(question, account, waiting, request, longer=_A_DAY)
        else:
            answer = await self._keep(question, account, waiting, request)
        if isinstance(answer, Refusal) and answer.why is RefusalReason.OUTDATED:
            return deposit_over_view(account=account)
        return answer

    async def _buy(
        self, question: Confirmation, account: Account, request: Request
    ) -> Response | Refusal:
        """The next check reads the prices again. In a mode that asks first, the tap confirms it."""
        if account.stopped:
            return cannot_buy_view(account=account)
        shown = payload_of(question, PendingChange).expected_quote or ZERO
        after = await self.ctx.deposits.trade(
            question.id, chat_id=request.chat_id, user_id=request.user_id, expected_quote=shown
        )
        if isinstance(after, Refusal):
            return after
        if after.settings.autonomy is not TradingMode.AUTO:
            return plan_accepted_view(account=after, side=Side.BUY, expected_quote=shown)
        return buying_view(**await self.forecast(after))

    async def _wait(
        self,
        question: Confirmation,
        account: Account,
        waiting: WaitingDeposit,
        request: Request,
        *,
        longer: timedelta = timedelta(),
        note: str | None = None,
    ) -> Response | Refusal:
        """The card again, with new buttons for *waiting* and the balance of now if it can be read."""
        look = await self.ctx.previews.fresh_look(account, patiently=True)
        held = account.settings.fixed_goal.target + waiting.amount
        held = look.seen.held if look is not None and look.seen is not None else held
        after = await self.ctx.deposits.wait(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            offered=waiting.amount,
            held=held,
            longer=longer,
        )
        if isinstance(after, Refusal):
            return after
        offer = DepositOffer.of(after, waiting.amount, held=held)
        return waiting_view(account=after, offer=offer, note=note)

    async def _keep(
        self,
        question: Confirmation,
        account: Account,
        waiting: WaitingDeposit,
        request: Request,
    ) -> Response | Refusal:
        """The target rises by what is still there: where that is not what the button said, the
        chat is asked again.
        """
        look = await self.ctx.previews.fresh_look(account, patiently=True)
        if look is None or look.seen is None:
            return await self._wait(question, account, waiting, request, note=UNREAD)
        target = account.settings.fixed_goal.target
        rest = still_waiting(waiting, total=look.seen.quote.total, target=target)
        if rest is None:
            return deposit_over_view(account=account)
        change = DepositOffer.of(account, rest.amount, held=look.seen.held).as_change(account)
        shown, always = payload_of(question, PendingChange), request.option == ALWAYS
        if (change.wanted, change.found) != (shown.wanted, shown.found):
            return await self._wait(question, account, rest, request, note=CHANGED)
        done = await self.ctx.deposits.keep(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            change=change,
            always=always,
        )
        if isinstance(done, Refusal):
            return done
        echo = await self.setting_change.echo(request, Topic.TARGET, done, in_panel=False)
        return always_kept(echo) if always else echo
