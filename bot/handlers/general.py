"""`/start` for those who are in, `/help`, `/version`, `/logs`: the bot about itself."""

import platform
from dataclasses import dataclass

from bot.access.command_menu import menu_of
from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.observability.logs import recent_lines
from bot.parsing.settings import parse_log_lines
from bot.version import VERSION
from bot.views.access import already_in_view, owner_only_view, welcome_view
from bot.views.general import logs_view, version_view
from bot.views.help import help_view, shared_help_view
from bot.views.share import shared_start_view
from engine.domain.accounts.members import Role
from engine.membership.invitations import Admitted


@dataclass(frozen=True, eq=False)
class GeneralHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={
                "start": self.start,
                "help": self.help,
                "version": self.version,
                "logs": self.logs,
            }
        )

    async def start(self, request: Request) -> Message:
        """With a code of another chat, or for a higher role here, it lets its bearer in there."""
        if request.argument:
            opened = await self.ctx.invitation_codes.redeem(
                request.argument,
                chat_id=request.chat_id,
                user_id=request.user_id,
                name=request.name,
                title=request.chat_title,
            )
            if opened.answer is None or opened.admitted is Admitted.WRONG:
                return already_in_view()
            return opened.answer
        return await self.welcome(request, just_let_in=False)

    async def welcome(self, request: Request, *, just_let_in: bool = True) -> Message:
        """`/start`; in a forum, a trader's `/start` moves the alerts to its topic."""
        account = await self.ctx.accounts.of(request.chat_id)
        if request.is_shared and (share := await self.ctx.sharing.of(request.chat_id)) is not None:
            owner = await self.ctx.sharing.owner_of(share)
            return shared_start_view(
                account=account, role=request.role, owner=owner, user_id=share.shared_by
            )
        alerts_here = request.topic_id is not None or account.topic_id is not None
        if not request.role.covers(Role.TRADER):
            alerts_here = False
        if alerts_here and account.topic_id != request.topic_id:
            await self.ctx.members.move_alerts(
                account, user_id=request.user_id, topic_id=request.topic_id
            )
        return welcome_view(
            account=account,
            just_let_in=just_let_in,
            alerts_here=alerts_here,
            every=self.ctx.overviews.every(account),
        )

    async def help(self, request: Request) -> Message:
        if request.is_shared:
            return shared_help_view(menu_of(request.role, is_shared=True))
        return help_view(is_owner=await self.ctx.access.is_owner(user_id=request.user_id))

    async def version(self, _: Request) -> Message:
        return version_view(
            version=VERSION,
            uptime=self.ctx.clock.steady() - self.ctx.started_at,
            python=platform.python_version(),
        )

    async def logs(self, request: Request) -> Message:
        if not await self.ctx.access.is_owner(user_id=request.user_id):
            return owner_only_view()
        count = await self.parse(request, parse_log_lines)
        if isinstance(count, Message):
            return count
        return logs_view(log_lines=recent_lines(count))
