"""What an account looks like now and what would be traded, for a person who asks. Trades nothing."""

from dataclasses import dataclass, replace

from engine.check import ExchangeFor, seen
from engine.domain.accounts import Account
from engine.domain.holdings import Holdings
from engine.domain.looks import Seen
from engine.domain.pairs import PairRules
from engine.domain.planner import Plan, plan
from engine.errors import Rejected, Unavailable


@dataclass(frozen=True, slots=True)
class Preview:
    account: Account
    plan: Plan
    seen: Seen
    rules: PairRules


class Previews:
    def __init__(self, *, exchange_for: ExchangeFor) -> None:
        self._exchange_for = exchange_for

    async def preview(self, account: Account) -> Preview:
        """The order that would be sent now, inside the band too.

        Raises what the exchange's reads raise, and SealBroken.
        """
        exchange = self._exchange_for(account)
        holdings = await exchange.holdings()
        rules = await exchange.market.rules(account.settings.symbol)
        book = await exchange.market.book(account.settings.symbol)
        decided = plan(
            holdings=holdings,
            settings=account.settings,
            rules=rules,
            book=book,
            ignore_band=True,
        )
        return Preview(account, decided, seen(account, holdings, book), rules)

    async def see(self, account: Account) -> tuple[Seen, Holdings]:
        """What the account holds, valued if the market can be read."""
        exchange = self._exchange_for(account)
        holdings = await exchange.holdings()
        unvalued = seen(account, holdings, None)
        try:
            book = await exchange.market.book(account.settings.symbol)
        except (Unavailable, Rejected):
            return unvalued, holdings
        return replace(unvalued, price=book.mid), holdings

    async def rules(self, account: Account) -> PairRules | None:
        """The pair's rules, None where the exchange does not tell them now."""
        try:
            return await self._exchange_for(account).market.rules(account.settings.symbol)
        except (Unavailable, Rejected):
            return None
