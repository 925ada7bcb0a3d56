"""Plans a trade within the account's limits: one decision for the check and the previews."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Jump
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.decision import DecisionInputs, allowed, wanted
from engine.domain.rebalancing.limit_checks import jump_at
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import Plan
from engine.storage.database import Database
from engine.storage.trading import limit_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """*wanted* ignores the limits, *allowed* keeps within them; both follow from *inputs*.
    *jump* is set while the price must be seen again.
    """

    wanted: Plan
    allowed: Plan
    inputs: DecisionInputs
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
    async with database.reading() as session:
        recent = await limit_usage.recent(session, account, now=at)
    limits = account.limits_in_force
    inputs = DecisionInputs(
        holdings=holdings,
        settings=account.settings,
        rules=rules,
        book=book,
        limits=limits,
        recent=recent,
        waiting=account.waiting,
        ignore_band=ignore_band,
        trade=trade,
    )
    right = wanted(inputs)
    return Evaluation(
        wanted=right,
        allowed=allowed(right, inputs),
        inputs=inputs,
        jump=jump_at(book.mid, limits=limits, recent=recent, now=at),
    )
