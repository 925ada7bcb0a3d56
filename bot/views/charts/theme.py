"""The colours of a picture: all text has a contrast of 4.5:1 or more on its background."""

from dataclasses import dataclass
from enum import Enum


class Theme(Enum):
    """Telegram tells no bot which one a chat has, so it is a setting."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    background: str
    text: str
    muted: str
    grid: str
    account: str
    held: str
    gain: str
    loss: str


_PALETTES = {
    Theme.LIGHT: Palette(
        background="#FFFFFF",
        text="#17202A",
        muted="#5F6A76",
        grid="#E9EDF1",
        account="#1B6FC4",
        held="#6B7682",
        gain="#0B7D55",
        loss="#B85607",
    ),
    Theme.DARK: Palette(
        background="#17212B",
        text="#F3F6F9",
        muted="#93A2B2",
        grid="#263443",
        account="#62B0FF",
        held="#8696A7",
        gain="#46D19A",
        loss="#FFA657",
    ),
}


def palette(theme: Theme) -> Palette:
    return _PALETTES[theme]
