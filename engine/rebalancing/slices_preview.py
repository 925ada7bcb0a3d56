"""A trade over time, as it would begin now. Trades nothing."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import InsideBand, Reason
from engine.domain.rebalancing.run_request import kept_by
from engine.domain.rebalancing.slices.plan import (
    SlicesForecast,
    SlicesOffer,
    SlicesSized,
    forecast_slices,
    size_slices,
    slices_over_limit,
)
from engine.domain.rebalancing.slices.run import slice_trade
from engine.exchanges.interface import within
from engine.exchanges.pair_data import rules_and_book
from engine.rebalancing.evaluation import evaluate
from engine.rebalancing.preview import Previews, forecast_at_market

_PATIENCE_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesPreview:
    """A trade over time as it would begin now; *reason* is why it would not, and then the rest is
    None. *day_left* is what the limit of the day leaves before it.
    """

    account: Account
    held: Decimal
    rules: PairRules
    sized: SlicesSized | None = None
    forecast: SlicesForecast | None = None
    offer: SlicesOffer | None = None
    day_left: Decimal = ZERO
    reason: Reason | None = None


async def preview_slices(
    previews: Previews, account: Account, trade: ManualTrade, span: timedelta
) -> SlicesPreview:
    """Returns *trade* in slices over *span*, priced by its first. Raises as
    `Previews.preview`.
    """
    exchange, account = previews.exchange_for(account), previews.still_waiting(account)
    async with within(_PATIENCE_S):
        holdings = await previews.read_holdings(account, exchange)
        rules, book = await rules_and_book(exchange.market, account.settings.symbol)
    held = account.settings.held(holdings)
    none = partial(SlicesPreview, account=account, held=held, rules=rules)
    sized = size_slices(
        trade,
        span=span,
        now=previews.clock.now(),
        holdings=holdings,
        rules=rules,
        book=book,
        settings=account.settings,
        limits=account.limits_in_force,
    )
    if not isinstance(sized, SlicesSized):
        return none(reason=sized)
    first = slice_trade(sized.trade, sized.trade.amounts[0])
    evaluated = await evaluate(
        previews.database,
        account,
        holdings,
        rules,
        book,
        market=exchange.market,
        at=exchange.time(),
        trade=first,
    )
    async with within(_PATIENCE_S):
        plan, comes_to = await forecast_at_market(exchange.market, evaluated.allowed, rules, book)
    if plan.order is None or comes_to is None:
        return none(reason=plan.reason or InsideBand())
    every = forecast_slices(sized.trade, plan.order, comes_to, held=held, book=book)
    over = slices_over_limit(
        sized.trade, every, limits=account.limits_in_force, recent=evaluated.inputs.recent
    )
    if over is not None:
        return none(reason=over)
    pauses, target = kept_by(account, trade.side, held_after=every.held_after)
    offer = SlicesOffer(
        trade=trade if trade.share is None else slice_trade(sized.trade, sized.trade.total),
        span=span,
        price=every.average_price,
        version=account.version,
        pauses=pauses,
        target=target,
    )
    used = evaluated.inputs.recent.turnover
    left = max(account.limits_in_force.day - used, ZERO)
    return none(sized=sized, forecast=every, offer=offer, day_left=left)
