"""The guard against a crash acts on a fall of prices, not on money that leaves."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.targets.crash_guard import (
    CrashGuard,
    GuardStep,
    ManagedValue,
    fall_within_a_day,
    guard_step,
)
from tests.fakes.clock import START

HOUR = timedelta(hours=1)
FIFTH = CrashGuard(Decimal("0.2"))


def _values(*amounts: int | tuple[int, int]) -> list[ManagedValue]:
    """One an hour, the last one now; with a flow as a second number."""
    first = START - HOUR * (len(amounts) - 1)
    pairs = [amount if isinstance(amount, tuple) else (amount, 0) for amount in amounts]
    return [
        ManagedValue(first + number * HOUR, Decimal(value), Decimal(flow))
        for number, (value, flow) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("values", "fall"),
    [
        (_values(100, 80), "0.2"),
        (_values(100, 120, 90), "0.25"),
        (_values(100, (100, -50), 50), "0"),
        (_values(100, (100, 100), 160), "0.2"),
        (_values(100, (80, 1000), 1080), "0.2"),
        (_values(100, (100, -100), (0, 50), 50), "0"),
        (_values(100, (0, 50), 50), "1"),
        (_values(100), "0"),
        ([], "0"),
    ],
)
def test_the_fall_is_that_of_prices_alone(values: list[ManagedValue], fall: str):
    assert fall_within_a_day(values, now=START) == Decimal(fall)


def test_what_is_older_than_a_day_does_not_count():
    values = [ManagedValue(START - timedelta(hours=25), Decimal(200)), *_values(100, 99)]

    assert fall_within_a_day(values, now=START) == Decimal("0.01")


def _step(values: list[ManagedValue], guard: CrashGuard = FIFTH, **times: int | None) -> GuardStep:
    ago = {name: None if n is None else START - n * HOUR for name, n in times.items()}
    return guard_step(
        guard, values, acted_at=ago.get("acted"), lifted_at=ago.get("lifted"), now=START
    )


def test_a_guard_acts_at_its_fall_and_then_waits_for_a_person():
    assert _step(_values(100, 81)) is GuardStep.REST
    assert _step(_values(100, 80)) is GuardStep.ACT
    assert _step(_values(100, 80, 200), acted=1) is GuardStep.GO_ON


def test_the_same_fall_does_not_act_again_after_it_was_lifted():
    assert _step(_values(100, 80, 79), lifted=1) is GuardStep.REST
    assert _step(_values(100, 80, 60), lifted=1) is GuardStep.ACT


def test_a_guard_that_may_lifts_itself_when_its_time_is_over_and_the_fall_too():
    guard = CrashGuard(Decimal("0.2"), lifts_after=2 * HOUR)

    assert _step(_values(100, 100), guard, acted=1) is GuardStep.GO_ON
    assert _step(_values(100, 100), guard, acted=2) is GuardStep.LIFT
    assert _step(_values(100, 75), guard, acted=2) is GuardStep.GO_ON
