"""Plans a trade that a user asks for, whatever the target says, and what becomes of the target.

Pure, as the planner: the same function shows the trade and prices it again after the tap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO
from engine.domain.market.order_book import OrderBook, priced_at_least, quantity_to_receive
from engine.domain.market.pairs import PairRules, Side
from engine.domain.rebalancing.planner import (
    MARKET_REACH,
    Plan,
    ProposedOrder,
    Reason,
    buy_order,
    obstacle,
    sell_order,
)
from engine.domain.targets.target import FixedUsdt

# The kind of the confirmation behind the buttons of such a plan.
MANUAL = "manual_trade"


@dataclass(frozen=True, slots=True)
class ManualTrade:
    """Buy or sell for *quote_amount* USDT, or the *share* (at most 1) of what is free, or sell
    *base_quantity*. Exactly one of the three is set.
    """

    side: Side
    quote_amount: Decimal | None = None
    share: Decimal | None = None
    base_quantity: Decimal | None = None

    def __post_init__(self) -> None:
        sizes = (self.quote_amount, self.share, self.base_quantity)
        if sum(size is not None for size in sizes) != 1:
            raise ValueError("a trade has an amount or a share, not both and not neither")
        if self.base_quantity is not None and self.side is Side.BUY:
            raise ValueError("a trade for a quantity is a sale")
        if self.share is not None and not (self.share.is_finite() and ZERO < self.share <= ONE):
            raise ValueError(f"a share is above 0 and at most 1, not {self.share}")
        for amount in (self.quote_amount, self.base_quantity):
            if amount is not None and not (amount.is_finite() and amount > ZERO):
                raise ValueError(f"an amount is above 0, not {amount}")

    def size(self, free: Decimal) -> Decimal:
        """Returns the amount in USDT, or else the quantity or the share of *free*, in its unit."""
        if self.quote_amount is not None:
            return self.quote_amount
        if self.base_quantity is not None:
            return self.base_quantity
        return ZERO if self.share is None else free * self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A trade that *user_id* confirmed, on the account's *version*.
    With its order trading *pauses*, or *target* becomes the account's.
    """

    trade: ManualTrade
    version: int
    user_id: int
    pauses: bool = False
    target: Decimal | None = None

    @property
    def changes(self) -> Mapping[str, Any]:
        """Returns the fields of the settings that change with the order."""
        if self.pauses:
            return {"paused": True}
        return {} if self.target is None else {"target": FixedUsdt(self.target)}

    def holds(self, settings: Settings, *, version: int, held_after: Decimal) -> bool:
        """True if the account is unchanged and no check would trade back what was confirmed."""
        after = replace(settings, **self.changes)
        if version != self.version or is_undone(self.trade.side, held_after, after):
            return False
        return self.target is None or after.fixed_goal.band.holds(held_after)


def is_undone(side: Side, held_after: Decimal, settings: Settings) -> bool:
    """True if a check would trade back what leaves *held_after* USDT."""
    if settings.paused or settings.autonomy is not TradingMode.AUTO:
        return False
    if settings.fixed is None:
        return True  # whatever is traded in a portfolio, its next plan is another
    band = settings.fixed.band
    return held_after > band.high if side is Side.SELL else held_after < band.low


def plan_manual(
    trade: ManualTrade,
    *,
    holdings: Holdings,
    settings: Settings,
    rules: PairRules,
    book: OrderBook,
) -> Plan:
    """Returns the order for *trade*, or the reason for none.

    Amounts are rounded down to the exchange's steps, and made smaller where less is free or the
    exchange takes no more at once; they are never made larger. What is protected is not free.
    """
    holdings = settings.managed(holdings)
    with localcontext(EXACT_OR_LESS):
        held = holdings.of(rules.quote).counted(settings.counting)
        outcome: ProposedOrder | Reason
        if (closed := obstacle(trade.side, rules=rules, book=book)) is not None:
            outcome = closed
        elif trade.side is Side.BUY:
            outcome = _buy(trade, holdings=holdings, rules=rules, book=book)
        else:
            outcome = _sell(trade, holdings=holdings, rules=rules, book=book)
        return Plan.of(held, outcome)


def _buy(
    trade: ManualTrade, *, holdings: Holdings, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    balance = holdings.of(rules.quote)
    return buy_order(trade.size(balance.free), balance=balance, rules=rules, book=book)


def _sell(
    trade: ManualTrade, *, holdings: Holdings, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    balance = holdings.of(rules.base)
    if trade.quote_amount is None:
        wanted = trade.size(balance.free)
    else:
        bids = priced_at_least(book.bids, price=book.bids[0].price * (ONE - MARKET_REACH))
        fee_rate = rules.taker_fee_rate
        wanted = quantity_to_receive(trade.quote_amount, bids=bids, fee_rate=fee_rate)
    return sell_order(rules.floor_quantity(wanted), balance=balance, rules=rules, book=book)
