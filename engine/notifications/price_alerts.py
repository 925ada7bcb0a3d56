"""Looks once a minute at the prices that chats wait for, and tells what has moved.

One request reads all prices for every account, in the process that claims the minutes. Prices that
are told there need none, and one that may be what a chat waits for is looked at within seconds. What
is told was seen in two looks in a row: the second one is made at the next round.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from engine.clock import to_millis
from engine.domain.alerts.price_alerts import PriceAlert, PriceMove, PriceMoved, nearer, noted
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset, Symbol, base_of, symbol_of
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import AccountId
from engine.errors import EngineError
from engine.exchanges.interface import ExchangeFor, within
from engine.exchanges.pair_data import public_market
from engine.notifications.publish import publish
from engine.storage.accounts import accounts
from engine.storage.chat import price_alerts
from engine.storage.chat.price_alerts import SetAlert
from engine.storage.service import Service

_EVERY = timedelta(minutes=1)
# A little less: the rounds of the processes are not evenly spaced.
_CLAIMED_FOR = timedelta(seconds=54)
_GIVEN_UP_AFTER = timedelta(seconds=90)
_ANY_PRICE = ZERO, Decimal("Infinity")
_PAGE = 200
_PATIENCE_S = 5
# A pair that the public listing lacks may be one that some keys see.
_MOST_KEYS = 3


class ToldPrices(Protocol):
    """The prices that streams tell, to each of *on_quote* when they change."""

    on_quote: list[Callable[[Symbol, Quote], None]]

    def want(self, symbol: Symbol) -> None: ...

    def leave(self, symbol: Symbol) -> None: ...

    def quote(self, symbol: Symbol) -> Quote | None:
        """The price of this moment; None where it is not told."""
        ...


@dataclass(eq=False, kw_only=True, repr=False)
class PriceAlerts(Service):
    """*told* are the prices that are told to this process, None where none are."""

    exchange_for: ExchangeFor
    told: ToldPrices | None = None

    def __post_init__(self) -> None:
        # Not at the start, which has load enough.
        self._look_at = self.clock.steady() + _EVERY
        self._was_ours = False
        self._followed: set[Symbol] = set()
        self._bounds: dict[Symbol, tuple[Decimal, Decimal]] = {}
        self._moved: set[Symbol] = set()
        # The prices of the looks before and of this one, with a key and without.
        self._before: dict[tuple[Symbol, bool], Decimal] = {}
        self._now: dict[tuple[Symbol, bool], Decimal] = {}
        if self.told is not None:
            self.told.on_quote.append(self.quoted)

    def quoted(self, symbol: Symbol, quote: Quote) -> None:
        """A price was told: the next round looks whether it is there still, and for whom."""
        low, high = self._bounds.get(symbol, (quote.mid, quote.mid))
        if not low <= quote.mid <= high:
            self._moved.add(symbol)

    async def round(self) -> None:
        """Look at all prices, if it is the time and ours to do. Raises what the exchange raises."""
        moved, self._moved = [*self._moved], set()
        if self.clock.steady() < self._look_at:
            if moved:
                await self._look(moved)
            return
        self._look_at = self.clock.steady() + _EVERY
        async with self.database.reading() as session:
            symbols = {*await price_alerts.symbols(session)}
        self._was_ours = bool(symbols) and await self._is_ours()
        self._follow(symbols if self._was_ours else set())
        seen = self._before | self._now
        self._before = {key: price for key, price in seen.items() if key[0] in symbols}
        self._now = {}
        if self._was_ours:
            await self._look()

    async def _is_ours(self) -> bool:
        """Whoever looked last goes on, as long as it is there."""
        if not self.database.is_shared:
            return True
        every = _CLAIMED_FOR if self._was_ours else _GIVEN_UP_AFTER
        async with self.database.writing() as session:
            return await price_alerts.claim(session, now=self.clock.now(), every=every)

    def _follow(self, symbols: set[Symbol]) -> None:
        if self.told is None:
            return
        for symbol in sorted(symbols - self._followed):
            self.told.want(symbol)
        for symbol in self._followed - symbols:
            self.told.leave(symbol)
            self._bounds.pop(symbol, None)
        self._followed = symbols

    async def _look(self, only: Sequence[Symbol] | None = None) -> None:
        """At all alerts, or at those of some pairs."""
        self._before |= self._now
        self._now, bounds = {}, dict[Symbol, tuple[Decimal, Decimal]]()
        after: tuple[int, str] | None = (0, "")
        while after is not None:
            async with self.database.reading() as session:
                page = await price_alerts.page(session, after=after, most=_PAGE, only=only)
            if page:
                await self._look_at_page(page, bounds)
            last = page[-1] if len(page) == _PAGE else None
            after = None if last is None else (last.account_id, last.alert.symbol)
        for symbol in self._bounds.keys() if only is None else only:
            bounds.setdefault(symbol, _ANY_PRICE)
        self._bounds |= bounds

    async def _look_at_page(
        self, page: Sequence[SetAlert], bounds: dict[Symbol, tuple[Decimal, Decimal]]
    ) -> None:
        """*bounds* are narrowed to the prices at which none of the alerts is told."""
        prices, now = await self._prices(page), self.clock.now()
        changed = []
        for one in page:
            price = prices[one.has_key].get(base_of(one.alert.symbol))
            if price is None:
                continue
            after, move = self._noted(one, price, now)
            symbol, told_at = one.alert.symbol, after.bounds(now)
            if told_at is not None and after.is_armed(now):
                low, high = bounds.get(symbol, _ANY_PRICE)
                bounds[symbol] = max(low, told_at[0]), min(high, told_at[1])
            if after is not one.alert:
                changed.append((one, after, move))
        if not changed:
            return
        async with self.database.writing() as session:
            for one, after, move in changed:
                is_ours = await price_alerts.note(session, one.account_id, one.alert, after)
                if is_ours and move is not None:
                    key = f"price:{one.account_id}:{one.alert.symbol}:{to_millis(one.alert.since)}"
                    alert = _alert(one, move, now)
                    await publish(session, one.chat_id, alert, key=key, now=now)

    def _noted(
        self, one: SetAlert, price: Decimal, now: datetime
    ) -> tuple[PriceAlert, PriceMove | None]:
        """What of *price* the look before saw as well. A move that it did not see is looked at again
        with the next round.
        """
        alert, key = one.alert, (one.alert.symbol, one.has_key)
        before, self._now[key] = self._before.get(key), price
        _, move = found = noted(alert, price, now=now)
        if before is None:
            is_sure = not alert.seen
        else:
            sure = nearer(alert, before, price, now=now)
            is_sure = sure == price
        if is_sure:
            return found
        if move is not None:
            self._moved.add(alert.symbol)
        return (alert, None) if before is None else noted(alert, before, now=now)

    async def _prices(self, page: Sequence[SetAlert]) -> Mapping[bool, Mapping[Asset, Decimal]]:
        """The middles of the best prices: those that all see, and those that some key sees, too."""
        wanted: defaultdict[Asset, list[AccountId]] = defaultdict(list)
        for one in page:
            wanted[base_of(one.alert.symbol)] += [one.account_id] if one.has_key else []
        public = self._told(wanted)
        if unknown := wanted.keys() - public.keys():
            async with self.database.reading() as session:
                anybody = await accounts.get(session, page[0].account_id)
            async with within(_PATIENCE_S):
                market = public_market(self.exchange_for, anybody)
                quotes = await market.quotes(unknown, listed_only=True)
            public |= {asset: quote.mid for asset, quote in quotes.by_asset.items()}
        signed = dict(public)
        for asset in wanted.keys() - public.keys():
            for account_id in wanted[asset][:_MOST_KEYS]:
                price = await self._signed_price(account_id, asset)
                if price is not None:
                    signed[asset] = price
                    break
        return {False: public, True: signed}

    def _told(self, assets: Iterable[Asset]) -> dict[Asset, Decimal]:
        if self.told is None:
            return {}
        quotes = {asset: self.told.quote(symbol_of(asset)) for asset in assets}
        return {asset: quote.mid for asset, quote in quotes.items() if quote is not None}

    async def _signed_price(self, account_id: AccountId, asset: Asset) -> Decimal | None:
        async with self.database.reading() as session:
            account = await accounts.get(session, account_id)
        try:
            async with within(_PATIENCE_S):
                quotes = await self.exchange_for(account).market.quotes([asset])
        except EngineError:  # other prices are known
            return None
        quote = quotes.by_asset.get(asset)
        return None if quote is None else quote.mid


def _alert(one: SetAlert, move: PriceMove, now: datetime) -> PriceMoved:
    return PriceMoved(
        dry_run=one.dry_run,
        asset=base_of(one.alert.symbol),
        fraction=one.alert.fraction,
        before=move.before,
        after=move.after,
        since=move.at,
        at=now,
    )
