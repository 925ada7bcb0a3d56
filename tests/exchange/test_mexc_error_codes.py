"""Which error each of MEXC's codes becomes."""

import pytest

from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BelowMinimum,
    ClockRefused,
    EngineError,
    InsufficientBalance,
    MissingPermission,
    NoCounterpart,
    OrderNotFound,
    PairUnavailable,
    PriceOutOfRange,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.mexc.error_codes import DEFINITE, error_for

CLASSES: dict[type[EngineError], tuple[int, ...]] = {
    BadCredentials: (401, 602, 10072, 700001, 700002),
    AddressRefused: (700006,),
    MissingPermission: (700007,),
    AccountRestricted: (10001, 10098, 10265, 60005, 200006, 200010, 730003, 730100),
    PairUnavailable: (
        *(-1121, 26, 10007, 30000, 30001, 30010, 30014, 30016, 30018, 30019, 30020, 30021),
        *(30027, 30028, 30041, 30051, 70011, 730001),
    ),
    InsufficientBalance: (10101, 30004, 30005),
    BelowMinimum: (30002,),
    NoCounterpart: (30025,),
    PriceOutOfRange: (30087,),
    ClockRefused: (10073, 700003),
    Rejected: (
        *(400, -1128, 10095, 10096, 10097, 10102, 22222, 30003, 30029, 30032, 33333),
        *(44444, 700004, 700005, 700008, 700011, 700013, 730002, 730708, 424242),
    ),
    OrderNotFound: (-2013, -2011),
    Unavailable: (500, 501, 503, 504, 604, 801, 11444, 20002, 730000),
    RateLimited: (429, 510),
}
EACH = [(code, error) for error, codes in CLASSES.items() for code in codes]


@pytest.mark.parametrize(("code", "expected"), EACH)
def test_each_code_becomes_its_error(code: int, expected: type[EngineError]):
    error = error_for(code, "some words")

    assert type(error) is expected


def test_a_refusal_keeps_the_exchange_s_own_code_and_words():
    error = error_for(700006, "IP [168.181.160.97] not in the ip white list")

    assert isinstance(error, AddressRefused)
    assert (error.code, error.message) == (
        700006,
        "IP [168.181.160.97] not in the ip white list",
    )


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (400, "api key required", BadCredentials),
        (400, " amount scale is invalid", Rejected),
        (30018, "账号暂时不能下单，请联系客服", AccountRestricted),
        (30018, "market order is disabled", PairUnavailable),
    ],
)
def test_a_code_with_two_meanings_is_told_apart_by_its_words(
    code: int, words: str, expected: type[EngineError]
):
    assert type(error_for(code, words)) is expected


@pytest.mark.parametrize("code", [500, 20002, 730000, 503, -2013, 429, 510, 11444, 424242])
def test_an_open_outcome_is_never_on_the_list_of_definite_refusals(code: int):
    assert code not in DEFINITE
