"""The return of the money that was put in, as a spreadsheet's XIRR finds it. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from engine.domain.market.decimals import ZERO
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.returns import WIDE, YEAR_DAYS, dietz, money_weighted, of_period

_DEFINED_FROM = 1


class MoneyReturn(NamedTuple):
    """*flows* are by day in UTC: below zero what was put in, at the end what is there. Fractions;
    *yearly* is None for less than a year.
    """

    flows: Sequence[tuple[date, Decimal]]
    days: int
    period: Decimal | None
    yearly: Decimal | None
    dietz: Decimal | None


def money_return(report: ProfitReport) -> MoneyReturn:
    """Returns the money-weighted return of the report's span, and modified Dietz beside it."""
    first, last = _day(report.since), _day(report.until)
    days = (last - first).days
    came: dict[date, Decimal] = defaultdict(lambda: ZERO)
    with localcontext(WIDE):
        for flow in report.flows:
            came[_day(flow.at)] += flow.value or ZERO
    flows = [
        (first, -report.start),
        *((day, -amount) for day, amount in sorted(came.items()) if amount),
        (last, report.now),
    ]
    if days < _DEFINED_FROM:
        return MoneyReturn(flows, days, None, None, None)
    in_days = [((day - first).days, amount) for day, amount in flows]
    found = money_weighted(in_days, per_days=min(days, YEAR_DAYS))
    is_year = days >= YEAR_DAYS
    return MoneyReturn(
        flows,
        days,
        of_period(found, days=days) if is_year and found is not None else found,
        found if is_year else None,
        dietz(
            report.start,
            report.now,
            [((day - first).days, amount) for day, amount in sorted(came.items())],
            days=days,
        ),
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
