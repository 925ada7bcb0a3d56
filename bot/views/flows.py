"""`/profit deposits`: what came in and went out, and what a correction does to what was made."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import Choose, FlowPage, FlowsPage, ProfitPage
from bot.interaction.message import Message
from bot.views.components.amounts import balance, cents, signed
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, in_rows, keyboard, pager
from bot.views.components.layout import block, escape, lines
from bot.views.components.times import stamp, zone_name
from engine.clock import to_millis
from engine.domain.accounts.account import Account
from engine.domain.accounts.flows import Correction
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.profit.corrections import Movement, movements
from engine.domain.profit.entries import FlowKind
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span

_A_PAGE, _NUMBERS_A_ROW = 6, 5
# The label of each span, and its words.
_SPANS: Mapping[str, tuple[str, str]] = {
    Span.DAY.value: ("24h", "24 hours"),
    Span.WEEK.value: ("7d", "7 days"),
    Span.MONTH.value: ("30d", "30 days"),
    Span.ALL.value: ("All", "all records"),
}
# The label of each choice, and when it is right.
_CHOICES: Mapping[Correction | None, tuple[str, str]] = {
    Correction.RESULT: ("Result", "Result, if it was interest, a fee or a trade of yours."),
    Correction.MINE: ("Mine", "Mine, if you moved it yourself."),
    None: ("Undo", "Undo, and it counts as I found it."),
}
_COUNTS: Mapping[Correction | None, str] = {
    Correction.RESULT: "You said: a result. It counts as made.",
    Correction.MINE: "You said: yours. It does not count as made.",
    None: "It counts as I found it again.",
}
_MARKS = {Correction.RESULT: "  corrected: a result", Correction.MINE: "  corrected: yours"}


def flows_view(
    *, account: Account, report: ProfitReport, page: FlowsPage, may_correct: bool
) -> Message:
    """A page of the flows of *report*, newest first, with a number for each that may be corrected."""
    known, span, first = movements(report), page.span, page.page * _A_PAGE
    shown = list(enumerate(known[first : first + _A_PAGE], start=first + 1))
    numbers = [
        button(str(number), press)
        for number, movement in shown
        if may_correct and (press := button_of(movement, span)) is not None
    ]
    results = sum((flow.value or ZERO for flow in report.results), ZERO)
    return Message(
        lines(
            f"{badge(account)} · Deposits, {_words(span)}",
            f"Deposits less withdrawals: {signed(report.deposits)} USDT.",
            f"Corrected to results: {signed(results)} USDT." if report.results else None,
            f"Times in {zone_name()}, newest first.",
            block(row for number, movement in shown for row in _rows(account, number, movement))
            if shown
            else "Nothing came in and nothing went out.",
            "Tap a number to correct it." if numbers else None,
            f"What you made: /profit {span}",
        ),
        keyboard(
            *in_rows(numbers, _NUMBERS_A_ROW),
            pager(
                page.page,
                lambda number: FlowsPage(span, number),
                has_more=first + _A_PAGE < len(known),
            ),
            [
                button(f"· {label} ·" if one == span else label, FlowsPage(one, 0))
                for one, (label, _) in _SPANS.items()
            ],
            _profit(span),
        ),
    )


def button_of(movement: Movement, span: str) -> FlowPage | None:
    """What opens the choices for *movement*; None where it has none."""
    if not movement.choices:
        return None
    key = movement.keys[0]
    moved, in_usdt = key.kind is FlowKind.MOVED, key.asset == USDT
    return FlowPage(int(moved), int(in_usdt), to_millis(key.since), span)


def correction_view(
    *, account: Account, movement: Movement, made: Decimal, span: str, question_id: str
) -> Message:
    """Asks what *movement* was, with what each answer does to *made*."""
    answers = [
        f"{_CHOICES[one][1]} {_change(span, made, made + movement.made_more(one))}"
        for one in movement.choices
    ]
    return Message(
        lines(
            f"{badge(account)} · What was it?",
            f"{_when(movement)}: {_amounts(movement)}.",
            _counts(movement),
            *answers,
            "No money moves. All reports and the digest count it so.",
            "Tap within 90 s. No tap: nothing changes.",
            "Later: /profit deposits",
        ),
        keyboard(
            [
                button(_CHOICES[one][0], Choose(question_id, index))
                for index, one in enumerate(movement.choices)
            ],
            [button("« Back", FlowsPage(span, 0))],
        ),
    )


def corrected_view(
    *,
    account: Account,
    was: Correction | None,
    correction: Correction | None,
    movement: Movement | None,
    made: Decimal,
    span: str,
) -> Message:
    """*movement* is as it counts now, None where no report shows it; *made* is counted with it."""
    change = press = None
    if movement is not None:
        change = _change(span, made + movement.made_more(was), made)
        press = button_of(movement, span)
    return Message(
        lines(
            f"{badge(account)} · Corrected",
            f"{_when(movement)}: {_amounts(movement)}." if movement else None,
            _COUNTS[correction],
            change,
            "Change it again: /profit deposits",
            "Who did what: /audit",
        ),
        keyboard(
            [button("Change again", press)] if press else [],
            [button("Deposits", FlowsPage(span, 0)), *_profit(span)],
        ),
    )


def flow_changed_view(*, account: Account, span: str) -> Message:
    """The flow is gone, or somebody corrected it meanwhile."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "This movement is not as you saw it any more.",
        "The list as it is now: /profit deposits",
        keyboard=keyboard([button("Deposits", FlowsPage(span, 0))]),
    )


