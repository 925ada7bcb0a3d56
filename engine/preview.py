"""What an account looks like now and what would be traded, for a person who asks. Trades nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.check import ExchangeFor
from engine.domain.accounts import Account
from engine.domain.book import OrderBook
from engine.domain.holdings import Holdings
from engine.domain.limits import limited
from engine.domain.looks import Declined, Look, Seen, Verdict
from engine.domain.orders import Trigger
from engine.domain.pairs import Asset, PairRules, Symbol
from engine.domain.planner import InsideBand, LimitKind, OverLimit, Plan, Reason, plan
from engine.errors import EngineError, Rejected, Unavailable
from engine.exchange.pairdata import rules_and_book
from engine.exchange.port import Market
from engine.storage import limits, looks
from engine.storage.database import Database

# A person waits for it, and what they send meanwhile (/pause, say) waits behind it.
_PATIENCE_S = 5.0
_SOON_S = 1.5
_AT_ONCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Preview:
    account: Account
    plan: Plan
    seen: Seen
    rules: PairRules


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a check would find. *plan* is what it would decide without the limits, *reason* the
    limit that its order would break.
    """

    plan: Plan
    reason: Reason | None
    look: Look
    seen: Seen
    rules: PairRules


class Previews:
    def __init__(self, *, database: Database, exchange_for: ExchangeFor) -> None:
        self._database = database
        self._exchange_for = exchange_for

    async def preview(self, account: Account) -> Preview:
        """The order that would be sent now, inside the band too.

        A price that jumped counts as seen from now on, as after a check: a person looked at it.
        Raises what the exchange's reads raise, and SealBroken.
        """
        exchange = self._exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await exchange.holdings()
            rules, book = await rules_and_book(exchange.market, account.settings.symbol)
        decided = plan(
            holdings=holdings,
            settings=account.settings,
            rules=rules,
            book=book,
            ignore_band=True,
        )
        async with self._database.reading() as session:
            recent = await limits.recent(session, account, now=book.read_at)
        decided = limited(decided, book=book, limits=account.limits_in_force, recent=recent)
        seen = Seen.of(account.settings, holdings, book)
        reason = decided.reason
        if isinstance(reason, OverLimit) and reason.kind is LimitKind.JUMP:
            declined = _look(account, Declined(reason), seen, at=book.read_at)
            async with self._database.writing() as session:
                await looks.put(session, account.id, declined)
        return Preview(account, decided, seen, rules)

    async def foresee(self, account: Account) -> Foreseen | None:
        """What the next check of *account* would do, which need not be as it is stored; None where
        that cannot be had within a person's patience. Nothing is remembered of it.
        """
        try:
            exchange = self._exchange_for(account)
            async with within(_PATIENCE_S):
                holdings = await exchange.holdings()
                rules, book = await rules_and_book(exchange.market, account.settings.symbol)
        except EngineError:
            return None
        decided = plan(holdings=holdings, settings=account.settings, rules=rules, book=book)
        async with self._database.reading() as session:
            recent = await limits.recent(session, account, now=book.read_at)
        allowed = limited(decided, book=book, limits=account.limits_in_force, recent=recent)
        seen = Seen.of(account.settings, holdings, book)
        look = _look(account, Declined(InsideBand()), seen, at=holdings.read_at)
        return Foreseen(decided, None if allowed.order else allowed.reason, look, seen, rules)

    async def see(self, account: Account) -> tuple[Seen, Holdings]:
        """What the account holds, valued if the market can be read."""
        exchange = self._exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await exchange.holdings()
        unvalued = Seen.of(account.settings, holdings, None)
        try:
            async with within(_PATIENCE_S):
                book = await exchange.market.book(account.settings.symbol)
        except (Unavailable, Rejected):
            return unvalued, holdings
        return replace(unvalued, price=book.mid), holdings

    async def look(self, account: Account) -> Look:
        """As a check looks, but it decides nothing: what lies inside the band or outside of it.

        Raises what the exchange's reads raise, and SealBroken.
        """
        now_seen, holdings = await self.see(account)
        return _look(account, Declined(InsideBand()), now_seen, at=holdings.read_at)

    async def fresh_look(
        self, account: Account, known: Look | None, *, patiently: bool = False
    ) -> Look | None:
        """What the account holds right now, or *known* where that cannot be had soon."""
        if not account.can_trade:
            return known
        try:
            async with within(_PATIENCE_S if patiently else _SOON_S):
                return await self.look(account)
        except EngineError:
            return known

    async def left_of(self, account: Account, asset: Asset) -> Decimal | None:
        """How much of *asset* counts as held right now; None where that cannot be had soon."""
        if not account.can_trade:
            return None
        try:
            async with within(_SOON_S):
                holdings = await self._exchange_for(account).holdings()
        except EngineError:
            return None
        return holdings.of(asset).counted(account.settings.counting)

    async def book(self, account: Account) -> OrderBook:
        """Raises PairUnavailable or Unavailable."""
        async with within(_PATIENCE_S):
            return await self._market(account).book(account.settings.symbol)

    async def exchange_time(self, account: Account) -> datetime:
        """The real exchange's time, measured now, whatever kind of money the account uses.

        Raises SealBroken without a key, and Unavailable.
        """
        settings = replace(account.settings, dry_run=False)
        exchange = self._exchange_for(replace(account, settings=settings))
        async with within(_PATIENCE_S):
            await exchange.resync()
        return exchange.time()

    async def rules(self, account: Account, symbol: Symbol) -> PairRules:
        """Raises PairUnavailable where the pair is not shown to this account, Unavailable else."""
        async with within(_PATIENCE_S):
            return await self._market(account).rules(symbol)

    async def known_rules(self, account: Account) -> PairRules | None:
        """The rules of the account's pair if they can be had at once: they only adorn an answer."""
        try:
            async with within(_AT_ONCE_S):
                return await self.rules(account, account.settings.symbol)
        except EngineError:
            return None

    def _market(self, account: Account) -> Market:
        """Without a key it is the public one, which is what a dry run sees."""
        if not account.can_trade:
            account = replace(account, settings=replace(account.settings, dry_run=True))
        return self._exchange_for(account).market


def _look(account: Account, verdict: Verdict, seen: Seen, *, at: datetime) -> Look:
    settings = account.settings
    return Look(
        at=at,
        trigger=Trigger.PERSON,
        target=settings.target,
        band=settings.band,
        verdict=verdict,
        seen=seen,
    )


@asynccontextmanager
async def within(seconds: float) -> AsyncGenerator[None]:
    """What takes longer than a person's patience is Unavailable."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as e:
        raise Unavailable("the exchange takes too long") from e
