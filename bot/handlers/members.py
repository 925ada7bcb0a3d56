"""`/members` and `/invite`: an owner sees who is in, and decides who may do what."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.share import ShareHandler
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.access import not_allowed_view
from bot.views.invitations import (
    ask_invite_view,
    code_in_private_view,
    code_view,
    invite_usage_view,
    no_invitations_here_view,
    no_private_chat_view,
    not_invited_view,
)
from bot.views.members import (
    ask_look_view,
    look_changed_view,
    member_view,
    members_view,
    name_of,
    sure_view,
    verdict_view,
)
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.members import ChatMembers, Member, Role, RoleChangeResult
from engine.membership.invitations import LIFETIME

LIST, MEMBER, ROLE, LOOK = "members", "member", "member_role", "all_may_look"
_PAGE = 6  # and two more buttons: Telegram's data has room for eight options
_INVITED = {"viewer": Role.VIEWER, "trader": Role.TRADER}
_REMOVE, _BACK = "remove", "back"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the list as its buttons mean it."""

    page: int
    user_ids: list[int]
    has_pages: bool
    has_more: bool
    all_may_look: bool
    is_private: bool

    @property
    def choices(self) -> int:
        return len(self.user_ids) + self.has_pages + (not self.is_private)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A member as shown in the list, and the roles that they can be given."""

    user_id: int
    name: str
    role: Role
    options: list[str]


@dataclass(frozen=True, slots=True)
class MemberRequest:
    """Change *user_id* from *expected* to *wanted*; None: remove the member."""

    user_id: int
    name: str
    expected: Role
    wanted: Role | None


@dataclass(frozen=True, eq=False)
class MembersHandler(Handler):
    share: ShareHandler

    def routes(self) -> Routes:
        once = self.ctx.confirmations.once
        return Routes(
            commands={"members": self.members, "invite": self.invite},
            taps={
                LIST: ConfirmationHandler(
                    once(self._list_tapped), choices=lambda q: payload_of(q, Shown).choices
                ),
                MEMBER: ConfirmationHandler(
                    once(self._role_chosen), choices=lambda q: len(payload_of(q, Chosen).options)
                ),
                ROLE: ConfirmationHandler(once(self._change_role)),
                LOOK: ConfirmationHandler(once(self._change_visibility)),
            },
        )

    async def members(self, request: Request) -> Message:
        chat = await self.ctx.access.circle(request.chat_id)
        if chat.is_private and request.user_id != chat.bot_owner:
            return await self.share.list(request)
        return await self._list(request, chat, page=0)

    async def invite(self, request: Request) -> Message:
        chat = await self.ctx.access.circle(request.chat_id)
        if chat.is_private and request.user_id != chat.bot_owner:
            return no_invitations_here_view()
        word = request.argument.lower()
        if not word:
            return ask_invite_view(is_private=chat.is_private)
        if chat.is_private and word in {"private", *_INVITED}:
            role = Role.OWNER
        elif not chat.is_private and word in _INVITED:
            role = _INVITED[word]
        else:
            return invite_usage_view(is_private=chat.is_private)
        code = await self.ctx.invitations.invite(chat, user_id=request.user_id, role=role)
        if code is None:
            return not_invited_view()
        view = code_view(
            code=code,
            link=self.ctx.start_links.of(code),
            role=role,
            expires_at=self.ctx.clock.now() + LIFETIME,
            is_private=chat.is_private,
        )
        return (
            view
            if chat.is_private
            else await self._send_code_privately(request, code, view, role=role)
        )

    async def _send_code_privately(
        self, request: Request, code: str, view: Message, *, role: Role
    ) -> Message:
        """A group's code goes to who asked for it: in the group everybody could use it."""
        if await self.ctx.responder.whisper(request.user_id, view):
            return code_in_private_view(role=role)
        await self.ctx.invitations.void(code)
        return no_private_chat_view()

    async def _list(self, request: Request, chat: ChatMembers, *, page: int) -> Message:
        everybody = await self.ctx.members.of(chat)
        shared = await self.ctx.sharing.seen_by(request.chat_id) if chat.is_private else []
        account = await self.ctx.accounts.of(request.chat_id)
        here = everybody[_PAGE * page : _PAGE * (page + 1)]
        shown = Shown(
            page=page,
            user_ids=[member.user_id for member in here],
            has_pages=len(everybody) > _PAGE,
            has_more=len(everybody) > _PAGE * (page + 1),
            all_may_look=account.all_may_look,
            is_private=chat.is_private,
        )
        question_id = await self.ctx.confirmations.ask(request, kind=LIST, payload=shown)
        return members_view(
            people=here,
            page=page,
            has_more=shown.has_more,
            is_private=chat.is_private,
            all_may_look=account.all_may_look,
            question_id=question_id,
            shared=[name_of(share.chat_id, share.name) for share in shared],
        )

    async def _list_tapped(self, question: Confirmation, request: Request) -> Message | Refusal:
        """A tap in the list: a member, the next page, or who may look."""
        if not request.role.covers(Role.OWNER):
            return not_allowed_view(role=request.role, needed=Role.OWNER)
        shown = payload_of(question, Shown)
        chat = await self.ctx.access.circle(request.chat_id)
        index = request.option
        if index < len(shown.user_ids):
            return await self._member(request, chat, shown.user_ids[index])
        if shown.has_pages and index == len(shown.user_ids):
            return await self._list(request, chat, page=shown.page + 1 if shown.has_more else 0)
        on = not shown.all_may_look
        question_id = await self.ctx.confirmations.ask(request, kind=LOOK, payload=on)
        return ask_look_view(on=on, question_id=question_id)

    async def _member(
        self, request: Request, chat: ChatMembers, user_id: int
    ) -> Message | Refusal:
        everybody = await self.ctx.members.of(chat)
        member = next((one for one in everybody if one.user_id == user_id), None)
        if member is None:
            return Refusal(RefusalReason.EXPIRED)
        chosen = Chosen(user_id, member.name, member.role, _options(chat, member))
        question_id = await self.ctx.confirmations.ask(request, kind=MEMBER, payload=chosen)
        return member_view(
            member=member,
            options=chosen.options,
            is_private=chat.is_private,
            question_id=question_id,
        )

    async def _role_chosen(self, question: Confirmation, request: Request) -> Message | Refusal:
        """A tap on a new role for a member: confirmed once more before it changes."""
        if not request.role.covers(Role.OWNER):
            return not_allowed_view(role=request.role, needed=Role.OWNER)
        chosen = payload_of(question, Chosen)
        option = chosen.options[request.option]
        chat = await self.ctx.access.circle(request.chat_id)
        if option == _BACK:
            return await self._list(request, chat, page=0)
        wanted = None if option == _REMOVE else Role(option)
        change = MemberRequest(chosen.user_id, chosen.name, chosen.role, wanted)
        question_id = await self.ctx.confirmations.ask(request, kind=ROLE, payload=change)
        return sure_view(
            user_id=change.user_id,
            name=change.name,
            wanted=wanted,
            is_private=chat.is_private,
            question_id=question_id,
        )

    async def _change_role(self, question: Confirmation, request: Request) -> Message:
        change = payload_of(question, MemberRequest)
        chat = await self.ctx.access.circle(request.chat_id)
        result = await self.ctx.members.change_role(
            chat,
            user_id=request.user_id,
            member_id=change.user_id,
            expected=change.expected,
            wanted=change.wanted,
        )
        if result is RoleChangeResult.DONE and not chat.is_private:
            await self.ctx.command_menu.show(
                chat_id=request.chat_id, user_id=change.user_id, role=change.wanted
            )
        return verdict_view(
            result,
            user_id=change.user_id,
            name=change.name,
            wanted=change.wanted,
            is_private=chat.is_private,
        )

    async def _change_visibility(self, question: Confirmation, request: Request) -> Message:
        on = payload_of(question, bool)
        chat = await self.ctx.access.circle(request.chat_id)
        result = await self.ctx.members.let_all_look(chat, user_id=request.user_id, on=on)
        if result is not RoleChangeResult.DONE:
            return not_allowed_view(role=request.role, needed=Role.OWNER)
        return look_changed_view(on=on)


def _options(chat: ChatMembers, member: Member) -> list[str]:
    if chat.is_private:
        return [_REMOVE, _BACK]
    return [role.value for role in Role if role is not member.role] + [_REMOVE, _BACK]
