"""Mutations of MEXC's real answers: a whole valid value, or an engine error. Nothing between."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import strategies as st

from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.planner import MarketBuy, MarketSell, plan
from engine.errors import BadData, EngineError
from engine.exchanges.mexc import balances, parsing
from engine.exchanges.mexc.error_codes import error_for
from engine.exchanges.mexc.json_fields import parsed
from tests import builders
from tests.fakes.clock import START
from tests.faults.mexc_answers import MNTL, OUR_ID, real_answers
from tests.faults.strange import HALF, bodies, json_values, mutated, try_all

Record = Callable[[str, object], None]
Read = Callable[[Any], object]

_TOO_MUCH = Decimal(10) ** 24
_LONGEST = 2000
_LONG_AGO, _SOME_DAY = START - timedelta(days=9_999), START + timedelta(days=9_999)


ANSWERS = real_answers()
ORDER_ID = str(ANSWERS["placed"]["orderId"])  # type: ignore[index]
READERS: Mapping[str, Read] = {
    "time": parsing.server_time,
    "exchangeInfo": lambda answer: parsing.pair_rules(answer, symbol=MNTL),
    "depth": lambda answer: parsing.order_book(answer, symbol=MNTL, read_at=START),
    "price": lambda answer: parsing.last_price(answer, symbol=MNTL),
    "tickers": lambda answer: tuple(map(parsing.quote, parsing.book_tickers(answer).values())),
    "candles": lambda answer: tuple(
        parsing.hourly_closes(answer, since=_LONG_AGO, until=_SOME_DAY)
    ),
    "account": lambda answer: balances.holdings(answer, read_at=START),
    "key": parsing.key_report,
    "order": lambda answer: parsing.order_report(answer, symbol=MNTL, client_order_id=OUR_ID),
    "trades": lambda answer: tuple(parsing.fills(answer, exchange_order_id=ORDER_ID)),
    "history": lambda answer: parsing.order_among(
        answer, symbol=MNTL, client_order_id=OUR_ID, page=1_000
    ),
    "open orders": lambda answer: tuple(parsing.open_orders(answer, symbol=MNTL)),
    "placed": parsing.placed_order_id,
}


def parts(value: object) -> Iterator[object]:
    """Everything a domain value is made of."""
    if is_dataclass(value):
        for field in fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (*parts(key), *parts(inner))
    elif isinstance(value, tuple | frozenset):
        for inner in value:
            yield from parts(inner)
    else:
        yield value


def is_sound(part: object) -> bool:
    """Whether it can be reckoned with, stored in any database and shown in any chat."""
    match part:
        case Decimal():
            return part.is_finite() and 0 <= part < _TOO_MUCH
        case str():
            return part.isprintable() and len(part) <= _LONGEST
        case datetime():
            return part.tzinfo is not None
        case _:
            return part is None or isinstance(part, bool | Enum | int)


@pytest.mark.parametrize("endpoint", list(READERS))
def test_the_unchanged_answer_is_read(endpoint: str):
    value = READERS[endpoint](parsed(json.dumps(ANSWERS[endpoint]).encode()))

    assert all(map(is_sound, parts(value)))


@pytest.mark.parametrize("endpoint", list(READERS))
def test_a_mutated_answer_is_read_whole_or_is_an_engine_error(
    endpoint: str, record_property: Record
):
    def claim(body: bytes) -> None:
        try:
            contents = parsed(body)
            value = READERS[endpoint](contents)
        except EngineError:
            return
        assert all(map(is_sound, parts(value)))
        if isinstance(value, PairRules):
            assert _steps_fit(value, contents)

    record_property("bad_inputs", try_all(bodies(ANSWERS[endpoint]), claim))


def _steps_fit(rules: PairRules, contents: Any) -> bool:
    """Whether each quantity that the rules allow is one of MEXC's, whichever way it is read."""
    row = next(row for row in contents["symbols"] if row.get("symbol") == MNTL)
    step, size = Fraction(rules.quantity_step), Fraction(str(row["baseSizePrecision"]))
    return (
        rules.base + rules.quote == MNTL
        and step % Fraction(1, 10 ** row["baseAssetPrecision"]) == 0
        and (size == 0 or step % size == 0)
    )


def test_any_json_is_an_answer_or_an_engine_error(record_property: Record):
    def claim(asked: tuple[str, object]) -> None:
        endpoint, contents = asked
        try:
            value = READERS[endpoint](contents)
        except EngineError:
            return
        assert all(map(is_sound, parts(value)))

    inputs = st.tuples(st.sampled_from(list(READERS)), json_values)

    record_property("bad_inputs", try_all(inputs, claim))


