"""Converts MEXC's JSON into domain values; no other module reads its fields.

Field names are MEXC's own, `cummulativeQuoteQty` included.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import lcm

from engine.clock import from_millis
from engine.domain.market.candles import HOUR, HourlyClose
from engine.domain.market.decimals import ZERO, step_of
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import Asset, PairRules, Side, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import ClientOrderId, Execution, Fill
from engine.errors import BadData, OrderNotFound, PairUnavailable
from engine.exchanges.interface import KeyPermissions, OpenOrder, OrderReport
from engine.exchanges.mexc.error_codes import UNREADABLE
from engine.exchanges.mexc.json_fields import (
    Record,
    amount,
    amount_from,
    code,
    flag,
    integer,
    record,
    rows,
    text,
    words,
)

_MOST_DECIMALS = 18
_LARGEST_STEP = Decimal(10) ** 9
_EARLIEST_MS = 1_600_000_000_000
_LATEST_MS = 4_100_000_000_000
_SUCCESS_CODES = frozenset({0, 200})
_FINAL = frozenset({"FILLED", "CANCELED", "PARTIALLY_CANCELED"})
_OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
_ONLINE = frozenset({"1", "ENABLED"})
_BOTH_SIDES, _BUY_ONLY, _SELL_ONLY = "1", "2", "3"
_LONGEST_MESSAGE = 200
_LONGEST_STATUS = 40
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_ACCOUNT_NUMBER = re.compile(r"(?=[0-9]*[1-9])[0-9]{5,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error in MEXC's own words."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class KeyReport(KeyPermissions):
    """A key as `apiKeyInfo` shows it; *status* is VALID unless something is wrong with it."""

    status: str


def complaint(answer: object) -> Complaint | None:
    """The error an answer carries, whatever its HTTP status: some errors come with a 200."""
    if not isinstance(answer, dict):
        return None
    stated = answer.get("code")
    if stated is None or (number := _error_code(stated)) in _SUCCESS_CODES:
        return None
    return Complaint(code=number, message=words(answer.get("msg"), most=_LONGEST_MESSAGE))


def _error_code(stated: object) -> int:
    """A number in most answers, a text in some."""
    text_of = code(stated).strip()
    if isinstance(stated, bool) or not _WHOLE_NUMBER.fullmatch(text_of):
        return UNREADABLE
    return int(text_of)


def server_time(answer: object) -> datetime:
    millis = integer(
        record(answer, what="time"), "serverTime", least=_EARLIEST_MS, most=_LATEST_MS
    )
    return from_millis(millis)


def pair_rules(answer: object, *, symbol: Symbol) -> PairRules:
    """Raises PairUnavailable where the exchange does not list *symbol* (for this key)."""
    listed = rows(record(answer, what="exchangeInfo").get("symbols"), what="symbols")
    for row in listed:
        pair = record(row, what="a symbol")
        if pair.get("symbol") == symbol:
            try:
                return _rules(pair, symbol)
            except ValueError as e:
                raise BadData(f"rules of {symbol}: {e}") from e
    raise PairUnavailable(code=-1121, message=f"{symbol} is not listed")


def _rules(pair: Record, symbol: Symbol) -> PairRules:
    base_decimals = integer(pair, "baseAssetPrecision", least=0, most=_MOST_DECIMALS)
    price_step = step_of(integer(pair, "quotePrecision", least=0, most=_MOST_DECIMALS))
    base_size = amount(pair, "baseSizePrecision")
    # Docs say one side may be closed as text, the wire says it as a number.
    sides = code(pair.get("tradeSideType", _BOTH_SIDES))
    if pair.get("status") is None:
        raise BadData(f"{symbol} has no status")
    base, quote = text(pair, "baseAsset"), text(pair, "quoteAsset")
    if base + quote != symbol:  # counted in another asset, an account would seem empty
        raise BadData(f"{symbol} is not a pair of {base[:20]} and {quote[:20]}")
    order_types = rows(pair.get("orderTypes"), what="orderTypes")
    maker = "makerCommission"
    return PairRules(
        symbol=symbol,
        base=Asset(base),
        quote=Asset(quote),
        quantity_step=_common_step(step_of(base_decimals), base_size),
        min_quantity=base_size,
        quote_step=price_step,
        price_step=price_step,
        min_notional=_first(pair, "quoteAmountPrecisionMarket", "quoteAmountPrecision"),
        max_notional=_first(pair, "maxQuoteAmountMarket", "maxQuoteAmount"),
        taker_fee_rate=amount(pair, "takerCommission"),
        online=code(pair.get("status")) in _ONLINE,
        api_allowed=flag(pair, "isSpotTradingAllowed"),
        market_orders="MARKET" in order_types,
        limit_orders="LIMIT" in order_types,
        maker_orders="LIMIT_MAKER" in order_types,
        limit_min_notional=_first(pair, "quoteAmountPrecision", "quoteAmountPrecisionMarket"),
        limit_max_notional=_first(pair, "maxQuoteAmount", "maxQuoteAmountMarket"),
        maker_fee_rate=amount(pair, maker if pair.get(maker) is not None else "takerCommission"),
        buying=sides in (_BOTH_SIDES, _BUY_ONLY),
        selling=sides in (_BOTH_SIDES, _SELL_ONLY),
    )


def _common_step(step: Decimal, base_size: Decimal) -> Decimal:
    """Returns a multiple of both steps.
    Some clients found baseSizePrecision to be a step, others a minimum; quantities that satisfy
    both readings are always accepted.
    """
    if base_size == ZERO:
        return step
    if base_size < _LARGEST_STEP:
        for decimals in range(_MOST_DECIMALS + 1):
            scale = Decimal(10) ** decimals
            if not (step * scale) % 1 and not (base_size * scale) % 1:
                return lcm(int(step * scale), int(base_size * scale)) / scale
    raise BadData(f"a step of {base_size} makes no sense")


def _first(pair: Record, *names: str) -> Decimal:
    """The first of *names* that says anything; the market order's own limit comes first."""
    stated = [amount(pair, name) for name in names if pair.get(name) is not None]
    if not stated:
        raise BadData(f"{names[-1]} is missing")
    return next((value for value in stated if value > ZERO), ZERO)


