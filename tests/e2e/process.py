"""`python -m bot` as the host starts it: a process of its own, its words in files."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from engine.clock import SystemClock

ROOT = Path(__file__).parents[2]
# Generous: a slow machine makes a test slow, not red.
PATIENCE_S = 30.0
# What the issue promises between a signal and the end.
GRACE_S = 10.0
_WITHOUT_INPUT = ("/bin/sh", "-c", 'exec "$0" "$@" <&-', sys.executable)
_LOOK_EVERY = timedelta(milliseconds=20)


async def until(
    condition: Callable[[], object],
    what: Callable[[], str] = str,
    *,
    within: float = PATIENCE_S,
) -> None:
    """Wait for *condition*. Raises TimeoutError that says *what* was seen instead."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what())
        await SystemClock().sleep(_LOOK_EVERY)


class Process(Protocol):
    """What is needed of a started program; `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def kill(self) -> None: ...

    def send_signal(self, number: signal.Signals, /) -> None: ...


class Launcher(Protocol):
    """Another way to start `python -m bot` than from the beginning: tests/faults/nursery.py."""

    def start(self, *, folder: Path, env: Mapping[str, str], out: Path, err: Path) -> Process: ...


class Program:
    """One life of the program, from its start to its exit code."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        name: str,
        env: Mapping[str, str],
        terminal: int | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        """*terminal* is what it reads from and writes to; without one its input is closed."""
        command = _WITHOUT_INPUT if terminal is None else (sys.executable,)
        self._err, self._out = folder / f"{name}.err", folder / f"{name}.out"
        if launcher is not None:
            self._err.touch()  # `log` may be read before the program has opened it
            self._process: Process = launcher.start(
                folder=folder, env=env, out=self._out, err=self._err
            )
            return
        with self._err.open("wb") as err, self._out.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "-m", "bot", *arguments],
                cwd=folder,
                env=env,
                stdin=terminal,
                stdout=out if terminal is None else terminal,
                stderr=err,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """All it has written to stderr so far."""
        return self._err.read_text(errors="replace")

    @property
    def printed(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def logs(self, text: str) -> None:
        """Wait until *text* is in its log."""
        await until(
            lambda: text in self.log or not self.is_alive, lambda: f"no {text!r} in {self.log}"
        )
        if text not in self.log:
            raise AssertionError(f"ended without {text!r}: {self.log}")

    async def ready(self) -> None:
        await self.logs(" ready bot=")

    async def exit_code(self, *, within: float = PATIENCE_S) -> int:
        await until(lambda: not self.is_alive, lambda: f"still alive: {self.log}", within=within)
        return self._process.wait()

    async def stop(self, *numbers: signal.Signals) -> int:
        """Send the signals (SIGTERM by default) and wait for the end, as long as is promised."""
        for number in numbers or (signal.SIGTERM,):
            self.send(number)
        return await self.exit_code(within=GRACE_S)

    async def kill(self) -> None:
        """As a host pulls the plug."""
        self._process.kill()
        await self.exit_code()

    def end(self) -> None:
        """Whatever happened: leave no process behind."""
        self._process.kill()
        self._process.wait()
