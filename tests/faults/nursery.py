"""Programs that start in no time: children of a process that has imported everything already.

Importing is nine tenths of a start, and the tests start hundreds of programs. One process imports
everything, lives through a day of the program (see warming) and forks whenever a program is wanted;
each child goes on from there as that program, in a folder, with an environment, files and a process
id of its own. All workers of a test run share the process: whoever comes first starts it, and it
ends when the last has left.
"""

import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import configure_mappers

from tests.faults.crashing import lay_charges

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
ROOT = Path(__file__).parents[2]
_LOOK_EVERY_S = 0.01
_NOBODY_FOR_S = 0.5
_processes: list[subprocess.Popen[bytes]] = []  # each ends by itself, and is not waited for


class Nursery:
    """A test process's line to it: `start` one program after the other, ask how they are."""

    def __init__(self, address: str) -> None:
        """It is started where there is none at *address*, or none any more."""
        with _dialling():
            line = _answered(address)
            if line is None:
                _processes.append(_begun(address))
                line = _answered(address)
        if line is None:
            raise ChildProcessError("the nursery did not come up; its own words are above")
        self._line = line

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        out: Path,
        err: Path,
    ) -> "Child":
        wanted = {"folder": str(folder), "env": dict(env), "out": str(out), "err": str(err)}
        return Child(self, self.ask(wanted | {"command": [module, *arguments]}))

    def ask(self, question: Any) -> Any:
        _write(self._line, question)
        if (answer := _read(self._line)) is None:
            raise ChildProcessError("the nursery has ended; its own words are above")
        return answer["is"]


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
        while (code := self.poll()) is None:
            time.sleep(_LOOK_EVERY_S)
        return code

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
    arguments: Sequence[str] = ()

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
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)  # noqa: TID251 - of all workers
    return Nursery(str(Path(gettempdir(), f"ballast-nursery-{run[:16]}")))


def _begun(address: str) -> subprocess.Popen[bytes]:
    """Whoever calls from now on is heard, and answered as soon as it is ready."""
    Path(address).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        number = listening.fileno()
        return subprocess.Popen(
            [sys.executable, "-m", __name__, address, str(number)],
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[number],
        )


@contextmanager
def _dialling(*, waits: bool = True) -> Iterator[None]:
    """One at a time, of whoever calls a nursery or ends one. Raises BlockingIOError."""
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _answered(address: str) -> socket.socket | None:
    """A line to the nursery at *address*, if there is one."""
    line = socket.socket(socket.AF_UNIX)
    with suppress(OSError):
        line.connect(address)
        _write(line, "hello")
        if _read(line) is not None:
            return line
    line.close()
    return None


def _write(line: socket.socket, message: Any) -> None:
    line.sendall(json.dumps(message).encode() + b"\n")


def _read(line: socket.socket) -> Any:
    """The next message; None where the other side is gone."""
    read = b""
    while not read.endswith(b"\n"):
        part = b""
        with suppress(ConnectionError):
            part = line.recv(65536)
        if not part:
            return None
        read += part
    return json.loads(read)


def raise_children(address: str, listening: socket.socket) -> list[str]:
    """The process's side: returns in every child, never in the process itself.

    What it returns is the child's module and its arguments.
    """
    for module in _IMPORTED_EARLY:
        importlib.import_module(module)
    configure_mappers()
    importlib.import_module("tests.faults.warming").warm_up()
    gc.collect()
    gc.freeze()  # a child shares the pages that it does not write to
    families: dict[socket.socket, set[int]] = {}
    while not _has_ended(address, listening, families):
        waiting, _, _ = select.select([listening, *families], (), (), _NOBODY_FOR_S)
        for line in waiting:
            if line is listening:
                families[listening.accept()[0]] = set()
                continue
            match _read(line):
                case None:
                    line.close()
                    _kill(families.pop(line))
                    continue
                case {"poll": pid}:
                    answer = _ended(families[line], pid)
                case {"command": _} as wanted:
                    answer = os.fork()
                    if answer == 0:
                        for opened in (listening, *families):
                            opened.close()
                        return _become(**wanted)
                    families[line].add(answer)
                case _:
                    answer = None
            with suppress(ConnectionError):  # seen when it is read from again
                _write(line, {"is": answer})
    os._exit(0)


def _has_ended(address: str, listening: socket.socket, families: Mapping[Any, Any]) -> bool:
    """Nobody is there, and nobody is just coming."""
    if families:
        return False
    with suppress(BlockingIOError), _dialling(waits=False):
        Path(address).unlink(missing_ok=True)
        listening.close()
        return True
    return False


def _ended(alive: set[int], pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        return None
    alive.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become(
    *, command: list[str], folder: str, env: Mapping[str, str], out: str, err: str
) -> list[str]:
    """What a shell does between fork and exec."""
    os.chdir(folder)
    os.environ.clear()  # noqa: TID251 - a child's environment is its own
    os.environ.update(env)  # noqa: TID251 - as above
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path, how in ((0, os.devnull, os.O_RDONLY), (1, out, written), (2, err, written)):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    return command


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


if __name__ == "__main__":
    sys.argv = raise_children(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
    lay_charges(os.environ)  # noqa: TID251 - how a test speaks to the process it starts
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
