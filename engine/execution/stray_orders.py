"""Finds orders at the exchange that are made as ours are and are not known here, and cancels one.

A database that was restored does not know what was sent after its copy; a second copy of the program
sends orders of its own. Such an order may fill at any time, so the user is told, and asked. Without
our prefix an order is the user's, and never touched.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.execution.resting import LOOK_PAUSES, unknown_of_ours
from engine.domain.market.pairs import Symbol, symbol_of
from engine.domain.orders.order import AccountId, ClientOrderId
from engine.errors import OrderNotFound, OutcomeUnknown, Rejected, Unavailable
from engine.exchanges.interface import Exchange, ExchangeFor, OpenOrder, OrderReport
from engine.notifications.publish import publish
from engine.storage.accounts import audit
from engine.storage.chat import confirmations
from engine.storage.coordination import leases
from engine.storage.serialization import to_json
from engine.storage.service import Service
from engine.storage.trading import order_types

STRAY = "stray_order"
"""The kind of the question whether such an order is cancelled; its id is the order's."""
_ASKED_FOR = timedelta(days=7)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StrayOrder:
    """An order that is not known here, as a button remembers it."""

    symbol: Symbol
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class StrayEnded:
    """The exchange reports the order as over; *was_open*: it was not before the tap."""

    report: OrderReport
    was_open: bool


@dataclass(frozen=True, slots=True)
class StrayStands:
    """Nothing is proven: the exchange gave no answer, or the order is still open."""


@dataclass(frozen=True, slots=True)
class StrayIsOurs:
    """By now the order is one that this program follows."""


StrayAnswer = StrayEnded | StrayStands | StrayIsOurs


@dataclass(eq=False, kw_only=True, repr=False)
class StrayOrderFinder(Service):
    """Looks once into each pair for each lease of an account, and again where its money is another."""

    def __post_init__(self) -> None:
        self._looked: dict[AccountId, tuple[int, str | None, frozenset[Symbol]]] = {}

    async def look(self, account: Account, exchange: Exchange, *, fence: int) -> None:
        """Tell the chat of each such order that a look-up proves to be open. A failure is no
        information, and the next check looks again.
        """
        if account.settings.dry_run:
            return
        symbols = _symbols(account)
        *about, looked = self._looked.get(account.id, (None, None, frozenset()))
        if about != [fence, account.funds]:
            looked = frozenset()
        for symbol in sorted(symbols - looked):
            if await self._look(account, symbol, exchange):
                looked |= {symbol}
        self._looked[account.id] = fence, account.funds, looked & symbols

    async def _look(self, account: Account, symbol: Symbol, exchange: Exchange) -> bool:
        """False if it must be looked again."""
        try:
            for stray in await self._strays(symbol, exchange):
                report = await exchange.order(symbol, stray[0])
                if not report.is_final:
                    await self._tell(account, symbol, *stray)
        except OrderNotFound:
            return False
        except (Unavailable, Rejected) as e:
            extra = {"account": account.id, "problem": str(e)}
            logger.warning("open orders not read", extra=extra)
            return False
        return True

    async def _strays(
        self, symbol: Symbol, exchange: Exchange
    ) -> list[tuple[ClientOrderId, OpenOrder]]:
        by_name = {order.client_order_id: order for order in await exchange.open_orders(symbol)}
        if not unknown_of_ours(by_name, known=()):
            return []
        async with self.database.reading() as session:
            known = await order_types.open_among(session, [name for name in by_name if name])
        return [(name, by_name[name]) for name in unknown_of_ours(by_name, known=known)]

    async def _tell(
        self, account: Account, symbol: Symbol, name: ClientOrderId, stray: OpenOrder
    ) -> None:
        now = self.clock.now()
        logger.error("unknown order of ours", extra={"account": account.id, "order": name})
        async with self.database.writing() as session:
            if await confirmations.get(session, name) is not None:
                return
            question = Confirmation(
                id=name,
                chat_id=account.chat_id,
                user_id=ANY_TRADER,
                kind=STRAY,
                payload=to_json(StrayOrder(symbol, name)),
                asked_at=now,
                expires_at=now + _ASKED_FOR,
            )
            await confirmations.ask(session, question)
            alert = StrayOrderFound(
                dry_run=False,
                symbol=symbol,
                side=stray.side,
                price=stray.price,
                base_quantity=stray.base_quantity,
                executed=stray.executed,
                client_order_id=name,
            )
            await publish(session, account.chat_id, alert, key=f"stray:{name}", now=now)


@dataclass(eq=False, kw_only=True, repr=False)
class StrayOrders(Service):
    """What a user may do with such an order."""

    exchange_for: ExchangeFor

    async def cancel(self, account: Account, stray: StrayOrder, *, user_id: int) -> StrayAnswer:
        """Cancel the order, and look it up until it has ended. No answer to the cancellation is
        believed. Raises DecryptionFailed without a key.
        """
        name = stray.client_order_id
        async with self.database.reading() as session:
            if await order_types.open_among(session, [name]):
                return StrayIsOurs()
        exchange = self.exchange_for(account.with_money(dry_run=False))
        report = await _look_up(stray, exchange)
        if report is not None and report.is_final:
            return StrayEnded(report, was_open=False)
        async with self.database.writing() as session:
            at = self.clock.now()
            await audit.record(
                session,
                account.chat_id,
                user_id,
                "cancel an order",
                stray.symbol,
                subject=name,
                at=at,
            )
        try:
            await exchange.cancel(stray.symbol, name)
        except (Unavailable, Rejected, OutcomeUnknown) as e:
            logger.info("cancellation not confirmed", extra={"order": name, "problem": str(e)})
        for pause in LOOK_PAUSES:
            await self.clock.sleep(pause)
            report = await _look_up(stray, exchange)
            if report is not None and report.is_final:
                await self._wake(account)
                return StrayEnded(report, was_open=True)
        return StrayStands()

    async def _wake(self, account: Account) -> None:
        """What the order locked is free, so the next check is due."""
        async with self.database.writing() as session:
            await leases.wake(session, account.id)


def _symbols(account: Account) -> frozenset[Symbol]:
    settings = account.settings
    tokens = settings.targeting.tokens
    return frozenset({settings.symbol, *(symbol_of(token) for token in tokens)})


async def _look_up(stray: StrayOrder, exchange: Exchange) -> OrderReport | None:
    try:
        return await exchange.order(stray.symbol, stray.client_order_id)
    except (Unavailable, Rejected):
        return None
