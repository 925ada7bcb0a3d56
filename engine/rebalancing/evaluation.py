"""Plans a trade within the account's limits: one decision for the check and the previews."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Jump, Recent
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.limit_checks import jump_at, limited
from engine.domain.rebalancing.manual_trade import ManualTrade, plan_manual
from engine.domain.rebalancing.planner import Plan, plan
from engine.storage.database import Database
from engine.storage.trading import limit_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """*wanted* ignores the limits, *allowed* keeps within them, given the *recent* trades.
    *jump* is set while the price must be seen again.
    """

    wanted: Plan
    allowed: Plan
    recent: Recent
    jump: Jump | None


async def evaluate(
    database: Database,
    account: Account,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
    *,
    at: datetime,
    ignore_band: bool = False,
    trade: ManualTrade | None = None,
) -> Evaluation:
    """Returns the order that is right now, or the one for *trade*, or why there is none; *at* is
    the exchange's time.
    """
    decide = (
        partial(plan, ignore_band=ignore_band, waiting=account.waiting)
        if trade is None
        else partial(plan_manual, trade)
    )
    wanted = decide(holdings=holdings, settings=account.settings, rules=rules, book=book)
    async with database.reading() as session:
        recent = await limit_usage.recent(session, account, now=at)
    limits = account.limits_in_force
    return Evaluation(
        wanted=wanted,
        allowed=limited(wanted, book=book, limits=limits, recent=recent),
        recent=recent,
        jump=jump_at(book.mid, limits=limits, recent=recent, now=at),
    )
