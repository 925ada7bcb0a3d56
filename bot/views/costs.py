"""`/profit costs`: what trades cost against the middle of the book, by month and by `/execution`."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import brief, count, precise_percent
from bot.views.components.badges import badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import block, lines
from bot.views.components.times import month_and_year
from engine.domain.accounts.account import Account
from engine.domain.execution.bound import ExecutionMode
from engine.domain.profit.costs import MONTHS, CostReport, MonthCosts

COSTS = "costs"
"""The word of `/profit` that asks for it."""
_MODES = {
    ExecutionMode.MARKET: "market",
    ExecutionMode.AUTO: "auto",
    ExecutionMode.MAKER: "maker",
}
_LABEL, _COST, _PART, _ALL = 8, 8, 7, 9


def costs_view(*, account: Account, report: CostReport) -> Message:
    """Percents are of all that was traded in a month, so each trade counts as much as it moved."""
    title, doubts = f"{badge(account)} · Cost of trades", _doubts(report)
    if not report.months:
        nothing = None if doubts else f"No order ended in the last {MONTHS} months."
        return Message(
            lines(title, nothing, *doubts, "Older trades: /history"),
            _keyboard(),
        )
    text = lines(
        title,
        f"The last {MONTHS} months, in USDT.",
        block(_rows(report)),
        "Cost: how much worse than the middle of the book I traded, with fees. "
        "Its percent is of what was traded.",
        "With rest: what was not traded counts too, by how far the price went away.",
        "The names are those of /execution.",
        *doubts,
        "Each trade: /history, /export",
    )
    return Message(text, _keyboard())


def _rows(report: CostReport) -> Iterable[str]:
    yield f"{'Cost':>{_LABEL + _COST}}{'With rest':>{_PART + _ALL}}"
    for (year, month), modes in groupby(report.months, key=lambda one: (one.year, one.month)):
        yield month_and_year(year, month)
        yield from map(_row, modes)


def _row(one: MonthCosts) -> str:
    return (
        f" {_MODES[one.mode]:<{_LABEL - 1}}{_amount(one.sum.done):>{_COST}}"
        f"{_part(one.sum.done_bp):>{_PART}}{_part(one.sum.total_bp):>{_ALL}}"
    )


def _amount(cost: Decimal) -> str:
    return brief(cost, like=abs(cost))


def _part(bp: Decimal | None) -> str:
    if bp is None:
        return "–"
    text = precise_percent(bp / 10_000)
    return "0%" if text == "-0%" else text


def _doubts(report: CostReport) -> list[str]:
    """What the sums lack, each in a sentence of its own."""
    return [
        count(number, one, many)
        for number, one, many in (
            (
                report.without_fees,
                "About: the fees of 1 order are not known yet. I count 0.05%.",
                "About: the fees of {n} orders are not known yet. I count 0.05%.",
            ),
            (
                report.without_end,
                "I did not see the price after 1 order. Its rest counts as 0.",
                "I did not see the price after {n} orders. Their rest counts as 0.",
            ),
            (
                report.without_middle,
                "1 order has no middle price on record. It is in no sum.",
                "{n} orders have no middle price on record. They are in no sum.",
            ),
        )
        if number
    ]


def _keyboard() -> InlineKeyboardMarkup:
    return keyboard([do("Profit", "profit"), do("History", "history")])
