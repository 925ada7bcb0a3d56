"""`/audit`: shows an owner who changed what."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import AuditPage
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.views.audit import audit_view

_ROWS = 8


@dataclass(frozen=True, eq=False)
class AuditHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"audit": self.audit}, pages={AuditPage: self._page})

    async def audit(self, request: Request) -> Message:
        return await self._page(request, AuditPage(0))

    async def _page(self, request: Request, press: AuditPage) -> Message:
        entries, has_more = await self.ctx.members.trail(
            request.chat_id, size=_ROWS, number=press.page
        )
        people = await self.ctx.members.of(await self.ctx.access.circle(request.chat_id))
        shared = await self.ctx.sharing.seen_by(request.chat_id)
        names = {share.user_id: share.name for share in shared if share.is_private and share.name}
        names |= {member.user_id: member.name for member in people if member.name}
        # The caller may be authorized by the environment alone, and be no stored member.
        return audit_view(
            entries=entries,
            names=names | ({request.user_id: request.name} if request.name else {}),
            page=press.page,
            has_more=has_more,
        )
