"""Renders a Telegram message on a terminal: plain text, a bar at the left, buttons with their codes."""

import os
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from bot.interaction.message import plain_text

_WIDTH = 80
_BAR = "│ "
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_BOLD_START, _BOLD_END = re.compile(r"<(?:b|strong)>"), re.compile(r"</(?:b|strong)>")
# Placeholders for bold until control characters are removed: a message must not send escape
# sequences to the terminal.
_START, _END = "\ue000", "\ue001"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Terminal:
    """Writes blocks of text to *out*, separated by an empty line.
    Calls *on_closed* once if *out* is a closed pipe, and writes nothing after that.
    """

    def __init__(
        self, out: TextIO, *, styled: bool, on_closed: Callable[[], object] = lambda: None
    ) -> None:
        self._out = out
        self._on_closed = on_closed
        self._bold, self._dim, self._reset = (_BOLD, _DIM, _RESET) if styled else ("", "", "")

    def message(
        self,
        html: str,
        *,
        buttons: Sequence[Sequence[tuple[str, str]]] = (),
        heading: str | None = None,
    ) -> None:
        """Write a chat message with its rows of buttons, each a code and a label."""
        lines = [] if heading is None else [f"{self._dim}{heading}{self._reset}"]
        lines += [*self._rendered(html).splitlines(), *_rows(buttons)]
        self._block([(_BAR + part).rstrip() for line in lines for part in _wrap(line)])

    def note(self, text: str) -> None:
        """Write what is no message: a toast, a deletion, a remark of the demo."""
        lines = [part for line in _clean(text).splitlines() for part in _wrap(line)]
        self._block([f"{self._dim}{line}{self._reset}" for line in lines])

    def _rendered(self, html: str) -> str:
        text = plain_text(_BOLD_END.sub(_END, _BOLD_START.sub(_START, html)))
        return _clean(text).replace(_START, self._bold).replace(_END, self._reset)

    def _block(self, lines: Sequence[str]) -> None:
        text = "\n".join(lines) + "\n\n"
        encoding = self._out.encoding or "utf-8"
        try:
            self._out.write(text.encode(encoding, "replace").decode(encoding))
            self._out.flush()
        except BrokenPipeError:
            self._discard_output()
            self._on_closed()

    def _discard_output(self) -> None:
        """Buffered text would fail again when Python exits."""
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._out.fileno())


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)


def _rows(buttons: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    lines = ["   ".join(f"[{code}] {_clean(label)}" for code, label in row) for row in buttons]
    return ["", *lines] if lines else []


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH - len(_BAR) - 1, break_on_hyphens=False) or [""]
