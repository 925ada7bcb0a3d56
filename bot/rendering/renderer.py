"""The child process: pictures in through stdin, images out through stdout, one at a time.

Each message is its length in four bytes, then itself: SVG in, PNG out. The process ends when its
stdin does, after *idle_s* without a picture, after *longest_s* on one, and on whatever
it cannot draw. It is started by its path in Python's isolated mode: nothing of the bot is loaded.
"""

import os
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FONTS = Path(__file__).parent / "fonts"
_LENGTH = struct.Struct(">I")
_MOST_MEMORY = 512 * 2**20
_NICER = 10


def serve(
    requests: BinaryIO,
    answers: BinaryIO,
    draw: Callable[[str], bytes],
    *,
    alarm: Callable[[float], object],
    idle_s: float,
    longest_s: float,
) -> None:
    """Draw until *requests* ends."""
    while True:
        alarm(idle_s)
        if len(header := requests.read(_LENGTH.size)) < _LENGTH.size:
            return
        alarm(longest_s)
        (length,) = _LENGTH.unpack(header)
        image = draw(requests.read(length).decode())
        answers.write(_LENGTH.pack(len(image)) + image)
        answers.flush()


def drawer() -> Callable[[str], bytes]:
    """With our fonts and no others, so that every host draws the same."""
    import resvg  # noqa: PLC0415 - within the limits of this process

    options = resvg.usvg.Options.default()
    for font in sorted(FONTS.glob("*.ttf")):
        options.load_font_file(str(font))

    def draw(svg: str) -> bytes:
        tree = resvg.usvg.Tree.from_str(svg, options)
        return bytes(resvg.render(tree, (1, 0, 0, 0, 1, 0)))

    return draw


def _limit() -> None:
    """Little memory, low priority, no core dumps: as far as the system has such limits."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    with suppress(OSError):
        os.nice(_NICER)


def main(idle_s: float, longest_s: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the bot's
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process in the midst of anything
    _limit()
    with suppress(BrokenPipeError):
        serve(
            sys.stdin.buffer,
            sys.stdout.buffer,
            drawer(),
            alarm=lambda after_s: signal.setitimer(signal.ITIMER_REAL, after_s),
            idle_s=idle_s,
            longest_s=longest_s,
        )


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
