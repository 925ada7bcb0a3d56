"""Programs that start in no time: children of a process that has imported everything already.

A crash matrix starts `python -m bot` hundreds of times, and importing is nine tenths of a start.
One such process stops before it begins, in `sitecustomize`, and forks whenever a program is
wanted; each child goes on from there as the `python -m bot` that it is, in a folder, with an
environment, files and a process id of its own.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, Self

# The first two are what the others only import when they are used.
_IMPORTED_EARLY = (
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "alembic.command",
    "bot.live",
    "bot.demo",
)
PIPES = "BALLAST_TEST_NURSERY"


class Nursery:
    """The test's side: `start` one program after the other, ask how they are."""

    def __init__(self, *, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot"],
            env={**env, PIPES: "yes"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Its children go with it."""
        self._process.communicate()

    def start(self, *, folder: Path, env: Mapping[str, str], out: Path, err: Path) -> "Child":
        wanted = {"folder": str(folder), "env": dict(env), "out": str(out), "err": str(err)}
        return Child(self, self.ask(wanted))

    def ask(self, question: Any) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("started without pipes")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Child:
    """One program; what `subprocess.Popen` offers of it."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        if self._exit_code is None:
            self._exit_code = self._nursery.ask({"poll": self.pid})
        return self._exit_code

    def wait(self) -> int:
        if self._exit_code is None:
            self._exit_code = self._nursery.ask({"wait": self.pid})
        return self._exit_code or 0

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing where it has ended: its process id may belong to another by now."""
        if self.poll() is None:
            os.kill(self.pid, number)


def raise_children() -> None:
    """The process's side: returns in every child, never in the process itself."""
    for module in _IMPORTED_EARLY:
        importlib.import_module(module)
    alive: set[int] = set()
    while question := sys.stdin.readline():
        match json.loads(question):
            case {"poll": pid}:
                answer = _ended(alive, pid, os.WNOHANG)
            case {"wait": pid}:
                answer = _ended(alive, pid, 0)
            case wanted:
                pid = os.fork()
                if pid == 0:
                    _become(**wanted)
                    return
                alive.add(pid)
                answer = pid
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    _end(alive)


def _ended(alive: set[int], pid: int, options: int) -> int | None:
    found, status = os.waitpid(pid, options)
    if not found:
        return None
    alive.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become(*, folder: str, env: Mapping[str, str], out: str, err: str) -> None:
    """What a shell does between fork and exec."""
    os.chdir(folder)
    os.environ.clear()  # noqa: TID251 - a child's environment is its own
    os.environ.update(env)  # noqa: TID251 - as above
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path, how in ((0, os.devnull, os.O_RDONLY), (1, out, written), (2, err, written)):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def _end(alive: set[int]) -> NoReturn:
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)
