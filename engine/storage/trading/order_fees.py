"""The fees and fills of an order as they are stored: JSON, of the fills a row a trade."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.clock import from_millis, to_millis
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import Fees, Fill


def _fills_to_json(fills: Sequence[Fill]) -> str:
    rows = [
        [
            fill.trade_id,
            to_millis(fill.at),
            *map(plain, (fill.price, fill.quantity, fill.fee)),
            fill.fee_asset,
            int(fill.is_maker),
        ]
        for fill in fills
    ]
    return json.dumps(rows, separators=(",", ":"))


def fills_from_json(text: str) -> Sequence[Fill]:
    """Returns the fills of the row's column."""
    return [
        Fill(
            trade_id=trade_id,
            at=from_millis(at),
            price=decimal_from_text(price),
            quantity=decimal_from_text(quantity),
            fee=decimal_from_text(fee),
            fee_asset=Asset(asset),
            is_maker=bool(is_maker),
        )
        for trade_id, at, price, quantity, fee, asset, is_maker in json.loads(text)
    ]


def fee_columns(fees: Fees | None) -> Mapping[str, Any]:
    """The fills stay as they are stored where none were read."""
    columns = {
        "fees": None if fees is None else _fees_to_json(fees),
        "fees_complete": fees is None or fees.complete,
    }
    if fees is None or not fees.fills:
        return columns
    return columns | {"fills": _fills_to_json(fees.fills)}


def _fees_to_json(fees: Fees) -> str:
    return json.dumps({asset: plain(amount) for asset, amount in fees.by_asset.items()})


def fees_from_json(text: str, *, complete: bool) -> Fees:
    by_asset: dict[Asset, Decimal] = {
        Asset(asset): decimal_from_text(amount) for asset, amount in json.loads(text).items()
    }
    return Fees(by_asset, complete=complete)
