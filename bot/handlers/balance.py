"""`/balance`: what the account holds now."""

from collections.abc import Mapping

from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.views.balance import balance_failed_view, balance_view
from bot.views.rebalance_plan import no_key_view
from engine.accounts.account_service import AccountService
from engine.clock import Clock
from engine.domain.market.pairs import base_of
from engine.errors import Unavailable
from engine.rebalancing.preview import Previews


class BalanceHandler:
    def __init__(
        self,
        *,
        accounts: AccountService,
        previews: Previews,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._previews = previews
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"balance": self.balance}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {}

    async def balance(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not account.can_trade:
            return no_key_view(account=account)
        try:
            seen, holdings = await self._previews.see(account)
        except Unavailable as e:
            return balance_failed_view(account=account, error=e)
        prices = {base_of(seen.symbol): seen.price} if seen.price else {}
        return balance_view(
            account=account,
            holdings=holdings,
            prices=prices,
            now=self._clock.now(),
            rules=await self._previews.known_rules(account),
        )
