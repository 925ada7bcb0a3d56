"""Processes of a benchmark: started on a core of their own where there are two, and measured from
outside, by what Linux tells of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
OURS, THEIRS = 0, 1
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PATIENCE_S = 60.0


class NotMeasured(Exception):
    """There is no number for it; the text says why."""


class Process:
    """*core*: what is measured runs on OURS, what serves it on THEIRS."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int,
        env: Mapping[str, str] | None = None,
        folder: Path = ROOT,
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process ends
        self.started_at = time.monotonic()
        self._popen = subprocess.Popen(  # noqa: S603 - commands of our own
            command,
            cwd=folder,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        pin(self._popen.pid, core)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def first_line(self) -> str:
        """What it prints first. Raises NotMeasured where it ends without."""
        line = self._popen.stdout.readline() if self._popen.stdout else ""
        if not line:
            self._popen.wait()
            raise NotMeasured(self.log()[-2000:])
        return line.strip()

    def log(self) -> str:
        """All it wrote to stderr."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def memory_mb(self) -> float:
        """Resident, in units of 10^6 bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise NotMeasured("no VmRSS")

    def end(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.stdout:
            self._popen.stdout.close()
        self._log.close()


@contextmanager
def running(
    command: Sequence[str],
    *,
    core: int,
    env: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Iterator[Process]:
    process = Process(command, core=core, env=env, folder=folder)
    try:
        yield process
    finally:
        process.end()


def pin(pid: int, core: int) -> None:
    """To one core, where the machine has two and lets us."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(pid, {cores[core % len(cores)]})


@contextmanager
def fake(module: str, *arguments: str) -> Iterator["Fake"]:
    """A server of `benchmarks/` in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with running(command, core=THEIRS) as process:
        yield Fake(process.first_line())


class Fake:
    """A fake's base URL, and what it noted."""

    def __init__(self, url: str) -> None:
        self.url = url

    def tell(self, what: str) -> Any:
        """The answer of `/_/<what>`: see the fakes' modules."""
        with urlopen(f"{self.url}/_/{what}", timeout=30) as answer:  # noqa: S310 - our own fake
            return json.load(answer)

    def until(
        self, what: str, found: Callable[[Any], bool], *, within: float = _PATIENCE_S
    ) -> Any:
        """The first answer that is as it should be. Raises NotMeasured after *within* seconds."""
        deadline = time.monotonic() + within
        while not found(answer := self.tell(what)):
            if time.monotonic() > deadline:
                raise NotMeasured(f"{what}: waited {within:.0f} s in vain")
            time.sleep(0.05)
        return answer


def run_json(command: Sequence[str], *, core: int = OURS, within: float = 180.0) -> Any:
    """What a process prints as JSON on its last line. Raises NotMeasured where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - commands of our own
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            preexec_fn=lambda: pin(0, core),
        )
    except subprocess.TimeoutExpired as e:
        raise NotMeasured(f"not done within {within:.0f} s") from e
    if done.returncode:
        raise NotMeasured(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])
