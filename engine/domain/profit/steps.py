"""What an account held, step by step: its trades as they are booked, flows, and changes of the pair.
Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, base_of
from engine.domain.profit.entries import BUY, Event, Flow, PairChange, Prices, Trade

# Counted where an order's fills were not seen; the next reading corrects it.
USUAL_FEE_RATE = Decimal("0.0005")


@dataclass(frozen=True, slots=True)
class Held:
    """USDT and units of the traded token, and of *others* that are traded beside it."""

    base_asset: Asset
    quote: Decimal
    base: Decimal
    others: Mapping[Asset, Decimal] = field(default_factory=dict)

    @property
    def tokens(self) -> Mapping[Asset, Decimal]:
        return {self.base_asset: self.base, **self.others}


class Booked(NamedTuple):
    """A trade with its *fee* in USDT; *paid* of that did not come out of USDT or the token.
    *quote_change* and *base_change* are what it did to USDT and to the token.
    """

    trade: Trade
    fee: Decimal
    paid: Decimal
    quote_change: Decimal
    base_change: Decimal
    is_fee_known: bool

    @property
    def at(self) -> datetime:
        return self.trade.at

    @property
    def price(self) -> Decimal | None:
        return self.trade.price


class Turn(NamedTuple):
    """What follows is of *asset*, which is traded from now on if it was not before."""

    at: datetime
    asset: Asset


class Closing(NamedTuple):
    """The pair was changed: the token before was left at *price*, for *asset*."""

    at: datetime
    price: Decimal
    asset: Asset


Step = Flow | Booked | Closing | Turn
OnUsual = Callable[[Trade, Decimal, Decimal, Decimal], None]
"""Takes a trade that has a price and is final at once, as its fee is known and was paid in USDT:
that fee, and what there was of USDT and of the token after it.
"""


@dataclass(slots=True)
class Opening:
    """What the first reading of each asset showed."""

    quote: Decimal | None = None
    base: tuple[Asset, Decimal] | None = None

    @property
    def is_known(self) -> bool:
        return self.quote is not None and self.base is not None

    def read(self, event: Event) -> None:
        if isinstance(event, Trade):
            self._see(event.quote_before, (base_of(event.symbol), event.base_before))
        elif isinstance(event, PairChange):
            return
        elif event.asset == USDT:
            self._see(event.before, None)
        else:
            self._see(None, (event.asset, event.before))

    def held(self, now: Held) -> Held:
        """What was held then; what is held *now* of an asset that no reading showed."""
        asset, base = self.base or (now.base_asset, now.base)
        return Held(asset, now.quote if self.quote is None else self.quote, base)

    def _see(self, quote: Decimal | None, base: tuple[Asset, Decimal] | None) -> None:
        self.quote = quote if self.quote is None else self.quote
        self.base = self.base or base


def booked(trade: Trade, prices: Prices) -> Booked:
    """Returns *trade* with its fees in USDT; what is not known of them counts at the usual rate."""
    in_quote = in_base = paid = ZERO
    is_known = trade.fees_complete
    for asset, amount in trade.fees.items():
        if asset == USDT:
            in_quote += amount
        elif asset == base_of(trade.symbol):
            in_base += amount
        elif (price := prices.of(asset, trade.at)) is not None:
            paid += amount * price
        else:
            paid += trade.quote * USUAL_FEE_RATE
            is_known = False
    if not trade.fees_complete:
        in_quote = max(in_quote, trade.quote * USUAL_FEE_RATE)
    fee = in_quote + paid if paid else in_quote
    if in_base:
        fee += in_base * trade.quote / trade.quantity
    is_buy = trade.side is BUY
    return Booked(
        trade,
        fee,
        paid,
        (-trade.quote if is_buy else trade.quote) - in_quote,
        (trade.quantity if is_buy else -trade.quantity) - in_base,
        is_known,
    )
