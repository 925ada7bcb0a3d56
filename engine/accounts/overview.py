"""Summarizes an account from what is known, without a request to the exchange."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import UNKNOWN, Capability
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.candles import whole_hour
from engine.domain.market.pairs import USDT, OrderType, base_of
from engine.domain.orders.order import AccountId, Order, Trigger
from engine.domain.profit.report import ProfitReport
from engine.domain.rebalancing.check_result import (
    BalanceSnapshot,
    CheckResult,
    NoTrade,
    PriceSeen,
    newest,
    newest_price,
    price_in,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.rebalancing.slices.run import SlicesProgress, done_by
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.accounts import alert_preferences, incidents, stored_profit, timed_pauses
from engine.storage.database import Database
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import queue
from engine.storage.service import Service
from engine.storage.trading import (
    candles,
    check_results,
    order_types,
    orders,
    sliced_trades,
)
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.live_prices import LivePrices
from engine.streaming.standing import LiveStanding

# A failed check stores its incident just before its result.
_SAME_CHECK = timedelta(seconds=1)
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
# An older price is not the price of that moment: hours were missed.
_SAME_PRICE_FOR = timedelta(hours=3)
# By then the price of an hour that is over is stored.
_STORED_AFTER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview:
    """Overview of an account; *look* is the latest check known to this process.
    After a restart it is the last one that wanted to trade. *seen* is the newest that saw the
    balances. Both are of the money that the account trades now. *checked* is the last check if
    this process makes the account's checks. *price* is the price of the pair seen last, by
    whatever read it. *pause* is the end of a pause that has one. *time_zone* is the chat's.
    *ioc* is what is known of orders with a bound, where the account wants such.
    *slices* are a trade over time that runs. *live* is the account's stream where this process
    has it, *streamed* the balances that it reported since they were *seen*, *every* how often the account
    is checked all the same.
    """

    look: CheckResult | None
    seen: CheckResult | None
    checked: CheckResult | None
    price: PriceSeen | None
    next_check_at: datetime | None
    last_trade: Order | None
    unresolved: Order | None
    trouble: Incident | None
    pause: TimedPause | None
    undelivered: int
    time_zone: str | None
    ioc: Capability
    slices: SlicesProgress | None = None
    live: LiveStanding | None = None
    streamed: CheckResult | None = None
    every: timedelta | None = None

    @property
    def live_every(self) -> timedelta | None:
        """Returns how often the account is checked all the same; None where it is not live."""
        return self.every if self.live is not None and self.live.is_live else None


class AccountOverviews:
    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        dispatcher: Dispatcher,
        live: LiveAccounts,
        prices: LivePrices | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._dispatcher = dispatcher
        self._live = live
        self._prices = prices

    def every(self, account: Account) -> timedelta:
        """Returns how often the account is checked, never less than its own interval."""
        return self._live.interval(account.id, account.settings.interval)

    async def of(self, account: Account) -> AccountOverview:
        standing = self._dispatcher.standing(account.id)
        async with self._database.reading() as session:
            stored = await check_results.get(session, account.id)
            read = await check_results.seen(session, account.id)
            last_trade = await orders.last_trade(session, account.id)
            unresolved = await orders.unresolved_of(session, [account.id])
            trouble = await incidents.get(session, account.id)
            pause = (
                await timed_pauses.get(session, account.id) if account.settings.paused else None
            )
            time_zone = await alert_preferences.time_zone_of_chat(session, account.chat_id)
            slices = await _slices(session, account)
            undelivered = await queue.waiting(session, OutboxRow, chat_id=account.chat_id)
            ioc = (
                UNKNOWN
                if account.settings.execution is ExecutionMode.MARKET
                else await order_types.get(session, account, OrderType.IOC)
            )
        checked = _of(account, standing.look if standing else None)
        look = checked or _of(account, stored)
        own = standing.seen if standing else None
        seen = _newest_seen(account, own, stored, read)
        live = self._live.standing(account.id) if standing else None
        return AccountOverview(
            look=look,
            seen=seen,
            checked=checked,
            price=self._live_price(account)
            or _newest_price(account, last_trade, own, stored, read),
            next_check_at=standing.due_at if standing else None,
            last_trade=last_trade,
            unresolved=unresolved.get(account.id),
            trouble=trouble if _is_ongoing(trouble, look) else None,
            pause=pause,
            undelivered=undelivered,
            time_zone=time_zone,
            ioc=ioc,
            slices=slices,
            live=live,
            streamed=_streamed(
                account, live, seen, steady_is_behind=self._clock.now() - self._clock.steady()
            ),
            every=self.every(account) if standing else None,
        )

    def _live_price(self, account: Account) -> PriceSeen | None:
        """The price of the pair now, where a stream reports it."""
        quote = None if self._prices is None else self._prices.fleet.quote(account.settings.symbol)
        return None if quote is None else PriceSeen(quote.mid, self._clock.now())

    async def live_look(
        self, account: Account, *, shown: PriceSeen | None
    ) -> tuple[CheckResult, bool] | None:
        """The balances of now without a request, where the account's stream vouches for them and they
        were read lately, since a stream may be deaf; and whether the newest price, of what is known
        and what is *shown*, is younger than the account's interval. Else None.
        """
        known = await self.of(account)
        look, now, interval = (
            known.streamed or known.seen,
            self._clock.now(),
            account.settings.interval,
        )
        if known.live_every is None or look is None or known.seen is None:
            return None
        if now - known.seen.at >= 2 * interval:
            return None
        if account.settings.fixed is None:  # worth nothing without all prices
            return (look, True) if now - look.at < interval else None
        price = newest_price(known.price, shown)
        return look, price is not None and now - price.at < interval

    async def snapshot(self, account: Account) -> CheckResult | None:
        """The newest that saw the balances of the money that the account trades now."""
        standing = self._dispatcher.standing(account.id)
        async with self._database.reading() as session:
            stored = await check_results.get(session, account.id)
            seen = await check_results.seen(session, account.id)
        return _newest_seen(account, standing.seen if standing else None, stored, seen)


async def _slices(session: AsyncSession, account: Account) -> SlicesProgress | None:
    if account.slicing_until is None:
        return None
    run = (await sliced_trades.of_accounts(session, [account.id])).get(account.id)
    if run is None:
        return None
    return SlicesProgress(run, done_by(await orders.of_slices(session, account.id, run)))


def _streamed(
    account: Account,
    live: LiveStanding | None,
    seen: CheckResult | None,
    *,
    steady_is_behind: timedelta,
) -> CheckResult | None:
    """The balances that a stream that is believed reported since they were *seen*, without a price. Several
    tokens are worth nothing without their prices, which are read with them.
    """
    settings, fixed = account.settings, account.settings.fixed
    if live is None or not live.is_live or live.told_at is None or fixed is None:
        return None
    at = live.told_at + steady_is_behind
    if seen is None or seen.seen is None or seen.seen.symbol != settings.symbol or at <= seen.at:
        return None
    known = {USDT: seen.seen.quote, base_of(settings.symbol): seen.seen.base}
    streamed = {asset: Balance(*live.known[asset]) for asset in known if asset in live.known}
    if streamed.items() <= known.items():
        return None
    return CheckResult(
        at=at,
        trigger=Trigger.INTERVAL,
        target=fixed.target,
        band=fixed.band,
        verdict=NoTrade(InsideBand()),
        seen=BalanceSnapshot.of(settings, Holdings(known | streamed, at), None),
        funds=account.funds,
    )


def _newest_seen(account: Account, *known: CheckResult | None) -> CheckResult | None:
    return newest(*(look for look in known if look and look.seen and _of(account, look)))


def _newest_price(
    account: Account, trade: Order | None, *looks: CheckResult | None
) -> PriceSeen | None:
    symbol, traded = account.settings.symbol, None
    if trade is not None and trade.symbol == symbol and trade.execution.average_price is not None:
        at = trade.resolved_at or trade.created_at
        traded = PriceSeen(trade.execution.average_price, at)
    return newest_price(traded, *(price_in(look, symbol) for look in looks))


def _of(account: Account, look: CheckResult | None) -> CheckResult | None:
    return look if look is not None and look.concerns(account.funds) else None


def _is_ongoing(trouble: Incident | None, look: CheckResult | None) -> bool:
    """True if an incident still lasts: it is stored a while beyond its last failure."""
    return trouble is not None and (look is None or look.at <= trouble.last_at + _SAME_CHECK)


@dataclass(frozen=True, slots=True)
class Week:
    """What was *made* in the *length* up to now, at most 7 days, and what of it trading *brought*:
    None where less than a day is known. *about*: not all is known exactly. *day_ago* is the price
    of the token 24 h ago; None where it is not known.
    """

    length: timedelta = timedelta()
    made: Decimal | None = None
    brought: Decimal | None = None
    about: bool = False
    day_ago: Decimal | None = None


NO_WEEK = Week()


@dataclass(eq=False, kw_only=True, repr=False)
class Weeks(Service):
    """Reads what is stored: no request, and no row written."""

    def __post_init__(self) -> None:
        self._known: dict[AccountId, tuple[Hashable, Week]] = {}

    async def of(
        self, account: Account, *, last_trade: Order | None, seen: CheckResult | None
    ) -> Week:
        """Returns the week of the account; kept until the next hour, a newer trade than
        *last_trade*, or other balances than were *seen* last.
        """
        now = self.clock.now()
        state = account.settings.dry_run, account.settings.symbol, whole_hour(now - _STORED_AFTER)
        key = (*state, _filled(last_trade), _held(seen))
        if (known := self._known.get(account.id)) is not None and known[0] == key:
            return known[1]
        week = await self._read(account, now)
        self._known[account.id] = key, week
        return week

    def forget(self, account: Account) -> None:
        """Read the week again the next time: a flow of it was corrected."""
        self._known.pop(account.id, None)

    async def _read(self, account: Account, now: datetime) -> Week:
        day_ago = now - _DAY
        async with self.database.reading() as session:
            line = await candles.prices(
                session, account.settings.symbol, since=day_ago, until=day_ago
            )
            found = await stored_profit.report(session, account, since=now - _WEEK, until=now)
        at = line.time(day_ago)
        price = line.at(day_ago) if at and day_ago - at <= _SAME_PRICE_FOR else None
        return _week(found, day_ago=price)


def _week(found: ProfitReport | None, *, day_ago: Decimal | None) -> Week:
    if found is None or found.until - found.since < _DAY:
        return Week(day_ago=day_ago)
    return Week(found.until - found.since, found.made, found.brought, bool(found.doubts), day_ago)


def _filled(trade: Order | None) -> Hashable:
    return trade and (trade.client_order_id, trade.execution, trade.fees is not None)


def _held(seen: CheckResult | None) -> Hashable:
    if seen is not None and seen.portfolio is not None:
        return tuple(seen.portfolio.held.items())
    snapshot = seen.seen if seen else None
    return snapshot and (snapshot.quote.total, snapshot.base.total)
