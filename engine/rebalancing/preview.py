"""Reads an account and plans its trade for a user's request. Trades nothing."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, PairRules, Symbol
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT, lacks_an_asset, most_of
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, Decision, NoTrade
from engine.domain.rebalancing.forecast import Forecast, forecast
from engine.domain.rebalancing.limit_checks import jump_at, limited
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit, Plan, Reason, plan
from engine.errors import EngineError, Rejected, Unavailable
from engine.exchanges.interface import Exchange, ExchangeFor, Market, within
from engine.exchanges.pair_data import rules_and_book
from engine.storage import availability
from engine.storage.database import Database
from engine.storage.trading import balance_changes, check_results, limit_usage

# Limits of a user's wait; all they send meanwhile waits too, except /pause and /halt.
_PATIENCE_S = 5.0
_SOON_S = 1.5
_AT_ONCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan; *forecast* is its order's, None where there is no order."""

    account: Account
    plan: Plan
    seen: BalanceSnapshot
    rules: PairRules
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The result that a check would have. *plan* ignores the limits.
    *forecast* is what its order would come to, *reason* the limit that the order would break.
    """

    plan: Plan
    reason: Reason | None
    look: CheckResult
    seen: BalanceSnapshot
    rules: PairRules
    forecast: Forecast | None = None


KnownLook = Callable[[Account], Awaitable[CheckResult | None]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The newest known balances in *look*, and the next check's result in *foreseen*.
    *foreseen* is None where the exchange did not show the balances and the market just now,
    *rules* where the pair's are not known.
    """

    look: CheckResult | None = None
    rules: PairRules | None = None
    foreseen: Foreseen | None = None


