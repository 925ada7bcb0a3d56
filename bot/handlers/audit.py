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
        return Routes(commands={"audit": self.audit}, pages={AuditPage: self.turned})

    async def audit(self, request: Request) -> Message:
        return await self._page(request, 0)

    async def turned(self, request: Request, press: AuditPage) -> Message:
        return await self._page(request, press.page)

    async def _page(self, request: Request, number: int) -> Message:
        entries, has_more = await self.ctx.members.trail(
            request.chat_id, size=_ROWS, number=number
        )
        people = await self.ctx.members.of(await self.ctx.access.circle(request.chat_id))
        names = {member.user_id: member.name for member in people if member.name}
        # The caller may be authorized by the environment alone, and be no stored member.
        return audit_view(
            entries=entries,
            names=names | ({request.user_id: request.name} if request.name else {}),
            page=number,
            has_more=has_more,
        )
