"""The streams of accounts at MEXC: a listen key, a connection, three channels; pushes as events."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from weakref import WeakSet

from engine.clock import Clock, from_millis
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId, Fill
from engine.domain.streams.events import BalanceEvent, Cause, FillEvent, OrderEvent
from engine.domain.streams.trust import Doubt
from engine.errors import NotConnected
from engine.exchanges.interface import AccountFeed
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.exchanges.mexc.push_messages import (
    ACCOUNT,
    DEALS,
    ORDERS,
    BalancePushed,
    DealPushed,
    OrderPushed,
    Pushed,
)
from engine.exchanges.mexc.stream import Stream, StreamSession, connected

logger = logging.getLogger(__name__)

# The account's channel is what counts. Whether the others need another permission is not known.
_CHANNELS = (ACCOUNT, ORDERS, DEALS)
# A handshake refused so may be the key's fault: the next attempt has another one.
_MAYBE_OF_THE_KEY = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
)


class MexcAccountStreams:
    """Satisfies `AccountStreams`."""

    is_remote = True

    def __init__(self, *, keys: ListenKeys, streams: StreamSession, clock: Clock) -> None:
        self._keys = keys
        self._streams = streams
        self._clock = clock
        # Accounts whose key is to be made anew, and the connections of each.
        self._doubted: set[AccountId] = set()
        self._streams_of: defaultdict[AccountId, WeakSet[Stream]] = defaultdict(WeakSet)
        self._tasks: asyncio.TaskGroup | None = None
        keys.on_doubt = self._end

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> Stream:
        key = await self._keys.key_for(account, renew=renew or account.id in self._doubted)
        self._doubted.discard(account.id)
        reader = _Reader(account.id, feed, self._clock)
        try:
            stream = await connected(
                self._streams,
                listen_key=key,
                clock=self._clock,
                on_event=reader.event,
                on_answer=reader.answer,
            )
        except NotConnected as e:
            if e.status in _MAYBE_OF_THE_KEY:
                self._doubted.add(account.id)
            raise
        try:
            await stream.subscribe(_CHANNELS)
        except BaseException:
            await stream.close()
            raise
        self._streams_of[account.id].add(stream)
        return stream

    async def close(self, account_id: AccountId) -> None:
        self._keys.release(account_id)
        self._doubted.discard(account_id)
        self._streams_of.pop(account_id, None)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            await self._keys.run()

    def _end(self, account_id: AccountId, why: Doubt) -> None:
        """The account's key is about to end, or has ended: so do its connections."""
        self._doubted.add(account_id)
        for stream in self._streams_of.get(account_id, ()):
            if self._tasks is not None:
                self._tasks.create_task(stream.end(why))


class _Reader:
    """What one connection says, written to *feed*."""

    def __init__(self, account_id: AccountId, feed: AccountFeed, clock: Clock) -> None:
        self._account_id = account_id
        self._feed = feed
        self._clock = clock
        self._has_strange = False

    def answer(self, channel: str, said: str) -> Doubt | None:
        """Without a valid key the answer is empty. Any other refusal is left to whoever waits for
        the account's channel; without the others its own events come all the same.
        """
        if channel != ACCOUNT:
            return None
        if said == channel:
            self._feed.acknowledge()
        return None if said else Doubt.KEY

    def event(self, pushed: Pushed) -> None:
        match pushed:
            case BalancePushed():
                self._feed.event(_balance(pushed, at=self._clock.steady()))
            case OrderPushed():
                self._feed.event(_order(pushed, at=self._clock.steady()))
            case DealPushed():
                self._feed.event(_fill(pushed, at=self._clock.steady(), now=self._clock.now))
            case _ if not self._has_strange:
                self._has_strange = True  # once, however many there are
                logger.info("stream event of no account", extra={"account": self._account_id})
            case _:
                pass


def cause_of(kind: str) -> Cause:
    """MEXC's list is open."""
    if kind.startswith("ENTRUST") or kind == "TRADE_FEE":
        return Cause.TRADE
    if kind.startswith("DEPOSIT"):
        return Cause.DEPOSIT
    if kind.startswith("WITHDRAW"):
        return Cause.WITHDRAWAL
    return Cause.TRANSFER if "TRANSFER" in kind else Cause.OTHER


def _balance(pushed: BalancePushed, *, at: datetime) -> BalanceEvent:
    return BalanceEvent(
        asset=pushed.asset,
        free=pushed.free,
        locked=pushed.locked,
        before=pushed.before,
        cause=cause_of(pushed.kind),
        order=(pushed.made_ms, pushed.pushed_ms),
        at=at,
    )


def _order(pushed: OrderPushed, *, at: datetime) -> OrderEvent:
    return OrderEvent(
        symbol=pushed.symbol,
        exchange_order_id=pushed.order_id,
        client_order_id=pushed.client_order_id,
        executed=pushed.base_quantity,
        is_final=pushed.is_final,
        at=at,
    )


def _fill(pushed: DealPushed, *, at: datetime, now: Callable[[], datetime]) -> FillEvent:
    try:
        traded_at = from_millis(pushed.at_ms) if pushed.at_ms else now()
    except OverflowError:
        traded_at = now()
    fill = Fill(
        trade_id=pushed.trade_id,
        at=traded_at,
        price=pushed.price,
        quantity=pushed.base_quantity,
        fee=pushed.fee,
        fee_asset=pushed.fee_asset,
        is_maker=pushed.is_maker,
    )
    return FillEvent(
        symbol=pushed.symbol,
        exchange_order_id=pushed.order_id,
        client_order_id=pushed.client_order_id,
        fill=fill,
        at=at,
    )
