"""Resolves an order that stays unclear by the user's answer, which is audited.
The exchange is asked once more, and the answer counts only if the balances agree with it.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import USDT, base_of
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import ClientOrderId, Order, OrderState
from engine.domain.orders.settlement import Trace, left_no_trace, trace
from engine.errors import DecryptionFailed, LeaseLost, OrderNotFound, Rejected, Unavailable
from engine.exchanges.interface import Exchange, ExchangeFor, OrderReport, within
from engine.execution.reconciliation import look_in_history
from engine.notifications import pause_answers
from engine.storage.accounts import accounts, audit
from engine.storage.coordination import leases
from engine.storage.service import Service
from engine.storage.trading import orders

# The user waits for it, and what they send meanwhile waits behind it.
_PATIENCE_S = 5
# What the audit calls the deeds.
CLAIMED = "order_claimed"
PUT_ASIDE = "order_set_aside"

logger = logging.getLogger(__name__)


class LookupFailure(Enum):
    """Reasons why the exchange does not report the order."""

    NOT_KNOWN = "not known"
    NO_ANSWER = "no answer"
    NOT_ALLOWED = "not allowed"  # it refuses the key, or the key cannot be decrypted
    UNKNOWN_STATUS = "unknown status"  # it has the order, under a status it does not document


@dataclass(frozen=True, slots=True)
class AlreadyClear:
    """The order is resolved already; None: the chat has no such order."""

    order: Order | None


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The exchange knows the order after all, and its report counts.
    The account is checked at once; an order that *is_final* is then booked, with the usual alert.
    """

    order: Order
    is_final: bool


@dataclass(frozen=True, slots=True)
class StillUnclear:
    order: Order
    silence: LookupFailure


@dataclass(frozen=True, slots=True)
class ReportAccepted:
    """The balances agree with the user: *order* is closed, and *account* trades on."""

    order: Order
    account: Account
    filled: bool
    seen: Holdings


@dataclass(frozen=True, slots=True)
class ReportContradicted:
    """Nothing was changed: the balances (*seen*, if they could be read) do not agree."""

    order: Order
    filled: bool
    silence: LookupFailure
    seen: Holdings | None


ResolutionResult = AlreadyClear | KnownNow | StillUnclear | ReportAccepted | ReportContradicted


@dataclass(eq=False, kw_only=True, repr=False)
class ManualResolution(Service):
    exchange_for: ExchangeFor

    async def look_again(self, chat_id: int, client_order_id: str) -> ResolutionResult:
        """Ask the exchange now; what it says is left to the account's owner."""
        case = await self._case(chat_id, client_order_id)
        if isinstance(case, AlreadyClear):
            return case
        heard = await _ask(case.order, self._exchange(case))
        if isinstance(heard, LookupFailure):
            return StillUnclear(case.order, heard)
        async with self.database.writing() as session:
            await leases.wake(session, case.account.id)
        return KnownNow(case.order, heard.is_final)

    async def claim(
        self, chat_id: int, user_id: int, client_order_id: str, *, filled: bool
    ) -> ResolutionResult:
        """Close an order that the user says was *filled* or not, if the balances agree.

        Only the first such claim closes it: with unknown amounts as SET_ASIDE. The next check
        starts from fresh balances either way.
        """
        case = await self._case(chat_id, client_order_id)
        if isinstance(case, AlreadyClear):
            return case
        exchange = self._exchange(case)
        async with asyncio.TaskGroup() as questions:
            asking = questions.create_task(_ask(case.order, exchange))
            reading = questions.create_task(_read(exchange, case.order))
        heard, seen = asking.result(), reading.result()
        said = "filled" if filled else "not filled"
        told = f"said: {said}; {_evidence(case.order, heard, seen)}"
        if isinstance(heard, OrderReport):
            async with self.database.writing() as session:
                await self._note(session, case, user_id, CLAIMED, told, did="left to it")
                await leases.wake(session, case.account.id)
            return KnownNow(case.order, heard.is_final)
        now = exchange.time() if exchange else self.clock.now()
        if seen is None or not _bears_out(seen, case.order, filled=filled, now=now):
            async with self.database.writing() as session:
                await self._note(session, case, user_id, CLAIMED, told, did="nothing")
            return ReportContradicted(case.order, filled, heard, seen)
        closed = await self._close(case, user_id, CLAIMED, told, filled=filled, pause=False)
        if isinstance(closed, AlreadyClear):
            return closed
        return ReportAccepted(closed.order, closed.account, filled, seen)

    async def set_aside(
        self, chat_id: int, user_id: int, client_order_id: str
    ) -> Account | AlreadyClear:
        """Close an order as the user insists, whatever the balances show, and pause trading.
        The order no longer blocks the account; after a resume everything is planned from fresh
        balances.
        """
        case = await self._case(chat_id, client_order_id)
        if isinstance(case, AlreadyClear):
            return case
        told = "said: looked; not compared with anything"
        closed = await self._close(case, user_id, PUT_ASIDE, told, filled=True, pause=True)
        return closed if isinstance(closed, AlreadyClear) else closed.account

    async def _case(self, chat_id: int, client_order_id: str) -> "_Case | AlreadyClear":
        async with self.database.reading() as session:
            account = await accounts.of_chat(session, chat_id)
            order = await orders.get(session, ClientOrderId(client_order_id))
        if account is None or order is None or order.account_id != account.id:
            return AlreadyClear(None)
        is_open = order.state is OrderState.NEEDS_HUMAN
        return _Case(account, order) if is_open else AlreadyClear(order)

    def _exchange(self, case: "_Case") -> Exchange | None:
        """Returns the order's exchange, whatever kind of money the account uses by now."""
        try:
            return self.exchange_for(case.account.with_money(dry_run=case.order.dry_run))
        except DecryptionFailed:
            return None

    async def _close(
        self, case: "_Case", user_id: int, action: str, told: str, *, filled: bool, pause: bool
    ) -> "_Case | AlreadyClear":
        try:
            async with self.database.writing() as session:
                # Read again: recovery may have changed it during the request.
                order = await orders.get(session, case.order.client_order_id)
                if order is None or order.state is not OrderState.NEEDS_HUMAN:
                    return AlreadyClear(order)
                state = _end_of(order, filled=filled)
                order = replace(order, end_reason=EndReason.ELSEWHERE)
                order = await orders.move(session, order, state, resolved_at=self.clock.now())
                if state is not OrderState.SET_ASIDE:
                    await pause_answers.settle(session, order)
                account = await accounts.get(session, case.account.id)
                if pause:
                    account = await accounts.change(session, account, paused=True)
                did = f"{state.value}, paused" if pause else state.value
                await self._note(session, case, user_id, action, told, did=did)
                await leases.wake(session, account.id)
        except LeaseLost:  # another answer came between the read and this step
            async with self.database.reading() as session:
                return AlreadyClear(await orders.get(session, case.order.client_order_id))
        return _Case(account, order)

    async def _note(
        self,
        session: AsyncSession,
        case: "_Case",
        user_id: int,
        action: str,
        told: str,
        *,
        did: str,
    ) -> None:
        subject = case.order.client_order_id
        logger.info(action, extra={"order": subject, "did": did})
        await audit.record(
            session,
            case.account.chat_id,
            user_id,
            action,
            f"{told}; did: {did}",
            subject=subject,
            at=self.clock.now(),
        )


