"""Events of the ledger of value, for tests."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import Change, Trade
from tests.builders import MNTLUSDT, Amount


def bought(at: datetime, quantity: Amount, quote: Amount, **facts: Any) -> Trade:
    """*before* is USDT and tokens; *fee* is in USDT, *fees* by asset instead."""
    return _trade(Side.BUY, at, quantity, quote, **facts)


def sold(at: datetime, quantity: Amount, quote: Amount, **facts: Any) -> Trade:
    return _trade(Side.SELL, at, quantity, quote, **facts)


def _trade(
    side: Side,
    at: datetime,
    quantity: Amount,
    quote: Amount,
    *,
    before: tuple[Amount, Amount],
    fee: Amount = 0,
    fees: dict[str, Amount] | None = None,
    fees_complete: bool = True,
    price: Amount | None = None,
    symbol: Any = MNTLUSDT,
) -> Trade:
    by_asset = {USDT: fee} if fees is None else fees
    return Trade(
        ClientOrderId(f"bl{at.timestamp():.0f}"),
        at,
        symbol,
        side,
        Decimal(quantity),
        Decimal(quote),
        None if price is None else Decimal(price),
        {Asset(asset): Decimal(amount) for asset, amount in by_asset.items() if Decimal(amount)},
        fees_complete,
        Decimal(before[0]),
        Decimal(before[1]),
    )


def moved(
    at: datetime, asset: Asset, before: Amount, after: Amount, price: Amount | None = None
) -> Change:
    known = None if price is None else Decimal(price)
    return Change(at, asset, Decimal(before), Decimal(after), known)
