"""Plans a trade within the account's limits: one decision for the check and the previews."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Jump
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.execution.bound import ExecutionMode, may_widen
from engine.domain.execution.capability import UNKNOWN, order_type_for
from engine.domain.execution.maker_first import has_waited, is_near
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import OrderType, PairRules
from engine.domain.rebalancing.decision import DecisionInputs, Waited, allowed, wanted
from engine.domain.rebalancing.limit_checks import jump_at
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import Plan
from engine.exchanges.interface import Market
from engine.storage.database import Database
from engine.storage.trading import limit_usage, order_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """*wanted* ignores the limits, *allowed* keeps within them; both follow from *inputs*.
    *jump* is set while the price must be seen again; *is_untried* if it is not known whether the
    exchange takes orders of that type.
    """

    wanted: Plan
    allowed: Plan
    inputs: DecisionInputs
    jump: Jump | None
    is_untried: bool = False


async def evaluate(
    database: Database,
    account: Account,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
    *,
    market: Market,
    at: datetime,
    ignore_band: bool = False,
    trade: ManualTrade | None = None,
    is_narrowed: bool = False,
    worst: Decimal | None = None,
    is_slot: bool = False,
) -> Evaluation:
    """Returns the order that is right now, or the one for *trade*, or why there is none; *at* is
    the exchange's time. At a set time (*is_slot*) nothing waits as a maker: what that leaves is not
    traded before the next one. *market* is asked for its last price where an order may go that far.
    """
    settings = account.settings
    mode, ioc, maker, last = settings.execution, UNKNOWN, UNKNOWN, None
    async with database.reading() as session:
        recent = await limit_usage.recent(session, account, now=at)
        if mode is not ExecutionMode.MARKET:
            ioc = await order_types.get(session, account, OrderType.IOC)
        if mode is ExecutionMode.MAKER:
            maker = await order_types.get(session, account, OrderType.LIMIT_MAKER)
            last = await order_types.last_sent(session, account)
    limits, now = account.limits_in_force, book.read_at
    is_asked = ignore_band or trade is not None or settings.autonomy is not TradingMode.AUTO
    order_type = order_type_for(
        mode,
        ioc=ioc,
        maker=maker,
        rules=rules,
        is_urgent=is_asked
        or is_slot
        or may_widen(settings.slippage, outside_since=account.outside_since, now=now)
        or has_waited(last, now=now)
        or not _is_near(holdings, settings),
        now=now,
    )
    known = maker if order_type is OrderType.LIMIT_MAKER else ioc
    waited = None
    if order_type is OrderType.IOC and trade is None:
        waited = await _waited(account, market, now=now)
    inputs = DecisionInputs(
        holdings=holdings,
        settings=settings,
        rules=rules,
        book=book,
        limits=limits,
        recent=recent,
        waiting=account.waiting,
        ignore_band=ignore_band,
        trade=trade,
        order_type=order_type,
        waited=waited,
        is_narrowed=is_narrowed,
        worst=worst,
    )
    right = wanted(inputs)
    return Evaluation(
        wanted=right,
        allowed=allowed(right, inputs),
        inputs=inputs,
        jump=jump_at(book.mid, limits=limits, recent=recent, now=at),
        is_untried=order_type is not OrderType.MARKET and known.at_moment(now) is None,
    )


def _is_near(holdings: Holdings, settings: Settings) -> bool:
    """True if the balance is a little out of its band at most, so that its trade may wait."""
    if (fixed := settings.fixed) is None:
        return False
    return is_near(settings.held(holdings), low=fixed.band.low, high=fixed.band.high)


async def _waited(account: Account, market: Market, *, now: datetime) -> Waited | None:
    """None while the balance has not been out of its band for long."""
    since, slippage = account.outside_since, account.settings.slippage
    if since is None or not may_widen(slippage, outside_since=since, now=now):
        return None
    return Waited(since, now, await market.last_price(account.settings.symbol))
