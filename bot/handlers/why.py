"""`/why`: the last decision in full, and the ones before it a page at a time."""

from dataclasses import dataclass, replace

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import ReplayPage, WhyPage
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import parse_why_rows
from bot.views.check_history import earlier_view, with_earlier
from bot.views.replay import replay_gone_view, replay_view
from bot.views.why import why_view
from engine.accounts.overview import AccountOverview
from engine.domain.accounts.account import Account
from engine.domain.orders.order import ClientOrderId, Order
from engine.domain.rebalancing.check_result import CheckResult, OrderPlaced


@dataclass(frozen=True, eq=False)
class WhyHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"why": self.why}, pages={WhyPage: self._page, ReplayPage: self._replay}
        )

    async def why(self, request: Request) -> Message:
        size = await self.parse(request, parse_why_rows)
        if isinstance(size, Message):
            return size
        return await self._page(request, WhyPage(page=0, size=size))

    async def _page(self, request: Request, page: WhyPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        overview = await self.ctx.overviews.of(account)
        before = await self.ctx.records.checks_before(
            account, overview.look, most=page.size + 1, skip=page.page * page.size
        )
        if request.is_shared:
            before = [check.for_others() for check in before]
            look = overview.look and overview.look.for_others()
            overview = replace(overview, look=look)
        shown, has_more = before[: page.size], len(before) > page.size
        if page.page:
            return earlier_view(
                account=account, decisions=shown, page=page.page, size=page.size, has_more=has_more
            )
        return with_earlier(
            await self._latest(account, overview),
            account=account,
            look=overview.look,
            before=shown,
            size=page.size,
            has_more=has_more,
        )

    async def _replay(self, request: Request, tapped: ReplayPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        order_id = ClientOrderId(tapped.client_order_id)
        replay = await self.ctx.records.replay(account, order_id)
        back = WhyPage(page=tapped.page, size=tapped.size)
        if replay is None:
            return replay_gone_view(back=back)
        return replay_view(account=account, replay=replay, back=back)

    async def _latest(self, account: Account, overview: AccountOverview) -> Message:
        outlook = await self.ctx.previews.outlook(account)
        return why_view(
            account=account,
            now=self.ctx.clock.now(),
            look=overview.look,
            rules=outlook.rules,
            foreseen=outlook.foreseen,
            planned=outlook.planned,
            order=await self._order_of(account, overview.look),
            trouble=overview.trouble,
            unresolved=overview.unresolved,
        )

    async def _order_of(self, account: Account, look: CheckResult | None) -> Order | None:
        if look is None or not isinstance(look.verdict, OrderPlaced):
            return None
        return await self.ctx.records.order(account, look.verdict.client_order_id)
