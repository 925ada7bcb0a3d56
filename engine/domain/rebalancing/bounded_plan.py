"""Plans the same trade as `planner.py` and `manual_trade.py`, by an order at a bound. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import Slippage, counterparts
from engine.domain.execution.bounded_order import (
    BeyondBound,
    BoundedOrder,
    NoOfferNear,
    Obstacle,
    OneSidedBook,
    ThinBook,
    TooLittleFree,
    TooSmall,
    TypeClosed,
    Wanted,
    auto_order,
    bounded_order,
    least_wanted,
    smallest_order,
)
from engine.domain.execution.maker_order import maker_order
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import (
    EXACT_OR_LESS,
    ONE,
    ZERO,
    ceil_to_step,
    floor_to_step,
    step_of,
)
from engine.domain.market.order_book import OrderBook, quantity_to_receive, quote_received
from engine.domain.market.pairs import OrderType, PairRules, Side
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import (
    FEE_RESERVE,
    EmptyBook,
    NothingFree,
    PairClosed,
    Plan,
    ProposedOrder,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
    goal_of,
    plan_to,
)

_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Need:
    """What is *wanted* on *side*. A sell of less than a step is made one step
    where that brings no more than *room*; a trade by hand has none, and is never made larger.
    """

    side: Side
    wanted: Wanted
    room: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Within:
    """How far from the middle an order may go: *slippage*, and where the balance is out of its band
    for long, the reach of a MARKET order from *last_price*; in no case further than *price_limit*.
    An order that *is_maker* rests at the best price of its own side instead.
    """

    slippage: Slippage
    price_limit: Decimal
    outside_since: datetime | None = None
    now: datetime | None = None
    last_price: Decimal | None = None
    is_maker: bool = False


def plan_bounded(
    within: Within,
    trade: ManualTrade | None,
    *,
    settings: Settings,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
    ignore_band: bool,
    waiting: WaitingDeposit | None,
) -> Plan:
    """Returns the order for *trade*, or else for what the target says, or the reason for none."""

    def sized(
        side: Side, amount: Decimal, room: Decimal, held: Holdings
    ) -> ProposedOrder | Reason:
        need = Need(side, Wanted(quote_amount=amount), room)
        return order_within(need, within, held, rules, book)

    if trade is not None:
        holdings = settings.managed(holdings)
        with localcontext(EXACT_OR_LESS):
            held = holdings.of(rules.quote).counted(settings.counting)
            need = Need(trade.side, _of_hand(trade, holdings, rules))
        return Plan.of(held, order_within(need, within, holdings, rules, book))
    return plan_to(
        goal_of(settings),
        counting=settings.counting,
        holdings=holdings,
        rules=rules,
        book=book,
        ignore_band=ignore_band,
        waiting=waiting,
        protected=settings.protected,
        sized=sized,
    )


def order_within(
    need: Need, within: Within, holdings: Holdings, rules: PairRules, book: OrderBook
) -> BoundedOrder | Reason:
    """Returns the order for *need*, or the reason for none."""
    free = _spendable(need.side, holdings, rules)
    order = _sized(need, need.wanted, within, free=free, rules=rules, book=book)
    if isinstance(order, TooSmall) and need.side is Side.SELL:
        step = _one_step(need, free, rules, book)
        if isinstance(step, StepTooCoarse):
            return step
        if step is not None:
            order = _sized(need, step, within, free=free, rules=rules, book=book)
    if isinstance(order, BoundedOrder):
        return order
    return _reason(order, within, holdings=holdings, rules=rules, book=book)


def _sized(
    need: Need,
    wanted: Wanted,
    within: Within,
    *,
    free: Decimal,
    rules: PairRules,
    book: OrderBook,
) -> BoundedOrder | Obstacle:
    slippage = within.slippage
    if within.is_maker:
        return maker_order(need.side, wanted, free=free, book=book, rules=rules, improve=False)
    if within.now is None or within.last_price is None:
        fraction = slippage.fraction
        return bounded_order(
            need.side, wanted, free=free, book=book, rules=rules, slippage=fraction
        )
    return auto_order(
        need.side,
        wanted,
        free=free,
        book=book,
        rules=rules,
        slippage=slippage,
        last_price=within.last_price,
        price_limit=within.price_limit,
        outside_since=within.outside_since,
        now=within.now,
    )


def _of_hand(trade: ManualTrade, holdings: Holdings, rules: PairRules) -> Wanted:
    if trade.side is Side.SELL and trade.quote_amount is None:
        return Wanted(base_quantity=trade.size(holdings.of(rules.base).free))
    return Wanted(quote_amount=trade.size(holdings.of(rules.quote).free))


def _spendable(side: Side, holdings: Holdings, rules: PairRules) -> Decimal:
    """What is free, less what a fee may take that is higher than the pair's."""
    if side is Side.SELL:
        return holdings.of(rules.base).free
    fee_rate = rules.taker_fee_rate
    with localcontext(EXACT_OR_LESS):
        free = holdings.of(rules.quote).free
        return free * (ONE + fee_rate) / (ONE + max(fee_rate, FEE_RESERVE))


