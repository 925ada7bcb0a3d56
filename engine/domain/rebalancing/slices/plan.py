"""Plans a trade over time that a user asks for: how it is cut, and what it comes to. Pure.

When each slice is due is decided in `execution/slices.py`; each is planned as a trade by hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from engine.domain.accounts.risk_limits import HOUR, LimitsInForce, Recent
from engine.domain.accounts.settings import Settings
from engine.domain.execution.slices import (
    SLICES_APART,
    SlicedTrade,
    sliced,
)
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import (
    CENT,
    EXACT_OR_LESS,
    ONE,
    ZERO,
    ceil_to_step,
    floor_to_step,
)
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules, Side
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.limit_checks import most_spent, usual_price, worth
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import (
    FEE_RESERVE,
    MARKET_REACH,
    LimitKind,
    NothingFree,
    OverLimit,
    ProposedOrder,
    Reason,
    UnderMinimum,
    obstacle,
    smallest_order,
)
from engine.domain.rebalancing.slices.run import SlicedRun

# The kind of the confirmation behind the buttons of such a plan.
SLICED = "sliced_trade"
# A slice at the smallest order could be under it when it is due: prices move, amounts are rounded.
_LEAST_MARGIN = Decimal("1.25")
# So far may the price be from the plan's at the tap.
_SAME_PRICE = Decimal("0.05")
_TWO = 2


@dataclass(frozen=True, slots=True)
class SlicesSized:
    """*asked* is set where less is free than the user wants to trade."""

    trade: SlicedTrade
    least: Decimal
    asked: Decimal | None = None


def size_slices(
    trade: ManualTrade,
    *,
    span: timedelta,
    now: datetime,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
    settings: Settings,
    limits: LimitsInForce,
) -> SlicesSized | Reason:
    """Returns *trade* in slices over *span* from *now* on, as many as the exchange's smallest order
    and the limit of orders an hour allow, or why it cannot be split. What is protected is not free.
    """
    holdings = settings.managed(holdings)
    if (closed := obstacle(trade.side, rules=rules, book=book)) is not None:
        return closed
    with localcontext(EXACT_OR_LESS):
        in_base = trade.side is Side.SELL and trade.quote_amount is None
        price = (book.asks if trade.side is Side.BUY else book.bids)[0].price
        dearest = price * (ONE + MARKET_REACH)
        piece = max(smallest_order(rules), rules.least_quantity * dearest)
        least_quote = ceil_to_step(piece * _LEAST_MARGIN, CENT)
        least, step = least_quote, CENT
        if in_base:
            step = rules.quantity_step
            least = ceil_to_step(least_quote / price, step)
        free = _free(trade.side, holdings, rules, price, in_base=in_base)
        wanted = floor_to_step(trade.size(free), step)
        total = min(wanted, floor_to_step(free, step))
        if total < least * _TWO:
            if total < wanted:
                balance = holdings.of(rules.quote if trade.side is Side.BUY else rules.base)
                return NothingFree(trade.side, free=balance.free, locked=balance.locked)
            half = total * (price if in_base else ONE) / _TWO
            return UnderMinimum(trade.side, quote_amount=half, minimum=least_quote)
        made = sliced(
            trade.side,
            total,
            span=span,
            started_at=now,
            minimum=least,
            step=step,
            in_base=in_base,
            apart=max(SLICES_APART, HOUR / limits.orders_per_hour),
        )
        return SlicesSized(made, least, wanted if total < wanted else None)


def _free(
    side: Side, holdings: Holdings, rules: PairRules, price: Decimal, *, in_base: bool
) -> Decimal:
    """Returns what may be traded, in the unit of the trade."""
    if side is Side.BUY:
        return holdings.of(rules.quote).free / (ONE + max(rules.taker_fee_rate, FEE_RESERVE))
    free = rules.floor_quantity(holdings.of(rules.base).free)
    return free if in_base else free * price * (ONE - rules.taker_fee_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesForecast:
    """What all slices come to at the prices of the first: USDT after the fee of a sale or before
    that of a buy, the balance after them, what they cost with the fee, and the average price.
    *counted* is what the limits count.
    """

    quote_amount: Decimal
    held_after: Decimal
    cost: Decimal
    average_price: Decimal
    counted: Decimal


def forecast_slices(
    trade: SlicedTrade, order: ProposedOrder, first: Forecast, *, held: Decimal, book: OrderBook
) -> SlicesForecast:
    """*order* is that of the first slice, which comes to *first*; the others are taken for alike."""
    with localcontext(EXACT_OR_LESS):
        times = trade.total / trade.amounts[0]
        seen = first.base_quantity * usual_price(book, trade.side)
        is_buy = trade.side is Side.BUY
        lost = first.quote_amount - seen if is_buy else seen - first.quote_amount
        net = trade.total
        if trade.in_base:
            net = (first.quote_amount - first.fee) * trade.total / first.base_quantity
        fee = first.fee * times if is_buy else ZERO
        return SlicesForecast(
            quote_amount=net,
            held_after=max(held - net - fee if is_buy else held + net, ZERO),
            cost=max((lost + first.fee) * times, ZERO),
            average_price=first.average_price,
            counted=worth(most_spent(order) * times),
        )


def slices_over_limit(
    trade: SlicedTrade, forecast: SlicesForecast, *, limits: LimitsInForce, recent: Recent
) -> OverLimit | None:
    """Returns the limit that the largest slice breaks, or all of them together."""
    with localcontext(EXACT_OR_LESS):
        largest = worth(forecast.counted * max(trade.amounts) / trade.total)
        if largest > limits.order:
            return OverLimit(LimitKind.ORDER, asked=largest, allowed=limits.order)
        if recent.turnover + forecast.counted > limits.day:
            asked, used = forecast.counted, recent.turnover
            return OverLimit(LimitKind.DAY, asked=asked, allowed=limits.day, used=used)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesOffer:
    """The plan shown to a user, stored with its buttons: trade *trade* over *span*. The first button
    *pauses* trading after it, where a check would trade back; the second, if *target* is given,
    sets that. *price* is the average that was shown, *version* the account's.
    """

    trade: ManualTrade
    span: timedelta
    price: Decimal
    version: int
    pauses: bool = False
    target: Decimal | None = None

    @property
    def buttons(self) -> int:
        return 1 if self.target is None else _TWO

    def holds(self, now: "SlicesOffer") -> bool:
        """True if the plan is still the one shown, made again at the tap."""
        moved = abs(now.price - self.price)
        return (
            now.version == self.version
            and moved <= self.price * _SAME_PRICE
            and now.pauses == self.pauses
            and (now.target is None) == (self.target is None)
        )

    def run(
        self, option: int, sized: SlicesSized, *, plan_id: str, user_id: int, settings: Settings
    ) -> SlicedRun:
        """Returns what the tapped button begins."""
        is_first = option == 0
        return SlicedRun(
            plan_id=plan_id,
            user_id=user_id,
            symbol=settings.symbol,
            dry_run=settings.dry_run,
            trade=sized.trade,
            least=sized.least,
            pauses=self.pauses and is_first,
            target=None if is_first else self.target,
        )
