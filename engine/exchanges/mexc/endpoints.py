"""MEXC's endpoints: the weight, priority and limits of each request (as of 2026)."""

from dataclasses import dataclass

from engine.exchanges.rate_limiter import Priority, RequestKind


@dataclass(frozen=True, slots=True)
class Endpoint:
    """*weight* is what a request costs of the address's budget; *kind* is its other limit."""

    method: str
    path: str
    weight: int
    priority: Priority
    kind: RequestKind = RequestKind.PLAIN


# Nothing signed leaves without the time: what an order needs goes before everything else.
TIME = Endpoint("GET", "/api/v3/time", 1, Priority.ORDER)
EXCHANGE_INFO = Endpoint("GET", "/api/v3/exchangeInfo", 25, Priority.MARKET, RequestKind.LISTING)
DEPTH = Endpoint("GET", "/api/v3/depth", 3, Priority.MARKET)
# Of all pairs, in one answer.
BOOK_TICKERS = Endpoint("GET", "/api/v3/ticker/bookTicker", 10, Priority.MARKET)
TICKER_PRICE = Endpoint("GET", "/api/v3/ticker/price", 10, Priority.MARKET)
# Nobody waits for it: it takes its turn among the checks.
KLINES = Endpoint("GET", "/api/v3/klines", 1, Priority.CHECK)
ACCOUNT = Endpoint("GET", "/api/v3/account", 10, Priority.CHECK, RequestKind.ACCOUNT)
API_KEY_INFO = Endpoint("GET", "/api/v3/apiKeyInfo", 1, Priority.CHECK)
UID = Endpoint("GET", "/api/v3/uid", 1, Priority.CHECK)
# Of the account's stream. An hour is time enough to extend one, but not once that is nearly over.
_LISTEN_KEYS = "/api/v3/userDataStream"
NEW_LISTEN_KEY = Endpoint("POST", _LISTEN_KEYS, 1, Priority.KEEPING)
EXTEND_LISTEN_KEY = Endpoint("PUT", _LISTEN_KEYS, 1, Priority.KEEPING)
EXTEND_LISTEN_KEY_NOW = Endpoint("PUT", _LISTEN_KEYS, 1, Priority.LOOK_UP)
LISTEN_KEYS = Endpoint("GET", _LISTEN_KEYS, 1, Priority.KEEPING)
DELETE_LISTEN_KEY = Endpoint("DELETE", _LISTEN_KEYS, 1, Priority.KEEPING)
ORDER = Endpoint("GET", "/api/v3/order", 2, Priority.LOOK_UP)
OPEN_ORDERS = Endpoint("GET", "/api/v3/openOrders", 3, Priority.LOOK_UP)
ALL_ORDERS = Endpoint("GET", "/api/v3/allOrders", 10, Priority.LOOK_UP)
MY_TRADES = Endpoint("GET", "/api/v3/myTrades", 10, Priority.LOOK_UP)
TEST_ORDER = Endpoint("POST", "/api/v3/order/test", 1, Priority.CHECK, RequestKind.ORDER)
NEW_ORDER = Endpoint("POST", "/api/v3/order", 1, Priority.ORDER, RequestKind.ORDER)
CANCEL_ORDER = Endpoint("DELETE", "/api/v3/order", 1, Priority.ORDER, RequestKind.ORDER)
