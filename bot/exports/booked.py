"""A trade or a flow as programs for taxes book it: what was sent, what was received, and fees."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.orders.order import Order

Amount = tuple[Decimal, Asset]


class Kind(Enum):
    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """*sent* and *received* are what the balances changed by: they hold the fees in their own
    assets, *included*. The fees *apart* were paid in others.
    """

    kind: Kind
    at: datetime
    what: str
    sent: Amount | None = None
    received: Amount | None = None
    included: Sequence[Amount] = ()
    apart: Sequence[Amount] = ()
    order_id: str = ""


def booked(event: Order | Flow) -> Iterable[Booked]:
    if isinstance(event, Order):
        yield _trade(event)
    elif event.is_by_hand:
        amounts = [(change.change, change.asset) for change in event.changes]
        [sent] = [(-amount, asset) for amount, asset in amounts if amount < ZERO]
        [received] = [(amount, asset) for amount, asset in amounts if amount > ZERO]
        what = "Exchanged at MEXC without an order of Ballast"
        yield Booked(kind=Kind.BY_HAND, at=event.at, what=what, sent=sent, received=received)
    else:
        for change in event.changes:
            yield _moved(event.at, change.change, change.asset)


def _moved(at: datetime, amount: Decimal, asset: Asset) -> Booked:
    if amount > ZERO:
        what = f"{asset} came in at MEXC"
        return Booked(kind=Kind.DEPOSIT, at=at, what=what, received=(amount, asset))
    what = f"{asset} went out at MEXC"
    return Booked(kind=Kind.WITHDRAWAL, at=at, what=what, sent=(-amount, asset))


def _trade(trade: Order) -> Booked:
    execution, base = trade.execution, base_of(trade.symbol)
    amounts = {USDT: execution.quote_amount, base: execution.base_quantity}
    sent, received = (USDT, base) if trade.side is Side.BUY else (base, USDT)
    fees = sorted(trade.fees.by_asset.items()) if trade.fees else []
    for asset, fee in fees:
        if asset in amounts:
            amounts[asset] += fee if asset == sent else -fee
    verb = "Bought" if trade.side is Side.BUY else "Sold"
    return Booked(
        kind=Kind.TRADE,
        at=trade.resolved_at or trade.created_at,
        what=f"{verb} {base} at MEXC{_known_fees(trade)}",
        sent=(amounts[sent], sent),
        received=(amounts[received], received),
        included=[(fee, asset) for asset, fee in fees if fee and asset in amounts],
        apart=[(fee, asset) for asset, fee in fees if fee and asset not in amounts],
        order_id=trade.exchange_order_id or trade.client_order_id,
    )


def _known_fees(trade: Order) -> str:
    if trade.fees is None:
        return ", fee not known"
    return "" if trade.fees.complete else ", fee known in part"
