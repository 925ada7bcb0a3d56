"""How the fake MEXC's books look on the wire: captured answers with other numbers in them."""

from typing import Any

from engine.clock import to_millis
from tests.fakes.mexc_books import Levels, Pair
from tests.fakes.mexc_ledger import Ledger, LedgerOrder


def level_rows(levels: Levels) -> list[list[str]]:
    return [[f"{price:f}", f"{quantity:f}"] for price, quantity in levels]


def ticker_row(ledger: Ledger, pair: Pair) -> dict[str, Any]:
    (bid, bids), (ask, asks) = (
        [*level_rows(ledger.levels(pair, side)[:1]), ["", ""]][0] for side in ("BUY", "SELL")
    )
    names = {"bidPrice": bid, "bidQty": bids, "askPrice": ask, "askQty": asks}
    return {"symbol": pair.symbol} | names


def candle_row(pair: Pair, opened_ms: int) -> list[Any]:
    """An hour in which the price went nowhere, or to the pair's own *closes*."""
    price = f"{pair.closes.get(opened_ms, pair.last):f}"
    return [opened_ms, price, price, price, price, "1000", opened_ms + 3_600_000, "2"]


def pair_row(pair: Pair) -> dict[str, Any]:
    most = f"{pair.max_notional:f}"
    return {
        "symbol": pair.symbol,
        "status": pair.status,
        "fullName": pair.base,
        "baseAsset": pair.base,
        "baseAssetPrecision": pair.base_precision,
        "quoteAsset": pair.quote,
        "quotePrecision": pair.quote_precision,
        "quoteAssetPrecision": pair.quote_precision,
        "baseCommissionPrecision": 2,
        "quoteCommissionPrecision": 5,
        "orderTypes": list(pair.order_types),
        "isSpotTradingAllowed": pair.api_allowed,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": f"{pair.limit_min_notional:f}",
        "baseSizePrecision": pair.base_size,
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": f"{pair.limit_max_notional:f}",
        "makerCommission": f"{pair.maker_fee:f}",
        "takerCommission": f"{pair.taker_fee:f}",
        "quoteAmountPrecisionMarket": f"{pair.min_notional:f}",
        "maxQuoteAmountMarket": most,
        "tradeSideType": pair.side_type,
        "st": False,
    }


def order_row(order: LedgerOrder) -> dict[str, Any]:
    at, updated = (
        to_millis(moment) // 1000 * 1000  # whole seconds, as MEXC has it
        for moment in (order.at, order.updated_at or order.at)
    )
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": f"{order.price:f}",
        "origQty": f"{order.orig_quantity:f}",
        "executedQty": f"{order.executed:f}",
        "cummulativeQuoteQty": f"{order.spent:f}",
        "status": order.status,
        "timeInForce": None,
        "type": order.kind,
        "side": order.side,
        "stopPrice": None,
        "icebergQty": None,
        "time": at,
        "updateTime": updated,
        "isWorking": True,
        "origQuoteOrderQty": f"{order.orig_quote:f}",
    }


def trade_rows(order: LedgerOrder) -> list[dict[str, Any]]:
    return [
        {
            "symbol": order.symbol,
            "id": f"{order.order_id[5:]}X{number}",
            "orderId": order.order_id,
            "orderListId": -1,
            "price": f"{fill.price:f}",
            "qty": f"{fill.quantity:f}",
            "quoteQty": f"{fill.price * fill.quantity:f}",
            "commission": f"{fill.fee:f}",
            "commissionAsset": "USDT",
            "time": to_millis(fill.at) + number,
            "isBuyer": order.side == "BUY",
            "isMaker": fill.is_maker,
            "isBestMatch": True,
            "isSelfTrade": False,
            "clientOrderId": order.client_order_id,
        }
        for number, fill in enumerate(order.fills)
    ]
