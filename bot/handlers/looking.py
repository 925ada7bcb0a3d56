"""`/status` and `/balance`: looking without changing anything."""

from collections.abc import Mapping

from bot.asks import Ask, Command, OnTap, Page
from bot.messages import Message
from bot.views.balance import balance_failed_view, balance_view
from bot.views.plan import no_key_view
from bot.views.status import status_view
from engine.accounts import Accounts
from engine.clock import Clock
from engine.domain.pairs import base_of
from engine.errors import Unavailable
from engine.preview import Previews
from engine.situation import Situations


class Looking:
    def __init__(
        self,
        *,
        accounts: Accounts,
        previews: Previews,
        situations: Situations,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._previews = previews
        self._situations = situations
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"status": self.status, "balance": self.balance}

    @property
    def taps(self) -> Mapping[str, OnTap]:
        return {}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {}

    async def status(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        situation = await self._situations.of(account)
        look = await self._previews.fresh_look(account, situation.look, patiently=True)
        return status_view(
            account=account,
            now=self._clock.now(),
            look=look,
            next_check_at=situation.next_check_at,
            rules=await self._previews.known_rules(account),
            last_trade=situation.last_trade,
            unresolved=situation.unresolved,
            trouble=situation.trouble,
            undelivered=situation.undelivered,
        )

    async def balance(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not account.can_trade:
            return no_key_view(account=account)
        try:
            seen, holdings = await self._previews.see(account)
        except Unavailable:
            return balance_failed_view(account=account)
        prices = {base_of(seen.symbol): seen.price} if seen.price else {}
        return balance_view(
            account=account, holdings=holdings, prices=prices, now=self._clock.now()
        )
