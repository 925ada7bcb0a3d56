"""The streams of best prices at MEXC: public connections, a channel a pair."""

from collections.abc import Sequence
from datetime import timedelta

from engine.clock import Clock
from engine.domain.market.pairs import Symbol
from engine.domain.market.quotes import Quote
from engine.domain.streams.trust import Doubt
from engine.exchanges.interface import PriceFeed
from engine.exchanges.mexc.push_messages import BEST_PRICES, BestPricesPushed, Pushed
from engine.exchanges.mexc.stream import Stream, StreamSession, connected


class MexcPriceStreams:
    """Satisfies `PriceStreams`. The best prices and not the last one: plans use the middle, and trade
    what is outside at the bids and at the asks.
    """

    most_pairs = 30

    def __init__(self, *, streams: StreamSession, clock: Clock) -> None:
        self._streams = streams
        self._clock = clock

    async def open(self, feed: PriceFeed) -> "MexcPriceStream":
        def event(pushed: Pushed) -> None:
            if isinstance(pushed, BestPricesPushed) and not _crosses(pushed):
                feed.quote(pushed.symbol, _quote(pushed))

        def answer(channel: str, said: str) -> None:
            symbol = Symbol(channel.rpartition("@")[2])
            feed.answered(symbol, is_subscribed=said == channel)

        stream = await connected(
            self._streams,
            listen_key=None,
            clock=self._clock,
            on_event=event,
            on_answer=answer,
        )
        return MexcPriceStream(stream)


class MexcPriceStream:
    """Satisfies `PriceStream`."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def subscribe(self, symbols: Sequence[Symbol]) -> None:
        await self._stream.subscribe([f"{BEST_PRICES}@{symbol}" for symbol in symbols])

    async def run(self) -> Doubt:
        return await self._stream.run()

    async def beat(self) -> timedelta:
        return await self._stream.beat()

    async def end(self, why: Doubt) -> None:
        await self._stream.end(why)


def _crosses(pushed: BestPricesPushed) -> bool:
    """True if the best prices are of two moments: the next push has others."""
    return pushed.bid is not None and pushed.ask is not None and pushed.bid >= pushed.ask


def _quote(pushed: BestPricesPushed) -> Quote | None:
    if pushed.bid is None or pushed.ask is None:
        return None
    return Quote(pushed.bid, pushed.ask)
