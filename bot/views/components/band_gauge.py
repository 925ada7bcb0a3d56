"""A gauge of the band: where what is held is between its edges, or on which side of them."""

from decimal import Decimal

from bot.views.components.amounts import short
from bot.views.components.layout import COLUMNS, row, width
from engine.domain.accounts.settings import Band

_INDENT = width(row("", "")[0])
_MOST_CELLS, _FEWEST_CELLS = 11, 5
_ASIDE = "▕▏●  "


def band_gauge(held: Decimal, band: Band) -> list[str]:
    """Rows for a panel: `38 ▕──────●───▏ 42`. Outside the band the mark is beyond its edge.
    Edges that leave no room for the gauge have a row of their own.
    """
    low, high = short(band.low), short(band.high)
    room = COLUMNS - _INDENT - width(low) - width(high) - width(_ASIDE)
    if room < _FEWEST_CELLS:
        return [*row("", _gauge(held, band, _MOST_CELLS)), *row("Band", f"{low} – {high}")]
    return row("", f"{low} {_gauge(held, band, min(room, _MOST_CELLS))} {high}")


def _gauge(held: Decimal, band: Band, cells: int) -> str:
    if held < band.low:
        return f"●▕{'─' * cells}▏"
    if held > band.high:
        return f"▕{'─' * cells}▏●"
    share = (held - band.low) / (band.high - band.low)
    before = min(int(share * cells), cells - 1)
    return f"▕{'─' * before}●{'─' * (cells - 1 - before)}▏"