def _one_step(
    need: Need, free: Decimal, rules: PairRules, book: OrderBook
) -> Wanted | StepTooCoarse | None:
    """Returns the smallest quantity where *need* is less than that; None where it is not."""
    amount, fee_rate, least = need.wanted.quote_amount, rules.taker_fee_rate, rules.least_quantity
    if amount is None or need.room == ZERO or not book.bids or free < least:
        return None
    with localcontext(EXACT_OR_LESS):
        quantity = quantity_to_receive(amount, bids=book.bids, fee_rate=fee_rate)
        if rules.floor_quantity(quantity) >= least:
            return None
        brings = quote_received(least, bids=book.bids, fee_rate=fee_rate)
        if brings > need.room:
            return StepTooCoarse(_shown(brings), shortfall=amount)
    return Wanted(base_quantity=least)


def _reason(  # noqa: PLR0911 - one return an obstacle
    obstacle: Obstacle,
    within: Within,
    *,
    holdings: Holdings,
    rules: PairRules,
    book: OrderBook,
) -> Reason:
    match obstacle:
        case TypeClosed(side):
            return PairClosed() if rules.allows(side) else SideClosed(side)
        case OneSidedBook(side):
            if not counterparts(book, side):
                return EmptyBook(side)
            return _none_near(side, within, nearest=None, offered=ZERO, rules=rules)
        case BeyondBound(bound):
            nearest = ceil_to_step(obstacle.nearest_bp / _BASIS_POINTS, step_of(6))
            return _none_near(bound.side, within, nearest=nearest, offered=ZERO, rules=rules)
        case ThinBook(bound, offered):
            near = _none_near(bound.side, within, nearest=ZERO, offered=offered, rules=rules)
            piece = EXACT_OR_LESS.multiply(rules.least_quantity, bound.price)
            return replace(near, minimum=max(near.minimum, piece))
        case TooSmall(side, amount, minimum):
            fraction = within.slippage.fraction
            least = least_wanted(side, rules=rules, book=book, slippage=fraction)
            return UnderMinimum(side, quote_amount=amount, minimum=max(minimum, least))
        case TooLittleFree(side, free):
            asset = rules.quote if side is Side.BUY else rules.base
            return NothingFree(side, free=free, locked=holdings.of(asset).locked)


def _shown(amount: Decimal) -> Decimal:
    return floor_to_step(amount, step_of(8))


def _none_near(
    side: Side, within: Within, *, nearest: Decimal | None, offered: Decimal, rules: PairRules
) -> NoOfferNear:
    return NoOfferNear(
        side=side,
        slippage=within.slippage.fraction,
        nearest=nearest,
        offered=_shown(offered),
        minimum=smallest_order(rules, OrderType.IOC),
        strict=within.slippage.strict,
    )
