"""`/audit`: an owner looks up who changed what."""

from collections.abc import Mapping

from bot.access.authorization import Access
from bot.interaction.callback_data import AuditPage
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.views.audit import audit_view
from engine.accounts.members import MemberService

_ROWS = 8


class AuditHandler:
    def __init__(self, *, people: MemberService, access: Access) -> None:
        self._people = people
        self._access = access

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"audit": self.audit}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {AuditPage: self.turned}

    async def audit(self, ask: Request) -> Message:
        return await self._page(ask, 0)

    async def turned(self, ask: Request, press: AuditPage) -> Message:
        return await self._page(ask, press.page)

    async def _page(self, ask: Request, number: int) -> Message:
        entries, has_more = await self._people.trail(ask.chat_id, size=_ROWS, number=number)
        people = await self._people.of(await self._access.circle(ask.chat_id))
        names = {member.user_id: member.name for member in people if member.name}
        # Whoever looks is here, and perhaps only the settings know them.
        return audit_view(
            entries=entries,
            names=names | ({ask.user_id: ask.name} if ask.name else {}),
            page=number,
            has_more=has_more,
        )
