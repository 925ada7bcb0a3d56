"""Streams of prices that a test answers, tells and cuts, and that remember it all."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from engine.domain.market.pairs import Symbol
from engine.domain.market.quotes import Quote
from engine.domain.streams.trust import Doubt
from engine.exchanges.interface import PriceFeed


class FakePriceStream:
    """One connection."""

    def __init__(self, world: "FakePriceStreams", feed: PriceFeed) -> None:
        self._world = world
        self.feed = feed
        self.symbols: list[Symbol] = []
        self.beats = 0
        self._over = asyncio.Event()
        self._why = Doubt.CLOSED

    @property
    def is_open(self) -> bool:
        return not self._over.is_set()

    async def subscribe(self, symbols: Sequence[Symbol]) -> None:
        self.symbols += symbols
        if not self._world.is_mute:
            for symbol in symbols:
                self.feed.answered(symbol, is_subscribed=symbol not in self._world.refused)

    async def run(self) -> Doubt:
        try:
            await self._over.wait()
        finally:
            self._over.set()
        return self._why

    async def beat(self) -> timedelta:
        self.beats += 1
        return timedelta(seconds=15)

    async def end(self, why: Doubt) -> None:
        self.cut(why)

    def cut(self, why: Doubt = Doubt.CLOSED) -> None:
        self._why = why
        self._over.set()


class FakePriceStreams:
    """Satisfies `PriceStreams`. *refused* are pairs that are not told, *away* is raised instead of a
    connection, and with *is_mute* nothing is answered.
    """

    most_pairs = 30

    def __init__(self) -> None:
        self.refused: set[Symbol] = set()
        self.away: Exception | None = None
        self.is_mute = False
        self.attempts = 0
        self.streams: list[FakePriceStream] = []

    async def open(self, feed: PriceFeed) -> FakePriceStream:
        self.attempts += 1
        if self.away is not None:
            raise self.away
        self.streams.append(FakePriceStream(self, feed))
        return self.streams[-1]

    @property
    def open_ones(self) -> list[FakePriceStream]:
        return [one for one in self.streams if one.is_open]

    def tell(self, symbol: Symbol, bid: str, ask: str) -> None:
        """A change of the best prices, to whoever has subscribed them."""
        quote = Quote(Decimal(bid), Decimal(ask)) if bid and ask else None
        for one in self.open_ones:
            if symbol in one.symbols and symbol not in self.refused:
                one.feed.quote(symbol, quote)
