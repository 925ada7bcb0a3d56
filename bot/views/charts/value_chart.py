"""The worth of an account over time, beside what it would be if nothing had been traded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from bot.views.charts import frame
from bot.views.charts.frame import LEFT, KeyEntry, Label, Words
from bot.views.charts.scales import TimeScale, ValueScale
from bot.views.charts.series import Run, Sample, Trade, Transfer, decimated, runs
from bot.views.charts.svg import Anchor, Drawing, text_width
from bot.views.charts.theme import Palette, Theme, palette
from bot.views.components.amounts import brief
from engine.domain.market.decimals import ZERO

_TOP, _BOTTOM = 84.0, 216.0
_DATES = _BOTTOM + 18
_PANEL, _PANEL_TOP, _PANEL_BOTTOM = 254.0, 264.0, 302.0
_HEIGHT, _HEIGHT_WITHOUT_PANEL = 336.0, 272.0
_MOST_TRANSFERS = 4
_CENT = Decimal("0.01")
_GAP = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChart:
    """*account* has one sample at least, *held* the same moments, or none where it is not known;
    both in order. Where neighbours are further apart than *gap*, nothing is known between them.
    """

    words: Words
    account: Sequence[Sample]
    held: Sequence[Sample] = ()
    trades: Sequence[Trade] = ()
    transfers: Sequence[Transfer] = field(default=())
    gained: bool | None = None
    gap: timedelta = _GAP


def value_chart(chart: ValueChart, theme: Theme) -> str:
    """Return the picture as SVG. Raises ValueError if there is no sample."""
    colours = palette(theme)
    if not chart.account:
        raise ValueError("nothing to draw")
    drawing = Drawing(
        height=_HEIGHT if chart.held else _HEIGHT_WITHOUT_PANEL, background=colours.background
    )
    emphasis = colours.account
    if chart.gained is not None:
        emphasis = colours.gain if chart.gained else colours.loss
    frame.head(drawing, chart.words, colours, emphasis=emphasis)
    values = [sample.value for line in (chart.account, chart.held) for sample in line]
    bottom = _BOTTOM - frame.room_for_marks(chart.trades)
    scale = ValueScale.over(values, top=_TOP, bottom=bottom)
    labels = _labels(chart, scale, colours)
    difference = _difference(chart)
    texts = [label.text for label in labels]
    if difference:
        texts += [label.text for label in _panel_labels(difference, colours)]
    right = frame.right_of_plot(texts)
    time = frame.time_scale((chart.account[0], chart.account[-1]), right=right)
    frame.grid(drawing, scale, labels, right=right, colour=colours.grid)
    frame.axis_note(drawing, scale, brief(scale.low, like=scale.low), colours=colours)
    split = runs(chart.account, gap=chart.gap)
    lines = [decimated(run, time) for run in split]
    if scale.low == ZERO:
        _fill(drawing, lines, time, scale, colours)
    _transfers(drawing, chart.transfers, time, colours)
    held = [decimated(run, time) for run in runs(chart.held, gap=chart.gap)]
    for some, colour in ((held, colours.held), (lines, colours.account)):
        paths = [frame.places(run, time, scale) for run in some]
        drawing.lines(paths, colour=colour, width=1.4 if some is held else 1.8, crisp=some is held)
        drawing.lines(frame.bridges(some, time, scale), colour=colour, width=1.5, dashes="1.5 3.5")
    frame.marks(drawing, chart.trades, chart.account, time, scale, colours=colours)
    last = chart.account[-1]
    end = time.x(last.at), scale.y(last.value)
    drawing.dot(end, colour=colours.account, outline=colours.background)
    frame.axis_labels(drawing, scale, labels, right=right)
    frame.dates(drawing, time, y=_DATES, colours=colours)
    if difference:
        _panel(drawing, chart, difference, time, colours)
    _key(drawing, chart, colours)
    return drawing.svg()


def _labels(chart: ValueChart, scale: ValueScale, colours: Palette) -> list[Label]:
    """The ends of the lines first: a round value that lies beside one is left out."""
    account = chart.account[-1].value
    held = chart.held[-1].value if chart.held else account
    ends = [brief(value, like=max(account, held)) for value in (account, held)]
    labels = [Label(account, ends[0], colours.account, bold=True, is_end=True)]
    if ends[1] != ends[0]:
        labels.append(Label(held, ends[1], colours.held, bold=True, is_end=True))
    ticks = [Label(value, text, colours.muted) for value, text in scale.ticks()]
    return [*labels, *ticks]


def _signed(value: Decimal) -> str:
    text = brief(abs(value), like=value)
    if not text.strip("0."):
        return "0"
    return f"{'+' if value >= ZERO else '-'}{text}"


def _fill(
    drawing: Drawing, lines: Sequence[Run], time: TimeScale, scale: ValueScale, colours: Palette
) -> None:
    """Only where the axis begins at zero: an area says how much there is."""
    areas = []
    for run in lines:
        outline = frame.places(run, time, scale)
        areas.append([(outline[0][0], scale.bottom), *outline, (outline[-1][0], scale.bottom)])
    drawing.areas(areas, colour=colours.account, opacity=0.08)


def _transfers(
    drawing: Drawing, transfers: Sequence[Transfer], time: TimeScale, colours: Palette
) -> None:
    """The largest are dashed lines with their amounts, where there is room above the plot; the
    others are ticks on its edge.
    """
    largest = sorted(transfers, key=lambda transfer: -abs(transfer.amount))[:_MOST_TRANSFERS]
    lines = [transfer for transfer in transfers if transfer in largest]
    xs = [time.x(transfer.at) for transfer in lines]
    drawing.lines(
        ([(x, _TOP - 14), (x, _BOTTOM)] for x in xs), colour=colours.muted, width=1, dashes="3 3"
    )
    ticks = {round(time.x(transfer.at)) for transfer in transfers if transfer not in largest}
    drawing.lines(
        ([(x, _TOP - 3), (x, _TOP + 2)] for x in sorted(ticks)), colour=colours.muted, width=1
    )
    free = LEFT
    for transfer, x, until in zip(lines, xs, [*xs, time.right][1:], strict=True):
        kind = "deposit" if transfer.amount > ZERO else "withdrawal"
        sign = "+" if transfer.amount > ZERO else "-"
        text = f"{sign}{brief(abs(transfer.amount), like=transfer.amount)}"
        texts = [f"{text.removesuffix('.00')} {kind}", text.removesuffix(".00")]
        for text in texts:
            width = text_width(text, 11)
            is_left = x + 4 + width > until
            begin = x - 4 - width if is_left else x + 4
            if begin >= free:
                anchor = Anchor.END if is_left else Anchor.START
                place = (x - 4 if is_left else x + 4, _TOP - 6)
                drawing.text(place, text, colour=colours.muted, size=11, anchor=anchor)
                free = max(x, begin + width) + 4
                break
        else:
            free = x + 4


def _difference(chart: ValueChart) -> list[Sample]:
    """In whole cents: less is nothing."""
    if not chart.held:
        return []
    return [
        Sample(account.at, (account.value - held.value).quantize(_CENT))
        for account, held in zip(chart.account, chart.held, strict=True)
    ]


def _panel(
    drawing: Drawing,
    chart: ValueChart,
    difference: Sequence[Sample],
    time: TimeScale,
    colours: Palette,
) -> None:
    """Zero is in it: what lies above was gained by trading, what lies below was lost."""
    drawing.text((LEFT, _PANEL), "against only holding", colour=colours.muted, size=11.5)
    values = [ZERO, *(sample.value for sample in difference)]
    scale = ValueScale.over(values, top=_PANEL_TOP, bottom=_PANEL_BOTTOM)
    if len(set(values)) == 1:
        scale = ValueScale(Decimal(-1), Decimal(1), _PANEL_TOP, _PANEL_BOTTOM)
    split = [decimated(run, time) for run in runs(difference, gap=chart.gap)]
    crossed = [_through_zero(run) for run in split]
    zero = scale.y(ZERO)
    for sign, colour in ((1, colours.gain), (-1, colours.loss)):
        outlines = [
            [
                (time.x(sample.at), scale.y(sample.value if sample.value * sign > 0 else ZERO))
                for sample in run
            ]
            for run in crossed
        ]
        drawing.areas(
            ([(o[0][0], zero), *o, (o[-1][0], zero)] for o in outlines), colour=colour, opacity=0.2
        )
        pieces = [
            [a, b] for line in outlines for a, b in pairwise(line) if (a[1], b[1]) != (zero, zero)
        ]
        drawing.lines(pieces, colour=colour, width=1.5, crisp=True)
    drawing.lines([[(LEFT, zero), (time.right, zero)]], colour=colours.muted, width=1)
    frame.axis_labels(drawing, scale, _panel_labels(difference, colours), right=time.right)


def _panel_labels(difference: Sequence[Sample], colours: Palette) -> list[Label]:
    """What it is now, and zero or how far it ever was, where there is room."""
    values = [sample.value for sample in difference]
    last = values[-1]
    colour = colours.muted if last == ZERO else colours.gain if last > ZERO else colours.loss
    others = sorted({max(values), min(values), ZERO} - {last}, key=abs, reverse=True)
    return [
        Label(last, _signed(last), colour, bold=True, is_end=True),
        *(Label(value, _signed(value), colours.muted) for value in others),
    ]


def _through_zero(run: Run) -> list[Sample]:
    """With a sample wherever the line crosses zero."""
    crossed = list(run[:1])
    for before, after in pairwise(run):
        if before.value * after.value < ZERO:
            part = float(before.value / (before.value - after.value))
            crossed.append(Sample(before.at + (after.at - before.at) * part, ZERO))
        crossed.append(after)
    return crossed


def _key(drawing: Drawing, chart: ValueChart, colours: Palette) -> None:
    entries = [KeyEntry("line", "account", colours.account)]
    if chart.held:
        entries.append(KeyEntry("line", "only held", colours.held))
    entries += frame.trade_key(chart.trades, colours)
    y = (_HEIGHT if chart.held else _HEIGHT_WITHOUT_PANEL) - 14
    frame.key(drawing, entries, y=y, colours=colours)