def _profit(span: str) -> list[InlineKeyboardButton]:
    return [button("Profit", ProfitPage(Span(span)))] if span in _SPANS else []


def _words(span: str) -> str:
    return _SPANS[span][1] if span in _SPANS else f"since {span}"


def _change(span: str, before: Decimal, after: Decimal) -> str:
    if signed(before) == signed(after):
        return f"Made stays {signed(after)}."
    return f"Made {signed(before)} → {signed(after)} ({_words(span)})."


def _counts(movement: Movement) -> str:
    if movement.correction is not None:
        return _COUNTS[movement.correction]
    kind = "deposit" if movement.value > ZERO else "withdrawal"
    if movement.kind is FlowKind.UNEXPLAINED:
        return f"I did not see it move. It counts as a {kind}, and reports say “About”."
    return f"It counts as a {kind} of {cents(abs(movement.value))} USDT."


def _rows(account: Account, number: int, movement: Movement) -> Iterable[str]:
    yield f"{number} {stamp(movement.at)} {_name(account, movement)}"
    for flow in movement.flows:
        worth = "" if flow.asset == USDT else f", {signed(flow.value or ZERO)} USDT"
        yield f"  {_units(flow.units, flow.asset)}{worth}"
    if movement.is_by_hand:
        yield f"  counts {signed(movement.value)} USDT"
    if movement.correction is not None:
        yield _MARKS[movement.correction]


def _name(account: Account, movement: Movement) -> str:
    if movement.kind is FlowKind.PAIR:
        return "pair changed" if account.settings.fixed else "target changed"
    came = "came in" if movement.value > ZERO else "went out"
    name = "by hand" if movement.is_by_hand else came
    is_about = movement.kind is FlowKind.UNEXPLAINED and movement.correction is None
    return f"{name}, about" if is_about else name


def _when(movement: Movement) -> str:
    return stamp(movement.at).strip()


def _amounts(movement: Movement) -> str:
    return escape(" and ".join(_units(flow.units, flow.asset) for flow in movement.flows))


def _units(units: Decimal, asset: Asset) -> str:
    shown = cents(abs(units)) if asset == USDT else balance(abs(units))
    return f"{'-' if units < ZERO else '+'}{shown} {asset}"
