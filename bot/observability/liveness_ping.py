"""Pings a monitoring URL once a minute; the monitor alerts when the pings stop."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx

from engine.clock import Clock
from engine.monitoring.stall_detector import EngineProgress, StallDetector, Stalled

_BEAT = timedelta(seconds=5)
_EVERY = timedelta(minutes=1)
_TIME_LIMIT_S = 10.0

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class LivenessPing:
    """Requests *url* each minute if the engine had a heartbeat since and no check is overdue.
    Otherwise no ping is sent. *url* is never logged.
    """

    url: str
    clock: Clock
    pulse: Callable[[], EngineProgress]
    tls: ssl.SSLContext

    def __post_init__(self) -> None:
        self._vigil = StallDetector()
        self._stalled = False
        self._beats = self.pulse().beats.done
        self._failing = False

    async def run(self) -> None:
        """Run until cancelled."""
        wait = _BEAT  # the first ping ends the gap of a restart
        async with httpx.AsyncClient(
            timeout=_TIME_LIMIT_S, verify=self.tls, trust_env=False
        ) as http:
            while True:
                await self._watch(wait)
                if self._gets_on():
                    await self._sign(http)
                wait = _EVERY

    async def _watch(self, duration: timedelta) -> None:
        """Check for stalls in fixed steps; the duration of a ping is not counted."""
        for _ in range(duration // _BEAT):
            await self.clock.sleep(_BEAT)
            if (news := self._vigil.look(self.pulse(), passed=_BEAT)) is not None:
                self._stalled = isinstance(news, Stalled)

    def _gets_on(self) -> bool:
        beats, self._beats = self._beats, self.pulse().beats.done
        return self._beats != beats and not self._stalled

    async def _sign(self, http: httpx.AsyncClient) -> None:
        """Send one ping; a failed one is not retried before the next minute."""
        problem = None
        try:
            async with asyncio.timeout(_TIME_LIMIT_S), http.stream("GET", self.url) as answer:
                if not answer.is_success:
                    problem = f"HTTP {answer.status_code}"
        except (httpx.HTTPError, OSError) as e:
            problem = type(e).__name__
        if problem is not None and not self._failing:
            logger.warning("liveness ping failed", extra={"problem": problem})
        if problem is None and self._failing:
            logger.info("liveness ping recovered")
        self._failing = problem is not None
