"""What an account holds: a bar an asset, and its band as a bracket where it has one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.views.charts import frame
from bot.views.charts.frame import LEFT, RIGHT, KeyEntry, Words
from bot.views.charts.svg import Anchor, Drawing, shortened, text_width
from bot.views.charts.theme import Palette, Theme, palette
from engine.domain.market.decimals import ZERO

_TOP, _ROW = 74.0, 46.0
_LEAST_HEIGHT = 267.0
_BAR = 14.0
_BELOW = 34.0
_ROOM_FOR_TARGET = 8.0


@dataclass(frozen=True, slots=True)
class Part:
    """Worth *value*; at target within *low* and *high*, where there is one."""

    name: str
    value: Decimal
    text: str
    low: Decimal | None = None
    target: Decimal | None = None
    high: Decimal | None = None

    @property
    def is_out(self) -> bool:
        return (self.low is not None and self.value < self.low) or (
            self.high is not None and self.value > self.high
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationChart:
    words: Words
    parts: Sequence[Part]
    share: Callable[[Decimal], str]


def allocation_chart(chart: AllocationChart, theme: Theme) -> str:
    """Return the picture as SVG. Raises ValueError if there is no part."""
    colours = palette(theme)
    if not chart.parts:
        raise ValueError("nothing to draw")
    height = max(_LEAST_HEIGHT, _TOP + _ROW * len(chart.parts) + _BELOW)
    drawing = Drawing(height=height, background=colours.background)
    frame.head(drawing, chart.words, colours, emphasis=colours.account)
    whole = sum((part.value for part in chart.parts), ZERO)
    most = max([whole, *(part.high or ZERO for part in chart.parts)]) or Decimal(1)
    row = (height - _TOP - _BELOW) / len(chart.parts)
    for place, part in enumerate(chart.parts):
        y = _TOP + row * place + row / 2 - 16
        _bar(
            drawing,
            part,
            y,
            most,
            colours,
            share=chart.share(part.value / whole if whole else ZERO),
        )
    entries = [KeyEntry("box", "held", colours.account)]
    if any(part.is_out for part in chart.parts):
        entries.append(KeyEntry("box", "outside", colours.loss))
    if any(part.low is not None for part in chart.parts):
        entries.append(KeyEntry("bracket", "band", colours.text))
    frame.key(drawing, entries, y=height - 14, colours=colours)
    return drawing.svg()


def _bar(
    drawing: Drawing, part: Part, y: float, most: Decimal, colours: Palette, *, share: str
) -> None:
    def x(value: Decimal) -> float:
        return LEFT + (RIGHT - LEFT) * float(value / most)

    colour = colours.loss if part.is_out else colours.account
    room = RIGHT - LEFT - text_width(share, 12) - text_width(part.text, 13) - 24
    name = shortened(part.name, size=13, room=room)
    drawing.text((LEFT, y), name, colour=colours.text, size=13, bold=True)
    drawing.text((LEFT + text_width(name, 13) + 8, y), share, colour=colours.muted, size=12)
    drawing.text((RIGHT, y), part.text, colour=colours.text, size=13, anchor=Anchor.END)
    drawing.rect((LEFT, y + 8), width=RIGHT - LEFT, height=_BAR, colour=colours.grid, radius=3)
    drawing.rect(
        (LEFT, y + 8), width=max(x(part.value) - LEFT, 1.5), height=_BAR, colour=colour, radius=3
    )
    if part.low is not None and part.high is not None:
        # A narrow band has a bracket that is wide enough to be one.
        middle, half = x((part.low + part.high) / 2), max(x(part.high) - x(part.low), 7) / 2
        middle = max(middle, LEFT + half)
        bracket = frame.bracket(middle - half, middle + half, y + 4, y + 8 + _BAR + 4)
        drawing.lines(bracket, colour=colours.background, width=4)
        drawing.lines(bracket, colour=colours.text, width=1.5)
        if part.target is not None and half > _ROOM_FOR_TARGET:
            at = x(part.target)
            drawing.lines([[(at, y + 8), (at, y + 8 + _BAR)]], colour=colours.text, width=1.5)
