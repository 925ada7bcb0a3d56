"""The signature, against vectors recomputed from MEXC's documentation."""

import pickle

import pytest

from engine.exchanges.mexc.signing import encoded, headers_for, signature_of, signed_query
from engine.security.credentials import Credentials

SECRET = "45d0b3c26f2644f19bfb98b07741b2f5"
KEY = "mx0aBYs33eIilxBWC5"
CREDENTIALS = Credentials(KEY, SECRET)
AT = 1700000000000

ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT"
MESSAGES = [
    (
        f"{ORDER}&quantity=1&price=11&recvWindow=5000&timestamp=1644489390087",
        "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a",
    ),
    (
        # Query and body, glued without a separator.
        f"{ORDER}quantity=1&price=11&recvWindow=5000&timestamp=1644489390087",
        "d1a676610ceb39174c8039b3f548357994b2a34139a8addd33baadba65684592",
    ),
]
BUY = [("symbol", "MNTLUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quoteOrderQty", "12.34")]
SELL = [("symbol", "MNTLUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", "15000")]
QUERIES = [
    ([], 5000, "612fa86a45a4e7dc0523d1c65f9eb1b5af13cdcf82fc91b29c5c49bec711c906"),
    (
        [*BUY, ("newClientOrderId", "rb-0001")],
        5000,
        "51ce352e253030bbbb428cf9bec1efb01b1e00c1f8e1377f1045778d71f8db73",
    ),
    (
        [*SELL, ("newClientOrderId", "rb-0002")],
        5000,
        "4795c225f6ecd14ed56a4498cd9fd1eeabeea0ca24c306144657c4a1351fd3d5",
    ),
    (
        [("symbols", "MNTLUSDT,MXUSDT")],
        5000,
        "054345712f111de4943474a29418990f0b00bbddcdbfad74239330c764eb04db",
    ),
    ([], None, "2cf087e23e56def37ebe807c7792ef18c05ff13c813319b6f5805bde6d4ec1c7"),
    (
        [("symbol", "MNTLUSDT"), ("origClientOrderId", "rb-0001")],
        5000,
        "9d70f913998d714d71822f7ba0d646826b2cf46422ad0b7aae5250bd13994fe2",
    ),
    (
        [("accessKey", KEY)],
        5000,
        "b837a0540ae41172a85a8a6df65e3963ba2ca17f198cdcfd7b94043c6c0db0b7",
    ),
]


@pytest.mark.parametrize(("message", "signature"), MESSAGES, ids=["V1", "V2"])
def test_a_message_gets_the_signature_mexc_expects(message: str, signature: str):
    assert signature_of(message, credentials=CREDENTIALS) == signature


@pytest.mark.parametrize(
    ("params", "window", "signature"), QUERIES, ids=[f"V{n}" for n in range(3, 10)]
)
def test_a_query_ends_with_the_signature_mexc_expects(
    params: list[tuple[str, str]], window: int | None, signature: str
):
    query = signed_query(params, credentials=CREDENTIALS, timestamp_ms=AT, recv_window_ms=window)

    assert query.endswith(f"timestamp={AT}&signature={signature}")


def test_a_query_escapes_in_upper_case_and_a_blank_as_percent_twenty():
    assert encoded([("a", "x y,[z"), ("b", "ü")]) == "a=x%20y%2C%5Bz&b=%C3%BC"


def test_every_signed_request_names_the_key_and_a_json_body():
    assert headers_for(CREDENTIALS) == {
        "Content-Type": "application/json",
        "X-MEXC-APIKEY": KEY,
    }


def test_credentials_never_print_and_never_pickle():
    shown = f"{CREDENTIALS} {CREDENTIALS!r} {CREDENTIALS!s} {[CREDENTIALS]}"

    assert KEY not in shown
    assert SECRET not in shown
    with pytest.raises(TypeError):
        pickle.dumps(CREDENTIALS)
