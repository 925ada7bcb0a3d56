"""The dead man's switch: a sign of life once a minute, to somebody who raises the alarm without it."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import timedelta

import httpx

from engine.clock import Clock
from engine.monitoring.stall_detector import EngineProgress, StallDetector, Stalled, StallOver

_BEAT = timedelta(seconds=5)
_EVERY = timedelta(minutes=1)
_TIME_LIMIT_S = 10.0

logger = logging.getLogger(__name__)


class LivenessPing:
    """Asks for *url* while the engine gets on: its heart has beaten since the time before, and no
    check is overdue. Else it is silent, and that is the message. *url* is in no log.
    """

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        pulse: Callable[[], EngineProgress],
        tls: ssl.SSLContext,
    ) -> None:
        self._url = url
        self._tls = tls
        self._clock = clock
        self._pulse = pulse
        self._vigil = StallDetector()
        self._stalled = False
        self._beats = pulse().beats.done
        self._failing = False

    async def run(self) -> None:
        """Until cancelled."""
        wait = _BEAT  # the first sign ends the silence of a restart
        async with httpx.AsyncClient(
            timeout=_TIME_LIMIT_S, verify=self._tls, trust_env=False
        ) as http:
            while True:
                await self._watch(wait)
                if self._gets_on():
                    await self._sign(http)
                wait = _EVERY

    async def _watch(self, duration: timedelta) -> None:
        """What a sign of life takes comes on top: it is not said to have passed."""
        for _ in range(duration // _BEAT):
            await self._clock.sleep(_BEAT)
            match self._vigil.look(self._pulse(), passed=_BEAT):
                case Stalled():
                    self._stalled = True
                case StallOver():
                    self._stalled = False
                case None:
                    pass

    def _gets_on(self) -> bool:
        beats, self._beats = self._beats, self._pulse().beats.done
        return self._beats != beats and not self._stalled

    async def _sign(self, http: httpx.AsyncClient) -> None:
        """One try; the next one is a minute away, and switches like these are patient."""
        problem = None
        try:
            async with asyncio.timeout(_TIME_LIMIT_S), http.stream("GET", self._url) as answer:
                if not answer.is_success:
                    problem = f"HTTP {answer.status_code}"
        except (httpx.HTTPError, OSError) as e:
            problem = type(e).__name__
        if problem is not None and not self._failing:
            logger.warning("no sign of life was taken", extra={"problem": problem})
        if problem is None and self._failing:
            logger.info("signs of life are taken again")
        self._failing = problem is not None
