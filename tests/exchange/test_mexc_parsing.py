"""MEXC's JSON into values: what was captured live is read, everything odd is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.clock import from_millis, to_millis
from engine.domain.market.candles import HOUR, HourlyClose
from engine.domain.market.order_book import PriceLevel
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Side, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import ClientOrderId, Execution, Fees, fees_of
from engine.errors import BadData, OrderNotFound, PairUnavailable
from engine.exchanges.mexc import parsing
from engine.exchanges.mexc.error_codes import UNREADABLE, error_for
from engine.exchanges.mexc.json_fields import (
    amount,
    flag,
    integer,
    parsed,
    record,
    rows,
    text,
    words,
)
from tests.fakes.clock import START

BROCK = Symbol("BROCKUSDT")
KAS = Symbol("KASUSDT")
OUR_ID = ClientOrderId("bl-1")
# Captured live, 2025-01.
BROCK_ROW = """{"symbol":"BROCKUSDT","status":"1","baseAsset":"BROCK","baseAssetPrecision":2,
"quoteAsset":"USDT","quotePrecision":5,"quoteAssetPrecision":5,"baseCommissionPrecision":2,
"quoteCommissionPrecision":5,"orderTypes":["LIMIT","MARKET","LIMIT_MAKER"],
"isSpotTradingAllowed":true,"isMarginTradingAllowed":false,"quoteAmountPrecision":"1",
"baseSizePrecision":"0","permissions":["SPOT"],"filters":[],"maxQuoteAmount":"2000000",
"makerCommission":"0.0005","takerCommission":"0.0005","quoteAmountPrecisionMarket":"1",
"maxQuoteAmountMarket":"100000","fullName":"Bitrock","tradeSideType":1}"""
# Captured live, 2024-06.
KAS_ORDER = """{"symbol":"KASUSDT","orderId":"C02__427495284067573760015","orderListId":-1,
"clientOrderId":null,"price":"0.183503","origQty":"32.69","executedQty":"32.69",
"cummulativeQuoteQty":"5.72522853","status":"FILLED","timeInForce":null,"type":"MARKET",
"side":"BUY","time":1717705054000}"""
BAD_AMOUNTS: list[object] = [
    *(None, True, [], {}, "", "abc", "NaN", "-1", "Infinity", "1_000", "１２.５", " 1", "0x10"),
    *("1" * 5000, "1e25", "1e-50", "1" + "0" * 24, -1, 10**19 * 10**6, Decimal("1E+30")),
]

ODD_CODES: list[object] = ["x", "", "１２", True, False, [], {}, Decimal("1.5"), "9" * 5000]


def rules(**changes: object) -> PairRules:
    row = json.loads(BROCK_ROW) | changes
    listed = {name: value for name, value in row.items() if value != "absent"}
    return parsing.pair_rules({"symbols": [listed]}, symbol=BROCK)


def order(**changes: object):
    row = json.loads(KAS_ORDER) | changes
    listed = {name: value for name, value in row.items() if value != "absent"}
    return parsing.order_report(listed, symbol=KAS, client_order_id=OUR_ID)


def book(**changes: object):
    sides = {"bids": [["0.0019", "5"]], "asks": [["0.0021", "7"]]} | changes
    return parsing.order_book(sides, symbol=KAS, read_at=START)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Access Denied</html>",
        b'{"price":"1"',
        b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe\xfd",
    ],
    ids=[
        *("empty", "html", "truncated", "nesting", "no-text"),
    ],
)
def test_what_is_no_usable_json_is_bad_data(body: bytes):
    with pytest.raises(BadData):
        parsed(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"symbol":"KASUSDT","price":"1","price":"2"}',
        b'{"symbol":"KASUSDT","price":"1","price":"1"}',
    ],
)
def test_an_object_that_states_a_field_twice_is_bad_data(body: bytes):
    with pytest.raises(BadData, match="price"):
        parsing.last_price(parsed(body), symbol=KAS)


TICKER = {"symbol": KAS, "bidPrice": "0.1", "bidQty": "5", "askPrice": "0.2", "askQty": "7"}


def test_the_best_prices_of_a_pair_are_read():
    tickers = parsing.book_tickers([TICKER, TICKER | {"symbol": "BTCUSDT"}])

    assert parsing.quote(tickers[KAS]) == Quote(bid=Decimal("0.1"), ask=Decimal("0.2"))


@pytest.mark.parametrize(
    "odd",
    [
        *({name: value} for name in ("bidPrice", "askPrice") for value in (*BAD_AMOUNTS, "0", 0)),
        *({name: value} for name in ("bidQty", "askQty") for value in ("0", "0.00", "x", -1)),
        {"bidPrice": "0.2"},
        {"bidPrice": "0.3"},
    ],
)
def test_a_pair_without_plain_prices_on_both_sides_has_none(odd: dict[str, object]):
    assert parsing.quote(TICKER | odd) is None


def test_what_is_odd_in_one_row_stops_nobody_else():
    doubled = TICKER | {"symbol": "TWICEUSDT"}
    answer: list[object] = [None, [], {}, {"symbol": 5}, doubled, TICKER, doubled]

    assert parsing.book_tickers(answer) == {KAS: TICKER}


def test_a_ticker_that_states_a_price_twice_has_none():
    [ticker] = parsing.book_tickers(
        parsed(b'[{"symbol":"KASUSDT","bidPrice":"0.1","bidPrice":"0.1","askPrice":"0.2"}]')
    ).values()

    assert parsing.quote(ticker) is None


def test_no_list_of_tickers_is_bad_data():
    with pytest.raises(BadData):
        parsing.book_tickers(TICKER)


@pytest.mark.parametrize(
    ("stated", "number"),
    [(700002, 700002), ("700002", 700002), (" -2013 ", -2013)]
    + [(odd, UNREADABLE) for odd in ODD_CODES],
    ids=range(12),
)
def test_a_code_is_read_as_a_number_or_as_a_text_and_never_overlooked(stated: object, number: int):
    found = parsing.complaint({"code": stated, "msg": "no", "balances": []})

    assert found == parsing.Complaint(code=number, message="no")


@pytest.mark.parametrize("answer", [{}, {"code": None}, {"code": 0}, {"code": "200"}, [], "no"])
def test_what_carries_no_error_is_no_complaint(answer: object):
    assert parsing.complaint(answer) is None


def test_an_error_without_a_readable_code_is_bad_data():
    assert isinstance(error_for(UNREADABLE, "no"), BadData)


@pytest.mark.parametrize(
    "stated",
    ["NaN", "Infinity", "-Infinity", "1e999999", "1." + "1" * 50, "1" * 5000, "-" + "1" * 20],
    ids=["NaN", "Infinity", "minus-Infinity", "exponent", "endless-fraction", "digits", "minus"],
)
def test_a_number_that_is_none_is_refused_by_whoever_reads_it(stated: str):
    answer = parsed(f'{{"code":{stated},"symbol":{stated},"price":{stated}}}'.encode())

    assert parsing.complaint(answer) == parsing.Complaint(UNREADABLE, "")
    for read in (
        lambda: amount(record(answer, what="it"), "price"),
        lambda: text(record(answer, what="it"), "symbol"),
        lambda: integer(record(answer, what="it"), "code", least=-(10**30), most=10**30),
        lambda: flag(record(answer, what="it"), "code"),
        lambda: rows(record(answer, what="it").get("code"), what="it"),
        lambda: record(record(answer, what="it").get("code"), what="it"),
    ):
        with pytest.raises(BadData):
            read()


def test_numbers_keep_every_digit():
    content = parsed(b'{"a":88.120131350620957006,"b":12,"c":0E-18}')

    assert content == {"a": Decimal("88.120131350620957006"), "b": 12, "c": 0}


@pytest.mark.parametrize(
    ("stated", "exact"),
    [
        ("88.120131350620957006", "88.120131350620957006"),
        (7, "7"),
        (Decimal("0.0005"), "0.0005"),
        ("1e-5", "0.00001"),
        ("0E-18", "0"),
        ("-0", "0"),
    ],
)
def test_an_amount_may_be_text_or_number(stated: object, exact: str):
    assert amount({"free": stated}, "free") == Decimal(exact)


@pytest.mark.parametrize("stated", BAD_AMOUNTS, ids=range(len(BAD_AMOUNTS)))
def test_an_odd_amount_is_bad_data_and_never_zero(stated: object):
    with pytest.raises(BadData):
        amount({"free": stated}, "free")


def test_a_missing_amount_is_bad_data():
    with pytest.raises(BadData):
        amount({}, "free")


def test_the_rules_of_a_captured_pair_are_read():
    assert rules() == PairRules(
        symbol=BROCK,
        base=Asset("BROCK"),
        quote=USDT,
        quantity_step=Decimal("0.01"),
        min_quantity=Decimal(0),
        quote_step=Decimal("0.00001"),
        price_step=Decimal("0.00001"),
        min_notional=Decimal(1),
        max_notional=Decimal(100_000),
        taker_fee_rate=Decimal("0.0005"),
        limit_min_notional=Decimal(1),
        limit_max_notional=Decimal(2_000_000),
        maker_fee_rate=Decimal("0.0005"),
    )


@pytest.mark.parametrize(
    ("decimals", "size", "step"),
    [(0, "0", "1"), (2, "0.01", "0.01"), (2, "0.5", "0.5"), (0, "0.5", "1"), (1, "0.25", "0.5")],
)
def test_the_quantity_step_satisfies_both_readings_of_base_size(
    decimals: int, size: str, step: str
):
    found = rules(baseAssetPrecision=decimals, baseSizePrecision=size)

    assert found.quantity_step == Decimal(step)
    assert found.min_quantity == Decimal(size)


@pytest.mark.parametrize("gone", ["absent", None, "0"])
def test_without_a_minimum_for_market_orders_the_general_one_counts(gone: object):
    assert rules(quoteAmountPrecisionMarket=gone, quoteAmountPrecision="5").min_notional == 5


def test_a_pair_without_any_minimum_has_none():
    assert rules(quoteAmountPrecisionMarket="0", quoteAmountPrecision="0").min_notional == 0


@pytest.mark.parametrize(
    ("changes", "closed"),
    [
        ({"status": "2"}, {"online"}),
        ({"status": ""}, {"online"}),
        ({"isSpotTradingAllowed": False}, {"api_allowed"}),
        ({"orderTypes": ["LIMIT"]}, {"market_orders"}),
        ({"tradeSideType": 2}, {"selling"}),
        ({"tradeSideType": "3"}, {"buying"}),
        ({"tradeSideType": "4"}, {"buying", "selling"}),
        ({"tradeSideType": "new"}, {"buying", "selling"}),
        ({"status": "ENABLED", "tradeSideType": "absent"}, set()),
        ({"status": 1, "tradeSideType": "1"}, set()),
    ],
    ids=range(10),
)
def test_what_is_closed_is_known(changes: dict[str, object], closed: set[str]):
    found = rules(**changes)
    doors = ("online", "api_allowed", "market_orders", "buying", "selling")

    assert {door for door in doors if not getattr(found, door)} == closed


def test_a_pair_that_is_not_listed_is_unavailable():
    with pytest.raises(PairUnavailable):
        parsing.pair_rules({"symbols": [json.loads(BROCK_ROW)]}, symbol=KAS)


@pytest.mark.parametrize(
    "changes",
    [
        {"baseAssetPrecision": "2"},
        {"baseAssetPrecision": -1},
        {"baseAssetPrecision": 99},
        {"baseAssetPrecision": True},
        {"quotePrecision": None},
        {"baseSizePrecision": "many"},
        {"baseSizePrecision": "1e20"},
        {"baseSizePrecision": "1e-30"},
        {"isSpotTradingAllowed": "true"},
        {"orderTypes": "MARKET"},
        {"takerCommission": "1"},
        {"takerCommission": "absent"},
        {"maxQuoteAmountMarket": "0", "maxQuoteAmount": "0"},
        {"maxQuoteAmountMarket": "absent", "maxQuoteAmount": "absent"},
        {"baseAsset": None},
    ],
    ids=range(15),
)
def test_odd_rules_are_bad_data(changes: dict[str, object]):
    with pytest.raises(BadData):
        rules(**changes)


@pytest.mark.parametrize("answer", [[], {}, {"symbols": None}, {"symbols": ["BROCKUSDT"]}])
def test_an_odd_listing_is_bad_data(answer: object):
    with pytest.raises(BadData):
        parsing.pair_rules(answer, symbol=BROCK)


def test_a_book_drops_emptied_levels_and_may_lack_a_side():
    found = book(bids=[["0.0019", "5", "extra"], ["0.0018", "0"]], asks=[])

    assert found.bids == (PriceLevel(Decimal("0.0019"), Decimal(5)),)
    assert found.asks == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"bids": None},
        {"bids": {}},
        {"bids": ["0.1"]},
        {"bids": [["0.1"]]},
        {"bids": [["0", "1"]]},
        {"bids": [["NaN", "1"]]},
        {"asks": [["0.1", "-1"]]},
        {"bids": [["0.1", "1"]], "asks": [["0.1", "1"]]},
        {"asks": [["0.2", "1"], ["0.1", "1"]]},
    ],
    ids=range(9),
)
def test_an_odd_book_is_bad_data(changes: dict[str, object]):
    with pytest.raises(BadData):
        book(**changes)


def test_a_last_price_belongs_to_its_pair():
    ticker = {"symbol": "KASUSDT", "price": "0.17"}

    assert parsing.last_price(ticker, symbol=KAS) == Decimal("0.17")
    for odd in (
        {"price": "0.17"},
        ticker | {"symbol": BROCK},
        ticker | {"price": "0"},
        ticker | {"price": None},
    ):
        with pytest.raises(BadData):
            parsing.last_price(odd, symbol=KAS)


_OPENED = 1_794_996_000_000
_CANDLE = [_OPENED, "0.002", "0.0022", "0.0019", "0.0021", "5000", _OPENED + 3_600_000, "10.5"]


def closes(*candles: object):
    end = from_millis(_OPENED) + 2 * HOUR
    return parsing.hourly_closes(list(candles), since=from_millis(_OPENED), until=end)


def test_the_close_of_a_candle_is_the_price_at_its_end():
    later = [_OPENED + 3_600_000, *_CANDLE[1:]]
    still_open = [_OPENED + 2 * 3_600_000, *_CANDLE[1:]]

    [first, _] = closes(_CANDLE, later, still_open)

    assert first == HourlyClose(from_millis(_OPENED) + HOUR, Decimal("0.0021"))


@pytest.mark.parametrize(
    "candles",
    [
        [None],
        [[_OPENED, "1", "1", "1"]],
        [[str(_OPENED), *_CANDLE[1:]]],
        [[_OPENED + 1, *_CANDLE[1:]]],
        [[_OPENED, "1", "1", "1", "0", "1"]],
        [[_OPENED, "1", "1", "1", None, "1"]],
        [_CANDLE, _CANDLE],
        [[_OPENED + 3_600_000, *_CANDLE[1:]], _CANDLE],
    ],
    ids=range(8),
)
def test_a_candle_that_makes_no_sense_is_bad_data(candles: list[object]):
    with pytest.raises(BadData):
        closes(*candles)


def test_a_captured_order_is_read():
    report = order()

    assert report.exchange_order_id == "C02__427495284067573760015"
    assert report.execution == Execution(Decimal("32.69"), Decimal("5.72522853"))
    assert (report.is_final, report.complete) == (True, True)


@pytest.mark.parametrize(
    ("status", "over"),
    [
        *(("FILLED", True), ("CANCELED", True), ("PARTIALLY_CANCELED", True)),
        *(("NEW", False), ("PARTIALLY_FILLED", False), ("REBORN", False)),
    ],
)
def test_an_order_is_over_only_in_a_final_state_we_know(status: str, over: bool):
    assert order(status=status).is_final is over


def test_an_order_filled_short_is_not_complete():
    assert not order(origQty="33").complete
    assert not order(status="PARTIALLY_CANCELED").complete


def test_an_order_may_spell_its_amounts_the_documented_way():
    report = order(
        cummulativeQuoteQty="absent", cumulativeQuoteQty="5.7", origQty="absent", orderId=12
    )

    assert report.execution.quote_amount == Decimal("5.7")
    assert (report.complete, report.exchange_order_id) == (True, "12")


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "BROCKUSDT"},
        {"clientOrderId": "another"},
        {"status": None},
        {"orderId": None},
        {"orderId": True},
        {"executedQty": None},
        {"executedQty": "-1"},
        {"executedQty": "0"},
        {"cummulativeQuoteQty": "0"},
        {"cummulativeQuoteQty": "absent"},
        {"executedQty": "0", "cummulativeQuoteQty": "0"},
        {"origQty": "x"},
    ],
    ids=range(12),
)
def test_an_odd_order_is_bad_data(changes: dict[str, object]):
    with pytest.raises(BadData):
        order(**changes)


def among(*rows: dict[str, object], page: int = 1000):
    listed = [json.loads(KAS_ORDER) | row for row in rows]
    return parsing.order_among(listed, symbol=KAS, client_order_id=OUR_ID, page=page)


def test_an_order_is_found_among_others_by_its_client_id():
    report = among({"clientOrderId": "another"}, {"clientOrderId": OUR_ID, "orderId": "C02__2"})

    assert report.exchange_order_id == "C02__2"


def test_an_order_found_on_a_list_that_is_cut_off_is_found():
    assert among({"clientOrderId": OUR_ID}, {}, page=2).is_final


@pytest.mark.parametrize("others", [[], [{"clientOrderId": "another"}] * 3])
def test_an_order_that_no_row_of_the_list_is_was_not_found(others: list[dict[str, object]]):
    with pytest.raises(OrderNotFound):
        among(*others)


@pytest.mark.parametrize("id_", [None, "", 7])
def test_a_row_that_does_not_say_whose_it_is_may_be_the_order(id_: object):
    with pytest.raises(BadData):
        among({"clientOrderId": "another"}, {"clientOrderId": id_})


def test_a_list_that_is_cut_off_proves_nothing():
    with pytest.raises(BadData, match="cut off"):
        among({"clientOrderId": "a"}, {"clientOrderId": "b"}, page=2)


@pytest.mark.parametrize("answer", [None, {}, {"orders": []}, [None], ["C02__1"]], ids=range(5))
def test_an_odd_list_of_orders_is_bad_data(answer: object):
    with pytest.raises(BadData):
        parsing.order_among(answer, symbol=KAS, client_order_id=OUR_ID, page=1000)


def test_a_placed_order_needs_nothing_but_its_id():
    assert parsing.placed_order_id({"orderId": "C02__1"}) == "C02__1"


@pytest.mark.parametrize(
    "answer",
    [{}, {"orderId": ""}, {"orderId": None}, {"orderId": 1.5}, [], None],
    ids=range(6),
)
def test_an_answer_without_an_order_id_is_bad_data(answer: object):
    with pytest.raises(BadData):
        parsing.placed_order_id(answer)


def a_fill(number: int, **changes: object) -> dict[str, object]:
    row = {"orderId": "a", "id": f"X{number}", "price": "0.002", "qty": "10"}
    rest = {"time": to_millis(START), "commission": "0.01", "commissionAsset": "USDT"}
    return row | rest | changes


def test_only_fills_of_the_order_asked_about_count():
    found = parsing.fills([a_fill(1), a_fill(2, orderId="b")], exchange_order_id="a")

    assert [(fill.trade_id, fill.quantity, fill.at) for fill in found] == [
        ("X1", Decimal(10), START)
    ]


def test_fees_are_summed_by_asset_and_complete_once_the_fills_add_up():
    rows = [
        a_fill(1),
        a_fill(2, commission="0.02"),
        a_fill(3, commission="0", commissionAsset="MX"),
    ]
    found = parsing.fills([*rows, rows[0]], exchange_order_id="a")

    assert fees_of(found, executed=Decimal(30)) == Fees(
        {USDT: Decimal("0.03"), Asset("MX"): Decimal(0)}
    )
    assert not fees_of(found, executed=Decimal(31)).complete
    assert not fees_of([], executed=Decimal(1)).complete


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [1],
        [a_fill(1, commission="x")],
        [a_fill(1, commissionAsset=None)],
        [a_fill(1, orderId=None)],
        [a_fill(1, qty=None)],
        [a_fill(1, id="")],
        [a_fill(1, time="soon")],
    ],
    ids=range(8),
)
def test_odd_trades_are_bad_data(answer: object):
    with pytest.raises(BadData):
        parsing.fills(answer, exchange_order_id="a")


def test_a_key_report_is_read():
    report = parsing.key_report(
        {
            "permissions": "SPOT_ACCOUNT_READ, SPOT_DEAL_WRITE",
            "remainingValidity": 82,
            "ipWhiteList": "1.2.3.4,5.6.7.8",
            "status": "VALID",
        }
    )

    assert report == parsing.KeyReport(
        permissions=frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_WRITE"}),
        days_left=82,
        addresses=("1.2.3.4", "5.6.7.8"),
        status="VALID",
    )


@pytest.mark.parametrize("days", [None, -1])
def test_a_key_may_last_for_ever(days: int | None):
    report = parsing.key_report({"permissions": "A", "remainingValidity": days, "status": "VALID"})

    assert (report.days_left, report.addresses) == (None, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"permissions": None},
        {"permissions": ["A"]},
        {"remainingValidity": "82"},
        {"ipWhiteList": ["1.2.3.4"]},
        {"status": None},
    ],
    ids=range(5),
)
def test_an_odd_key_report_is_bad_data(changes: dict[str, object]):
    with pytest.raises(BadData):
        parsing.key_report(
            {"permissions": "A", "remainingValidity": 1, "status": "VALID"} | changes
        )


def test_the_server_s_time_is_read():
    assert parsing.server_time({"serverTime": 1645539742000}) == datetime(
        2022, 2, 22, 14, 22, 22, tzinfo=UTC
    )
    for odd in ({}, {"serverTime": "1645539742000"}, {"serverTime": 1}, {"serverTime": 10**18}):
        with pytest.raises(BadData):
            parsing.server_time(odd)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"code": 700003, "msg": "late"}, parsing.Complaint(700003, "late")),
        (
            {"msg": " amount scale\n is invalid", "code": 400},
            parsing.Complaint(400, "amount scale is invalid"),
        ),
        ({"code": 1, "msg": "x" * 999}, parsing.Complaint(1, "x" * 200)),
        ({"code": 30000}, parsing.Complaint(30000, "")),
        *(({"code": 0}, None), ({"code": 200}, None), ({}, None), ([], None)),
        ({"code": True}, parsing.Complaint(UNREADABLE, "")),
        ({"code": "x", "msg": "no"}, parsing.Complaint(UNREADABLE, "no")),
    ],
    ids=range(10),
)
def test_an_error_is_told_from_an_answer(answer: object, complaint: parsing.Complaint | None):
    assert parsing.complaint(answer) == complaint


@pytest.mark.parametrize("uid", [209302839, "209302839", " 209302839 "], ids=range(3))
def test_an_accounts_number_is_the_same_however_it_is_written(uid: object):
    assert parsing.account_number({"uid": uid}) == "209302839"


@pytest.mark.parametrize(
    "uid", [None, True, 0, "0", "null", -5, 2.5, "", [209302839], "9" * 40], ids=range(10)
)
def test_what_may_stand_for_any_account_is_no_number(uid: object):
    with pytest.raises(BadData):
        parsing.account_number({"uid": uid})


def test_a_status_in_numbers_is_one_that_nobody_knows():
    report = order(status=2)

    assert (report.is_final, report.unknown_status) == (False, "2")


def test_a_pair_without_a_status_is_not_told_as_closed():
    with pytest.raises(BadData, match="has no status"):
        rules(status="absent")


OPEN_ORDER = json.loads(KAS_ORDER) | {"status": "NEW", "executedQty": "2", "clientOrderId": "bl-1"}


def test_orders_that_rest_are_read_with_whose_they_are():
    theirs = OPEN_ORDER | {"clientOrderId": None, "side": "SELL", "orderId": 7}
    elsewhere = OPEN_ORDER | {"symbol": "MXUSDT"}
    ours, other = parsing.open_orders([OPEN_ORDER, theirs, elsewhere], symbol=KAS)

    assert (ours.client_order_id, ours.side, ours.executed) == (OUR_ID, Side.BUY, Decimal(2))
    assert (ours.price, ours.base_quantity) == (Decimal("0.183503"), Decimal("32.69"))
    assert (other.client_order_id, other.exchange_order_id) == (None, "7")


@pytest.mark.parametrize(
    "changes", [{"side": "UP"}, {"orderId": None}, {"price": "x"}, {"clientOrderId": 5}]
)
def test_a_resting_order_that_cannot_be_read_is_never_left_out(changes: dict[str, object]):
    with pytest.raises(BadData):
        parsing.open_orders([OPEN_ORDER, OPEN_ORDER | changes], symbol=KAS)


@pytest.mark.parametrize("status", ["NEW", "PARTIALLY_FILLED", "PARTIALLY_CANCELED", "CANCELED"])
def test_an_order_with_a_price_is_over_when_its_status_says_so(status: str):
    report = order(status=status, type="LIMIT", executedQty="1", cummulativeQuoteQty="0.18")

    assert report.is_final is (status in ("PARTIALLY_CANCELED", "CANCELED"))
    assert (report.complete, report.unknown_status) == (False, "")


@pytest.mark.parametrize(
    ("changes", "minimum", "maximum", "fee"),
    [
        ({"quoteAmountPrecision": "5"}, 5, 2_000_000, "0.0005"),
        ({"maxQuoteAmount": "absent"}, 1, 100_000, "0.0005"),
        ({"makerCommission": "0"}, 1, 2_000_000, "0"),
        ({"makerCommission": "absent"}, 1, 2_000_000, "0.0005"),
    ],
)
def test_orders_with_a_price_have_limits_and_a_fee_of_their_own(
    changes: dict[str, object], minimum: int, maximum: int, fee: str
):
    found = rules(**changes)

    assert found.notional_limits(OrderType.IOC) == (Decimal(minimum), Decimal(maximum))
    assert found.notional_limits(OrderType.MARKET) == (Decimal(1), Decimal(100_000))
    assert found.maker_fee_rate == Decimal(fee)


def test_the_list_of_order_types_says_which_are_taken():
    found = rules(orderTypes=["MARKET", "LIMIT"])

    assert [kind for kind in OrderType if found.takes(kind)] == [
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.IOC,
    ]


def test_a_plain_word_is_shown_as_one_with_blanks_around_it():
    names = [f"{chr(number)}b1" for number in range(0x250)]

    assert [words(name, most=2) for name in names] == [words(f"{name} ", most=2) for name in names]
    assert words("USDT", most=3) == "USD"
