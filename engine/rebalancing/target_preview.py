"""Reads what a target would do to an account, before it is set. Trades nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.balances import Holdings
from engine.domain.market.candles import whole_hour
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Symbol, symbol_of
from engine.domain.market.quotes import Quote
from engine.domain.portfolio.consequence import Consequence, consequence
from engine.domain.portfolio.plan import Leg, NoPlan
from engine.domain.rebalancing.planner import InsideBand, Reason
from engine.domain.targets.pacing import SecondLook
from engine.domain.targets.scaling import daily_volatility
from engine.errors import EngineError, PairUnavailable
from engine.exchanges.interface import Exchange, ExchangeFor, Market, within
from engine.rebalancing.crash_guard import closed_to
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen, Previews
from engine.storage.service import Service

# Limits of a user's wait; the costs are an estimate alone.
_PATIENCE_S, _FOR_COSTS_S = 5, 2
_WEEK = timedelta(days=7)
_MOST_KNOWN = 500


@dataclass(frozen=True, slots=True)
class NoPair:
    """The exchange shows no pair of these tokens with USDT."""

    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class ClosedPair:
    """The exchange takes no orders for these pairs from API keys."""

    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLook:
    """What the account's target would do now. *legs* are the first trades, or *reason* says why
    there are none. *found* is None without a key.
    """

    rules: Mapping[Asset, PairRules]
    found: Consequence | NoPlan | None = None
    legs: Sequence[Leg] = ()
    reason: Reason | None = None


@dataclass(eq=False, kw_only=True, repr=False)
class TargetPreviews(Service):
    exchange_for: ExchangeFor
    previews: Previews
    _volatility: dict[Symbol, tuple[datetime, Decimal | None]] = field(default_factory=dict)

    async def look(self, account: Account) -> TargetLook | NoPair | ClosedPair:
        """Returns what the target of *account*, which may be unsaved, would do. Raises what the
        exchange's reads raise, and DecryptionFailed.
        """
        seen = account if account.can_trade else account.with_money(dry_run=True)
        exchange, tokens = self.exchange_for(seen), account.settings.targeting.tokens
        async with within(_PATIENCE_S):
            rules = await _rules(exchange.market, tokens)
        if missing := tuple(asset for asset in tokens if asset not in rules):
            return NoPair(missing)
        auto = account.settings.execution is not ExecutionMode.MARKET
        closed = (one.symbol for one in rules.values() if not _is_open(one, auto=auto))
        if symbols := tuple(closed):
            return ClosedPair(symbols)
        return await self._look(account, rules) if account.can_trade else TargetLook(rules=rules)

    async def _look(self, account: Account, rules: Mapping[Asset, PairRules]) -> TargetLook:
        exchange = self.exchange_for(account)
        foreseen = await self.previews.foresee(account)
        volatility = await self._volatilities(exchange.market, list(rules.values()))
        async with within(_PATIENCE_S):
            planned = await self._planned(account, exchange)
        if not isinstance(planned, Planned):
            return TargetLook(rules=rules, found=planned)
        found = consequence(planned.inputs, now=planned.at, daily_volatility=volatility)
        if not isinstance(found, Consequence):
            return TargetLook(rules=rules, found=found)
        if foreseen is not None:
            return _of_one(foreseen, rules, found)
        waits = None if isinstance(planned.waits, SecondLook) else planned.waits
        over = planned.over_limit or waits  # another look says what the trades are, too
        legs = () if over else planned.plan.legs
        return TargetLook(rules=rules, found=found, legs=legs, reason=over)

    async def _planned(
        self, account: Account, exchange: Exchange, *, to_centre: bool = False
    ) -> Planned | NoPlan:
        planner = self.previews.planner
        holdings = await self.previews.read_holdings(account, exchange)
        seen = await planner.see(account, holdings, exchange.market)
        closed = () if to_centre else closed_to(account)
        planned = await planner.plan(account, seen, exchange, to_centre=to_centre, closed=closed)
        return planned if to_centre else await self.previews.with_pace(account, planned)

    async def next(self, account: Account) -> Planned | NoPlan | None:
        """Returns what the next check of a portfolio would trade; None where that cannot be read
        within 5 s.
        """
        try:
            async with within(_PATIENCE_S):
                return await self._planned(account, self.exchange_for(account))
        except EngineError:
            return None

    async def plan(self, account: Account) -> Planned | NoPlan:
        """Returns the whole plan that brings everything to its centre, from inside the bands too.
        Raises what the exchange's reads raise, and DecryptionFailed.
        """
        async with within(_PATIENCE_S):
            return await self._planned(account, self.exchange_for(account), to_centre=True)

    async def prices(self, account: Account, holdings: Holdings) -> Mapping[Asset, Decimal]:
        """Returns the middle prices of what is held, as far as they can be read soon."""
        try:
            async with within(_FOR_COSTS_S):
                quotes = await self._quotes(account, holdings)
        except EngineError:
            return {}
        return {asset: quote.mid for asset, quote in quotes.items()}

    async def _quotes(self, account: Account, holdings: Holdings) -> Mapping[Asset, Quote]:
        """Of the target's tokens, and of those that are held and need no request of their own."""
        market = self.exchange_for(account).market
        held = [asset for asset in holdings.balances if asset != USDT]
        listed = await market.quotes(held, listed_only=True)
        own = await market.quotes(account.settings.targeting.tokens)
        return {**listed.by_asset, **own.by_asset}

    async def worth(self, account: Account) -> Mapping[Asset, Decimal]:
        """Returns what USDT and each token with a price are worth, the most valuable first.
        Raises what the exchange's reads raise.
        """
        exchange = self.exchange_for(account)
        async with within(_PATIENCE_S):
            holdings = await self.previews.read_holdings(account, exchange)
            quotes = await self._quotes(account, holdings)
        worths = {USDT: holdings.of(USDT).counted(account.settings.counting)}
        for asset, quote in quotes.items():
            quantity = holdings.of(asset).counted(account.settings.counting)
            worths[asset] = quantity * quote.mid
        return dict(sorted(worths.items(), key=lambda item: (-item[1], item[0])))

    async def _volatilities(
        self, market: Market, pairs: Sequence[PairRules]
    ) -> Mapping[Asset, Decimal | None]:
        """None for what is not read soon: it is for an estimate alone."""
        until = whole_hour(self.clock.now())
        lacking = [one for one in pairs if self._known(one.symbol, until) is None]

        async def read(symbol: Symbol) -> None:
            try:
                closes = await market.hourly_closes(symbol, since=until - _WEEK, until=until)
            except EngineError:
                return
            if len(self._volatility) >= _MOST_KNOWN:
                self._volatility.clear()
            self._volatility[symbol] = until, daily_volatility([one.price for one in closes])

        try:
            async with within(_FOR_COSTS_S), asyncio.TaskGroup() as reads:
                for one in lacking:
                    reads.create_task(read(one.symbol))
        except EngineError:
            pass
        known = {one.base: self._known(one.symbol, until) for one in pairs}
        return {asset: None if found is None else found[1] for asset, found in known.items()}

    def _known(self, symbol: Symbol, until: datetime) -> tuple[datetime, Decimal | None] | None:
        found = self._volatility.get(symbol)
        return found if found is not None and found[0] == until else None


def _is_open(rules: PairRules, *, auto: bool) -> bool:
    return rules.takes(OrderType.MARKET) or (auto and rules.takes(OrderType.IOC))


async def _rules(market: Market, tokens: Sequence[Asset]) -> Mapping[Asset, PairRules]:
    """Returns the rules of the pairs that the exchange shows."""
    found = {}
    for asset in tokens:
        try:
            found[asset] = await market.rules(symbol_of(asset))
        except PairUnavailable:
            continue
    return found


def _of_one(
    foreseen: Foreseen, rules: Mapping[Asset, PairRules], found: Consequence
) -> TargetLook:
    """The next check's order, where it trades one token."""
    order, reason = foreseen.plan.order, foreseen.reason or foreseen.plan.reason
    if order is None or reason is not None:
        is_inside = isinstance(reason, InsideBand)
        return TargetLook(rules=rules, found=found, reason=None if is_inside else reason)
    leg = Leg(asset=foreseen.rules.base, side=order.side, quote_amount=order.expected_quote)
    return TargetLook(rules=rules, found=found, legs=[leg])
