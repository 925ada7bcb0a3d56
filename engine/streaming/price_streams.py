"""The connections of this process that tell prices: shared by all accounts, as many pairs on each as
the exchange allows.

A connection begins without a price, and is silent until one changes. So the prices of new pairs are
read once, and then followed. Until then, and after the connection is over, a pair is not live.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from engine.clock import Clock
from engine.domain.market.decimals import ONE
from engine.domain.market.pairs import Asset, Symbol, base_of
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.streams.key_times import backoff, renewal_due
from engine.domain.streams.trust import Doubt
from engine.errors import EngineError, Unavailable
from engine.exchanges.interface import PriceStream, PriceStreams

logger = logging.getLogger(__name__)

TURN = timedelta(milliseconds=250)
# Of one pair, however often it is told.
A_PRICE_EVERY = timedelta(seconds=1)
ANSWERED_WITHIN = timedelta(seconds=10)
_REFUSED_FOR = timedelta(hours=1)
# What is read is of two seconds ago at most: so long after the first word it is of the time since.
_READ_AFTER = timedelta(seconds=3)
_READ_AGAIN_IN = timedelta(seconds=5)
# All are compared with what is read, in one request: a stream may be deaf, and a crash guard waits.
COMPARED_EVERY = timedelta(minutes=2)
_DEAF_AFTER = timedelta(seconds=15)
_OTHER_PRICE = ONE / 1000
_SLEPT = timedelta(seconds=30)
_SIDES = 1001

Read = Callable[[Collection[Asset]], Awaitable[Quotes]]


@dataclass(slots=True, eq=False)
class _Line:
    """One connection, or the attempt at one. *answers* are awaited, each until then."""

    stream: PriceStream | None = None
    task: asyncio.Task[None] | None = None
    symbols: set[Symbol] = field(default_factory=set)
    unasked: list[Symbol] = field(default_factory=list)
    answers: dict[Symbol, datetime] = field(default_factory=dict)
    opened_at: datetime | None = None
    beat_at: datetime | None = None
    over_at: datetime | None = None


@dataclass(slots=True, eq=False)
class _Pair:
    """A pair that somebody waits for. *told_at* is when its price was told or read last; *is_new*: so
    far it was not passed on that it is live.
    """

    line: _Line | None = None
    subscribed_at: datetime | None = None
    is_read: bool = False
    is_new: bool = True
    quote: Quote | None = None
    told_at: datetime | None = None
    passed_on_at: datetime | None = None
    refused_until: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.is_read and self.quote is not None

    def lose(self) -> bool:
        """Returns whether it was live."""
        was_live = self.is_live and not self.is_new
        self.line = self.subscribed_at = self.quote = self.told_at = None
        self.is_read, self.is_new = False, True
        return was_live


class PriceFleet:
    """*read* asks for prices without a stream, in one request for all, which may be of up to two
    seconds ago. *on_live* is told of a pair that is live now, each of *on_quote* of its price from then on, at
    most once a second, and *on_lost* of pairs that are not live any more.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        streams: PriceStreams,
        read: Read,
        dice: Callable[[], int] = lambda: secrets.randbelow(_SIDES),
    ) -> None:
        self._clock = clock
        self._streams = streams
        self._read = read
        self._dice = dice
        self._pairs: dict[Symbol, _Pair] = {}
        self._wanted: Counter[Symbol] = Counter()
        self._lines: list[_Line] = []
        self._changed: set[Symbol] = set()
        self._failures = 0
        self._open_at = clock.steady()
        self._read_at = self._compared_at = clock.steady()
        self._is_reading = False
        self._tasks: asyncio.TaskGroup | None = None
        self.on_live: Callable[[Symbol], None] = lambda _symbol: None
        self.on_quote: list[Callable[[Symbol, Quote], None]] = []
        self.on_turn: Callable[[], None] = lambda: None
        self.on_lost: Callable[[Collection[Symbol]], None] = lambda _symbols: None
        self.told = 0
        self.missed = 0

    # What the accounts say and ask.

    def want(self, symbol: Symbol) -> None:
        """Follow the pair, until each that wants it has left."""
        self._wanted[symbol] += 1
        self._pairs.setdefault(symbol, _Pair())

    def leave(self, symbol: Symbol) -> None:
        """One that wanted the pair does no more. Its connection tells of it until that ends."""
        self._wanted[symbol] -= 1
        if self._wanted[symbol] <= 0:
            del self._wanted[symbol]
            self._pairs.pop(symbol, None)

    def quote(self, symbol: Symbol) -> Quote | None:
        """The price of this moment; None while the pair is not live."""
        pair = self._pairs.get(symbol)
        return pair.quote if pair is not None and pair.is_live else None

    def compare(self, symbol: Symbol, mid: Decimal) -> None:
        """*mid* was read just now. Where nobody told of it the connection is not believed any more."""
        pair = self._pairs.get(symbol)
        if pair is None or pair.line is None or not pair.is_live or pair.quote is None:
            return
        is_old = pair.told_at is None or self._clock.steady() - pair.told_at >= _DEAF_AFTER
        low, high = pair.quote.bid * (ONE - _OTHER_PRICE), pair.quote.ask * (ONE + _OTHER_PRICE)
        if is_old and not low <= mid <= high:
            self.missed += 1
            logger.warning("price stream deaf", extra={"pair": symbol})
            self._end(pair.line, Doubt.DEAF)

    @property
    def connections(self) -> int:
        return sum(line.stream is not None for line in self._lines)

    @property
    def live(self) -> int:
        """How many pairs are live."""
        return sum(pair.is_live for pair in self._pairs.values())

    # Its life.

    async def run(self) -> None:
        """Run until cancelled; then all connections are closed."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            looked_at = self._clock.steady()
            while True:
                await self._clock.sleep(TURN)
                now = self._clock.steady()
                if now - looked_at > _SLEPT:
                    for line in [*self._lines]:
                        self._end(line, Doubt.SLEPT)
                looked_at = now
                self.turn()

    def turn(self) -> None:
        """Do what is due."""
        now = self._clock.steady()
        try:
            self._pass_on(now)
            self.on_turn()
            self._give_lines(now)
            for line in [*self._lines]:
                self._keep(line, now)
            self._read_some(now)
        except Exception:
            logger.exception("turn of the price streams failed")  # the next one goes on

    def _pass_on(self, now: datetime) -> None:
        for symbol in [*self._changed]:
            pair = self._pairs.get(symbol)
            if pair is None or pair.quote is None or not pair.is_live:
                self._changed.discard(symbol)
            elif pair.is_new:
                self._changed.discard(symbol)
                pair.is_new = False
                self.on_live(symbol)
            elif pair.passed_on_at is None or now - pair.passed_on_at >= A_PRICE_EVERY:
                self._changed.discard(symbol)
                pair.passed_on_at = now
                for tell in self.on_quote:
                    tell(symbol, pair.quote)

    def _give_lines(self, now: datetime) -> None:
        for symbol, pair in self._pairs.items():
            is_refused = pair.refused_until is not None and pair.refused_until > now
            if pair.line is not None or is_refused:
                continue
            line = self._line_of(symbol)
            if line is None:
                if now < self._open_at:
                    return
                self._open_at = now + TURN
                line = self._open()
            pair.line = line
            if symbol not in line.symbols:
                line.symbols.add(symbol)
                line.unasked.append(symbol)
            elif symbol not in line.answers and symbol not in line.unasked:
                pair.subscribed_at = now  # it was left, and is wanted again

    def _line_of(self, symbol: Symbol) -> _Line | None:
        """The connection that tells of the pair still, or else one with room."""
        telling = next((line for line in self._lines if symbol in line.symbols), None)
        most = self._streams.most_pairs
        return telling or next((one for one in self._lines if len(one.symbols) < most), None)

    def _open(self) -> _Line:
        line = _Line()
        self._lines.append(line)
        line.task = self._spawn(self._serve(line))
        return line

    async def _serve(self, line: _Line) -> None:
        """From the attempt to the end of the connection."""
        why = Doubt.CLOSED
        try:
            line.stream = await self._streams.open(_Feed(self, line))
            line.opened_at = line.beat_at = self._clock.steady()
            line.over_at = renewal_due(line.opened_at, dice=self._dice())
            why = await line.stream.run()
        except Unavailable as e:
            logger.info("price stream not connected", extra={"problem": str(e)})
        except Exception:
            # Last resort: one connection must not end the others.
            logger.exception("price stream crashed")
        finally:
            self._over(line, why)

    def _keep(self, line: _Line, now: datetime) -> None:
        stream = line.stream
        if stream is None:
            return
        is_old = line.over_at is not None and line.over_at <= now
        if is_old or not self._is_used(line) or any(at <= now for at in line.answers.values()):
            self._end(line, Doubt.CLOSED)
            return
        if line.unasked:
            asked, line.unasked = line.unasked, []
            line.answers |= dict.fromkeys(asked, now + ANSWERED_WITHIN)
            self._spawn(self._do(line, partial(stream.subscribe, asked)))
        if line.beat_at is not None and line.beat_at <= now:
            line.beat_at = None
            self._spawn(self._do(line, partial(self._beat, line, stream)))

    async def _beat(self, line: _Line, stream: PriceStream) -> None:
        again_in = await stream.beat()
        line.beat_at = self._clock.steady() + again_in

    async def _do(self, line: _Line, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except Exception:
            logger.exception("price stream failed")
            self._end(line, Doubt.CLOSED)

    def _end(self, line: _Line, why: Doubt) -> None:
        """Whatever the other side does, nothing is believed of it from now on."""
        self._over(line, why)
        if line.task is not None:
            line.task.cancel()  # which closes the connection

    def _over(self, line: _Line, why: Doubt) -> None:
        """The connection is over, or nothing of it counts any more. Another call does nothing."""
        if line not in self._lines:
            return
        self._lines.remove(line)
        now = self._clock.steady()
        stood = line.opened_at is not None and now - line.opened_at >= ANSWERED_WITHIN
        self._failures = 0 if stood else self._failures + 1
        self._open_at = max(self._open_at, now + backoff(self._failures, dice=self._dice()))
        lost = [s for s, pair in self._pairs.items() if pair.line is line and pair.lose()]
        if lost:
            logger.info("price stream lost", extra={"pairs": len(lost), "why": why.value})
            self.on_lost(lost)

    def _is_used(self, line: _Line) -> bool:
        return any(pair.line is line for pair in self._pairs.values())

    def _read_some(self, now: datetime) -> None:
        """Read the prices of pairs that are followed from a while ago on, and were not read since;
        now and then of all.
        """
        if self._is_reading or now < self._read_at:
            return
        unread = [
            symbol
            for symbol, pair in self._pairs.items()
            if not pair.is_read
            and pair.subscribed_at is not None
            and now - pair.subscribed_at >= _READ_AFTER
        ]
        if now - self._compared_at >= COMPARED_EVERY:
            self._compared_at = now
            unread += [symbol for symbol, pair in self._pairs.items() if pair.is_live]
        if unread:
            self._is_reading = True
            self._read_at = now + _READ_AGAIN_IN
            self._spawn(self._read_prices(unread))

    async def _read_prices(self, symbols: Sequence[Symbol]) -> None:
        try:
            quotes = await self._read([base_of(symbol) for symbol in symbols])
        except EngineError as e:
            logger.info("prices not read", extra={"problem": type(e).__name__})
            return
        except Exception:
            logger.exception("prices not read")
            return
        finally:
            self._is_reading = False
        for symbol in symbols:
            pair = self._pairs.get(symbol)
            if pair is None or pair.subscribed_at is None:
                continue
            quote = quotes.by_asset.get(base_of(symbol))
            if pair.is_read:
                if quote is not None:
                    self.compare(symbol, quote.mid)
                continue
            pair.is_read = True
            if pair.told_at is None:  # what was told since it is followed is newer
                pair.quote = quote
                pair.told_at = self._clock.steady()
            self._changed.add(symbol)

    def answered(self, line: _Line, symbol: Symbol, *, is_subscribed: bool) -> None:
        line.answers.pop(symbol, None)
        pair = self._pairs.get(symbol)
        if pair is None or pair.line is not line:
            return
        now = self._clock.steady()
        if is_subscribed:
            pair.subscribed_at = now
            return
        line.symbols.discard(symbol)
        pair.lose()
        pair.refused_until = now + _REFUSED_FOR

    def quoted(self, line: _Line, symbol: Symbol, quote: Quote | None) -> None:
        self.told += 1
        pair = self._pairs.get(symbol)
        if pair is None or pair.line is not line or pair.subscribed_at is None:
            return
        was_live = pair.is_live and not pair.is_new
        pair.quote, pair.told_at = quote, self._clock.steady()
        if quote is None and was_live:
            pair.is_new = True
            self.on_lost([symbol])
        self._changed.add(symbol)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the price streams are not run yet")
        return self._tasks.create_task(work)


class _Feed:
    """Where one connection writes. Implements PriceFeed. It is deaf once that is over."""

    def __init__(self, fleet: PriceFleet, line: _Line) -> None:
        self._fleet = fleet
        self._line = line

    def answered(self, symbol: Symbol, *, is_subscribed: bool) -> None:
        self._fleet.answered(self._line, symbol, is_subscribed=is_subscribed)

    def quote(self, symbol: Symbol, quote: Quote | None) -> None:
        self._fleet.quoted(self._line, symbol, quote)
