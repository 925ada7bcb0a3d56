"""`/profit`: start, flows and what is there now; what only holding and what trading brought."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import FlowsPage, ProfitPage
from bot.interaction.message import Message
from bot.views.components.amounts import cents, signed, signed_percent
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import block, escape, lines
from bot.views.components.times import day_since, wall_time, zone_name
from bot.views.costs import COSTS
from engine.accounts.profit import NoReport, SpanReport
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.profit.corrections import movements
from engine.domain.profit.entries import Doubt
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span, text_of

_TITLES = {
    Span.DAY: "Profit, 24 hours",
    Span.WEEK: "Profit, 7 days",
    Span.MONTH: "Profit, 30 days",
    Span.ALL: "Profit, all records",
}
SPAN_LABELS = {Span.DAY: "24h", Span.WEEK: "7d", Span.MONTH: "30d", Span.ALL: "All"}
_LABEL, _AMOUNT, _PERCENT = 10, 12, 8
_SHOWN, _SHOWN_PART = Decimal("0.005"), Decimal("0.0005")
_RULE = "─" * (_LABEL + _AMOUNT + _PERCENT)
_DOUBTS = {
    Doubt.FEES_UNKNOWN: "About: not all fees are known yet. I count 0.05% for those.",
    Doubt.PRICE_OLD: "About: the token had no price for a day or more. Its last one counts.",
    Doubt.UNEXPLAINED: "About: some money moved while I did not look. I saw it later.",
    Doubt.ORDER_UNCLEAR: "About: I do not know yet what became of one order.",
    Doubt.OTHER_PAIR: "About: I do not know how much of the pair's other token there was then.",
}

# What is missing, what can be done or shown instead, and the commands that it names.
_REASONS: Mapping[NoReport, tuple[str, ...]] = {
    NoReport.NO_RECORDS: (
        "I have no records yet. They begin with the first check.",
        "Then send /profit again.\nWhat you hold now: /balance",
        *("profit", "balance"),
    ),
    NoReport.NO_PRICE: (
        "I know no price of {token} in this time, so I cannot say what you made.",
        "Your trades: /history\nWhat you hold: /balance",
        *("history", "balance"),
    ),
    NoReport.FUTURE: (
        "This date is still to come.",
        "Send an earlier one, or /profit for the last 7 days.",
        "profit",
    ),
}
_PAUSED = "Checks run while trading is on. /resume starts it.\nWhat you hold now: /balance"
_NO_KEY: Mapping[NoReport, str] = {
    NoReport.NO_RECORDS: "I have no records of this account: it has no key.",
    NoReport.NO_PRICE: "I know no price of {token} in this time, and this chat has no key.",
}


def profit_view(*, account: Account, found: SpanReport, span: Span | date) -> Message:
    """Percents are of the money there at the time; none is made a yearly one."""
    report = found.report
    since = day_since(report.since, until=report.until)
    young = "My records begin then. I know nothing of before." if found.is_young else None
    doubts = [text for doubt, text in _DOUBTS.items() if doubt in report.doubts]
    text = lines(
        f"{badge(account)} · {_title(span)}",
        f"Since {since} {wall_time(report.since):%H:%M}, {zone_name()}.",
        young,
        block(_rows(report)),
        "Only held: the same coins, never traded.",
        "Trading: what the trades brought, after fees." if report.trades else None,
        "Percent is of the money there at the time.",
        "Since a date: /profit 2026-11-01",
        last_seen(account, found),
        *doubts,
    )
    return Message(
        text,
        _spans(span, has_flows=bool(movements(report)), has_trades=bool(report.count)),
    )


def last_seen(account: Account, found: SpanReport) -> str | None:
    """Why amounts or the price are not of now."""
    if not account.can_trade:
        return "This chat has no key. I count the coins and the price that I last saw."
    if found.priced_now:
        return None
    if found.refused:
        return f"MEXC names no price of {_token(account)} now. I count the last one that I know."
    return "MEXC does not answer. I count the last price that I know."


def no_profit_view(*, account: Account, reason: NoReport) -> Message:
    """What can be shown instead is named."""
    happened, remedy, *commands = _REASONS[reason]
    if reason in _NO_KEY and not account.can_trade:
        happened, remedy = _NO_KEY[reason], "/connect adds your MEXC key.\nOlder trades: /history"
        commands = ["connect", "history"]
    elif reason is NoReport.NO_RECORDS and account.settings.paused:
        remedy, commands = _PAUSED, ["resume", "balance"]
    return Message.of(
        f"{badge(account)} · Profit not known",
        happened.format(token=_token(account)),
        remedy,
        keyboard=keyboard([do(command.capitalize(), command) for command in commands]),
    )


def _token(account: Account) -> str:
    """What has no price: of several tokens it is not known which."""
    _, *tokens = account.settings.assets
    return escape(tokens[0]) if len(tokens) == 1 else "a token of your target"


def _title(span: Span | date) -> str:
    return f"Profit since {span.isoformat()}" if isinstance(span, date) else _TITLES[span]


def _rows(report: ProfitReport) -> Iterable[str]:
    yield _row("Start", f"{cents(report.start)}", "USDT")
    if abs(report.deposits) >= _SHOWN:
        yield _row("Deposits" if report.deposits > ZERO else "Withdrawn", signed(report.deposits))
    if report.fee_flows >= _SHOWN:
        yield _row("Fee coins", signed(report.fee_flows))
    yield _row("Now", cents(report.now))
    yield _row("Made", signed(report.made), _percent(report.returned))
    yield _row("Only held", signed(report.held_made), _percent(report.held_returned))
    yield _row("Trading", signed(report.brought))
    yield _RULE
    yield _row("Trades", f"{report.count:,}")
    if report.count:
        yield _row("Turnover", cents(report.turnover))
        yield _row("Fees", signed(-report.fees))
        yield _row("Slippage", signed(-report.slippage))
    if (fall := report.drawdown or ZERO) >= _SHOWN_PART:
        yield _row("Worst fall", "", signed_percent(-fall))


def _row(label: str, amount: str, rest: str = "") -> str:
    return f"{label:<{_LABEL}}{amount:>{_AMOUNT}}{rest:>{_PERCENT}}".rstrip()


def _percent(fraction: Decimal | None) -> str:
    return "" if fraction is None else signed_percent(fraction)


def _spans(shown: Span | date, *, has_flows: bool, has_trades: bool) -> InlineKeyboardMarkup:
    return keyboard(
        [
            button(f"· {label} ·" if span == shown else label, ProfitPage(span))
            for span, label in SPAN_LABELS.items()
        ],
        [button("Deposits and withdrawals…", FlowsPage(text_of(shown), 0))] if has_flows else [],
        [do("Cost of trades", "profit", COSTS)] if has_trades else [],
        [
            # A picture has no span that begins on a date.
            *([do("Chart", "chart", shown.value)] if isinstance(shown, Span) else []),
            do("History", "history"),
            do("Balance", "balance"),
        ],
    )
