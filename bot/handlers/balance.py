"""`/balance`: what the account holds now."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.views.balance import balance_failed_view, balance_view
from bot.views.rebalance_plan import no_key_view
from engine.domain.market.pairs import base_of
from engine.errors import Unavailable


@dataclass(frozen=True, eq=False)
class BalanceHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"balance": self.balance})

    async def balance(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not account.can_trade:
            return no_key_view(account=account)
        try:
            seen, holdings = await self.ctx.previews.see(account)
        except Unavailable as e:
            return balance_failed_view(account=account, error=e)
        prices = {base_of(seen.symbol): seen.price} if seen.price else {}
        if account.settings.fixed is None:
            prices = {**prices, **await self.ctx.target_previews.prices(account, holdings)}
        return balance_view(
            account=account,
            holdings=holdings,
            prices=prices,
            now=self.ctx.clock.now(),
            rules=await self.ctx.previews.known_rules(account),
        )
