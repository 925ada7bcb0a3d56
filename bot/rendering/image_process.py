"""Asks for images in a child process, which is started when it is needed and ends by itself."""

import asyncio
import logging
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path

_RENDERER = Path(__file__).with_name("renderer.py")
_LENGTH = struct.Struct(">I")
_IDLE_S, _LONGEST_S = 60.0, 10.0
# Above this, Telegram's users wait too long on a phone.
MOST_BYTES = 130_000

logger = logging.getLogger(__name__)


class NotDrawn(Exception):
    """There is no image of this picture now; what it says can still be said in words."""


class ImageProcess:
    """Draws one picture at a time. The child ends after *idle_s* without one, and with us."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        idle_s: float = _IDLE_S,
        longest_s: float = _LONGEST_S,
        command: tuple[str, ...] = (sys.executable, "-I", str(_RENDERER)),
    ) -> None:
        self._environment = dict(environment or {})
        self._limits = (str(idle_s), str(longest_s))
        self._patience_s = longest_s
        self._command = command
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def draw(self, svg: str) -> bytes:
        """Return the picture as PNG. Raises NotDrawn after *longest_s* at the latest."""
        try:
            async with asyncio.timeout(self._patience_s), self._turn:
                image = await self._drawn(svg)
        except TimeoutError:
            raise NotDrawn("drawing took too long") from None
        if len(image) > MOST_BYTES:
            logger.warning("image too large", extra={"bytes": len(image)})
            raise NotDrawn("the image is too large")
        return image

    async def drawn(self, svg: str) -> bytes | None:
        """Return the picture as PNG; None where it cannot be drawn."""
        try:
            return await self.draw(svg)
        except NotDrawn:
            return None

    async def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process is not None:
            await _ended(process)

    async def _drawn(self, svg: str) -> bytes:
        """A child may have ended between two pictures, so there is a second attempt with a new
        one.
        """
        if (process := self._process) is not None and process.returncode is None:
            try:
                return await self._ask(process, svg)
            except NotDrawn:
                pass
        return await self._ask(await self._start(), svg)

    async def _start(self) -> Process:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                *self._limits,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=self._environment,
            )
        except OSError as e:
            logger.warning("image process not started", extra={"problem": str(e)})
            raise NotDrawn("the image process does not start") from e
        return self._process

    async def _ask(self, process: Process, svg: str) -> bytes:
        if process.stdin is None or process.stdout is None:
            raise NotDrawn("the image process has no pipes")
        is_whole = False
        try:
            request = svg.encode(errors="replace")
            process.stdin.write(_LENGTH.pack(len(request)) + request)
            await process.stdin.drain()
            (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
            image = await process.stdout.readexactly(length)
            is_whole = True
        except (OSError, asyncio.IncompleteReadError) as e:
            logger.warning("image process ended", extra={"status": process.returncode})
            raise NotDrawn("the image process ended") from e
        finally:
            if not is_whole:  # what it might still answer belongs to no one
                self._process = None
                await asyncio.shield(_ended(process))
        return image


async def _ended(process: Process) -> None:
    """Kill *process*, and wait until the system has forgotten it."""
    if process.returncode is None:
        process.kill()
    await process.wait()
