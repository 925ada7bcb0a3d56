"""Reads the price of each pair in use once an hour, for all accounts, and older hours once.

One request an hour and pair, whichever process sends it: it claims the pair first.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.domain.market.candles import HOUR, MOST_HOURS, HourlyClose, whole_hour
from engine.domain.market.pairs import Symbol
from engine.errors import DecryptionFailed, EngineError, Rejected
from engine.exchanges.interface import ExchangeFor, within
from engine.storage.accounts import accounts
from engine.storage.service import Service
from engine.storage.trading import candles

# The exchange may be late with an hour's last trade.
_IS_OVER_AFTER = timedelta(seconds=15)
_LEASE = timedelta(minutes=1)
_LOOKS_EVERY = timedelta(minutes=1)
_AGAIN_AFTER_REFUSAL = timedelta(hours=1)
_PAGE = MOST_HOURS * HOUR
# Another account's key may see a pair that the first one's does not.
_MOST_KEYS = 3
# Of one report, and of one request: other jobs wait for a round. What is older comes later.
_MOST_PAGES, _PATIENCE_S = 4, 3
_A_ROUND = 3

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class PriceHistory(Service):
    exchange_for: ExchangeFor

    def __post_init__(self) -> None:
        self._idle_until: datetime | None = None

    async def round(self) -> None:
        """Make a few requests, for pairs that lack an hour since an account began to trade."""
        if self._idle_until is not None and self.clock.steady() < self._idle_until:
            return
        now = self.clock.now()
        async with self.database.reading() as session:
            pairs = await candles.pairs_traded(session)
            due = [
                (symbol, first or now)
                for symbol, first in pairs.items()
                if await candles.is_due(
                    session,
                    symbol,
                    since=first or now,
                    until=_newest(now),
                    asked_before=now - _LEASE,
                )
            ]
        if len(due) <= _A_ROUND:
            self._idle_until = self.clock.steady() + _LOOKS_EVERY
        failed: EngineError | None = None
        for symbol, since in due[:_A_ROUND]:
            async with self.database.reading() as session:
                traders = await accounts.trading(session, symbol, most=_MOST_KEYS)
            try:
                await self._extend(symbol, traders, since=since)
            except EngineError as e:  # the next pair may be well
                failed = e
        if failed is not None:
            raise failed

    async def fill(self, account: Account, symbol: Symbol, *, since: datetime) -> None:
        """Read the hours from *since* on that were not read yet, as far as 3 s go, with the key of
        *account* or of another one that trades the pair.
        """
        async with self.database.reading() as session:
            others = await accounts.trading(session, symbol, most=_MOST_KEYS)
        traders = [*([account] if account.can_trade else []), *others]
        with suppress(EngineError):
            async with within(_PATIENCE_S):
                for _ in range(_MOST_PAGES if traders else 0):
                    if not await self._extend(symbol, traders, since=since):
                        return

    async def _extend(
        self, symbol: Symbol, traders: Sequence[Account], *, since: datetime
    ) -> bool:
        """Make one request of those hours; False if there is nothing to ask, or no answer."""
        now = self.clock.now()
        async with self.database.reading() as session:
            if not await candles.is_due(
                session, symbol, since=since, until=_newest(now), asked_before=now - _LEASE
            ):
                return False
        async with self.database.writing() as session:
            known = await candles.claim(
                session, symbol, newest=_newest(now), now=now, lease=_LEASE
            )
        if known is None:
            return False
        first, last = known
        begin, end = first - _PAGE, first
        if first < last < _newest(now):
            begin, end = last, min(_newest(now), last + _PAGE)
        closes = await self._read(symbol, traders, since=begin, until=end)
        async with self.database.writing() as session:
            if closes is None:
                again = now - _LEASE + _AGAIN_AFTER_REFUSAL
                await candles.postpone(session, symbol, asked_at=again)
                return False
            await candles.store(
                session,
                symbol,
                closes,
                since=min(first, begin),
                until=max(last, end),
                asked_at=now - _LEASE,
            )
        return True

    async def _read(
        self, symbol: Symbol, traders: Sequence[Account], *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose] | None:
        """None where every key is refused, or the exchange does not show the pair. Another failure
        is tried again when the claim has run out.
        """
        for account in traders:
            try:
                market = self.exchange_for(account).market
                async with within(_PATIENCE_S):
                    return await market.hourly_closes(symbol, since=since, until=until)
            except (Rejected, DecryptionFailed) as e:
                logger.warning(
                    "price history refused", extra={"pair": symbol, "problem": type(e).__name__}
                )
        return None


def _newest(now: datetime) -> datetime:
    return whole_hour(now - _IS_OVER_AFTER)
