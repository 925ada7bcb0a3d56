"""Reads an account and plans its trade for a user's request. Trades nothing."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, PairRules, Side, Symbol
from engine.domain.orders.order import AccountId, Trigger
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT, lacks_an_asset, most_of
from engine.domain.rebalancing.check_result import (
    BalanceSnapshot,
    CheckResult,
    NoTrade,
    PortfolioSnapshot,
)
from engine.domain.rebalancing.forecast import Forecast, forecast
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit, Plan, Reason
from engine.domain.targets.outside import is_far_outside
from engine.domain.targets.pacing import BuyingStopped, SecondLook
from engine.errors import EngineError, Rejected, Unavailable
from engine.exchanges.interface import Exchange, ExchangeFor, Market, within
from engine.exchanges.pair_data import rules_and_book
from engine.exchanges.rate_limiter import hurried
from engine.rebalancing.crash_guard import closed_to
from engine.rebalancing.evaluation import evaluate
from engine.rebalancing.pacing import is_far_from_target, waits_for
from engine.rebalancing.portfolio_planning import Planned, PortfolioPlanner, first_sight
from engine.storage import availability
from engine.storage.service import Service
from engine.storage.trading import balance_changes, check_results

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
    *forecast* is what its order would come to, *reason* the limit that the order would break, or what
    it waits for.
    """

    plan: Plan
    reason: Reason | None
    look: CheckResult
    seen: BalanceSnapshot
    rules: PairRules
    forecast: Forecast | None = None


