"""The owner's answer to a group that wants to see their account."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.shared_groups import owner_answered_view
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.membership.group_requests import GROUP_ASKS, NO, YES
from engine.membership.sharing import Redeemed


@dataclass(frozen=True, eq=False)
class SharedGroupsHandler(Handler):
    def routes(self) -> Routes:
        choices = len((YES, NO))
        return Routes(
            taps={
                GROUP_ASKS: ConfirmationHandler(
                    self._answered,
                    choices=lambda _: choices,
                    late=lambda _: owner_answered_view(Redeemed.EXPIRED, title=""),
                )
            }
        )

    async def _answered(self, question: Confirmation, request: Request) -> Message | Refusal:
        answer = await self.ctx.group_requests.answer(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            message_id=request.message_id,
            yes=request.option == YES,
        )
        if isinstance(answer, Refusal):
            return answer
        result, title = answer
        return owner_answered_view(result, title=title)
