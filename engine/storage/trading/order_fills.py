"""The fills of an order as JSON, a row a trade."""

import json
from collections.abc import Sequence

from engine.clock import from_millis, to_millis
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import Fill


def fills_to_json(fills: Sequence[Fill]) -> str:
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
