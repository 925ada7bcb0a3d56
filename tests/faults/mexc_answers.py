"""What MEXC answers when all is well, one answer of each endpoint: to be mutated."""

from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import ClientOrderId
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_rows import candle_row, order_row, trade_rows

MNTL = Symbol("MNTLUSDT")
OUR_ID = ClientOrderId("bl-1")
KEY = "mx0vglCanaryKeyBWC5"


def real_answers() -> dict[str, object]:
    """One answer of each endpoint, as the fake MEXC gives them, by the name of the endpoint."""
    mexc = FakeMexc(FakeClock())
    account = mexc.add_account(KEY, "secret", USDT="57.10", MNTL="91858.5", BTC="0.00000001")
    order = mexc.ledger.place(
        account,
        {
            "symbol": MNTL,
            "side": "BUY",
            "type": "MARKET",
            "quoteOrderQty": "17.1",
            "newClientOrderId": OUR_ID,
        },
    )
    return {
        "time": {"serverTime": 1_795_000_000_000},
        "exchangeInfo": mexc._exchange_info(account, {"symbol": MNTL}),
        "depth": mexc._depth(account, {"symbol": MNTL, "limit": "3"}),
        "price": mexc._ticker_price(account, {"symbol": MNTL}),
        "tickers": mexc._book_ticker(account, {}),
        "candles": [candle_row(mexc.ledger.pairs[MNTL], 1_794_996_000_000)],
        "account": mexc._account(account, {}),
        "key": mexc._key_info(account, {"accessKey": KEY}),
        "order": order_row(order),
        "history": [order_row(order)],
        "open orders": [order_row(order)],
        "trades": trade_rows(order),
        "placed": {name: order_row(order)[name] for name in ("symbol", "orderId", "price")},
    }
