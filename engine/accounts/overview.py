"""Summarizes an account from what is known, without a request to the exchange."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_result import (
    CheckResult,
    PriceSeen,
    newest,
    newest_price,
    price_in,
)
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.accounts import alert_preferences, incidents, timed_pauses
from engine.storage.database import Database
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import queue
from engine.storage.trading import check_results, orders

# A failed check stores its incident just before its result.
_SAME_CHECK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview:
    """Overview of an account; *look* is the latest check known to this process.
    After a restart it is the last one that wanted to trade. *seen* is the newest that saw the
    balances. Both are of the money that the account trades now. *checked* is the last check if
    this process makes the account's checks. *price* is the price of the pair seen last, by
    whatever read it. *pause* is the end of a pause that has one. *time_zone* is the chat's.
    """

    look: CheckResult | None
    seen: CheckResult | None
    checked: CheckResult | None
    price: PriceSeen | None
    next_check_at: datetime | None
    last_trade: Order | None
    unresolved: Order | None
    trouble: Incident | None
    pause: TimedPause | None
    undelivered: int
    time_zone: str | None


class AccountOverviews:
    def __init__(self, *, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher

    async def of(self, account: Account) -> AccountOverview:
        standing = self._dispatcher.standing(account.id)
        async with self._database.reading() as session:
            stored = await check_results.get(session, account.id)
            seen = await check_results.seen(session, account.id)
            last_trade = await orders.last_trade(session, account.id)
            unresolved = await orders.unresolved_of(session, [account.id])
            trouble = await incidents.get(session, account.id)
            pause = (
                await timed_pauses.get(session, account.id) if account.settings.paused else None
            )
            time_zone = await alert_preferences.time_zone_of_chat(session, account.chat_id)
            undelivered = await queue.waiting(session, OutboxRow, chat_id=account.chat_id)
        checked = _of(account, standing.look if standing else None)
        look = checked or _of(account, stored)
        own = standing.seen if standing else None
        return AccountOverview(
            look=look,
            seen=_newest_seen(account, own, stored, seen),
            checked=checked,
            price=_newest_price(account, last_trade, own, stored, seen),
            next_check_at=standing.due_at if standing else None,
            last_trade=last_trade,
            unresolved=unresolved.get(account.id),
            trouble=trouble if _is_ongoing(trouble, look) else None,
            pause=pause,
            undelivered=undelivered,
            time_zone=time_zone,
        )

    async def snapshot(self, account: Account) -> CheckResult | None:
        """The newest that saw the balances of the money that the account trades now."""
        standing = self._dispatcher.standing(account.id)
        async with self._database.reading() as session:
            stored = await check_results.get(session, account.id)
            seen = await check_results.seen(session, account.id)
        return _newest_seen(account, standing.seen if standing else None, stored, seen)


def _newest_seen(account: Account, *known: CheckResult | None) -> CheckResult | None:
    return newest(*(look for look in known if look and look.seen and _of(account, look)))


def _newest_price(
    account: Account, trade: Order | None, *looks: CheckResult | None
) -> PriceSeen | None:
    symbol, traded = account.settings.symbol, None
    if trade is not None and trade.symbol == symbol and trade.execution.average_price is not None:
        at = trade.resolved_at or trade.created_at
        traded = PriceSeen(trade.execution.average_price, at)
    return newest_price(traded, *(price_in(look, symbol) for look in looks))


def _of(account: Account, look: CheckResult | None) -> CheckResult | None:
    return look if look is not None and look.concerns(account.funds) else None


def _is_ongoing(trouble: Incident | None, look: CheckResult | None) -> bool:
    """True if an incident still lasts: it is stored a while beyond its last failure."""
    return trouble is not None and (look is None or look.at <= trouble.last_at + _SAME_CHECK)
