"""The weekly report: the numbers of `/profit` in eight lines, and what happens next."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from bot.interaction.message import Message
from bot.views.components.amounts import cents, count, signed, signed_percent
from bot.views.components.badges import alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import COLUMNS, block, width
from bot.views.components.times import roughly, utc
from engine.domain.alerts.report_alerts import WeeklyFigures, WeeklyReport
from engine.domain.market.decimals import ZERO

_CENT = Decimal("0.005")
_COLUMN = 11


def weekly_view(report: WeeklyReport) -> Message:
    length = roughly(report.at - report.since + timedelta(minutes=1))
    return Message.of(
        f"{alert_badge(report)} · Report of {length}",
        "I know nothing of this time: no record, or no price of the token."
        if report.figures is None
        else block(_rows(report.figures)),
        _next(report),
        keyboard=keyboard(
            [do("/profit", "profit"), do("/chart", "chart"), do("/alerts", "alerts")]
        ),
    )


def _rows(figures: WeeklyFigures) -> Sequence[str]:
    """Each in one line, so that the report has eight."""
    rows = [_row("Value", cents(figures.now), before=f"{cents(figures.start)} → ")]
    if abs(figures.deposits) >= _CENT:
        label = "Deposits" if figures.deposits > ZERO else "Withdrawn"
        rows.append(_row(label, signed(figures.deposits)))
    made = f"about {signed(figures.made)}" if figures.about else signed(figures.made)
    rows.append(_row("Made", made, _percent(figures.returned)))
    rows.append(_row("Only held", signed(figures.held_made), _percent(figures.held_returned)))
    if figures.trades:
        trades = count(figures.trades, " in {n} trade", " in {n} trades")
        rows.append(_row("Trading", signed(figures.brought), trades))
        rows.append(_row("Fees", signed(-figures.fees)))
    return rows


def _row(label: str, value: str, after: str = "", *, before: str = "") -> str:
    """In one line: what stands beside the *value* only where there is room."""
    text = f"{label:<{_COLUMN}}{before}{value}{after}"
    return text if width(text) <= COLUMNS else f"{label:<{_COLUMN}}{value}"


def _percent(fraction: Decimal | None) -> str:
    return "" if fraction is None else f" ({signed_percent(fraction)})"


def _next(report: WeeklyReport) -> str | None:
    """In one line: whether I trade, and when the next report comes."""
    is_stopped = not report.trading or report.paused or report.halted
    trading = "Trading is stopped: /why." if is_stopped else "Trading goes on."
    if report.next_at is None:
        return trading
    return f"{trading} Next report: {utc(report.next_at)}"
