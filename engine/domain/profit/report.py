"""Profit of a span: what was made, what only holding had made, and what trading brought. Pure.

The parts are exact: start + flows + made is what is there now, and what trading brought is both the
account less what had only been held, and the sum over the trades.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from engine.domain.market.candles import HOUR
from engine.domain.market.pairs import Asset
from engine.domain.profit.books import Books
from engine.domain.profit.entries import (
    NO_CORRECTIONS,
    Corrections,
    Doubt,
    Event,
    Flow,
    Prices,
)
from engine.domain.profit.ledger import Ledger
from engine.domain.profit.points import ValuePoint
from engine.domain.profit.returns import WIDE
from engine.domain.profit.steps import Held, Opening
from engine.domain.profit.worths import TradeWorth, Worths

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitReport:
    """Amounts in USDT; *returned*, *held_returned* and *drawdown* are fractions, time-weighted.
    *deposits* is what came in less what went out; *fee_flows* paid fees from outside the account.
    *results* are what a person corrected to be part of *made*; the other *flows* are not.
    *held* is what only holding would come to, *held_made* what it had made; trading *brought* the
    difference, which is exactly the sum over the trades.

    *points* are as far as *apart* where no hour is missing. Of many *trades* some of each time are
    there, as a picture shows them; *bought* and *sold* count all. Of the *flows* those that paid
    fees are put together by the day, in UTC. *holdings* are what is held now: units and their price,
    USDT included.
    """

    since: datetime
    until: datetime
    start: Decimal
    now: Decimal
    deposits: Decimal
    fee_flows: Decimal
    made: Decimal
    held: Decimal
    held_made: Decimal
    brought: Decimal
    turnover: Decimal
    fees: Decimal
    slippage: Decimal
    returned: Decimal | None
    held_returned: Decimal | None
    drawdown: Decimal | None
    bought: int
    sold: int
    points: Sequence[ValuePoint]
    trades: Sequence[TradeWorth]
    flows: Sequence[Flow]
    results: Sequence[Flow]
    doubts: frozenset[Doubt]
    apart: timedelta = HOUR
    holdings: Mapping[Asset, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.bought + self.sold


def profit(
    events: Iterable[Event],
    *,
    now: Held,
    prices: Prices,
    since: datetime,
    until: datetime,
    corrections: Corrections = NO_CORRECTIONS,
    opening: Held | None = None,
) -> ProfitReport | None:
    """Returns the report of *events*, which are those from *since* on, oldest first. *now* is held
    at *until*. None where a token has no price at the end, or none before. *opening* was held at
    *since*; without it, the first readings of one token tell.
    """
    reckoning = Reckoning(
        now=now, prices=prices, since=since, until=until, corrections=corrections, opening=opening
    )
    reckoning.take(events)
    return reckoning.report()


class Reckoning:
    """The report of events that are taken some at a time, in their order: as `profit`."""

    def __init__(
        self,
        *,
        now: Held,
        prices: Prices,
        since: datetime,
        until: datetime,
        corrections: Corrections = NO_CORRECTIONS,
        opening: Held | None = None,
    ) -> None:
        self._now, self._prices, self._since, self._until = now, prices, since, until
        self._corrections = corrections
        self._opening = Opening()
        self._early: list[Event] = []
        self._opened: tuple[Ledger, Books] | None = None
        if opening is not None:
            with localcontext(WIDE):
                self._opened = self._open(opening)

    def take(self, events: Iterable[Event]) -> None:
        with localcontext(WIDE):
            if self._opened is not None:
                self._opened[0].take(events)
                return
            for event in events:
                self._early.append(event)
                self._opening.read(event)
            if self._opening.is_known:
                self._opened = self._open(self._opening.held(self._now))

    def report(self) -> ProfitReport | None:
        """Returns the report of all that was taken; once."""
        with localcontext(WIDE):
            ledger, books = self._opened or self._open(self._opening.held(self._now))
            ledger.end(self._now, self._until)
            return _report_of(books, ledger.doubts)

    def _open(self, opening: Held) -> tuple[Ledger, Books]:
        books = Books(opening, self._prices, since=self._since, until=self._until)
        ledger = Ledger(opening, self._prices, self._corrections, books.take, books.trade)
        ledger.take(self._early)
        self._early.clear()
        return ledger, books


def _report_of(books: Books, doubts: set[Doubt]) -> ProfitReport | None:
    books.end()
    if books.first is None or books.last is None:
        return None
    start, now, held = books.first.value, books.last.value, books.last.held
    flows = books.deposits + books.fee_flows
    shown = sorted(books.bought.shown + books.sold.shown, key=lambda one: one[0].trade.at)
    return ProfitReport(
        since=books.since,
        until=books.until,
        start=start,
        now=now,
        deposits=books.deposits,
        fee_flows=books.fee_flows,
        made=now - start - flows,
        held=held,
        held_made=held - start - flows,
        brought=now - held,
        turnover=books.turnover,
        fees=books.fees,
        slippage=books.slippage,
        returned=books.index.returned,
        held_returned=books.held_index.returned,
        drawdown=books.index.drawdown,
        bought=books.bought.count,
        sold=books.sold.count,
        points=books.points.all(),
        trades=Worths(shown, books.ends),
        flows=books.flows,
        results=books.results,
        doubts=frozenset(books.doubts | doubts),
        apart=books.points.apart,
        holdings=books.holdings,
    )
