"""`/halt`: the owner stops the trading of all accounts, and lifts that after a confirmation."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.confirmations import LIFT
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.halt import (
    ask_lift_view,
    halt_usage_view,
    halted_view,
    lifted_view,
    not_the_owner_view,
    other_halt_view,
)
from engine.domain.accounts.confirmation import Confirmation, Refusal


@dataclass(frozen=True, eq=False)
class HaltHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"halt": self.halt}, taps={LIFT: ConfirmationHandler(self._lift_confirmed)}
        )

    async def halt(self, request: Request) -> Message:
        """At once and without a question; lifting one shows what starts again, and asks."""
        if not await self.ctx.access.is_owner(user_id=request.user_id):
            return not_the_owner_view(account=await self.ctx.accounts.of(request.chat_id))
        match request.argument.lower():
            case "":
                cancelling = self.ctx.cancellation.begin(request.chat_id, everywhere=True)
                done = await self.ctx.halts.halt(
                    chat_id=request.chat_id, user_id=request.user_id, first=cancelling
                )
                return halted_view(
                    halt=done.halt,
                    already=not done.changed,
                    now=self.ctx.clock.now(),
                    under_way=done.under_way,
                    cancelled=cancelling.names,
                )
            case "off":
                account = await self.ctx.accounts.of(request.chat_id)
                if (waiting := await self.ctx.halts.waiting()) is None:
                    return lifted_view(account=account, was_halted=False)
                question_id = await self.ctx.confirmations.ask(
                    request, kind=LIFT, payload=waiting.halt
                )
                return ask_lift_view(account=account, waiting=waiting, confirmation_id=question_id)
            case _:
                return halt_usage_view()

    async def _lift_confirmed(self, question: Confirmation, request: Request) -> Message | Refusal:
        if not await self.ctx.access.is_owner(user_id=request.user_id):
            return not_the_owner_view(account=await self.ctx.accounts.of(request.chat_id))
        lifted = await self.ctx.halts.lift(
            question.id, chat_id=request.chat_id, user_id=request.user_id
        )
        if isinstance(lifted, Refusal):
            return lifted
        account = await self.ctx.accounts.of(request.chat_id)
        if not lifted and account.halted:
            return other_halt_view(account=account)
        return lifted_view(account=account, was_halted=lifted)
