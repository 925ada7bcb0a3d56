"""Keeps what a card says of the last 7 days: reckoned anew once an hour, and when money moved."""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.market.candles import whole_hour
from engine.domain.orders.order import AccountId, Order
from engine.domain.profit.report import ProfitReport
from engine.domain.rebalancing.check_result import CheckResult
from engine.storage.service import Service
from engine.storage.trading import candles, stored_profit

_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
# An older price is not the price of that moment: hours were missed.
_SAME_PRICE_FOR = timedelta(hours=3)
# By then the price of an hour that is over is stored.
_STORED_AFTER = timedelta(minutes=3)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Week:
    """What was *made* in the *length* up to now, at most 7 days, and what of it trading *brought*:
    None where less than a day is known. *about*: not all is known exactly. *day_ago* is the price
    of the token 24 h ago; None where it is not known.
    """

    length: timedelta = timedelta()
    made: Decimal | None = None
    brought: Decimal | None = None
    about: bool = False
    day_ago: Decimal | None = None


NO_WEEK = Week()


@dataclass(eq=False, kw_only=True, repr=False)
class Weeks(Service):
    """Reads what is stored: no request, and no row written."""

    def __post_init__(self) -> None:
        self._known: dict[AccountId, tuple[Hashable, Week]] = {}

    async def of(
        self, account: Account, *, last_trade: Order | None, seen: CheckResult | None
    ) -> Week:
        """Returns the week of the account; kept until the next hour, a newer trade than
        *last_trade*, or other balances than were *seen* last.
        """
        now = self.clock.now()
        state = account.settings.dry_run, account.settings.symbol, whole_hour(now - _STORED_AFTER)
        key = (*state, _filled(last_trade), _held(seen))
        if (known := self._known.get(account.id)) is not None and known[0] == key:
            return known[1]
        week = await self._read(account, now)
        self._known[account.id] = key, week
        return week

    async def _read(self, account: Account, now: datetime) -> Week:
        day_ago = now - _DAY
        async with self.database.reading() as session:
            line = await candles.prices(
                session, account.settings.symbol, since=day_ago, until=day_ago
            )
            try:
                found = await stored_profit.report(session, account, since=now - _WEEK, until=now)
            except (ValueError, ArithmeticError, LookupError):
                # A bug of ours with one line must not cost the whole card.
                logger.exception("week not reckoned", extra={"account_id": account.id})
                found = None
        at = line.time(day_ago)
        price = line.at(day_ago) if at and day_ago - at <= _SAME_PRICE_FOR else None
        return _week(found, day_ago=price)


def _week(found: ProfitReport | None, *, day_ago: Decimal | None) -> Week:
    if found is None or found.until - found.since < _DAY:
        return Week(day_ago=day_ago)
    return Week(found.until - found.since, found.made, found.brought, bool(found.doubts), day_ago)


def _filled(trade: Order | None) -> Hashable:
    return trade and (trade.client_order_id, trade.execution, trade.fees is not None)


def _held(seen: CheckResult | None) -> Hashable:
    snapshot = seen.seen if seen else None
    return snapshot and (snapshot.quote.total, snapshot.base.total)
