"""Which orders a pair takes is learned from tries, and a no is asked for again after a week."""

from datetime import timedelta

import pytest

from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import (
    NO_LASTS,
    UNKNOWN,
    Answer,
    Capability,
    Lesson,
    learned,
    order_type_for,
    refuses_type,
    says_it_once,
)
from engine.domain.market.pairs import OrderType
from tests.builders import rules
from tests.fakes.clock import START

YES, NO = Capability(Answer.YES, START), Capability(Answer.NO, START)


def test_a_live_order_teaches_and_a_test_order_does_not():
    assert learned(UNKNOWN, Lesson.TEST_ACCEPTED, now=START) == UNKNOWN
    assert learned(NO, Lesson.TEST_ACCEPTED, now=START) == NO
    assert learned(UNKNOWN, Lesson.HONOURED, now=START) == YES
    assert learned(YES, Lesson.REFUSED, now=START) == NO
    assert learned(YES, Lesson.NOT_HONOURED, now=START) == NO


def test_a_no_is_told_once_and_forgotten_after_a_week():
    again = learned(NO, Lesson.REFUSED, now=START + timedelta(days=1))

    assert says_it_once(UNKNOWN, NO)
    assert says_it_once(YES, NO)
    assert not says_it_once(NO, again)
    assert NO.at_moment(START + NO_LASTS - timedelta(seconds=1)) is Answer.NO
    assert NO.at_moment(START + NO_LASTS) is None
    assert YES.at_moment(START + 9 * NO_LASTS) is Answer.YES


@pytest.mark.parametrize(
    ("code", "message", "is_about_type"),
    [
        (30041, "Order type can not place.", True),
        (30019, "", True),
        (700004, "Mandatory parameter 'type' was not sent", True),
        (30018, "market order is disabled", True),
        (30018, "账号暂时不能下单，请联系客服", False),
        (700013, "Invalid content Type.", False),
        (30004, "Insufficient position", False),
        (30087, "Order price exceeds allowed range", False),
    ],
)
def test_a_refusal_is_about_the_type_or_about_something_else(
    code: int, message: str, is_about_type: bool
):
    assert refuses_type(code, message) is is_about_type


@pytest.mark.parametrize(
    ("mode", "ioc", "changes", "urgent", "order_type"),
    [
        (ExecutionMode.MARKET, YES, {}, False, OrderType.MARKET),
        (ExecutionMode.AUTO, UNKNOWN, {}, False, OrderType.IOC),
        (ExecutionMode.AUTO, NO, {}, False, OrderType.MARKET),
        (ExecutionMode.AUTO, NO, {"market_orders": False}, False, OrderType.IOC),
        (ExecutionMode.AUTO, YES, {"limit_orders": False}, False, OrderType.MARKET),
        (ExecutionMode.MAKER, YES, {}, False, OrderType.LIMIT_MAKER),
        (ExecutionMode.MAKER, YES, {}, True, OrderType.IOC),
        (ExecutionMode.MAKER, NO, {"maker_orders": False}, False, OrderType.MARKET),
    ],
)
def test_an_order_goes_out_as_the_pair_takes_it(
    mode: ExecutionMode,
    ioc: Capability,
    changes: dict[str, bool],
    urgent: bool,
    order_type: OrderType,
):
    found = order_type_for(mode, ioc=ioc, rules=rules(**changes), is_urgent=urgent, now=START)

    assert found is order_type
