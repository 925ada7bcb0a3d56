"""MEXC's error codes, sorted by what the caller can do about them.

Most are undocumented or documented wrongly; this table is what was seen live.
"""

from collections.abc import Mapping

from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    BelowMinimum,
    ClockRefused,
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

_REFUSALS: Mapping[type[Rejected], frozenset[int]] = {
    # 700002 "signature not valid" also means a wrong secret or an expired key.
    BadCredentials: frozenset({401, 602, 10072, 700001, 700002}),
    AddressRefused: frozenset({700006}),
    MissingPermission: frozenset({700007}),
    AccountRestricted: frozenset(
        {10001, 10098, 10265, 60005, 200006, 200010, 730003, 730100},
    ),
    PairUnavailable: frozenset(
        {
            *(-1121, 26, 10007, 70011, 30000, 30001, 30010, 30014, 30016, 30018, 30019, 30020),
            *(30021, 30027, 30028, 30041, 30051, 730001),
        }
    ),
    InsufficientBalance: frozenset({10101, 30004, 30005}),
    BelowMinimum: frozenset({30002}),
    NoCounterpart: frozenset({30025}),
    PriceOutOfRange: frozenset({30087}),
    ClockRefused: frozenset({10073, 700003}),
    # Bugs of ours, limits of amounts, and the rest: no error class would help the user.
    Rejected: frozenset(
        {
            *(400, -1128, 10095, 10096, 10097, 10102, 30003, 30029, 30032, 33333, 44444),
            *(700004, 700005, 700008, 700011, 700013, 730002),
        }
    ),
}
_CLASS_OF = {code: leaf for leaf, codes in _REFUSALS.items() for code in codes}

# A POST /order answered with one of these (and HTTP 4xx) was refused before it could trade.
# Whatever is not listed, internal errors above all, leaves the outcome open.
DEFINITE = frozenset(_CLASS_OF)

# For an answer whose code is not a number.
UNREADABLE = -1

# A listen key that has expired, or is none.
UNKNOWN_LISTEN_KEY = 730708

# -2013 of a look-up, -2011 of a cancellation: the order may be over, or not be visible yet.
NOT_FOUND = frozenset({-2013, -2011})
_INTERNAL = frozenset({500, 501, 503, 504, 604, 801, 11444, 20002, 730000})
_TOO_FREQUENT = frozenset({429, 510})
_PAUSE_AFTER_TOO_FREQUENT = 10


def error_for(code: int, message: str) -> Unavailable | Rejected:
    """Returns the error that a read raises for *code*; an unknown code is a refusal."""
    if code == UNREADABLE:
        return BadData(f"an error without a code: {message}")
    if code in NOT_FOUND:
        return OrderNotFound(f"{code}: {message}")
    if code in _INTERNAL:
        return Unavailable(f"{code}: {message}")
    if code in _TOO_FREQUENT:
        return RateLimited(f"{code}: {message}", retry_after=_PAUSE_AFTER_TOO_FREQUENT)
    return _refusal_class(code, message)(code=code, message=message)


def _refusal_class(code: int, message: str) -> type[Rejected]:
    # Two codes are ambiguous; only their text decides.
    if code == 400 and "api key" in message.lower():  # noqa: PLR2004  MEXC's "api key required"
        return BadCredentials
    if code == 30018 and "账号" in message:  # noqa: PLR2004  "this account may not place orders"
        return AccountRestricted
    return _CLASS_OF.get(code, Rejected)
