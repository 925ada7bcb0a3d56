"""The demo without input: a short tour that fails if the bot does not answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.console import Console, Deliver
from bot.views import demo
from engine.clock import Clock

# In the demo's time: a minute takes a second.
_LIMIT = timedelta(minutes=45)
_STEP = timedelta(seconds=3)
_READING_TIME = timedelta(seconds=30)
# After the mode, which may be on a line of its own.
_TRADE, _SALE = (
    re.compile(rf"\A(?:[^\n]*\n)?[^\n]*\b(?:{done}) [0-9]") for done in ("Bought|Sold", "Sold")
)
_NO_TRADE = re.compile(rf"(?!{_TRADE.pattern})")
_ANYTHING = re.compile("")
_CARD = re.compile(".*target 60", re.DOTALL)
_PAUSED = re.compile(".*paused", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Stop:
    """One line to type, and a pattern that its answer must match.
    An alert that matches *trade* must follow, after a *drift* if one is needed for it.
    """

    line: str
    answer: re.Pattern[str] = _NO_TRADE
    trade: re.Pattern[str] | None = None
    drift: bool = False


_STOPS = (
    _Stop("/start"),
    _Stop("/connect DEMOKEY0NOTREAL DEMOSECRET0NOTREAL"),
    # So wide that one purchase, which ends up to 5 % short, brings the balance into the band.
    _Stop("/setthreshold 10%"),
    _Stop("/resume", trade=_TRADE),
    _Stop("/why", answer=_ANYTHING, drift=True, trade=_TRADE),
    _Stop("/settarget 60", trade=_SALE),
    _Stop("/history", answer=_ANYTHING),
    _Stop("/pause", answer=_PAUSED),
    _Stop("/status", answer=_CARD),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Tour:
    """*drift* moves the balance out of its band, unless it is already (`Deposits.push`)."""

    console: Console
    clock: Clock
    deliver: Deliver
    drift: Callable[[], Awaitable[None]]

    async def play(self) -> int:
        """Return the exit code: 1 if the bot did not do what the tour expects."""
        self.console.note(demo.TOUR_WELCOME)
        until = self.clock.steady() + _LIMIT
        for stop in _STOPS:
            await self.clock.sleep(_READING_TIME)
            if not await self._visit(stop, until=until):
                self.console.note(demo.missing(stop.line.split()[0]))
                return 1
        await self.clock.sleep(_READING_TIME)
        self.console.note(demo.TOUR_END)
        return 0

    async def _visit(self, stop: _Stop, *, until: datetime) -> bool:
        known = len(self.console.said)
        self.console.note(demo.typed(stop.line))
        await self.console.enter(stop.line, self.deliver)
        if not await self._receives(stop.answer, since=known, until=until):
            return False
        if stop.trade is None:
            return True
        if stop.drift:
            await self.clock.sleep(_READING_TIME)
            known = len(self.console.said)
            await self.drift()
        self.console.note(demo.WAIT_FOR_TRADE)
        return await self._receives(stop.trade, since=known, until=until)

    async def _receives(self, pattern: re.Pattern[str], *, since: int, until: datetime) -> bool:
        """True if the bot sends a matching text before the tour's deadline."""
        while self.clock.steady() < until:
            if any(pattern.match(text) for text in self.console.said[since:]):
                return True
            await self.clock.sleep(_STEP)
        return False
