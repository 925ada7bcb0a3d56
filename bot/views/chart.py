"""`/chart`: the pictures of an account, and captions that say the same without them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import ChartKind, ChartPage
from bot.interaction.message import Message
from bot.views.charts.allocation_chart import AllocationChart, Part, allocation_chart
from bot.views.charts.drift_chart import BandSince, DriftChart, drift_chart
from bot.views.charts.frame import Words
from bot.views.charts.portfolio_parts import has_drift, parts_of
from bot.views.charts.series import Sample, Trade, Transfer
from bot.views.charts.theme import Theme
from bot.views.charts.value_chart import ValueChart, value_chart
from bot.views.components.amounts import (
    about_percent,
    balance,
    band_range,
    brief,
    count,
    short,
    signed,
    signed_percent,
    usdt,
)
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import echoed, escape
from bot.views.components.times import day_and_month, day_since, wall_time
from bot.views.profit import SPAN_LABELS, last_seen
from engine.accounts.profit import NoReport, SpanReport
from engine.domain.accounts.account import Account
from engine.domain.accounts.band_history import PastBand
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, base_of
from engine.domain.profit.entries import Doubt, FlowKind
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span

_CENT = Decimal("0.01")
_MOST_LINES = 8
_OTHERS = "Other tokens of the account are not counted."
# A transfer that is less than this part of the account is in the sum, not in the picture.
_SMALLEST_TRANSFER = Decimal("0.005")
_GAP = timedelta(hours=3)
_SPANS = {
    timedelta(hours=24): "24 hours",
    timedelta(days=7): "7 days",
    timedelta(days=30): "30 days",
}
_KINDS = {ChartKind.VALUE: "Value", ChartKind.DRIFT: "Drift", ChartKind.HOLDINGS: "Holdings"}


@dataclass(frozen=True, slots=True)
class Picture:
    """*svg* is drawn; *caption* stands alone where it cannot be."""

    svg: str
    caption: Message


def chart_view(
    *,
    account: Account,
    found: SpanReport,
    bands: Sequence[PastBand],
    page: ChartPage,
    theme: Theme,
) -> Picture:
    """*bands* are the account's in that time, of which there is one at least."""
    match page.kind:
        case ChartKind.VALUE:
            return _value(account, found, page, theme)
        case ChartKind.DRIFT:
            return _drift(account, found, bands, page, theme)
        case ChartKind.HOLDINGS:
            draw = _holdings if has_drift(account) else _parts
            return draw(account, found, page, theme)


def no_drift_view(*, account: Account, span: Span) -> Message:
    return Message.of(
        f"{badge(account)} · Chart",
        "There is no picture of the drift: your target is not one amount of USDT.",
        "/chart holdings shows each part and its band.",
        keyboard=_buttons(ChartPage(ChartKind.DRIFT, span), account),
    )


def value_svg(*, account: Account, report: ProfitReport, theme: Theme) -> str:
    """The picture alone, for a report that has words of its own."""
    found = SpanReport(report, report.since, priced_now=True)
    return _value(account, found, ChartPage(ChartKind.VALUE, Span.WEEK), theme).svg


def no_chart_view(*, account: Account, why: NoReport) -> Message:
    title = f"{badge(account)} · Chart"
    base = escape(base_of(account.settings.symbol))
    if not account.can_trade:
        return Message.of(
            title,
            f"I know no price of {base} in this time, and this chat has no key."
            if why is NoReport.NO_PRICE
            else "There is nothing to draw: I have no records of this account, and it has no key.",
            "/connect adds your MEXC key.",
            "/history shows older trades.",
            keyboard=keyboard([do("Connect", "connect"), do("History", "history")]),
        )
    return Message.of(
        title,
        f"I know no price of {base} in this time, so I cannot draw what it was worth."
        if why is NoReport.NO_PRICE
        else "There is nothing to draw yet.\nI have no records yet. They begin with the first check.",
        "/status shows what you hold now.",
        "/history shows what was traded.",
        keyboard=keyboard([do("Status", "status"), do("History", "history")]),
    )


def not_drawn_view(caption: Message) -> Message:
    """The picture could not be drawn; its words are there."""
    kept = caption.text.split("\n")[: _MOST_LINES - 1]
    return Message.of(*kept, "I could not draw the picture.", keyboard=caption.keyboard)


def unknown_chart_view(*, account: Account, typed_text: str) -> Message:
    drift = "/chart drift shows your USDT and its band." if has_drift(account) else None
    return Message.of(
        f"I know no picture named {echoed(typed_text)}.",
        "/chart shows what your account is worth.",
        drift,
        "/chart holdings shows what you hold.",
        f"Add 24h, 7d, 30d or all, like /chart {'drift 7d' if drift else '7d'}.",
        keyboard=_buttons(ChartPage(ChartKind.VALUE, Span.MONTH), account),
    )