@dataclass(frozen=True, slots=True)
class _Case:
    account: Account
    order: Order


def _bears_out(seen: Holdings, order: Order, *, filled: bool, now: datetime) -> bool:
    """True if the balances *seen* agree with the user's answer. *now* is the exchange's time."""
    if filled:
        return trace(seen, order) is Trace.FILLED
    return left_no_trace(seen, order, now=now)


def _end_of(order: Order, *, filled: bool) -> OrderState:
    """Returns the closed state by the user's answer. An order the exchange took did arrive."""
    if filled:
        return OrderState.SET_ASIDE
    return OrderState.NOT_EXECUTED if order.exchange_order_id is None else OrderState.UNFILLED


def _evidence(order: Order, heard: OrderReport | LookupFailure, seen: Holdings | None) -> str:
    answer = heard.value if isinstance(heard, LookupFailure) else "known"
    if seen is None:
        return f"exchange: {answer}; balances: not read"
    base = base_of(order.symbol)
    return (
        f"exchange: {answer}; "
        f"{base}: {plain(order.base_before)} -> {plain(seen.of(base).total)}; "
        f"{USDT}: {plain(order.quote_before)} -> {plain(seen.of(USDT).total)}"
    )


async def _ask(order: Order, exchange: Exchange | None) -> OrderReport | LookupFailure:
    """Returns the exchange's report of the order, by its id or from the history."""
    if exchange is None:
        return LookupFailure.NOT_ALLOWED
    try:
        async with within(_PATIENCE_S):
            try:
                report = await exchange.order(order.symbol, order.client_order_id)
            except OrderNotFound:
                report = await look_in_history(order, exchange)
    except OrderNotFound:
        return LookupFailure.NOT_KNOWN
    except Unavailable:
        return LookupFailure.NO_ANSWER
    except Rejected:
        return LookupFailure.NOT_ALLOWED
    return LookupFailure.UNKNOWN_STATUS if report.unknown_status else report


async def _read(exchange: Exchange | None, order: Order) -> Holdings | None:
    """None where the balances of the order's pair cannot be read, or make no sense."""
    if exchange is None:
        return None
    try:
        async with within(_PATIENCE_S):
            holdings = await exchange.holdings()
        for asset in (USDT, base_of(order.symbol)):
            holdings.of(asset)
    except (Unavailable, Rejected):
        return None
    return holdings