def order_book(answer: object, *, symbol: Symbol, read_at: datetime) -> OrderBook:
    sides = record(answer, what="depth")
    bids, asks = _levels(sides, "bids"), _levels(sides, "asks")
    try:
        return OrderBook(symbol, bids, asks, read_at, update_id=_update_id(sides))
    except ValueError as e:
        raise BadData(str(e)) from e


def _update_id(sides: Record) -> int | None:
    """None where it is missing, or no number: a book can be traded on without it."""
    stated = sides.get("lastUpdateId")
    return stated if isinstance(stated, int) and not isinstance(stated, bool) else None


def _levels(sides: Record, name: str) -> tuple[PriceLevel, ...]:
    levels = []
    for row in rows(sides.get(name), what=name):
        match row:
            case [stated_price, stated_quantity, *_]:
                price = amount_from(stated_price, what=f"price in {name}")
                quantity = amount_from(stated_quantity, what=f"quantity in {name}")
            case _:
                raise BadData(f"a level of {name} is not a price and a quantity")
        if price == ZERO:
            raise BadData(f"a price of zero in {name}")
        if quantity > ZERO:  # an emptied level may still be listed
            levels.append(PriceLevel(price, quantity))
    return tuple(levels)


def last_price(answer: object, *, symbol: Symbol) -> Decimal:
    ticker = record(answer, what="ticker")
    price = amount(ticker, "price")
    if text(ticker, "symbol") != symbol or price == ZERO:
        raise BadData(f"not a price of {symbol}")
    return price


def book_tickers(answer: object) -> Mapping[str, Record]:
    """Returns the row of every pair, unread: of thousands a few are asked for. What is odd in one
    stops nobody else, and a pair that is listed twice has no row.
    """
    listed: dict[str, Record] = {}
    doubled = set()
    for row in rows(answer, what="tickers"):
        symbol = row.get("symbol") if isinstance(row, dict) else None
        if isinstance(symbol, str) and isinstance(row, dict):
            doubled.update({symbol} & listed.keys())
            listed[symbol] = row
    return {symbol: row for symbol, row in listed.items() if symbol not in doubled}


def quote(ticker: Record) -> Quote | None:
    """Returns the best prices of a pair, None where they are not plain, on both sides."""
    try:
        record(ticker, what="ticker")
        # A side that was emptied may still have a price.
        quantities = [ticker.get(name) for name in ("bidQty", "askQty")]
        if ZERO in [amount_from(stated, what="quantity") for stated in quantities if stated]:
            return None
        return Quote(bid=amount(ticker, "bidPrice"), ask=amount(ticker, "askPrice"))
    except (BadData, ValueError):
        return None


def hourly_closes(answer: object, *, since: datetime, until: datetime) -> Sequence[HourlyClose]:
    """Returns the closes between, oldest first; the candle that is still open is left out."""
    found = [_hourly_close(row) for row in rows(answer, what="candles")]
    times = [candle.at for candle in found]
    if times != sorted(set(times)):
        raise BadData("the candles are not in the order of their hours")
    return [candle for candle in found if since < candle.at <= until]


def _hourly_close(row: object) -> HourlyClose:
    match row:
        case [opened, _, _, _, close, *_]:
            of = {"time": opened}
        case _:
            raise BadData("a candle is not a time and its prices")
    at = from_millis(integer(of, "time", least=_EARLIEST_MS, most=_LATEST_MS)) + HOUR
    try:
        return HourlyClose(at, amount_from(close, what="close of a candle"))
    except ValueError as e:
        raise BadData(str(e)) from e


