"""The exchange's clock as far as we know it: ours plus a measured offset."""

from datetime import datetime, timedelta

from engine.clock import Clock

# MEXC refuses a stamp more than a second ahead of its clock whatever the window, but takes one
# that is seconds behind: so we err on the late side.
_BEHIND = timedelta(milliseconds=200)
_JUMP = timedelta(seconds=1)


class MexcClock:
    """*trusted* is False before the first measurement and after two that contradict each other.

    *samples* counts the measurements, so that callers can tell whether one was made meanwhile.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: timedelta | None = None
        self.trusted = False
        self.samples = 0

    def now(self) -> datetime:
        return self._clock.steady() + (self._offset or timedelta()) - _BEHIND

    def continues_at(self, offset: timedelta) -> bool:
        """True if *offset* agrees with the last measurement; a jump needs a second one."""
        return self._offset is None or not jumped(self._offset, offset)

    def accept(self, offset: timedelta) -> None:
        self._offset = offset
        self.trusted = True
        self.samples += 1

    def distrust(self) -> None:
        self.trusted = False


def jumped(before: timedelta, after: timedelta) -> bool:
    return abs(after - before) > _JUMP
