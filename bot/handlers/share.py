"""`/share` and `/leave`: an owner lets others see the account, and they end that themselves."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.access import not_allowed_view
from bot.views.share import (
    ask_leave_view,
    ask_share_view,
    ask_unshare_view,
    left_share_view,
    link_view,
    link_withdrawn_view,
    may_not_leave_view,
    nobody_sees_view,
    nothing_to_leave_view,
    nothing_to_share_view,
    share_in_private_view,
    share_usage_view,
    shares_view,
    too_many_shares_view,
    unshared_view,
)
from engine.domain.accounts.confirmation import Confirmation
from engine.domain.accounts.members import Role
from engine.membership.sharing import LIFETIME, LinkRefused

SHARES, UNSHARE, WITHDRAW = "shares", "unshare", "share_link"
_SHARED_AS = {"viewer": Role.VIEWER, "trader": Role.TRADER}


@dataclass(frozen=True, eq=False)
class ShareHandler(Handler):
    def routes(self) -> Routes:
        once = self.ctx.confirmations.once
        return Routes(
            commands={"share": self.share, "leave": self.leave},
            taps={
                SHARES: ConfirmationHandler(
                    once(self._chosen), choices=lambda q: len(payload_of(q, list[int]))
                ),
                UNSHARE: ConfirmationHandler(once(self._remove)),
                WITHDRAW: ConfirmationHandler(once(self._withdraw)),
            },
        )

    async def share(self, request: Request) -> Message:
        """Make a link, or say what each may do, or who sees the account."""
        if not request.is_private:
            return share_in_private_view()
        word = request.argument.lower()
        if word == "list":
            return await self.list(request)
        if (await self.ctx.accounts.own(request.chat_id)).sealed_key is None:
            return nothing_to_share_view()
        if word in _SHARED_AS:
            return await self._link(request, _SHARED_AS[word])
        return share_usage_view() if word else ask_share_view()

    async def _link(self, request: Request, role: Role) -> Message:
        made = await self.ctx.sharing.make_link(
            request.chat_id, user_id=request.user_id, role=role
        )
        if isinstance(made, LinkRefused):
            return (
                nothing_to_share_view() if made is LinkRefused.NO_KEY else too_many_shares_view()
            )
        question_id = await self.ctx.confirmations.ask(
            request, kind=WITHDRAW, payload=made.code_hash, lifetime=LIFETIME
        )
        return link_view(
            code=made.code,
            link=self.ctx.start_links.of(made.code),
            group_link=self.ctx.start_links.of_group(made.code),
            role=role,
            expires_at=self.ctx.clock.now() + LIFETIME,
            question_id=question_id,
        )

    async def list(self, request: Request) -> Message:
        """Who sees the account of this private chat; a tap on a name removes it."""
        shared = await self.ctx.sharing.seen_by(request.chat_id)
        if not shared:
            return nobody_sees_view()
        question_id = await self.ctx.confirmations.ask(
            request, kind=SHARES, payload=[share.chat_id for share in shared]
        )
        return shares_view(shared=shared, question_id=question_id)

    async def leave(self, request: Request) -> Message:
        """Ask, and then see the chat's own account again."""
        share = await self.ctx.sharing.of(request.chat_id)
        if share is None:
            return nothing_to_leave_view()
        own = await self.ctx.access.own_role(chat_id=request.chat_id, user_id=request.user_id)
        if request.user_id != share.user_id and own is not Role.OWNER:
            return may_not_leave_view()
        owner = await self.ctx.sharing.owner_of(share)
        if request.argument.lower() != "now":
            return ask_leave_view(owner=owner, user_id=share.shared_by)
        if not await self.ctx.sharing.leave(request.chat_id, user_id=request.user_id):
            return nothing_to_leave_view()
        await self.ctx.command_menu.show_shared(request.chat_id, None)
        return left_share_view(owner=owner, user_id=share.shared_by, has_own=own is not None)

    async def _chosen(self, question: Confirmation, request: Request) -> Message:
        chat_id = payload_of(question, list[int])[request.option]
        shared = await self.ctx.sharing.seen_by(request.chat_id)
        share = next((one for one in shared if one.chat_id == chat_id), None)
        if share is None:
            return unshared_view(share=None)
        question_id = await self.ctx.confirmations.ask(request, kind=UNSHARE, payload=chat_id)
        return ask_unshare_view(share=share, question_id=question_id)

    async def _remove(self, question: Confirmation, request: Request) -> Message:
        if not request.role.covers(Role.OWNER):
            return not_allowed_view(role=request.role, needed=Role.OWNER)
        shared_chat = payload_of(question, int)
        share = await self.ctx.sharing.remove(
            request.chat_id, shared_chat, user_id=request.user_id
        )
        if share is not None:
            await self.ctx.command_menu.show_shared(shared_chat, None)
        return unshared_view(share=share)

    async def _withdraw(self, question: Confirmation, request: Request) -> Message:
        withdrawn = await self.ctx.sharing.withdraw(
            request.chat_id, question.payload, user_id=request.user_id
        )
        return link_withdrawn_view(withdrawn=withdrawn)
