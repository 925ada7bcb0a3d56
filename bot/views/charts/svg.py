"""Writes a picture as SVG: 360 dp wide, drawn 1280 pixels wide. Raises ValueError on a number that
is none, which a renderer would leave out in silence.
"""

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from html import escape

WIDTH = 360.0
_PIXELS = 1280
SMALLEST_TEXT = 11.0

Place = tuple[float, float]

# Advances of the font, in parts of its size, rounded up; the digits all have the same.
_ADVANCES = {
    **dict.fromkeys(" ,.·:;'|!ijlI", 0.3),
    **dict.fromkeys("ftr()[]/", 0.4),
    **dict.fromkeys("abcdeghknopqsuvxyzJL", 0.61),
    **dict.fromkeys("ACDGHNOQUVX", 0.77),
    **dict.fromkeys("%mwMW@…", 1.0),
}
_USUAL_EM = 0.68


class Anchor(Enum):
    START = "start"
    MIDDLE = "middle"
    END = "end"


def text_width(text: str, size: float) -> float:
    """At least as wide as *text* becomes, nearly always; in dp."""
    return size * sum(_ADVANCES.get(sign, _USUAL_EM) for sign in text)


class Drawing:
    """A picture of *height* dp, drawn from the back to the front."""

    def __init__(self, *, height: float, background: str) -> None:
        self._height = height
        self._parts: list[str] = []
        # Over the edges: a part of a pixel would show what is behind the picture.
        self.rect((-1, -1), width=WIDTH + 2, height=height + 2, colour=background)

    def text(
        self,
        place: Place,
        text: str,
        *,
        colour: str,
        size: float = 12.0,
        bold: bool = False,
        anchor: Anchor = Anchor.START,
        lead: str = "",
        lead_colour: str = "",
    ) -> None:
        """*lead* is written before it, bold and in a colour of its own."""
        if size < SMALLEST_TEXT:
            raise ValueError(f"nobody reads a text of {size} dp on a phone")
        begin = ""
        if lead:
            begin = (
                f'<tspan fill="{lead_colour}" font-weight="600">{escape(_drawable(lead))}</tspan> '
            )
        self._parts.append(
            f'<text x="{_n(place[0])}" y="{_n(place[1])}" fill="{colour}" font-size="{_n(size)}"'
            f' font-weight="{600 if bold else 400}" text-anchor="{anchor.value}">'
            f"{begin}{escape(_drawable(text))}</text>"
        )

    def rect(
        self,
        place: Place,
        *,
        width: float,
        height: float,
        colour: str,
        opacity: float = 1.0,
        radius: float = 0.0,
    ) -> None:
        self._parts.append(
            f'<rect x="{_n(place[0])}" y="{_n(place[1])}" width="{_n(width)}"'
            f' height="{_n(height)}" rx="{_n(radius)}" fill="{colour}"'
            f' fill-opacity="{_n(opacity)}"/>'
        )

    def lines(
        self,
        paths: Iterable[Sequence[Place]],
        *,
        colour: str,
        width: float = 1.5,
        dashes: str = "",
        opacity: float = 1.0,
        crisp: bool = False,
    ) -> None:
        """One line a path; a path of one place leaves nothing. A *crisp* one has no soft edges,
        which a fifth of a picture's bytes is spent on.
        """
        if data := "".join(_path(path) for path in paths if len(path) > 1):
            extra = f' stroke-dasharray="{dashes}"' if dashes else ""
            if crisp:
                extra += ' shape-rendering="crispEdges"'
            self._parts.append(
                f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"'
                f' stroke-opacity="{_n(opacity)}" stroke-linejoin="round"'
                f' stroke-linecap="{"butt" if dashes else "round"}"{extra}/>'
            )

    def areas(
        self, paths: Iterable[Sequence[Place]], *, colour: str, opacity: float, outline: str = ""
    ) -> None:
        """The area within each path."""
        if data := "".join(f"{_path(path)}Z" for path in paths if len(path) > 1):
            stroke = f' stroke="{outline}" stroke-width="1"' if outline else ""
            self._parts.append(
                f'<path d="{data}" fill="{colour}" fill-opacity="{_n(opacity)}"{stroke}/>'
            )

    def dot(self, place: Place, *, colour: str, outline: str) -> None:
        self._parts.append(
            f'<circle cx="{_n(place[0])}" cy="{_n(place[1])}" r="3.5" fill="{colour}"'
            f' stroke="{outline}" stroke-width="1"/>'
        )

    def svg(self) -> str:
        height = round(self._height * _PIXELS / WIDTH)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_PIXELS}" height="{height}"'
            f' viewBox="0 0 {_n(WIDTH)} {_n(self._height)}" font-family="Inter, sans-serif">'
            f"{''.join(self._parts)}</svg>"
        )


def _path(places: Sequence[Place]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in places)


def _n(number: float) -> str:
    """Finer than a pixel, and short."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no place in a picture")
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _drawable(text: str) -> str:
    """With a true minus, and without what XML cannot hold."""
    return "".join(sign for sign in text.replace("-", "−") if sign.isprintable())


def shortened(text: str, *, size: float, room: float) -> str:
    """As much of *text* as fits into *room* dp, with a sign that more was there."""
    if text_width(text, size) <= room:
        return text
    return next(
        (
            short
            for end in range(len(text) - 1, 0, -1)
            if text_width(short := f"{text[:end].rstrip()}…", size) <= room
        ),
        "…",
    )
