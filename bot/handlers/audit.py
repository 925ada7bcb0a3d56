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

    async def audit(self, ask: Request) -> Message:
        return await self._page(ask, 0)

    async def turned(self, ask: Request, press: AuditPage) -> Message:
        return await self._page(ask, press.page)

    async def _page(self, ask: Request, number: int) -> Message:
        entries, has_more = await self.ctx.members.trail(ask.chat_id, size=_ROWS, number=number)
        people = await self.ctx.members.of(await self.ctx.access.circle(ask.chat_id))
        names = {member.user_id: member.name for member in people if member.name}
        # The caller may be authorized by the environment alone, and be no stored member.
        return audit_view(
            entries=entries,
            names=names | ({ask.user_id: ask.name} if ask.name else {}),
            page=number,
            has_more=has_more,
        )
