"""What is held of USDT over time, within its band: outside it the line has another colour."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from bot.views.charts import frame
from bot.views.charts.frame import KeyEntry, Label, Words
from bot.views.charts.scales import TimeScale, ValueScale
from bot.views.charts.series import Run, Sample, Trade, decimated, runs
from bot.views.charts.svg import Drawing, Place
from bot.views.charts.theme import Palette, Theme, palette
from engine.domain.market.decimals import ZERO

_TOP, _BOTTOM = 84.0, 222.0
_DATES, _HEIGHT = _BOTTOM + 20, 280.0
_GAP = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class BandSince:
    """The band and its target from *at* until the next one."""

    at: datetime
    low: Decimal
    target: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftChart:
    """*samples* and *bands* have one at least and are in order; what held before the first band is
    not known. *shown* writes a value beside the axis.
    """

    words: Words
    samples: Sequence[Sample]
    bands: Sequence[BandSince]
    shown: Callable[[Decimal], str]
    trades: Sequence[Trade] = field(default=())
    gap: timedelta = _GAP


def drift_chart(chart: DriftChart, theme: Theme) -> str:
    """Return the picture as SVG. Raises ValueError if there is no sample or no band."""
    colours = palette(theme)
    if not chart.samples or not chart.bands:
        raise ValueError("nothing to draw")
    drawing = Drawing(height=_HEIGHT, background=colours.background)
    frame.head(drawing, chart.words, colours, emphasis=colours.account)
    values = [sample.value for sample in chart.samples]
    edges = [edge for band in chart.bands for edge in (band.low, band.high)]
    bottom = _BOTTOM - frame.room_for_marks(chart.trades)
    scale = ValueScale.over([*values, *edges], top=_TOP, bottom=bottom, least_part=ZERO)
    labels = _labels(chart, values, colours)
    right = frame.right_of_plot(label.text for label in labels)
    time = frame.time_scale((chart.samples[0], chart.samples[-1]), right=right)
    frame.axis_note(drawing, scale, chart.shown(scale.low), colours=colours)
    _bands(drawing, chart, time, scale, colours)
    lines = [decimated(run, time) for run in runs(chart.samples, gap=chart.gap)]
    drawing.lines(
        (frame.places(run, time, scale) for run in lines), colour=colours.account, width=1.8
    )
    drawing.lines(
        frame.bridges(lines, time, scale), colour=colours.account, width=1.5, dashes="1.5 3.5"
    )
    outside = [piece for run in lines for piece in _outside(run, chart.bands, time, scale)]
    drawing.lines(outside, colour=colours.loss, width=2.4)
    frame.marks(drawing, chart.trades, chart.samples, time, scale, colours=colours)
    last = chart.samples[-1]
    is_out = not _holds(chart.bands[-1], last.value)
    drawing.dot(
        (time.x(last.at), scale.y(last.value)),
        colour=colours.loss if is_out else colours.account,
        outline=colours.background,
    )
    frame.axis_labels(drawing, scale, labels, right=right)
    frame.dates(drawing, time, y=_DATES, colours=colours)
    entries = [KeyEntry("box", "band", _shade(colours))]
    if outside or is_out:
        entries.append(KeyEntry("line", "outside", colours.loss))
    entries += frame.trade_key(chart.trades, colours)
    frame.key(drawing, entries, y=_HEIGHT - 14, colours=colours)
    return drawing.svg()


def _labels(chart: DriftChart, values: Sequence[Decimal], colours: Palette) -> list[Label]:
    """Now, the band of now and its target, and how far outside it ever was."""
    last, band = values[-1], chart.bands[-1]
    colour = colours.account if _holds(band, last) else colours.loss
    labels = [Label(last, chart.shown(last), colour, bold=True, is_end=True)]
    labels += [
        Label(edge, chart.shown(edge), colours.muted)
        for edge in (band.high, band.low, band.target)
    ]
    return labels + [
        Label(far, chart.shown(far), colours.loss)
        for far in (max(values), min(values))
        if not band.low <= far <= band.high
    ]


def _bands(
    drawing: Drawing, chart: DriftChart, time: TimeScale, scale: ValueScale, colours: Palette
) -> None:
    begins = [time.x(band.at) for band in chart.bands]
    for band, left, right in zip(chart.bands, begins, [*begins[1:], time.right], strict=True):
        if right <= left:
            continue
        top, bottom, target = scale.y(band.high), scale.y(band.low), scale.y(band.target)
        drawing.rect(
            (left, top),
            width=right - left,
            height=bottom - top,
            colour=_shade(colours),
            opacity=0.45,
        )
        edges = [[(left, y), (right, y)] for y in (top, bottom)]
        drawing.lines(edges, colour=colours.account, width=1, opacity=0.5)
        drawing.lines(
            [[(left, target), (right, target)]],
            colour=colours.account,
            width=1,
            dashes="4 4",
            opacity=0.7,
        )


def _shade(colours: Palette) -> str:
    """What the band is filled with, a quarter of the line's colour on the background."""
    one, other = (
        [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        for colour in (colours.account, colours.background)
    )
    return "#" + "".join(
        f"{(part + 2 * rest) // 3:02X}" for part, rest in zip(one, other, strict=True)
    )


def _outside(
    run: Run, bands: Sequence[BandSince], time: TimeScale, scale: ValueScale
) -> Iterator[list[Place]]:
    """The pieces of the line above or below the band that held then."""
    for before, after in pairwise(run):
        if (band := _band_at(before.at, bands)) is None:
            continue
        for edge, sign in ((band.high, 1), (band.low, -1)):
            ends = [
                (time.x(sample.at), scale.y(sample.value), (sample.value - edge) * sign)
                for sample in (before, after)
            ]
            (x, y, far), (x2, y2, far2) = ends
            if far <= 0 and far2 <= 0:
                continue
            edge_y = scale.y(edge)
            if far < 0:
                x, y = x + (x2 - x) * float(far / (far - far2)), edge_y
            elif far2 < 0:
                x2, y2 = x + (x2 - x) * float(far / (far - far2)), edge_y
            yield [(x, y), (x2, y2)]


def _band_at(moment: datetime, bands: Sequence[BandSince]) -> BandSince | None:
    return next((band for band in reversed(bands) if band.at <= moment), None)


def _holds(band: BandSince, value: Decimal) -> bool:
    return band.low <= value <= band.high
