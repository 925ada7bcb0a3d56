"""What each trade brought against not trading. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple, overload

from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import BUY, Trade
from engine.domain.profit.returns import WIDE
from engine.domain.profit.steps import Booked

MOST_TRADES = 1_000
"""How many of one side are shown before some are left out."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class TradeWorth(NamedTuple):
    """What one trade *brought* against not trading, by the price at the end. Its *fee* is in USDT;
    *slippage* is the USDT that its price was worse than the middle, None where that is not known.
    """

    client_order_id: ClientOrderId
    at: datetime
    side: Side
    quantity: Decimal
    quote: Decimal
    fee: Decimal
    slippage: Decimal | None
    brought: Decimal

    @property
    def price(self) -> Decimal:
        return self.quote / self.quantity


class TradesOfSide:
    """The trades of one side: all, or where they are many one of each time."""

    def __init__(self, length: timedelta) -> None:
        self.count = 0
        self.shown: list[tuple[Booked, int]] = []
        self._apart = length / MOST_TRADES
        self.next = _LONG_AGO

    def show(self, step: Booked, segment: int) -> None:
        """Add one that is counted, where it is as late as *next*."""
        self.shown.append((step, segment))
        if self.count > MOST_TRADES:
            self.next = step.trade.at + self._apart
        elif self.count == MOST_TRADES:
            self._thin()

    def _thin(self) -> None:
        every, self.shown = self.shown, []
        for one in every:
            if (at := one[0].trade.at) >= self.next:
                self.shown.append(one)
                self.next = at + self._apart


class Worths(Sequence[TradeWorth]):
    """What each trade brought, reckoned when it is asked for: there may be 100,000."""

    def __init__(self, booked: Sequence[tuple[Booked, int]], ends: Sequence[Decimal]) -> None:
        self._booked = booked
        self._ends = ends

    def __len__(self) -> int:
        return len(self._booked)

    @overload
    def __getitem__(self, index: int) -> TradeWorth: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TradeWorth]: ...
    def __getitem__(self, index: int | slice) -> TradeWorth | Sequence[TradeWorth]:
        if isinstance(index, slice):
            return Worths(self._booked[index], self._ends)
        booked, segment = self._booked[index]
        return worth_of(booked, price=self._ends[segment])


def slippage_of(trade: Trade) -> Decimal | None:
    """Returns the USDT that its price was worse than the middle; None where that is not known."""
    if trade.price is None:
        return None
    worse = trade.quote - trade.price * trade.quantity
    return worse if trade.side is BUY else worse.copy_negate()


def worth_of(booked: Booked, *, price: Decimal) -> TradeWorth:
    """Returns what the trade brought against not trading, where the token costs *price* now."""
    trade = booked.trade
    with localcontext(WIDE):
        brought = booked.base_change * price + booked.quote_change - booked.paid
        slippage = slippage_of(trade)
    return TradeWorth(
        trade.client_order_id,
        trade.at,
        trade.side,
        trade.quantity,
        trade.quote,
        booked.fee,
        slippage,
        brought,
    )