LastKnown = Callable[[Account], Awaitable[CheckResult | None]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The newest known balances in *look*, and the next check's result in *foreseen*.
    *foreseen* is None where the exchange did not show the balances and the market just now,
    *rules* where the pair's are not known. *tokens* are held beside USDT. *planned* is in place of
    *foreseen* for a target that is planned as a portfolio.
    """

    look: CheckResult | None = None
    rules: PairRules | None = None
    foreseen: Foreseen | None = None
    tokens: Sequence[Asset] = ()
    planned: Planned | NoPlan | None = None


@dataclass(eq=False, kw_only=True, repr=False)
class Previews(Service):
    """*last_known* returns the balances that are known without asking the exchange."""

    exchange_for: ExchangeFor
    last_known: LastKnown

    def __post_init__(self) -> None:
        self._tokens: dict[AccountId, tuple[str | None, Sequence[Asset]]] = {}
        self.planner = PortfolioPlanner(database=self.database, clock=self.clock)

    async def preview(self, account: Account, trade: ManualTrade | None = None) -> Preview:
        """Returns the order that would be sent now, inside the band too, or the one for *trade*.

        A price that jumped counts as seen from now on, as after a check: the user saw it. Raises
        what the exchange's reads raise, and DecryptionFailed.
        """
        exchange, account = self.exchange_for(account), self.still_waiting(account)
        async with within(_PATIENCE_S):
            holdings = await self.read_holdings(account, exchange)
            rules, book = await rules_and_book(exchange.market, account.settings.symbol)
        evaluated = await evaluate(
            self.database,
            account,
            holdings,
            rules,
            book,
            market=exchange.market,
            at=exchange.time(),
            ignore_band=True,
            trade=trade,
        )
        seen = BalanceSnapshot.of(account.settings, holdings, book, evaluated.jump)
        look, reason = _seen_now(account, holdings, seen), evaluated.allowed.reason
        if isinstance(reason, OverLimit) and reason.kind is LimitKind.JUMP:
            declined = replace(look, at=book.read_at, verdict=NoTrade(reason))
            async with self.database.writing() as session:
                await check_results.put(session, account.id, declined)
        await self._remember(account, look)
        async with within(_PATIENCE_S):
            decided, comes_to = await forecast_at_market(
                exchange.market, evaluated.allowed, rules, book
            )
        return Preview(account, decided, seen, rules, comes_to)

    async def foresee(self, account: Account) -> Foreseen | None:
        """Returns what the next check of *account*, possibly with unsaved settings, would do.
        None where that cannot be read within 5 s, or is planned as a portfolio. Nothing of it is
        stored.
        """
        if account.settings.fixed is None:
            return None
        try:
            async with within(_PATIENCE_S):
                holdings = await self.read_holdings(account, self.exchange_for(account))
                return await self._foresee(account, holdings)
        except EngineError:
            return None

    async def outlook(self, account: Account) -> Outlook:
        """Returns *account*'s holdings and next check, as far as they can be read in 1.5 s.
        The balances are the last known ones where the exchange does not show them.
        """
        look = None
        if account.can_trade:
            try:
                async with within(_SOON_S):
                    holdings = await self.read_holdings(account, self.exchange_for(account))
                    look = _seen_now(account, holdings)
                    if account.settings.fixed is None:
                        return await self._portfolio(account, holdings)
                    foreseen = await self._foresee(account, holdings)
            except EngineError:
                pass
            else:
                return await self.shown(account, foreseen)
        return await self._without_plan(account, look)

    async def _portfolio(self, account: Account, holdings: Holdings) -> Outlook:
        exchange = self.exchange_for(account)
        seen = await self.planner.see(account, holdings, exchange.market)
        planned = await self.planner.plan(account, seen, exchange, closed=closed_to(account))
        planned = await self.with_pace(account, planned)
        look = _seen_now(account, holdings, portfolio=seen.snapshot)
        await self._remember(account, look)
        rules = await self.known_rules(account)
        return Outlook(look, rules, tokens=self.tokens_of(account), planned=planned)

    async def with_pace(self, account: Account, planned: Planned | NoPlan) -> Planned | NoPlan:
        """Returns the plan of the next check with what that would wait for."""
        if not isinstance(planned, Planned):
            return planned
        plan, goals = planned.plan, planned.inputs.settings.goals
        is_far = is_far_outside(goals, plan.values)
        waits = await waits_for(self.database, account, now=self.clock.now(), is_far=is_far)
        if not plan.legs:
            since = account.buying_stopped_at
            return replace(planned, waits=BuyingStopped(since) if since and plan.outside else None)
        sighting = first_sight(
            account, plan.outside, read_at=planned.at + account.settings.interval
        )
        if waits is None and sighting is not None:
            return replace(planned, waits=SecondLook(tuple(sighting.outside)))
        return replace(planned, waits=waits)

    async def _without_plan(self, account: Account, look: CheckResult | None) -> Outlook:
        if look is not None:
            await self._remember(account, look)
        else:
            look = await self.last_known(account)
        rules = await self.known_rules(account)
        return Outlook(look, rules, tokens=self.tokens_of(account))

    async def shown(self, account: Account, foreseen: Foreseen) -> Outlook:
        """The outlook for *account* where that was just foreseen."""
        await self._remember(account, foreseen.look)
        return Outlook(foreseen.look, foreseen.rules, foreseen, self.tokens_of(account))

    def tokens_of(self, account: Account) -> Sequence[Asset]:
        """Returns the tokens that were held when this process last read the balances here."""
        funds, tokens = self._tokens.get(account.id, (None, ()))
        return tokens if funds == account.funds else ()

    def _note_tokens(self, account: Account, holdings: Holdings) -> None:
        held = (asset for asset, balance in holdings.balances.items() if balance.total > ZERO)
        self._tokens[account.id] = account.funds, sorted({*held} - {USDT})

    async def _foresee(self, account: Account, holdings: Holdings) -> Foreseen:
        account = self.still_waiting(account)
        exchange, settings = self.exchange_for(account), account.settings
        market = exchange.market
        rules, book = await rules_and_book(market, settings.symbol)
        evaluated = await evaluate(
            self.database, account, holdings, rules, book, market=market, at=exchange.time()
        )
        wanted, allowed = evaluated.wanted, evaluated.allowed
        broken = allowed.reason if wanted.order is not None and allowed.order is None else None
        if account.buying_stopped_at and wanted.order and wanted.order.side is Side.BUY:
            broken = broken or BuyingStopped(account.buying_stopped_at)
        if wanted.order is not None and broken is None:
            is_far = is_far_from_target(holdings, settings)
            broken = await waits_for(self.database, account, now=self.clock.now(), is_far=is_far)
        wanted, comes_to = await forecast_at_market(market, wanted, rules, book)
        seen = BalanceSnapshot.of(settings, holdings, book)
        look = _seen_now(account, holdings, seen)
        return Foreseen(wanted, broken, look, seen, rules, comes_to)

    async def see(self, account: Account) -> tuple[BalanceSnapshot, Holdings]:
        """Read the balances, valued if the market can be read."""
        exchange = self.exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await self.read_holdings(account, exchange)
        unvalued = BalanceSnapshot.of(account.settings, holdings, None)
        try:
            async with within(_PATIENCE_S):
                book = await exchange.market.book(account.settings.symbol)
        except (Unavailable, Rejected):
            return unvalued, holdings
        return replace(unvalued, price=book.mid), holdings

    async def fresh_look(self, account: Account, *, patiently: bool = False) -> CheckResult | None:
        """Returns the balances right now; None where they cannot be read soon."""
        if not account.can_trade:
            return None
        try:
            async with within(_PATIENCE_S if patiently else _SOON_S):
                seen, holdings = await self.see(account)
        except EngineError:
            return None
        look = _seen_now(account, holdings, seen, await self._snapshot(account, holdings))
        await self._remember(account, look)
        return look

    async def priced(self, account: Account, look: CheckResult) -> CheckResult:
        """Returns the balances of *look*, which are those of now, with a price if one can be read."""
        if look.seen is None:
            return look
        try:
            book = await self.book(account)
        except EngineError:
            return look
        return replace(look, at=book.read_at, seen=replace(look.seen, price=book.mid))

    async def _snapshot(self, account: Account, holdings: Holdings) -> PortfolioSnapshot | None:
        """All prices of a portfolio; None where they cannot be read soon."""
        if account.settings.fixed is not None:
            return None
        try:
            async with within(_SOON_S):
                market = self.exchange_for(account).market
                return (await self.planner.see(account, holdings, market)).snapshot
        except EngineError:
            return None

    async def saw(self, account: Account, holdings: Holdings) -> None:
        """Balances that were read elsewhere, of the money that *account* trades."""
        self._note_tokens(account, holdings)
        await self._remember(account, _seen_now(account, holdings))

    async def _remember(self, account: Account, look: CheckResult) -> None:
        """Store a reading for later outages; skipped if the database is unavailable."""
        with suppress(*availability.AWAY):
            async with self.database.writing() as session:
                await check_results.see(session, account.id, look)

    async def left_of(self, account: Account, asset: Asset) -> Decimal | None:
        """Returns the balance of *asset* that counts; None where it cannot be read soon."""
        holdings = await self.holdings(account)
        return None if holdings is None else holdings.of(asset).counted(account.settings.counting)

    async def holdings(self, account: Account) -> Holdings | None:
        """Returns the balances right now; None where they cannot be read soon."""
        if not account.can_trade:
            return None
        try:
            async with within(_SOON_S):
                return await self.read_holdings(account, self.exchange_for(account))
        except EngineError:
            return None

    async def book(self, account: Account) -> OrderBook:
        """Raises PairUnavailable or Unavailable."""
        async with within(_PATIENCE_S):
            return await self._market(account).book(account.settings.symbol)

    async def exchange_time(self, account: Account) -> datetime:
        """The real exchange's time, measured now, whatever kind of money the account uses.

        Raises DecryptionFailed without a key, and Unavailable.
        """
        exchange = self.exchange_for(account.with_money(dry_run=False))
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

    async def read_holdings(self, account: Account, exchange: Exchange) -> Holdings:
        """Read the balances, again where an asset of the pair is gone that was there, as a check
        does. A user waits for them.
        """
        settings = account.settings
        with hurried():
            holdings = await exchange.holdings()
        self._note_tokens(account, holdings)
        if not lacks_an_asset(holdings, settings.assets):
            return holdings
        async with self.database.reading() as session:
            seen = await balance_changes.last_seen_of(session, [account.id])
        last = seen.get((account.id, settings.dry_run))
        if last is None or not last.lost_in(holdings):
            return holdings
        await self.clock.sleep(SECOND_SIGHT)
        again = await exchange.holdings()
        return most_of(holdings, again, settings.assets, counting=settings.counting)

    def still_waiting(self, account: Account) -> Account:
        """A deposit whose wait is over is traded by the next check."""
        return replace(account, waiting=account.waits(self.clock.now()))

    def _market(self, account: Account) -> Market:
        """Without a key it is the public one, which is what a dry run sees."""
        if not account.can_trade:
            account = account.with_money(dry_run=True)
        return self.exchange_for(account).market


async def forecast_at_market(
    market: Market, decided: Plan, rules: PairRules, book: OrderBook
) -> tuple[Plan, Forecast | None]:
    """The last price is asked for only where there is an order to size by it."""
    if decided.order is None:
        return decided, None
    last_price = await market.last_price(book.symbol)
    return forecast(decided, rules=rules, book=book, last_price=last_price)


def _seen_now(
    account: Account,
    holdings: Holdings,
    seen: BalanceSnapshot | None = None,
    portfolio: PortfolioSnapshot | None = None,
) -> CheckResult:
    """Returns a result without a decision; *seen* is its snapshot, if it has a price."""
    settings, fixed = account.settings, account.settings.fixed
    return CheckResult(
        at=holdings.read_at,
        trigger=Trigger.PERSON,
        target=fixed.target if fixed else None,
        band=fixed.band if fixed else None,
        verdict=NoTrade(InsideBand()),
        seen=seen or BalanceSnapshot.of(settings, holdings, None),
        funds=account.funds,
        portfolio=portfolio,
    )
