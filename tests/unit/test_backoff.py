"""What fails is repeated after longer and longer waits, until it succeeds or may not be repeated."""

from datetime import timedelta

import pytest

from engine.backoff import delay, retry
from tests.fakes.clock import FakeClock

SECOND = timedelta(seconds=1)


class Fragile:
    """Fails with each of *errors* in turn, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)

    async def call(self) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def test_each_failure_doubles_the_wait_up_to_the_longest():
    assert [delay(n, most=5 * SECOND) for n in range(5)] == [
        SECOND,
        SECOND,
        2 * SECOND,
        4 * SECOND,
        5 * SECOND,
    ]
    assert delay(10_000) == 30 * SECOND


async def test_a_call_is_repeated_until_it_succeeds():
    clock = FakeClock()
    began, seen = clock.now(), list[str]()
    fragile = Fragile(OSError("first"), OSError("second"))

    result = await retry(
        fragile.call, on=OSError, clock=clock, failed=lambda e: seen.append(str(e))
    )

    assert result == "done"
    assert seen == ["first", "second"]
    assert clock.now() - began == 3 * SECOND


async def test_another_error_ends_it_at_once():
    with pytest.raises(ValueError, match="ours"):
        await retry(Fragile(ValueError("ours")).call, on=OSError, clock=FakeClock(), failed=print)


async def test_the_callback_may_end_it():
    def give_up(error: OSError) -> None:
        raise LookupError from error

    with pytest.raises(LookupError):
        await retry(Fragile(OSError()).call, on=OSError, clock=FakeClock(), failed=give_up)
