"""Frames of MEXC's streams, byte by byte: 30 with their values, 22 that are odd or broken."""

import contextlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchanges.mexc.protobuf import BadFrame, read
from engine.exchanges.mexc.push_messages import (
    ENVELOPE,
    BalancePushed,
    BestPricesPushed,
    DealPushed,
    Ignored,
    LastPricePushed,
    OrderPushed,
    Pushed,
    decoded,
)

VECTORS = json.loads((Path(__file__).parent / "push_vectors.json").read_text(encoding="utf-8"))
FRAMES: Mapping[str, Any] = {one["name"]: one for one in VECTORS["frames"]}
WIRE = VECTORS["wire"]
# The body's number, and MEXC's name for each field that is read.
BODIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "privateAccount": (
        "307",
        {
            "asset": "vcoinName",
            "free": "balanceAmount",
            "free_change": "balanceAmountChange",
            "locked": "frozenAmount",
            "locked_change": "frozenAmountChange",
            "kind": "type",
        },
    ),
    "privateOrders": (
        "304",
        {
            "order_id": "id",
            "client_order_id": "clientId",
            "base_quantity": "cumulativeQuantity",
            "quote_amount": "cumulativeAmount",
            "status": "status",
        },
    ),
    "privateDeals": (
        "306",
        {
            "price": "price",
            "base_quantity": "quantity",
            "quote_amount": "amount",
            "is_maker": "isMaker",
            "trade_id": "tradeId",
            "client_order_id": "clientOrderId",
            "order_id": "orderId",
            "fee": "feeAmount",
            "fee_asset": "feeCurrency",
            "at_ms": "time",
        },
    ),
    "publicAggreBookTicker": ("315", {"bid": "bidPrice", "ask": "askPrice"}),
    "publicMiniTicker": ("309", {"symbol": "symbol", "price": "price"}),
}


def frame(name: str) -> bytes:
    return bytes.fromhex(FRAMES[name]["hex"])


def pushed(name: str) -> Pushed | Ignored:
    return decoded(frame(name))


def agrees(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether the envelope and the body that are read are those of *expected*; a field that is not
    on the wire has its default.
    """
    stamps = {"made_ms": "createTime", "pushed_ms": "sendTime", "symbol": "symbol"}
    same = found.get("channel", "") == expected["channel"] and all(
        found.get(ours) == expected.get(theirs, found.get(ours)) for ours, theirs in stamps.items()
    )
    if expected["body"] not in BODIES:
        return same and not {number for number, _ in BODIES.values()} & found.keys()
    number, names = BODIES[expected["body"]]
    return same and all(
        found[number].get(ours, type(expected["fields"][theirs])()) == expected["fields"][theirs]
        for ours, theirs in names.items()
    )


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_the_values_that_were_put_into_it(name: str):
    assert agrees(read(frame(name), ENVELOPE), FRAMES[name]["expect"])


@pytest.mark.parametrize("case", WIRE, ids=lambda case: case["name"])
def test_what_is_odd_is_read_as_others_read_it_and_what_is_broken_is_refused(case: Any):
    data = bytes.fromhex(case["hex"])
    if case["verdict"] == "error":
        with pytest.raises(BadFrame):
            read(data, ENVELOPE)
    else:
        assert agrees(read(data, ENVELOPE), case["expect"])


@pytest.mark.parametrize("name", FRAMES)
def test_each_body_that_is_needed_is_an_event_and_no_other(name: str):
    kinds = {
        "privateAccount": BalancePushed,
        "privateOrders": OrderPushed,
        "privateDeals": DealPushed,
        "publicAggreBookTicker": BestPricesPushed,
        "publicMiniTicker": LastPricePushed,
    }
    if name == "account_all_defaults":  # no asset, no number
        with pytest.raises(BadFrame):
            pushed(name)
    else:
        assert isinstance(pushed(name), kinds.get(FRAMES[name]["expect"]["body"], Ignored))


def test_balances_say_what_was_there_before_so_that_a_lost_event_shows():
    chain = VECTORS["chain"]
    held = {asset: tuple(map(Decimal, pair)) for asset, pair in chain["start"].items()}
    for name in chain["frames"]:
        event = pushed(name)
        assert isinstance(event, BalancePushed)
        assert event.before == held[event.asset], name
        held[event.asset] = event.free, event.locked


def test_an_order_is_final_when_nothing_more_can_fill():
    names = ("new", "partially_filled", "canceled", "partially_canceled", "unknown_status")
    orders = {name: pushed(f"order_{name}") for name in names}
    final = [
        name for name, order in orders.items() if isinstance(order, OrderPushed) and order.is_final
    ]

    assert final == ["canceled", "partially_canceled"]


def test_an_empty_side_of_the_book_is_no_price():
    event = pushed("aggre_book_ticker_no_ask")

    assert isinstance(event, BestPricesPushed)
    assert (event.bid, event.ask) == (Decimal("0.001001"), None)


def test_the_text_of_an_unknown_key_is_no_event_and_no_life():
    with pytest.raises(BadFrame):
        decoded(b"Invalid listen key")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"account", b"xccount"),  # a body on another channel
        (b"140.5", b"-40.5"),  # a negative balance
        (b"140.5", b"NaN.5"),
        (b"USDT", b" SDT"),  # no asset
    ],
)
def test_a_body_that_makes_no_sense_is_refused(was: bytes, becomes: bytes):
    assert FRAMES["chain_6_deposit"]["expect"]["fields"]["balanceAmount"]
    good = bytes.fromhex(
        "0a1e73706f7440707269766174652e6163636f756e742e76332e6170692e706228e4d8c1a28c3430f0d8c1a28c34"
        "9a134c0a0455534454122031323866353839323731636234393531623033653731653633323365623762651a0531"
        "34302e3522053130302e352a01303201303a074445504f5349544080d8c1a28c34"
    )
    assert isinstance(decoded(good), BalancePushed)
    with pytest.raises(BadFrame):
        decoded(good.replace(was, becomes))


@given(st.sampled_from(sorted(FRAMES)), st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_is_another_event_or_refused_and_never_an_error(
    name: str, place: int, value: int
):
    data = bytearray(frame(name))
    data[place % len(data)] = value
    with contextlib.suppress(BadFrame):
        decoded(bytes(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes):
    with contextlib.suppress(BadFrame):
        decoded(data)
