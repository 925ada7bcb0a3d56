"""Whether a pair takes IOC orders from a key: not listed anywhere, so it is learned, and forgotten.

Pure: the caller stores what `learned` returns, by pair and key, and tells the user once.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import OrderType, PairRules

# An answer of no is asked for again after this long.
NO_LASTS = timedelta(days=7)
_AMBIGUOUS = 30018
_NOT_TAKEN = frozenset({_AMBIGUOUS, 30019, 30041})
_ABOUT_TYPE = re.compile(r"order type|'type'", re.IGNORECASE)


class Answer(Enum):
    """Whether orders of a type are taken."""

    YES = "yes"
    NO = "no"


class Lesson(Enum):
    """What was seen of an order of that type."""

    TEST_ACCEPTED = "test accepted"  # a test order was: it says little, but not no
    HONOURED = "honoured"
    REFUSED = "refused"
    NOT_HONOURED = "not honoured"  # it was taken, and rested all the same


@dataclass(frozen=True, slots=True)
class Capability:
    """*answer* since *at*; None while it is not known."""

    answer: Answer | None = None
    at: datetime | None = None

    def at_moment(self, now: datetime) -> Answer | None:
        """Returns what is to be believed *now*: an old no is no answer any more."""
        is_old = self.at is not None and now - self.at >= NO_LASTS
        return None if self.answer is Answer.NO and is_old else self.answer


UNKNOWN = Capability()


def learned(before: Capability, lesson: Lesson, *, now: datetime) -> Capability:
    """Returns what is known after *lesson*. A test order proves nothing of a live one."""
    match lesson:
        case Lesson.HONOURED:
            return Capability(Answer.YES, now)
        case Lesson.REFUSED | Lesson.NOT_HONOURED:
            return Capability(Answer.NO, now)
        case Lesson.TEST_ACCEPTED:
            return before
        case _:
            assert_never(lesson)


def refuses_type(code: int, message: str) -> bool:
    """True if the exchange's refusal is about the type of the order."""
    if code == _AMBIGUOUS and "账号" in message:  # "this account may not place orders"
        return False
    return code in _NOT_TAKEN or _ABOUT_TYPE.search(message) is not None


def order_type_for(
    mode: ExecutionMode,
    *,
    ioc: Capability,
    rules: PairRules,
    is_urgent: bool,
    now: datetime,
    maker: Capability = UNKNOWN,
) -> OrderType:
    """Returns how an order of *mode* is sent: as a maker only where it is not *is_urgent* and the pair
    takes that, and by MARKET where it is known to take no IOC. Without MARKET, IOC is tried all the
    same.
    """
    if mode is ExecutionMode.MARKET:
        return OrderType.MARKET
    takes_maker = rules.takes(OrderType.LIMIT_MAKER) and maker.at_moment(now) is not Answer.NO
    if mode is ExecutionMode.MAKER and not is_urgent and takes_maker:
        return OrderType.LIMIT_MAKER
    takes_ioc = rules.takes(OrderType.IOC) and ioc.at_moment(now) is not Answer.NO
    return OrderType.IOC if takes_ioc or not rules.takes(OrderType.MARKET) else OrderType.MARKET


def is_market_only(mode: ExecutionMode, *, ioc: Capability, now: datetime) -> bool:
    """True if MARKET orders are sent in place of those that *mode* asks for."""
    return mode is not ExecutionMode.MARKET and ioc.at_moment(now) is Answer.NO


def says_it_once(before: Capability, after: Capability) -> bool:
    """True if the user is told that orders go out as MARKET: the answer was not no before."""
    return after.answer is Answer.NO and before.answer is not Answer.NO
