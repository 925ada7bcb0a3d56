"""Frames of MEXC's streams, byte by byte: 30 with their values, 22 that are odd or broken."""

import contextlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError
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
from tests.fakes.mexc_push_encoder import read_by_google

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


STAMPS = {"made_ms": "createTime", "pushed_ms": "sendTime", "symbol": "symbol"}


def frame(name: str) -> bytes:
    return bytes.fromhex(FRAMES[name]["hex"])


def pushed(name: str) -> Pushed | Ignored:
    return decoded(frame(name))


def agrees(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether the envelope and the body that are read are those of *expected*; a field that is not
    on the wire has its default.
    """
    same = found.get("channel", "") == expected["channel"] and all(
        found.get(ours) == expected.get(theirs, found.get(ours)) for ours, theirs in STAMPS.items()
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


def google_says(data: bytes) -> Mapping[str, Any] | None:
    """What Google's reader finds of the fields that ours knows; None where it refuses."""
    try:
        frame = read_by_google(data)
    except DecodeError:
        return None
    found: dict[str, Any] = {"channel": frame.channel, "body": frame.WhichOneof("body")}
    for ours, theirs in STAMPS.items():
        found[ours] = getattr(frame, theirs) if frame.HasField(theirs) else None
    if found["body"] in BODIES:
        inner = getattr(frame, found["body"])
        _, names = BODIES[found["body"]]
        found |= {name: getattr(inner, theirs) for name, theirs in names.items()}
    return found


def we_say(data: bytes) -> Mapping[str, Any] | None:
    try:
        frame = read(data, ENVELOPE)
    except BadFrame:
        return None
    named = {number: name for name, (number, _) in BODIES.items()}
    body = next((key for key in frame if key.isdigit()), None)
    found: dict[str, Any] = {
        "channel": frame.get("channel", ""),
        "body": "publicAggreDeals" if body == "314" else named.get(body or ""),
        **{name: frame.get(name) for name in STAMPS},
    }
    if found["body"] in BODIES:
        number, names = BODIES[found["body"]]
        defaults = {"is_maker": False, "status": 0, "at_ms": 0}
        found |= {name: frame[number].get(name, defaults.get(name, "")) for name in names}
    return found


KNOWN_TO_BOTH = [
    bytes.fromhex(one["hex"])
    for one in VECTORS["frames"]
    if one["expect"]["body"] in {*BODIES, "publicAggreDeals", None}
]
mutations = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "put"]), st.integers(0, 400), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


@given(st.sampled_from(KNOWN_TO_BOTH), mutations)
def test_whatever_is_changed_in_a_frame_google_reads_the_same_or_one_of_us_refuses(
    data: bytes, changes: list[tuple[str, int, int]]
):
    """Ours refuses groups, which nobody sends; Google's, a text that ours does not need."""
    changed = bytearray(data)
    for how, place, value in changes:
        at = place % max(len(changed), 1)
        if how == "cut":
            del changed[at : at + 1 + value % 4]
        elif how == "put":
            changed.insert(at, value)
        elif changed:
            changed[at] = value
    ours, theirs = we_say(bytes(changed)), google_says(bytes(changed))

    assert None in (ours, theirs) or ours == theirs


@given(st.sampled_from(KNOWN_TO_BOTH))
def test_what_google_reads_of_a_whole_frame_is_what_we_read(data: bytes):
    assert we_say(data) == google_says(data) is not None