class Previews:
    def __init__(self, *, database: Database, clock: Clock, exchange_for: ExchangeFor) -> None:
        self._database = database
        self._clock = clock
        self._exchange_for = exchange_for

    async def preview(self, account: Account) -> Preview:
        """Returns the order that would be sent now, inside the band too.

        A price that jumped counts as seen from now on, as after a check: the user saw it. Raises
        what the exchange's reads raise, and DecryptionFailed.
        """
        exchange = self._exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await self._holdings(account, exchange)
            rules, book = await rules_and_book(exchange.market, account.settings.symbol)
        decided = plan(
            holdings=holdings,
            settings=account.settings,
            rules=rules,
            book=book,
            ignore_band=True,
        )
        exchange_time = exchange.time()
        async with self._database.reading() as session:
            recent = await limit_usage.recent(session, account, now=exchange_time)
        decided = limited(decided, book=book, limits=account.limits_in_force, recent=recent)
        jump = jump_at(book.mid, limits=account.limits_in_force, recent=recent, now=exchange_time)
        seen = BalanceSnapshot.of(account.settings, holdings, book, jump)
        reason = decided.reason
        if isinstance(reason, OverLimit) and reason.kind is LimitKind.JUMP:
            declined = _look(account, NoTrade(reason), seen, at=book.read_at)
            async with self._database.writing() as session:
                await check_results.put(session, account.id, declined)
        await self._remember(account, _seen_now(account, seen, holdings))
        async with within(_PATIENCE_S):
            decided, comes_to = await _forecast(exchange.market, decided, rules, book)
        return Preview(account, decided, seen, rules, comes_to)

    async def foresee(self, account: Account) -> Foreseen | None:
        """Returns what the next check of *account*, possibly with unsaved settings, would do.
        None where that cannot be read within 5 s. Nothing of it is stored.
        """
        try:
            async with within(_PATIENCE_S):
                holdings = await self._holdings(account, self._exchange_for(account))
                return await self._foresee(account, holdings)
        except EngineError:
            return None

    async def outlook(self, account: Account, known: KnownLook | None = None) -> Outlook:
        """Returns *account*'s holdings and next check, as far as they can be read in 1.5 s.
        *known* is called where the exchange does not show the balances.
        """
        look = None
        if account.can_trade:
            try:
                async with within(_SOON_S):
                    holdings = await self._holdings(account, self._exchange_for(account))
                    look = _seen_now(
                        account, BalanceSnapshot.of(account.settings, holdings, None), holdings
                    )
                    foreseen = await self._foresee(account, holdings)
            except EngineError:
                pass
            else:
                return await self.shown(account, foreseen)
        if look is not None:
            await self._remember(account, look)
        elif known is not None:
            look = await known(account)
        return Outlook(look, await self.known_rules(account))

    async def shown(self, account: Account, foreseen: Foreseen) -> Outlook:
        """The outlook for *account* where that was just foreseen."""
        await self._remember(account, foreseen.look)
        return Outlook(foreseen.look, foreseen.rules, foreseen)

    async def _foresee(self, account: Account, holdings: Holdings) -> Foreseen:
        exchange, settings = self._exchange_for(account), account.settings
        market = exchange.market
        rules, book = await rules_and_book(market, settings.symbol)
        decided = plan(holdings=holdings, settings=settings, rules=rules, book=book)
        async with self._database.reading() as session:
            recent = await limit_usage.recent(session, account, now=exchange.time())
        allowed = limited(decided, book=book, limits=account.limits_in_force, recent=recent)
        broken = allowed.reason if decided.order is not None and allowed.order is None else None
        decided, comes_to = await _forecast(market, decided, rules, book)
        seen = BalanceSnapshot.of(settings, holdings, book)
        look = _seen_now(account, seen, holdings)
        return Foreseen(decided, broken, look, seen, rules, comes_to)

    async def see(self, account: Account) -> tuple[BalanceSnapshot, Holdings]:
        """Read the balances, valued if the market can be read."""
        exchange = self._exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await self._holdings(account, exchange)
        unvalued = BalanceSnapshot.of(account.settings, holdings, None)
        try:
            async with within(_PATIENCE_S):
                book = await exchange.market.book(account.settings.symbol)
        except (Unavailable, Rejected):
            return unvalued, holdings
        return replace(unvalued, price=book.mid), holdings

    async def look(self, account: Account) -> CheckResult:
        """Read the balances as a check does, without a decision.

        Raises what the exchange's reads raise, and DecryptionFailed.
        """
        now_seen, holdings = await self.see(account)
        return _seen_now(account, now_seen, holdings)

    async def fresh_look(
        self, account: Account, known: CheckResult | None, *, patiently: bool = False
    ) -> CheckResult | None:
        """Returns the balances right now, or *known* where they cannot be read soon."""
        if not account.can_trade:
            return known
        try:
            async with within(_PATIENCE_S if patiently else _SOON_S):
                look = await self.look(account)
        except EngineError:
            return known
        await self._remember(account, look)
        return look

    async def saw(self, account: Account, holdings: Holdings) -> None:
        """Balances that were read elsewhere, of the money that *account* trades."""
        await self._remember(
            account,
            _seen_now(account, BalanceSnapshot.of(account.settings, holdings, None), holdings),
        )

    async def _remember(self, account: Account, look: CheckResult) -> None:
        """Store a reading for later outages; skipped if the database is unavailable."""
        with suppress(*availability.AWAY):
            async with self._database.writing() as session:
                await check_results.see(session, account.id, look)

    async def left_of(self, account: Account, asset: Asset) -> Decimal | None:
        """Returns the balance of *asset* that counts; None where it cannot be read soon."""
        if not account.can_trade:
            return None
        try:
            async with within(_SOON_S):
                holdings = await self._holdings(account, self._exchange_for(account))
        except EngineError:
            return None
        return holdings.of(asset).counted(account.settings.counting)

    async def book(self, account: Account) -> OrderBook:
        """Raises PairUnavailable or Unavailable."""
        async with within(_PATIENCE_S):
            return await self._market(account).book(account.settings.symbol)

    async def exchange_time(self, account: Account) -> datetime:
        """The real exchange's time, measured now, whatever kind of money the account uses.

        Raises DecryptionFailed without a key, and Unavailable.
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

    async def _holdings(self, account: Account, exchange: Exchange) -> Holdings:
        """Read again where an asset of the pair is gone that was there, as a check does."""
        settings = account.settings
        holdings = await exchange.holdings()
        if not lacks_an_asset(holdings, settings.symbol):
            return holdings
        async with self._database.reading() as session:
            seen = await balance_changes.last_seen_of(session, [account.id])
        last = seen.get((account.id, settings.dry_run))
        if last is None or not last.lost_in(holdings):
            return holdings
        await self._clock.sleep(SECOND_SIGHT)
        again = await exchange.holdings()
        return most_of(holdings, again, settings.symbol, counting=settings.counting)

    def _market(self, account: Account) -> Market:
        """Without a key it is the public one, which is what a dry run sees."""
        if not account.can_trade:
            account = replace(account, settings=replace(account.settings, dry_run=True))
        return self._exchange_for(account).market


async def _forecast(
    market: Market, decided: Plan, rules: PairRules, book: OrderBook
) -> tuple[Plan, Forecast | None]:
    """The last price is asked for only where there is an order to size by it."""
    if decided.order is None:
        return decided, None
    last_price = await market.last_price(book.symbol)
    return forecast(decided, rules=rules, book=book, last_price=last_price)


def _seen_now(account: Account, seen: BalanceSnapshot, holdings: Holdings) -> CheckResult:
    """Returns a result without a decision."""
    return _look(account, NoTrade(InsideBand()), seen, at=holdings.read_at)


def _look(
    account: Account, verdict: Decision, seen: BalanceSnapshot, *, at: datetime
) -> CheckResult:
    settings = account.settings
    return CheckResult(
        at=at,
        trigger=Trigger.PERSON,
        target=settings.target,
        band=settings.band,
        verdict=verdict,
        seen=seen,
        funds=account.funds,
    )
