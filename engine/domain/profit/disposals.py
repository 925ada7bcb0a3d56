"""What was disposed of, one by one, with its cost and gain by both methods. Pure.

Only what was bought and sold counts: units that were moved in or out keep the cost that they had.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import Prices, Trade
from engine.domain.profit.lots import Gains, Lots, Method, Sale
from engine.domain.profit.returns import WIDE
from engine.domain.profit.steps import USUAL_FEE_RATE, booked


class DisposalKind(Enum):
    """A *FEE* in another coin disposes of that coin."""

    SALE = "sale"
    BY_HAND = "by_hand"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """*units* of *asset* brought *proceeds*, in USDT, after its *fee*. Both sales are the same one.
    An exchange by hand is seen after its fee, which nobody knows.
    """

    at: datetime
    kind: DisposalKind
    asset: Asset
    units: Decimal
    proceeds: Decimal
    fee: Decimal | None = None
    is_fee_known: bool = False
    fifo: Sale
    average: Sale
    client_order_id: ClientOrderId | None = None


class DisposalBook:
    """Takes what was bought and sold, oldest first. *prices* value fees in other coins."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._lots: Mapping[Asset, tuple[Lots, Lots]] = defaultdict(
            lambda: (Lots(Method.FIFO), Lots(Method.AVERAGE))
        )

    def gains(self) -> Mapping[Asset, tuple[Gains, Gains]]:
        """The gains so far of each asset, first in first out, and at average cost."""
        return {
            asset: (fifo.gains(), average.gains())
            for asset, (fifo, average) in sorted(self._lots.items())
        }

    def trade(self, trade: Trade, *, at: datetime) -> Sequence[Disposal]:
        """*at* is when it was settled."""
        base = base_of(trade.symbol)
        with localcontext(WIDE):
            entry = booked(trade, self._prices)
            paid = entry.paid - entry.quote_change
            found = [
                self._fee(trade, asset, at) for asset in trade.fees if asset not in (USDT, base)
            ]
        if trade.side is Side.BUY:
            self._buy(base, entry.base_change, paid)
        else:
            fifo, average = self._sell(base, -entry.base_change, -paid)
            sale = Disposal(
                at=at,
                kind=DisposalKind.SALE,
                asset=base,
                units=-entry.base_change,
                proceeds=-paid,
                fee=entry.fee,
                is_fee_known=entry.is_fee_known,
                fifo=fifo,
                average=average,
                client_order_id=trade.client_order_id,
            )
            found.insert(0, sale)
        return found

    def by_hand(self, flow: Flow) -> Sequence[Disposal]:
        """USDT that was exchanged for a token, or a token for USDT or for another token."""
        if not flow.is_by_hand:
            return ()
        amounts = {change.asset: change.change for change in flow.changes}
        if USDT not in amounts:
            return self._swapped(flow)
        quote = amounts.pop(USDT)
        [(asset, units)] = amounts.items()
        if units > ZERO:
            self._buy(asset, units, -quote)
            return ()
        return [self._sold_by_hand(flow, asset, -units, quote)]

    def _swapped(self, flow: Flow) -> Sequence[Disposal]:
        """A token for another one is sold for what it was worth, which buys the other."""
        went, came = sorted(flow.changes, key=lambda change: change.change)
        worth = flow.value_of(went)
        if worth is None:
            return ()
        self._buy(came.asset, came.change, -worth)
        return [self._sold_by_hand(flow, went.asset, -went.change, -worth)]

    def _sold_by_hand(
        self, flow: Flow, asset: Asset, units: Decimal, proceeds: Decimal
    ) -> Disposal:
        fifo, average = self._sell(asset, units, proceeds)
        return Disposal(
            at=flow.at,
            kind=DisposalKind.BY_HAND,
            asset=asset,
            units=units,
            proceeds=proceeds,
            fifo=fifo,
            average=average,
        )

    def _fee(self, trade: Trade, asset: Asset, at: datetime) -> Disposal:
        amount, price = trade.fees[asset], self._prices.of(asset, trade.at)
        worth = trade.quote * USUAL_FEE_RATE if price is None else amount * price
        fifo, average = self._sell(asset, amount, worth)
        return Disposal(
            at=at,
            kind=DisposalKind.FEE,
            asset=asset,
            units=amount,
            proceeds=worth,
            is_fee_known=price is not None,
            fifo=fifo,
            average=average,
            client_order_id=trade.client_order_id,
        )

    def _buy(self, asset: Asset, units: Decimal, paid: Decimal) -> None:
        for lots in self._lots[asset]:
            lots.buy(units, paid)

    def _sell(self, asset: Asset, units: Decimal, proceeds: Decimal) -> tuple[Sale, Sale]:
        fifo, average = self._lots[asset]
        return fifo.sell(units, proceeds), average.sell(units, proceeds)
