"""Programs that start in no time: children of a process that has imported everything already.

Importing is nine tenths of a start, and the tests start hundreds of programs. One process imports
everything and forks whenever a program is wanted; each child goes on from there as that program,
in a folder, with an environment, files and a process id of its own. The crash matrix has a process
that stops in `sitecustomize`, before `python -m bot` begins; all others share one a test worker.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from sqlalchemy.orm import configure_mappers

# All but the last two are what these only import when they are used.
_IMPORTED_EARLY = (
    "aiosqlite",
    "alembic.command",
    "alembic.config",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "bot.observability.error_reporting",
    "bot.operations.cli",
    "encodings.utf_16_le",
    "engine.storage.migrations",
    "httpcore",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "bot.runtime.live",
    "bot.demo.run",
)
PIPES = "BALLAST_TEST_NURSERY"
ROOT = Path(__file__).parents[2]


class Nursery:
    """The test's side: `start` one program after the other, ask how they are."""

    def __init__(self, *, env: Mapping[str, str], module: str = "bot") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**env, PIPES: "yes"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Its children go with it."""
        self._process.communicate()

    def start(
        self,
        module: str = "bot",
        arguments: Sequence[str] = (),
        *,
        folder: Path,
        env: Mapping[str, str],
        out: Path,
        err: Path,
    ) -> "Child":
        """*module* and *arguments* count where the process is this module itself."""
        wanted = {"folder": str(folder), "env": dict(env), "out": str(out), "err": str(err)}
        return Child(self, self.ask(wanted | {"command": [module, *arguments]}))

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


@dataclass(frozen=True, slots=True)
class FromTheNursery:
    """Starts `python -m` *module* with *arguments*: a `Launcher` of tests/e2e/process.py."""

    module: str
    arguments: Sequence[str]

    def start(self, *, folder: Path, env: Mapping[str, str], out: Path, err: Path) -> Child:
        return _shared().start(
            self.module, self.arguments, folder=folder, env=env, out=out, err=err
        )


def quickly(module: str, arguments: Sequence[str]) -> FromTheNursery | None:
    """None where coverage is measured: it begins with a process."""
    is_measured = any(name.startswith("COVERAGE_") for name in os.environ)  # noqa: TID251 - as said
    return None if is_measured else FromTheNursery(module, tuple(arguments))


@cache
def _shared() -> Nursery:
    """It ends with this process: its standard input is closed then."""
    return Nursery(env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)}, module=__name__)


def raise_children() -> list[str]:
    """The process's side: returns in every child, never in the process itself.

    What it returns is the child's module and its arguments.
    """
    for module in _IMPORTED_EARLY:
        importlib.import_module(module)
    configure_mappers()
    gc.collect()
    gc.freeze()  # a child shares the pages that it does not write to
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
                    command: list[str] = wanted.pop("command")
                    _become(**wanted)
                    return command
                alive.add(pid)
                answer = pid
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    _kill(alive)
    os._exit(0)


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


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.argv = raise_children()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