def _value(account: Account, found: SpanReport, page: ChartPage, theme: Theme) -> Picture:
    report = found.report
    while_ = _while(report)
    made, held = _made_and_held(report)
    words = Words(
        title=usdt(report.now),
        emphasis=made,
        meaning=f"{while_} · only holding {held}",
        mode=_mode(account),
    )
    chart = ValueChart(
        words=words,
        account=[Sample(point.at, point.value) for point in report.points],
        held=[Sample(point.at, point.held) for point in report.points] if report.trades else (),
        trades=_trades(report),
        transfers=_transfers(report),
        gained=report.made > ZERO if abs(report.made) >= _CENT else None,
        gap=_gap(report),
    )
    came, verb = report.deposits, "made" if report.made >= ZERO else "lost"
    caption = Message.of(
        _title(account, f"Value, {while_}"),
        f"{usdt(report.now)} now, {usdt(report.start)} {_start(found)}.",
        f"{signed(came)} USDT is deposits less withdrawals." if abs(came) >= _CENT else None,
        f"{usdt(abs(report.made))} was {verb}{_in_percent(report.returned, report)}.",
        f"Only holding would have made {signed(report.held_made)} USDT"
        f"{_in_percent(report.held_returned, report)}.",
        f"Trading brought {signed(report.brought)} USDT, after fees." if report.trades else None,
        _traded(report),
        _about(account, found),
        keyboard=_buttons(page, account),
    )
    return Picture(value_chart(chart, theme), caption)


def _drift(
    account: Account,
    found: SpanReport,
    bands: Sequence[PastBand],
    page: ChartPage,
    theme: Theme,
) -> Picture:
    report = found.report
    fixed, held = account.settings.fixed_goal, report.points[-1].quote
    band, target = fixed.band, fixed.target
    inside = _inside(report, bands)
    always = "" if inside is None else f"· inside the band {inside}"
    chart = DriftChart(
        words=Words(usdt(held), f"target {_shown(target)}", always, _mode(account)),
        samples=[Sample(point.at, point.quote) for point in report.points],
        bands=[BandSince(one.at, one.band.low, one.target, one.band.high) for one in bands],
        shown=_shown,
        trades=_trades(report),
        gap=_gap(report),
    )
    caption = Message.of(
        _title(account, f"Drift, {_while(report)}"),
        f"{usdt(held)} now, target {short(target)}.",
        f"{band_range(band)} is the band now.",
        _changed(bands, since=report.since),
        None
        if inside is None
        else f"{inside[0].upper()}{inside[1:]} your USDT was inside the band.",
        _traded(report),
        "My records begin then. I know nothing of before." if found.is_young else None,
        _about_usdt(report) if account.can_trade else last_seen(account, found),
        keyboard=_buttons(page, account),
    )
    return Picture(drift_chart(chart, theme), caption)


def _changed(bands: Sequence[PastBand], *, since: datetime) -> str | None:
    if (known := bands[0].at) > since:
        return f"I do not know the band before {day_and_month(wall_time(known))}. It is not drawn."
    if changes := len({band.at for band in bands}) - 1:
        return count(
            changes,
            "It changed once. The picture shows the old one, too.",
            "It changed {n} times. The picture shows the old ones, too.",
        )
    return None


def _holdings(account: Account, found: SpanReport, page: ChartPage, theme: Theme) -> Picture:
    report = found.report
    fixed, now = account.settings.fixed_goal, report.points[-1]
    band, target = fixed.band, fixed.target
    base, whole = base_of(account.settings.symbol), now.value
    worth = now.value - now.quote

    def share(part: Decimal) -> str:
        return about_percent(part / whole) if whole else "0%"

    chart = AllocationChart(
        words=Words(
            usdt(whole),
            f"USDT {share(now.quote)}",
            f"· target {_shown(target)}, band {_shown(band.low)} – {_shown(band.high)}",
            _mode(account),
        ),
        share=about_percent,
        parts=[
            Part(base if base.isascii() else "Token", worth, usdt(worth)),
            Part(USDT, now.quote, usdt(now.quote), band.low, target, band.high),
        ],
    )
    caption = Message.of(
        _title(account, "Holdings now"),
        f"{usdt(whole)} in all.",
        f"{usdt(worth)} is {balance(now.base)} {escape(base)} ({share(worth)}).",
        f"{usdt(now.quote)} is USDT ({share(now.quote)}); target {short(target)}.",
        f"{band_range(band)} is the band.",
        _OTHERS,
        _about(account, found),
        keyboard=_buttons(page, account),
    )
    return Picture(allocation_chart(chart, theme), caption)


