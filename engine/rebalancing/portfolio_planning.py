"""Plans several tokens from what is held and the prices of this moment: one request for all prices,
and nothing else while all is inside.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Jump, LimitsInForce, Recent
from engine.domain.execution.bound import ExecutionMode, may_widen
from engine.domain.execution.capability import UNKNOWN, Capability, order_type_for
from engine.domain.market.balances import Holdings
from engine.domain.market.candles import whole_hour
from engine.domain.market.decimals import ONE, ZERO, floor_to_step, step_of
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Side, Symbol, symbol_of
from engine.domain.portfolio.plan import (
    MissingPrices,
    NoPlan,
    Outlook,
    PlanInputs,
    PortfolioPlan,
    managed_of,
    outlook,
    plan_portfolio,
)
from engine.domain.portfolio.position import LegReason
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import PortfolioSnapshot
from engine.domain.rebalancing.limit_checks import jump_at, known_price, over_jump, plan_over_limit
from engine.domain.rebalancing.planner import MARKET_REACH, OverLimit
from engine.domain.runs.stored_run import PortfolioRun, Refused, refused_lately, shown
from engine.domain.targets.destination import Edges
from engine.domain.targets.outside import Beyond
from engine.domain.targets.pacing import PaceReason
from engine.domain.targets.scaling import daily_volatility, next_widths
from engine.domain.targets.timing import Sighting
from engine.errors import PairUnavailable
from engine.exchanges.interface import Exchange, Market
from engine.storage.service import Service
from engine.storage.trading import candles, check_results, limit_usage, order_types, runs

_WEEK = timedelta(days=7)
_SHOWN_STEP = step_of(8)
Closed = Collection[tuple[Asset, Side]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there at this moment, with the reason where nothing can be said of it."""

    inputs: PlanInputs
    found: Outlook | NoPlan
    at: datetime

    @property
    def snapshot(self) -> PortfolioSnapshot:
        plan = self.found.plan if isinstance(self.found, Outlook) else None
        return snapshot_of(self.inputs, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan made *at* a moment, within *limits*. *prices* says of each token what was known of its
    price before; *types* how orders of its pair are sent, *untried* which of them the exchange may
    not take. *left_open*: an earlier run of the account has no end. Nothing is traded on the sides
    that are *closed*, among them those that were *refused* lately. A buy may spend
    the fraction *reach* more than planned. A preview says what a check *waits* for.
    """

    inputs: PlanInputs
    plan: PortfolioPlan
    at: datetime
    to_centre: bool
    limits: LimitsInForce
    prices: Mapping[Asset, Recent]
    types: Mapping[Asset, OrderType]
    untried: frozenset[Asset]
    snapshot: PortfolioSnapshot
    left_open: bool
    closed: frozenset[tuple[Asset, Side]] = frozenset()
    refused: tuple[Refused, ...] = ()
    reach: Decimal = ZERO
    waits: PaceReason | None = None

    @property
    def over_limit(self) -> OverLimit | None:
        """Returns the limit that the whole plan breaks: then none of it is traded."""
        recent = next(iter(self.prices.values()))
        over = plan_over_limit(self.plan, limits=self.limits, recent=recent, reach=self.reach)
        if over is not None:
            return over
        jumps = (
            over_jump(
                self.inputs.quotes.by_asset[leg.asset].mid,
                seen=self.prices[leg.asset].price,
                limits=self.limits,
            )
            for leg in self.plan.legs
        )
        return next((over for over in jumps if over is not None), None)


@dataclass(eq=False, kw_only=True, repr=False)
class PortfolioPlanner(Service):
    async def see(self, account: Account, holdings: Holdings, market: Market) -> Seen:
        """Read the prices of all tokens, by one request that all accounts share."""
        settings = account.settings
        targeting = account.targeting
        quotes = await market.quotes(targeting.tokens)
        now = self.clock.now()
        waiting = account.waits(now)
        inputs = PlanInputs(
            settings=targeting,
            destination=settings.leads_to,
            holdings=holdings,
            quotes=quotes,
            rules={},
            counting=settings.counting,
            protected=settings.protected,
            waiting=ZERO if waiting is None else waiting.amount,
        )
        return Seen(inputs, outlook(inputs, now=now), now)

    async def plan(
        self,
        account: Account,
        seen: Seen,
        exchange: Exchange,
        *,
        to_centre: bool = False,
        closed: Closed = (),
    ) -> Planned | NoPlan:
        """Plan what was *seen*, on fresh rules, without trades on *closed* sides."""
        if not isinstance(seen.found, Outlook):
            return seen.found
        tokens = seen.inputs.settings.tokens
        rules = await _rules_of(tokens, exchange.market)
        if missing := tuple(asset for asset in tokens if asset not in rules):
            return MissingPrices(missing)
        whole = seen.found.plan.whole
        limits = account.limits.for_target(floor_to_step(whole, step_of(2)))
        usage, known, before, last_run = await self._known(account, tokens, exchange)
        refused = refused_lately(last_run, now=seen.at)
        if not to_centre and len(tokens) > 1:  # a person may have mended it
            closed = {*closed, *((side.asset, side.side) for side in refused)}
        mode, now = account.settings.execution, seen.at
        types = {
            asset: order_type_for(
                mode, ioc=known[asset], rules=rules[asset], is_urgent=True, now=now
            )
            for asset in tokens
        }
        inputs = replace(
            seen.inputs,
            rules={asset: _without(closed, asset, rules[asset]) for asset in tokens},
            order_type=next(iter(types.values()))
            if len(set(types.values())) == 1
            else OrderType.MARKET,
        )
        plan = plan_portfolio(inputs, now=now, to_centre=to_centre)
        if not isinstance(plan, PortfolioPlan):
            return plan
        if account.buying_stopped_at is not None:
            plan = replace(plan, reasons=_with_stopped(plan, closed))
        at = exchange.time()
        prices = {asset: _recent_of(asset, usage, before, now=at) for asset in tokens}
        jumps = {
            asset: jump
            for asset in tokens
            if (
                jump := jump_at(
                    inputs.quotes.by_asset[asset].mid, limits=limits, recent=prices[asset], now=at
                )
            )
        }
        return Planned(
            inputs=inputs,
            plan=plan,
            at=now,
            to_centre=to_centre,
            limits=limits,
            prices=prices,
            types=types,
            untried=frozenset(
                asset
                for asset in tokens
                if types[asset] is not OrderType.MARKET and known[asset].at_moment(now) is None
            ),
            snapshot=replace(snapshot_of(inputs, plan), jumps=jumps),
            left_open=last_run is not None and last_run.end is None,
            closed=frozenset(closed),
            refused=refused,
            reach=_reach(account, rules.values(), now=now)
            if OrderType.IOC in types.values()
            else ZERO,
        )

    async def _known(
        self, account: Account, tokens: Collection[Asset], exchange: Exchange
    ) -> tuple[Recent, Mapping[Asset, Capability], PortfolioSnapshot | None, PortfolioRun | None]:
        """One transaction: what the limits have left, the types of orders, the last prices, and the
        last run.
        """
        known = dict.fromkeys(tokens, UNKNOWN)
        async with self.database.reading() as session:
            usage = await limit_usage.recent(session, account, now=exchange.time())
            look = await check_results.get(session, account.id)
            last_runs = await runs.latest(session, account.id, most=1)
            if account.settings.execution is not ExecutionMode.MARKET:
                for asset in tokens:
                    of_pair = in_pair(account, symbol_of(asset))
                    known[asset] = await order_types.get(session, of_pair, OrderType.IOC)
        last_run = last_runs[0] if last_runs else None
        return usage, known, None if look is None else look.portfolio, last_run


def _with_stopped(plan: PortfolioPlan, closed: Closed) -> Mapping[Asset, LegReason]:
    """Returns the plan's reasons; those of buys that are closed say that the crash guard did it."""
    return {
        asset: LegReason.BUYING_STOPPED
        if why is LegReason.SIDE_CLOSED
        and (asset, Side.BUY) in closed
        and plan.outside.get(asset) is Beyond.LOW
        else why
        for asset, why in plan.reasons.items()
    }


class BandWidths(Service):
    async def renew(self, duty: CheckInput) -> CheckInput:
        """Returns *duty* with the widths of today. They never change between a tap's plan and its
        trade, nor where they hold.
        """
        account, now = duty.account, self.clock.now()
        basket = account.settings.targeting.basket
        if not account.settings.scaled or basket is None or duty.request is not None:
            return duty
        if account.widths is not None and account.widths.holds(basket.tokens, now=now):
            return duty
        volatility = {token: await self._volatility(token) for token in basket.tokens}
        widths = next_widths(account.widths, volatility, now=now)
        async with self.database.writing() as session:
            await check_results.note_widths(session, account, widths)
        return replace(duty, account=replace(account, widths=widths))

    async def _volatility(self, token: Asset) -> Decimal | None:
        until = whole_hour(self.clock.now())
        async with self.database.reading() as session:
            line = await candles.prices(
                session, symbol_of(token), since=until - _WEEK, until=until
            )
        return daily_volatility(line.closes)


def first_sight(
    account: Account, found: Mapping[Asset, Beyond], *, read_at: datetime
) -> Sighting | None:
    """Returns what was *found* outside, where it is not traded before the next check finds it too."""
    if not account.settings.looks_twice or not found:
        return None
    sighting = Sighting(outside=found, read_at=read_at, version=account.version)
    before = account.sighted
    return None if before is not None and before.is_confirmed_by(sighting) else sighting


def in_pair(account: Account, symbol: Symbol) -> Account:
    """Returns the account as if *symbol* were its pair: for what is told of one leg."""
    return replace(account, settings=replace(account.settings, symbol=symbol))


def snapshot_of(inputs: PlanInputs, plan: PortfolioPlan | None) -> PortfolioSnapshot:
    quotes = inputs.quotes.by_asset
    tokens = [asset for asset in inputs.settings.tokens if asset in quotes]
    edges: Mapping[Asset, Edges] = {}
    if plan is not None:
        goals = inputs.settings.goals.by_asset
        edges = {asset: _shown_edges(goal.at(plan.whole)) for asset, goal in goals.items()}
    return PortfolioSnapshot(
        held={a: managed_of(inputs, a).quantity for a in (*inputs.settings.tokens, USDT)},
        prices={asset: quotes[asset].mid for asset in tokens},
        plan=None if plan is None else shown(plan),
        edges=edges,
    )


async def _rules_of(tokens: Collection[Asset], market: Market) -> Mapping[Asset, PairRules]:
    """Returns the rules of the pairs that the exchange shows. Raises Unavailable."""

    async def one(asset: Asset) -> PairRules | None:
        try:
            return await market.rules(symbol_of(asset))
        except PairUnavailable:
            return None

    try:
        async with asyncio.TaskGroup() as reads:
            asked = {asset: reads.create_task(one(asset)) for asset in tokens}
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    return {asset: rules for asset, task in asked.items() if (rules := task.result()) is not None}


def _reach(account: Account, rules: Collection[PairRules], *, now: datetime) -> Decimal:
    """Returns how much more than planned, as a fraction, a buy at its bound may spend with its fee."""
    slippage = account.settings.slippage
    widens = may_widen(slippage, outside_since=account.outside_since, now=now)
    far = max(slippage.fraction, MARKET_REACH) if widens else slippage.fraction
    return (ONE + far) * (ONE + max(one.taker_fee_rate for one in rules)) - ONE


def _without(closed: Closed, asset: Asset, rules: PairRules) -> PairRules:
    return replace(
        rules,
        buying=rules.buying and (asset, Side.BUY) not in closed,
        selling=rules.selling and (asset, Side.SELL) not in closed,
    )


def _recent_of(
    asset: Asset, usage: Recent, before: PortfolioSnapshot | None, *, now: datetime
) -> Recent:
    """Returns the usage of the account's limits, with the last price of *asset*."""
    last: Decimal | None = None
    seen: Jump | None = None
    if before is not None:
        last, seen = before.prices.get(asset), before.jumps.get(asset)
    price, jump = known_price(last, seen, now=now)
    return replace(usage, price=price, last=last, jump=jump)


def _shown_edges(edges: Edges) -> Edges:
    low, high = (floor_to_step(edge, _SHOWN_STEP) for edge in (edges.low, edges.high))
    centre = None if edges.centre is None else floor_to_step(edges.centre, _SHOWN_STEP)
    return Edges(low, centre, high)
