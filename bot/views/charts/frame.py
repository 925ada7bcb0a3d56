"""What all pictures over time share: the words on top, the axes, the marks, the key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from bot.views.charts.scales import TimeScale, ValueScale
from bot.views.charts.series import Run, Sample, Trade, value_at
from bot.views.charts.svg import WIDTH, Anchor, Drawing, Place, shortened, text_width
from bot.views.charts.theme import Palette
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Side

LEFT, RIGHT = 16.0, 344.0
_AXIS_GAP = 6.0
_TITLE, _SMALLEST_TITLE = 22.0, 14.0
_SECOND = 12.5
_LABELS_APART = 14.0
_MOST_MARKS = 40
_MARK = 4.5
_LANES = 16.0


@dataclass(frozen=True, slots=True)
class Words:
    """The number that matters, what it means (its first part in colour), and the mode."""

    title: str
    emphasis: str
    meaning: str
    mode: str


@dataclass(frozen=True, slots=True)
class Label:
    """A value beside the axis; one that *is_end* of a line may move to stay legible."""

    value: Decimal
    text: str
    colour: str
    bold: bool = False
    is_end: bool = False


def head(drawing: Drawing, words: Words, colours: Palette, *, emphasis: str) -> None:
    badge = text_width(words.mode, 11) + 18
    room = RIGHT - LEFT - badge - 8
    size = max(_SMALLEST_TITLE, min(_TITLE, _TITLE * room / text_width(words.title, _TITLE)))
    drawing.text((LEFT, 34), words.title, colour=colours.text, size=size, bold=True)
    drawing.rect((RIGHT - badge, 16), width=badge, height=21, colour=colours.grid, radius=10.5)
    drawing.text(
        (RIGHT - badge / 2, 30.5),
        words.mode,
        colour=colours.muted,
        size=11,
        bold=True,
        anchor=Anchor.MIDDLE,
    )
    room = RIGHT - LEFT - text_width(f"{words.emphasis} ", _SECOND)
    drawing.text(
        (LEFT, 54),
        shortened(words.meaning, size=_SECOND, room=room),
        colour=colours.muted,
        size=_SECOND,
        lead=words.emphasis,
        lead_colour=emphasis,
    )


def right_of_plot(texts: Iterable[str]) -> float:
    """Where the plot ends, so that the *texts* of its axis fit beside it."""
    widest = max((text_width(text, 12) for text in texts), default=0.0)
    return WIDTH - 4 - _AXIS_GAP - widest


def dates(drawing: Drawing, time: TimeScale, *, y: float, colours: Palette) -> None:
    free = LEFT
    for moment, name in time.ticks():
        half = text_width(name, 12) / 2
        x = max(time.x(moment), LEFT + half)
        if x - half >= free and x + half <= WIDTH - 4:
            drawing.text((x, y), name, colour=colours.muted, anchor=Anchor.MIDDLE)
            free = x + half + 6


def axis_labels(
    drawing: Drawing, scale: ValueScale, labels: Sequence[Label], *, right: float
) -> None:
    """The labels of *placed*, beside the plot."""
    for label, y in placed(labels, scale):
        drawing.text((right + _AXIS_GAP, y + 4), label.text, colour=label.colour, bold=label.bold)


def placed(labels: Sequence[Label], scale: ValueScale) -> Sequence[tuple[Label, float]]:
    """The first labels are the most important; one that finds no room is left out."""
    ends, rest = _ends(labels, scale)
    taken = [y for _, y in ends]
    for label in rest:
        y = scale.y(label.value)
        if all(abs(y - other) >= _LABELS_APART - 0.01 for other in taken):
            taken.append(y)
            ends.append((label, y))
    return ends


def axis_note(drawing: Drawing, scale: ValueScale, low: str, *, colours: Palette) -> None:
    """Says above the axis that it begins at *low*, if that is not zero."""
    if scale.low > ZERO:
        place = WIDTH - 4, scale.top - 17
        drawing.text(place, f"axis from {low}", colour=colours.muted, size=11, anchor=Anchor.END)


def grid(
    drawing: Drawing, scale: ValueScale, labels: Sequence[Label], *, right: float, colour: str
) -> None:
    """A row for each label that is shown, but for the ends of lines."""
    shown = [label.value for label, _ in placed(labels, scale) if not label.is_end]
    rows = [[(LEFT, scale.y(value)), (right, scale.y(value))] for value in shown]
    drawing.lines(rows, colour=colour, width=1)


def places(run: Run, time: TimeScale, scale: ValueScale) -> list[Place]:
    return [(time.x(sample.at), scale.y(sample.value)) for sample in run]


def bridges(split: Sequence[Run], time: TimeScale, scale: ValueScale) -> list[list[Place]]:
    """From the end of each run to the beginning of the next, across what is not known."""
    return [places([before[-1], after[0]], time, scale) for before, after in pairwise(split)]


def room_for_marks(trades: Sequence[Trade]) -> float:
    """What the plot has less of its height, so that lanes of ticks fit below it."""
    return _LANES if len(trades) > _MOST_MARKS else 0.0


def marks(
    drawing: Drawing,
    trades: Sequence[Trade],
    line: Sequence[Sample],
    time: TimeScale,
    scale: ValueScale,
    *,
    colours: Palette,
) -> None:
    """A triangle a trade on the *line*; many trades are ticks in two lanes below the plot."""
    for side, colour in ((Side.BUY, colours.gain), (Side.SELL, colours.loss)):
        some = [trade for trade in trades if trade.side is side]
        if len(trades) > _MOST_MARKS:
            low = scale.bottom + (4 if side is Side.BUY else 11)
            xs = sorted({round(time.x(trade.at)) for trade in some})
            ticks = [[(float(x), low), (float(x), low + 4)] for x in xs]
            drawing.lines(ticks, colour=colour, width=1.5)
        else:
            shapes = [
                _triangle((time.x(trade.at), scale.y(value_at(trade.at, line))), side)
                for trade in some
            ]
            drawing.areas(shapes, colour=colour, opacity=1, outline=colours.background)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """*sign* is a line, a box, a bracket or the side of a trade."""

    sign: str | Side
    text: str
    colour: str


def key(drawing: Drawing, entries: Sequence[KeyEntry], *, y: float, colours: Palette) -> None:
    sizes = [17 + text_width(entry.text, 12) for entry in entries]
    apart = min(22.0, (RIGHT - LEFT - sum(sizes)) / max(1, len(entries) - 1))
    x = LEFT
    for entry, size in zip(entries, sizes, strict=True):
        match entry.sign:
            case Side():
                shape = _triangle((x + 5, y - 4), entry.sign)
                drawing.areas([shape], colour=entry.colour, opacity=1)
            case "box":
                drawing.rect((x, y - 9), width=12, height=10, colour=entry.colour, radius=2)
            case "bracket":
                shapes = bracket(x + 1, x + 11, y - 10, y + 2)
                drawing.lines(shapes, colour=entry.colour, width=1.5)
            case _:
                drawing.lines([[(x, y - 4), (x + 12, y - 4)]], colour=entry.colour, width=2)
        drawing.text((x + 17, y), entry.text, colour=colours.muted)
        x += size + apart


def trade_key(trades: Sequence[Trade], colours: Palette) -> list[KeyEntry]:
    bought = sum(trade.side is Side.BUY for trade in trades)
    return [
        KeyEntry(side, f"{name} {number:,}", colour)
        for side, name, number, colour in (
            (Side.BUY, "bought", bought, colours.gain),
            (Side.SELL, "sold", len(trades) - bought, colours.loss),
        )
        if number
    ]


def time_scale(
    since_until: tuple[Sample, Sample], *, right: float, at_least: timedelta = timedelta(0)
) -> TimeScale:
    first, last = since_until
    return TimeScale(min(first.at, last.at - at_least), last.at, LEFT, right)


def _ends(
    labels: Sequence[Label], scale: ValueScale
) -> tuple[list[tuple[Label, float]], Sequence[Label]]:
    """The first two, if both are ends of lines, apart and in the order of their values; the others
    as they are.
    """
    first, *rest = labels
    y = scale.y(first.value)
    if not rest or not rest[0].is_end:
        return [(first, y)], rest
    second, *rest = rest
    way = -1 if second.value > first.value else 1
    other = scale.y(second.value)
    if abs(other - y) < _LABELS_APART:
        other = min(max(y + way * _LABELS_APART, scale.top - 4), scale.bottom)
        y = other - way * _LABELS_APART if abs(other - y) < _LABELS_APART else y
    return [(first, y), (second, other)], rest


def bracket(left: float, right: float, top: float, bottom: float) -> list[list[Place]]:
    """Both halves of a pair of brackets."""
    return [
        [(edge + inward, top), (edge, top), (edge, bottom), (edge + inward, bottom)]
        for edge, inward in ((left, 3), (right, -3))
    ]


def _triangle(place: Place, side: Side) -> list[Place]:
    """Up is bought, down is sold."""
    x, y = place
    tip = -_MARK if side is Side.BUY else _MARK
    return [(x, y + tip), (x + _MARK + 0.5, y - tip), (x - _MARK - 0.5, y - tip)]