def _parts(account: Account, found: SpanReport, page: ChartPage, theme: Theme) -> Picture:
    shown = parts_of(account, found.report)
    caption = Message.of(
        _title(account, "Holdings now"),
        f"{usdt(shown.whole)} in all, {shown.state}.",
        *shown.lines,
        "Protected amounts are not counted." if account.settings.protected else _OTHERS,
        _about(account, found),
        keyboard=_buttons(page, account),
    )
    words = Words(usdt(shown.whole), shown.count, f"· {shown.state}", _mode(account))
    chart = AllocationChart(words=words, share=about_percent, parts=shown.parts)
    return Picture(allocation_chart(chart, theme), caption)


def _buttons(page: ChartPage, account: Account) -> InlineKeyboardMarkup:
    """Another span of the same picture, or another picture of the same span."""
    spans = [
        button(_chosen(label, is_shown=span is page.span), ChartPage(page.kind, span))
        for span, label in SPAN_LABELS.items()
    ]
    kinds = [
        button(_chosen(name, is_shown=kind is page.kind), ChartPage(kind, page.span))
        for kind, name in _KINDS.items()
        if kind is not ChartKind.DRIFT or has_drift(account)
    ]
    return keyboard(
        kinds, [] if page.kind is ChartKind.HOLDINGS else spans, [do("Status", "status")]
    )


def _chosen(label: str, *, is_shown: bool) -> str:
    return f"· {label} ·" if is_shown else label


def _title(account: Account, what: str) -> str:
    return f"{badge(account)} · {what} · /chart"


def _shown(amount: Decimal) -> str:
    return brief(amount).removesuffix(".00")


def _mode(account: Account) -> str:
    return "DRY RUN" if account.settings.dry_run else "LIVE"


def _while(report: ProfitReport) -> str:
    """The span that was asked for, or since when there is something to show."""
    length = report.until - report.since
    named = (name for span, name in _SPANS.items() if abs(length - span) < timedelta(hours=1))
    return next(named, f"since {day_since(report.since, until=report.until)}")


def _trades(report: ProfitReport) -> Sequence[Trade]:
    return [Trade(trade.at, trade.side) for trade in report.trades]


def _traded(report: ProfitReport) -> str | None:
    if not report.count:
        return "No trade in this time."
    kinds = [
        count(report.bought, "{n} purchase", "{n} purchases") if report.bought else None,
        count(report.sold, "{n} sale", "{n} sales") if report.sold else None,
    ]
    return f"{' and '.join(filter(None, kinds))}, {usdt(report.turnover)} in all."


def _start(found: SpanReport) -> str:
    return "when my records begin" if found.is_young else "at the start"


def _about(account: Account, found: SpanReport) -> str | None:
    if (old := last_seen(account, found)) is not None:
        return old
    if found.report.doubts:
        return "About: not every fee, price or deposit is known exactly."
    return None


def _about_usdt(report: ProfitReport) -> str | None:
    """A price and a fee in another coin say nothing of the USDT."""
    if report.doubts & {Doubt.UNEXPLAINED, Doubt.ORDER_UNCLEAR}:
        return "About: not every deposit and order is known exactly."
    return None


def _transfers(report: ProfitReport) -> Sequence[Transfer]:
    """What came or left, where it can be seen beside the account."""
    most = max(point.value for point in report.points)
    return [
        Transfer(flow.at, flow.value)
        for flow in sorted(report.flows, key=attrgetter("at"))
        if flow.value is not None
        and flow.kind in {FlowKind.MOVED, FlowKind.UNEXPLAINED}
        and abs(flow.value) >= max(most * _SMALLEST_TRANSFER, _CENT)
    ]


def _gap(report: ProfitReport) -> timedelta:
    """From how long without a price on the line is broken."""
    return max(_GAP, report.apart)


def _inside(report: ProfitReport, bands: Sequence[PastBand]) -> str | None:
    """The part of the known time in which the USDT was within the band of its time; None for no
    time.
    """
    known = inside = timedelta()
    begins = [band.at for band in bands]
    for before, after in pairwise(report.points):
        place = bisect_right(begins, before.at)
        if place and (passed := after.at - before.at) <= _gap(report):
            known += passed
            inside += passed if bands[place - 1].band.holds(before.quote) else timedelta()
    if not known:
        return None
    return f"{inside * 100 // known}% of the time"


def _made_and_held(report: ProfitReport) -> tuple[str, str]:
    returned, held = report.returned, report.held_returned
    if returned is None or held is None or not _agree(report):
        return f"{signed(report.made)} USDT", signed(report.held_made)
    return signed_percent(returned), signed_percent(held)


def _agree(report: ProfitReport) -> bool:
    """Where most money came late, it may have lost while the percents are a gain: only one of the
    two is shown then.
    """
    pairs = (report.made, report.returned), (report.held_made, report.held_returned)
    return all(part is not None and made * part >= ZERO for made, part in pairs)


def _in_percent(part: Decimal | None, report: ProfitReport) -> str:
    return f" ({signed_percent(part)})" if part is not None and _agree(report) else ""