def placed_order_id(answer: object) -> str:
    """MEXC answers a POST with neither fills nor status: nothing but the id is worth reading."""
    return _order_id(record(answer, what="placed order"))


def _order_id(of: Record) -> str:
    """A text on the wire, a number in the documentation."""
    stated = of.get("orderId")
    return text({"orderId": str(stated) if type(stated) is int else stated}, "orderId")


def order_report(answer: object, *, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
    order = record(answer, what="order")
    if text(order, "symbol") != symbol or order.get("clientOrderId") not in (
        None,  # what MEXC shows for an order without one, and maybe for other orders
        client_order_id,
    ):
        raise BadData("the answer is about another order")
    status = code(order.get("status")) or text(order, "status")
    spent = "cummulativeQuoteQty" if "cummulativeQuoteQty" in order else "cumulativeQuoteQty"
    execution = Execution(amount(order, "executedQty"), amount(order, spent))
    if bool(execution.base_quantity) != bool(execution.quote_amount):
        raise BadData("an execution with only one side")
    if status == "FILLED" and not execution.base_quantity:
        raise BadData("filled with nothing")
    asked = amount(order, "origQty") if "origQty" in order else ZERO
    is_known = status in _FINAL or status in _OPEN
    # Seen live: "FILLED" at 96.5 % of the quantity.
    is_whole = execution.base_quantity >= asked
    return OrderReport(
        exchange_order_id=_order_id(order),
        execution=execution,
        is_final=status in _FINAL,
        complete=is_whole if status == "FILLED" else not is_known and is_whole and asked > ZERO,
        unknown_status="" if is_known else words(status, most=_LONGEST_STATUS),
    )


def open_orders(answer: object, *, symbol: Symbol) -> list[OpenOrder]:
    """Raises BadData where one row cannot be read: it may be an order of ours."""
    listed = [record(row, what="an order") for row in rows(answer, what="orders")]
    return [_open_order(order) for order in listed if text(order, "symbol") == symbol]


def _open_order(order: Record) -> OpenOrder:
    client_id = order.get("clientOrderId")
    try:
        side = Side(text(order, "side"))
    except ValueError as e:
        raise BadData("an order on neither side") from e
    return OpenOrder(
        exchange_order_id=_order_id(order),
        client_order_id=ClientOrderId(text(order, "clientOrderId")) if client_id else None,
        side=side,
        price=amount(order, "price"),
        base_quantity=amount(order, "origQty"),
        executed=amount(order, "executedQty"),
    )


def order_among(
    answer: object, *, symbol: Symbol, client_order_id: ClientOrderId, page: int
) -> OrderReport:
    """Returns the order from a list of at most *page*.
    Raises OrderNotFound only if every order of a complete list has another id: MEXC shows null for
    some, and such an order may be the one.
    """
    listed = [record(row, what="an order") for row in rows(answer, what="orders")]
    for order in listed:
        if order.get("clientOrderId") == client_order_id:
            return order_report(order, symbol=symbol, client_order_id=client_order_id)
    if len(listed) >= page:
        raise BadData("the list of orders is cut off")
    for order in listed:
        text(order, "clientOrderId")
    raise OrderNotFound("not in the history")


def fills(answer: object, *, exchange_order_id: str) -> list[Fill]:
    """The fills of that order among the trades of one page."""
    trades = [record(row, what="a trade") for row in rows(answer, what="trades")]
    return [_fill(trade) for trade in trades if _order_id(trade) == exchange_order_id]


def _fill(trade: Record) -> Fill:
    at = integer(trade, "time", least=_EARLIEST_MS, most=_LATEST_MS)
    return Fill(
        trade_id=text(trade, "id"),
        at=from_millis(at),
        price=amount(trade, "price"),
        quantity=amount(trade, "qty"),
        fee=amount(trade, "commission"),
        fee_asset=Asset(text(trade, "commissionAsset")),
        is_maker=trade.get("isMaker") is True,
    )


def key_report(answer: object) -> KeyReport:
    key = record(answer, what="apiKeyInfo")
    days_left = key.get("remainingValidity")
    if days_left is not None:
        days_left = integer(key, "remainingValidity", least=-1, most=100_000)
    return KeyReport(
        permissions=frozenset(_comma_separated(key, "permissions")),
        days_left=days_left if days_left is None or days_left >= 0 else None,
        addresses=tuple(_comma_separated(key, "ipWhiteList") if key.get("ipWhiteList") else ()),
        status=text(key, "status"),
    )


def account_number(answer: object) -> str:
    """Returns the number in `{"uid": "209302839"}`, as text or a number.
    Raises BadData otherwise: "0" or "null" could match every account.
    """
    number = code(record(answer, what="uid").get("uid")).strip(" ")
    if not _ACCOUNT_NUMBER.fullmatch(number):
        raise BadData("uid is not the number of an account")
    return number


def _comma_separated(of: Record, name: str) -> list[str]:
    return [part.strip() for part in text(of, name).split(",") if part.strip()]
