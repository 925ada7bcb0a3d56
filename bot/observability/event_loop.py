"""Detects from another thread that the event loop is blocked, and logs where."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress

from prometheus_client import Counter, Histogram

LIMIT_S = 1.0
_EVERY_S = 0.25
_DEEPEST = 15
_LONGEST_END_S = 1.0
_LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

logger = logging.getLogger(__name__)


class Turning:
    """How long the loop took to respond each time, and how much of that was logged as a block.
    Written by the watching thread, read by the loop's.
    """

    def __init__(self) -> None:
        self.lag = Histogram(
            "ballast_loop_lag_seconds",
            "How long the event loop took to turn, asked four times a second",
            buckets=_LAG_S,
            registry=None,
        )
        self.blocks = Counter(
            "ballast_loop_blocks", "Times it stood still for a second or more", registry=None
        )
        self.blocked = Counter(
            "ballast_loop_blocked_seconds", "How long it stood still then", registry=None
        )


@contextmanager
def watched_loop(*, limit_s: float = LIMIT_S, every_s: float = _EVERY_S) -> Generator[Turning]:
    """Watch the running loop within the block.
    Each block longer than *limit_s* is logged once with its place, and once more when it ends. The
    loop is probed *every_s*, so a block that is shorter than the limit by up to that much may be
    logged as well; a longer one always is.
    """
    watch = _Watch(asyncio.get_running_loop(), limit_s=limit_s, every_s=every_s)
    thread = threading.Thread(target=watch.run, name="loop watch", daemon=True)
    thread.start()
    try:
        yield watch.turning
    finally:
        watch.stop()
        thread.join(_LONGEST_END_S)


class _Watch:
    def __init__(self, loop: asyncio.AbstractEventLoop, *, limit_s: float, every_s: float) -> None:
        self._loop = loop
        self._thread_id = threading.get_ident()
        self._patience_s = limit_s - every_s
        self._every_s = every_s
        self._turned = threading.Event()
        self._stopping = threading.Event()
        self.turning = Turning()

    def run(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            while not self._stopping.wait(self._every_s):
                self._turned.clear()
                asked_at = time.monotonic()
                self._loop.call_soon_threadsafe(self._turned.set)
                if not self._turned.wait(self._patience_s):
                    self._tell(asked_at)
                if not self._stopping.is_set():
                    self.turning.lag.observe(time.monotonic() - asked_at)

    def stop(self) -> None:
        self._stopping.set()
        self._turned.set()

    def _tell(self, asked_at: float) -> None:
        """Log the block, and its end."""
        place = self._place()
        logger.warning("event loop blocked:\n%s", place)
        self._turned.wait()
        if not self._stopping.is_set():
            blocked_s = time.monotonic() - asked_at
            self.turning.blocks.inc()
            self.turning.blocked.inc(blocked_s)
            logger.warning("event loop recovered; it was blocked for %.1f s", blocked_s)

    def _place(self) -> str:
        """Return the innermost frames of the loop's thread, without their variables."""
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - the one documented way
        return "".join(traceback.format_stack(frame)[-_DEEPEST:]).rstrip() if frame else "?"
