"""`replay`: plans an order again from its stored inputs, and compares."""

from collections.abc import Iterable
from decimal import Decimal

from bot.config.settings import ProcessSettings
from bot.operations.database_access import beside_others
from bot.views.components.no_trade_reasons import reason_text
from engine.clock import Clock
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId, Order
from engine.domain.rebalancing.decision import PLANNER_VERSION
from engine.domain.rebalancing.leg_order import LEG_PLANNER_VERSION, ReplayedLeg
from engine.domain.rebalancing.planner import MarketBuy, MarketSell, Plan
from engine.domain.rebalancing.replay import NotReplayed, Replayed, WhyNot
from engine.storage.serialization import to_short_json
from engine.storage.trading import orders

EXIT_SAME, EXIT_DIFFERENT, EXIT_NOT_REPLAYED = 0, 1, 5


async def replay_order(settings: ProcessSettings, clock: Clock, order_id: str) -> tuple[int, str]:
    """Returns the exit code and the report. Changes nothing. Raises CannotStart."""
    async with beside_others(settings, clock=clock) as database, database.reading() as session:
        replay = await orders.replay(session, ClientOrderId(order_id))
    if replay is None:
        return EXIT_NOT_REPLAYED, f"There is no order {order_id}.\n"
    head = f"Order {order_id}, planned {replay.order.created_at:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(replay, NotReplayed):
        return EXIT_NOT_REPLAYED, f"{head}\nIt cannot be planned again: {_why_not(replay)}\n"
    code = EXIT_SAME if replay.is_same else EXIT_DIFFERENT
    return code, "".join(f"{line}\n" for line in (head, *_compared(replay)))


def _compared(replay: Replayed | ReplayedLeg) -> Iterable[str]:
    yield f"inputs  {to_short_json(replay.inputs)}"
    yield f"stored  {_stored(replay.order)}"
    yield f"planned {_planned(replay.plan, replay.order)}"
    if replay.is_same:
        version = LEG_PLANNER_VERSION if isinstance(replay, ReplayedLeg) else PLANNER_VERSION
        yield f"The same order, by version {version} of the planner."
    else:
        yield "ANOTHER ORDER: the planner has changed, or the stored inputs have."


def _stored(order: Order) -> str:
    return _sized(order.side, order.asked_base, order.expected_quote)


def _planned(plan: Plan, order: Order) -> str:
    if plan.reason is not None:
        return f"none. {reason_text(plan.reason, symbol=order.symbol, held=plan.held)}"
    match plan.order:
        case MarketSell() | BoundedOrder():
            return _sized(plan.order.side, plan.order.base_quantity, plan.order.expected_quote)
        case MarketBuy():
            return _sized(Side.BUY, None, plan.order.quote_amount)
        case None:
            return "none."


def _sized(side: Side, base_quantity: Decimal | None, expected_quote: Decimal) -> str:
    """A buy names its USDT, a sell its tokens and what they should bring."""
    if base_quantity is None:
        return f"{side.value} for {plain(expected_quote)} USDT"
    return f"{side.value} {plain(base_quantity)} tokens for about {plain(expected_quote)} USDT"


def _why_not(replay: NotReplayed) -> str:
    match replay.why:
        case WhyNot.NOT_STORED:
            return "a version without replays sent it, and stored no inputs."
        case WhyNot.OTHER_PLANNER:
            return (
                f"version {replay.planner} of the planner made it, this program has version "
                f"{PLANNER_VERSION}."
            )
        case WhyNot.UNREADABLE:
            return "its stored inputs are damaged."
