"""Creates the order to store from a decision."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import floor_to_step, step_of
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Side, base_of
from engine.domain.orders.ledger import TopOfBook
from engine.domain.orders.order import Order, PricedTerms, Trigger, client_order_id
from engine.domain.rebalancing.check_input import SliceDue
from engine.domain.rebalancing.decision import DecisionInputs
from engine.domain.rebalancing.limit_checks import price_move_bp, usual_price
from engine.domain.rebalancing.planner import MarketBuy, ProposedOrder
from engine.domain.rebalancing.run_request import RunRequest

# Finer than any price's grid.
_AVERAGE_STEP = step_of(18)
_BP_STEP = step_of(4)
_EPOCH = datetime.fromtimestamp(0, UTC)


def create_order(
    account: Account,
    order: ProposedOrder,
    *,
    run_id: str,
    inputs: DecisionInputs,
    fence: int,
    trigger: Trigger,
    attempt: int,
    now: datetime,
    target: Decimal | None = None,
    due: SliceDue | None = None,
) -> Order:
    """Returns a new order; *run_id* names the decision: stored twice, it collides. *target* is the
    one that is set with it, else the account's, or where that is no amount the USDT of before. *due*
    is the slice that the order is.

    Raises ValueError for an order that only a user may request.
    """
    if trigger is Trigger.INTERVAL and account.settings.autonomy is not TradingMode.AUTO:
        raise ValueError(f"account {account.id} trades only if a person says so")
    if target is None:
        fixed, held = account.settings.fixed, inputs.holdings.of(USDT).total
        target = held if fixed is None else fixed.target
    return Order(
        client_order_id=client_order_id(account_uuid=account.uuid, run_id=run_id, attempt=attempt),
        account_id=account.id,
        run_id=run_id,
        attempt=attempt,
        dry_run=account.settings.dry_run,
        trigger=trigger,
        fence=fence,
        target=target,
        created_at=now,
        top=top_of(order, inputs.book),
        slice_number=due.number if due else None,
        slices=due.slices if due else None,
        account_version=account.version,
        **terms_of(order, inputs),
    )


def top_of(order: ProposedOrder, book: OrderBook) -> TopOfBook:
    return TopOfBook.of(
        book, depth=order.arrival.depth if isinstance(order, BoundedOrder) else None
    )


def terms_of(order: ProposedOrder, inputs: DecisionInputs) -> Mapping[str, Any]:
    """Returns the fields of a stored order that follow from its decision alone."""
    return terms_in(inputs.book, order, holdings=inputs.holdings, seen=inputs.recent.price)


def terms_in(
    book: OrderBook, order: ProposedOrder, *, holdings: Holdings, seen: Decimal | None
) -> Mapping[str, Any]:
    """As `terms_of`, of an order in the pair of *book*, whose price was *seen* before."""
    symbol = book.symbol
    is_buy = order.side is Side.BUY
    return {
        "symbol": symbol,
        "side": order.side,
        "quote_amount": order.expected_quote if is_buy else None,
        "base_quantity": None if isinstance(order, MarketBuy) or is_buy else order.base_quantity,
        "expected_quote": order.expected_quote,
        "priced": _priced(order),
        "quote_before": holdings.of(USDT).total,
        "base_before": holdings.of(base_of(symbol)).total,
        "price": usual_price(book, order.side),
        "move_bp": price_move_bp(order, book=book, seen=seen),
    }


def _priced(order: ProposedOrder) -> PricedTerms | None:
    if not isinstance(order, BoundedOrder):
        return None
    return PricedTerms(
        order_type=order.order_type,
        price=order.price,
        base_quantity=order.base_quantity,
        average=floor_to_step(order.expected.average, _AVERAGE_STEP),
        widened=order.widened,
        guard=order.slippage,
        cost_bp=order.cost_bp.quantize(_BP_STEP),
    )


def run_id(request: RunRequest | None, *, fence: int, now: datetime) -> str:
    """The tap that asked for the run, so that one tap is one order; else its own moment."""
    if request is not None:
        return request.confirmation_id
    return f"{fence}-{(now - _EPOCH) // timedelta(milliseconds=1)}"
