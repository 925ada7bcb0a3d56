"""Decides the order of one leg of a plan in the book of its pair, and whether a plan's buys find
offers at all before anything is sold for them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import MAX_AMOUNT, Limits
from engine.domain.execution.bound import is_old, may_widen
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, OrderType, Side, symbol_of
from engine.domain.portfolio.plan import Leg
from engine.domain.rebalancing.decision import Waited
from engine.domain.rebalancing.leg_order import LegInputs, allowed_leg
from engine.domain.rebalancing.planner import Plan, Reason
from engine.exchanges.interface import Market
from engine.rebalancing.portfolio_planning import Planned

_WORTH_SELLING_FOR = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class LegDecider:
    clock: Clock

    async def decide(
        self,
        account: Account,
        planned: Planned,
        leg: Leg,
        market: Market,
        *,
        is_narrowed: bool = False,
    ) -> tuple[Plan, LegInputs]:
        """Returns the order of *leg* in the book of this moment, or the reason for none."""
        order_type, waited = planned.types[leg.asset], None
        book = await market.book(symbol_of(leg.asset))
        if order_type is not OrderType.MARKET:
            since, now = account.outside_since, book.read_at
            if may_widen(account.settings.slippage, outside_since=since, now=now) and since:
                waited = Waited(since, now, await market.last_price(book.symbol))
            if is_old(book, now=self.clock.now()):
                book = await market.book(book.symbol)
        inputs = LegInputs(
            portfolio=planned.inputs,
            planned_at=planned.at,
            book=book,
            limits=planned.limits,
            recent=planned.prices[leg.asset],
            to_centre=planned.to_centre,
            slippage=account.settings.slippage,
            order_type=order_type,
            waited=waited,
            is_narrowed=is_narrowed,
        )
        return allowed_leg(leg, inputs), inputs

    async def not_offered(
        self, account: Account, planned: Planned, market: Market
    ) -> Mapping[Leg, Reason]:
        """Returns the buys that other tokens would be sold for, and of which less than half is
        offered: what is sold would only be bought back, check after check.
        """
        sells, buys = (
            [leg for leg in planned.plan.legs if leg.side is side]
            for side in (Side.SELL, Side.BUY)
        )
        if not sells:
            return {}
        brings = sum((leg.quote_amount for leg in sells), ZERO)
        funded = replace(
            planned,
            inputs=replace(planned.inputs, holdings=_with(planned.inputs.holdings, brings)),
        )
        try:
            async with asyncio.TaskGroup() as reads:
                asked = {
                    leg: reads.create_task(self.decide(account, funded, leg, market))
                    for leg in buys
                }
        except BaseExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__
        reasons = {leg: _too_little(leg, *task.result()) for leg, task in asked.items()}
        return {leg: reason for leg, reason in reasons.items() if reason is not None}


def _with(holdings: Holdings, quote_amount: Decimal) -> Holdings:
    cash = holdings.of(USDT)
    more = Balance(cash.free + quote_amount, cash.locked)
    return replace(holdings, balances={**holdings.balances, USDT: more})


def _too_little(leg: Leg, decided: Plan, inputs: LegInputs) -> Reason | None:
    order = decided.order
    if order is None:
        return decided.reason
    if order.expected_quote >= leg.quote_amount * _WORTH_SELLING_FOR:
        return None
    return NoOfferNear(
        side=leg.side,
        slippage=inputs.slippage.fraction,
        nearest=ZERO,
        offered=order.expected_quote,
        minimum=ZERO,
        strict=inputs.slippage.strict,
        wanted=leg.quote_amount,
    )


def with_limits_of(account: Account, planned: Planned) -> Account:
    """Returns the account with the limits that the plan was made within, as its own: those of a
    share follow from what the account is worth.
    """
    limits = planned.limits
    own = Limits(
        order=min(limits.order, MAX_AMOUNT),
        day=min(limits.day, MAX_AMOUNT),
        orders_per_hour=limits.orders_per_hour,
        move=limits.move,
    )
    return replace(account, limits=own)
