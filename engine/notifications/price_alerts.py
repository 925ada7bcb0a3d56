"""Looks once a minute at the prices that chats wait for, and tells what has moved.

One request reads all prices for every account, in whichever process claims the minute.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.clock import to_millis
from engine.domain.alerts.price_alerts import PriceMove, PriceMoved, noted
from engine.domain.market.pairs import Asset, base_of
from engine.domain.orders.order import AccountId
from engine.errors import EngineError
from engine.exchanges.interface import ExchangeFor, within
from engine.exchanges.pair_data import public_market
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, price_alerts
from engine.storage.accounts.price_alerts import SetAlert
from engine.storage.service import Service

_EVERY = timedelta(minutes=1)
# A little less: the rounds of the processes are not evenly spaced.
_CLAIMED_FOR = timedelta(seconds=54)
_PAGE = 200
_PATIENCE_S = 5
# A pair that the public listing lacks may be one that some keys see.
_MOST_KEYS = 3


@dataclass(eq=False, kw_only=True, repr=False)
class PriceAlerts(Service):
    exchange_for: ExchangeFor

    def __post_init__(self) -> None:
        # Not at the start, which has load enough.
        self._look_at = self.clock.steady() + _EVERY

    async def round(self) -> None:
        """Look at all prices, if it is the time and ours to do. Raises what the exchange raises."""
        if self.clock.steady() < self._look_at:
            return
        self._look_at = self.clock.steady() + _EVERY
        async with self.database.reading() as session:
            first = await price_alerts.page(session, most=_PAGE)
        if first and await self._is_ours():
            await self._look(first)

    async def _is_ours(self) -> bool:
        if not self.database.is_shared:
            return True
        async with self.database.writing() as session:
            return await price_alerts.claim(session, now=self.clock.now(), every=_CLAIMED_FOR)

    async def _look(self, first: Sequence[SetAlert]) -> None:
        page = first
        while page:
            await self._look_at_page(page)
            if len(page) < _PAGE:
                return
            after = page[-1].account_id, page[-1].alert.symbol
            async with self.database.reading() as session:
                page = await price_alerts.page(session, after=after, most=_PAGE)

    async def _look_at_page(self, page: Sequence[SetAlert]) -> None:
        prices, now = await self._prices(page), self.clock.now()
        changed = []
        for one in page:
            price = prices[one.has_key].get(base_of(one.alert.symbol))
            if price is None:
                continue
            after, move = noted(one.alert, price, now=now)
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

    async def _prices(self, page: Sequence[SetAlert]) -> Mapping[bool, Mapping[Asset, Decimal]]:
        """The middles of the best prices: those that all see, and those that some key sees, too."""
        wanted: defaultdict[Asset, list[AccountId]] = defaultdict(list)
        for one in page:
            wanted[base_of(one.alert.symbol)] += [one.account_id] if one.has_key else []
        async with self.database.reading() as session:
            anybody = await accounts.get(session, page[0].account_id)
        async with within(_PATIENCE_S):
            quotes = await public_market(self.exchange_for, anybody).quotes(
                wanted, listed_only=True
            )
        public = {asset: quote.mid for asset, quote in quotes.by_asset.items()}
        signed = dict(public)
        for asset in wanted.keys() - public.keys():
            for account_id in wanted[asset][:_MOST_KEYS]:
                price = await self._signed_price(account_id, asset)
                if price is not None:
                    signed[asset] = price
                    break
        return {False: public, True: signed}

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