def test_an_error_is_told_in_words_that_can_be_stored_and_shown(record_property: Record):
    def claim(body: bytes) -> None:
        try:
            found = parsing.complaint(parsed(body))
        except BadData:
            return
        if found is not None:
            assert is_sound(found.message)
            assert isinstance(error_for(found.code, found.message), EngineError)

    refusal = {"code": 30004, "msg": "Insufficient position", "_extend": None}

    record_property("bad_inputs", try_all(bodies(refusal), claim))


@pytest.mark.parametrize("odd", [f"half {HALF}", "nul \0", "turned \u202e", "line\u2028"])
def test_words_of_mexc_that_no_database_takes_are_made_harmless(odd: str):
    complaint = parsing.complaint({"code": 30004, "msg": f"不足 {odd}"})

    assert complaint is not None
    assert complaint.message.startswith("不足 ")
    assert complaint.message.isprintable()


@pytest.mark.parametrize("odd", [f"C02{HALF}", "C02\0", "C" * 2001, " "])
def test_an_order_id_that_cannot_be_stored_is_no_order_id(odd: str):
    with pytest.raises(BadData):
        parsing.placed_order_id({"orderId": odd})


@pytest.mark.parametrize(
    ("field", "value"), [("quoteAsset", "usdt"), ("quoteAsset", "BTC"), ("baseAsset", "BTC")]
)
def test_rules_that_contradict_the_pair_s_name_are_bad_data(field: str, value: str):
    """Counted in another asset, an account would look empty and its tokens would be sold."""
    listing: Any = json.loads(json.dumps(ANSWERS["exchangeInfo"]))
    listing["symbols"][0][field] = value

    with pytest.raises(BadData):
        parsing.pair_rules(listing, symbol=MNTL)


def test_what_is_nested_too_deep_to_be_written_out_is_still_bad_data():
    nested: Any = []
    for _ in range(20_000):
        nested = [nested]
    listing: Any = json.loads(json.dumps(ANSWERS["exchangeInfo"]))
    listing["symbols"][0] |= {"tradeSideType": nested, "status": nested}

    with pytest.raises(BadData):
        parsing.last_price({"symbol": MNTL, "price": nested}, symbol=MNTL)
    rules = parsing.pair_rules(listing, symbol=MNTL)

    assert (rules.online, rules.buying, rules.selling) == (False, False, False)


def test_what_was_read_can_be_planned_with_and_never_asks_for_what_is_not_there(
    record_property: Record,
):
    def claim(contents: tuple[object, object, object]) -> None:
        account, listing, depth = contents
        try:
            holdings = balances.holdings(account, read_at=START)
            rules = parsing.pair_rules(listing, symbol=MNTL)
            book = parsing.order_book(depth, symbol=MNTL, read_at=START)
            order = plan(
                holdings=holdings, settings=builders.settings(), rules=rules, book=book
            ).order
        except EngineError:
            return
        if isinstance(order, MarketBuy):
            assert 0 < order.quote_amount <= holdings.of(rules.quote).free
        if isinstance(order, MarketSell):
            assert 0 < order.base_quantity <= holdings.of(rules.base).free

    account, listing, depth = (ANSWERS[name] for name in ("account", "exchangeInfo", "depth"))
    inputs = st.one_of(
        st.tuples(mutated(account), st.just(listing), st.just(depth)),
        st.tuples(st.just(account), mutated(listing), st.just(depth)),
        st.tuples(st.just(account), st.just(listing), mutated(depth)),
        st.tuples(mutated(account), mutated(listing), mutated(depth)),
        st.tuples(_with_amounts(account), _with_amounts(listing), _with_amounts(depth)),
    )

    record_property("bad_inputs", try_all(inputs, claim))


@st.composite
def _with_amounts(draw: st.DrawFn, original: object) -> Any:
    """*original* with some amounts as large or as small as MEXC could possibly state them."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [changed(inner) for inner in value]
        if isinstance(value, str) and value.replace(".", "").isdecimal() and draw(rarely):
            return draw(amounts)
        return value

    rarely = st.integers(0, 5).map(lambda roll: roll == 0)
    amounts = st.one_of(
        st.sampled_from(
            ["9" * 24, "0." + "0" * 35 + "1", "1e-18", "0", "1e23", "1.000000000000000001"]
        ),
        st.decimals("0", "1e9", places=18).map(lambda amount: f"{amount:f}"),
    )
    return changed(original)
