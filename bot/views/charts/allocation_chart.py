"""What an account holds: a bar an asset, and its band as a bracket where it has one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.views.charts import frame
from bot.views.charts.frame import LEFT, RIGHT, Words
from bot.views.charts.svg import Anchor, Drawing, text_width
from bot.views.charts.theme import Palette, Theme, palette
from engine.domain.market.decimals import ZERO

_TOP, _ROW = 74.0, 46.0
_LEAST_HEIGHT = 267.0
_BAR = 14.0


@dataclass(frozen=True, slots=True)
class Part:
    """Worth *value*; at target within *low* and *high*, where there is one."""

    name: str
    value: Decimal
    text: str
    low: Decimal | None = None
    target: Decimal | None = None
    high: Decimal | None = None


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
    height = max(_LEAST_HEIGHT, _TOP + _ROW * len(chart.parts) + 22)
    drawing = Drawing(height=height, background=colours.background)
    frame.head(drawing, chart.words, colours, emphasis=colours.account)
    whole = sum((part.value for part in chart.parts), ZERO)
    most = max([whole, *(part.high or ZERO for part in chart.parts)]) or Decimal(1)
    row = (height - _TOP - 22) / len(chart.parts)
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
    return drawing.svg()


def _bar(
    drawing: Drawing, part: Part, y: float, most: Decimal, colours: Palette, *, share: str
) -> None:
    def x(value: Decimal) -> float:
        return LEFT + (RIGHT - LEFT) * float(value / most)

    is_out = (part.low is not None and part.value < part.low) or (
        part.high is not None and part.value > part.high
    )
    colour = colours.loss if is_out else colours.account
    drawing.text((LEFT, y), part.name, colour=colours.text, size=13, bold=True)
    drawing.text((LEFT + text_width(part.name, 13) + 8, y), share, colour=colours.muted, size=12)
    drawing.text((RIGHT, y), part.text, colour=colours.text, size=13, anchor=Anchor.END)
    drawing.rect((LEFT, y + 8), width=RIGHT - LEFT, height=_BAR, colour=colours.grid, radius=3)
    drawing.rect(
        (LEFT, y + 8), width=max(x(part.value) - LEFT, 1.5), height=_BAR, colour=colour, radius=3
    )
    if part.low is not None and part.high is not None:
        edges = [x(part.low), max(x(part.high), x(part.low) + 2)]
        top, bottom = y + 5, y + 8 + _BAR + 3
        bracket = [
            [(edge + inward, top), (edge, top), (edge, bottom), (edge + inward, bottom)]
            for edge, inward in zip(edges, (3, -3), strict=True)
        ]
        drawing.lines(bracket, colour=colours.background, width=4)
        drawing.lines(bracket, colour=colours.text, width=1.5)
