"""Redeems invitation codes and words the answer, in whichever chat they are sent."""

from dataclasses import dataclass

from bot.access.command_menu import CommandMenu
from bot.interaction.message import Message
from bot.views.access import welcome_view
from bot.views.invitations import (
    admitted_elsewhere_view,
    admitted_here_view,
    admitted_to_private_view,
    expired_code_view,
    used_code_view,
    wrong_invitation_view,
)
from bot.views.share import joined_share_view, not_joined_view
from bot.views.shared_groups import owner_asked_view
from engine.accounts.account_service import AccountService
from engine.domain.accounts.members import Role
from engine.membership.group_requests import GroupRequests
from engine.membership.invitations import Admitted, Invitations
from engine.membership.sharing import Redeemed, Sharing
from engine.membership.sharing import Redemption as SharedRedemption


@dataclass(frozen=True, slots=True)
class Redemption:
    """*answer* is None if the code itself requires none; *tries_left* counts wrong codes."""

    admitted: Admitted
    answer: Message | None
    tries_left: int = 0


class InvitationCodes:
    def __init__(
        self,
        *,
        invitations: Invitations,
        sharing: Sharing,
        group_requests: GroupRequests,
        accounts: AccountService,
        menus: CommandMenu,
    ) -> None:
        self._invitations = invitations
        self._sharing = sharing
        self._group_requests = group_requests
        self._accounts = accounts
        self._menus = menus

    async def redeem(
        self, code: str, *, chat_id: int, user_id: int, name: str, title: str = ""
    ) -> Redemption:
        """Admit the sender if the code is valid for this chat; the answer is for *chat_id*, a group
        called *title*. The code of a shared account admits to that alone.
        """
        shared = await self._sharing.redeem(code, chat_id=chat_id, user_id=user_id, name=name)
        if shared is not None and shared.result is Redeemed.IN_GROUP:
            asked = await self._group_requests.ask(
                code, chat_id=chat_id, title=title, user_id=user_id, name=name
            )
            is_asked = asked is Redeemed.IN_GROUP
            asked_view = owner_asked_view() if is_asked else not_joined_view(asked)
            return Redemption(Admitted.ADMITTED, asked_view)
        if shared is not None:
            return Redemption(Admitted.ADMITTED, await self._shared_answer(shared))
        admission = await self._invitations.accept(
            code, sent_in=chat_id, user_id=user_id, name=name
        )
        invitation = admission.invitation
        if admission.admitted is Admitted.ADMITTED and invitation is not None:
            there = invitation.admits_to(user_id)
            await self._menus.show(chat_id=there, user_id=user_id, role=invitation.role)
            if there == user_id:
                if chat_id != user_id:
                    return Redemption(admission.admitted, admitted_to_private_view())
                account = await self._accounts.own(chat_id)
                return Redemption(
                    admission.admitted, welcome_view(account=account, just_let_in=True)
                )
            view = admitted_here_view if there == chat_id else admitted_elsewhere_view
            return Redemption(admission.admitted, view(role=invitation.role))
        answer = None
        if admission.admitted is Admitted.USED:
            answer = used_code_view()
        elif admission.admitted is Admitted.EXPIRED:
            answer = expired_code_view()
        elif admission.admitted is Admitted.WRONG:
            answer = wrong_invitation_view(tries_left=admission.tries_left)
        return Redemption(admission.admitted, answer, admission.tries_left)

    async def _shared_answer(self, shared: SharedRedemption) -> Message:
        share, account = shared.share, shared.account
        if shared.result is not Redeemed.JOINED or share is None or account is None:
            return not_joined_view(shared.result)
        await self._menus.show_shared(share.chat_id, share.role)
        return joined_share_view(
            account=account,
            role=share.role,
            owner=await self._sharing.owner_of(share),
            user_id=share.shared_by,
            paused_own=shared.paused_own,
        )

    async def shown_to(self, role: Role, *, chat_id: int, user_id: int) -> None:
        """Publish the command menu of a user who was admitted without a code."""
        await self._menus.show(chat_id=chat_id, user_id=user_id, role=role)
