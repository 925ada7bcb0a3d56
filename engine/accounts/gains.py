"""Gains of an account's sales, and what its money came to, for its books."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from engine.accounts.profit import SpanReport
from engine.domain.accounts.flows import Flow
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import Order
from engine.domain.profit.disposals import Disposal, DisposalBook
from engine.domain.profit.entries import NO_PRICES, Prices
from engine.storage.trading.value_events import trade_of


@dataclass(slots=True)
class AccountGains:
    """Takes all trades and flows, oldest first. *found* is the report of all records; None where
    there is none: then nothing that is left has a price.
    """

    found: SpanReport | None
    book: DisposalBook = field(init=False)

    def __post_init__(self) -> None:
        self.book = DisposalBook(self.found.prices if self.found else Prices({}))

    def forget_trades(self) -> None:
        """The report of a large account is many times a page, and only its sums are needed."""
        if self.found is not None:
            sums = replace(self.found.report, points=(), trades=(), flows=())
            self.found = replace(self.found, report=sums)

    def take(self, event: Order | Flow) -> Sequence[Disposal]:
        """Returns what it disposed of."""
        if isinstance(event, Flow):
            return self.book.by_hand(event)
        trade = trade_of(event)
        return self.book.trade(trade, at=event.resolved_at or event.created_at) if trade else ()

    def price(self, asset: Asset) -> tuple[Decimal, datetime] | None:
        """The last known price of *asset* in USDT, and since when it is known."""
        if self.found is None:
            return None
        until = self.found.report.until
        line = self.found.prices.lines.get(asset, NO_PRICES)
        price, at = line.at(until), line.time(until)
        return None if price is None or at is None else (price, at)
