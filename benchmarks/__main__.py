"""`python -m benchmarks [--peers PYTHON] [NAME ...]`: run them one after the other, each in a
process of its own. Exit code 1 where one of them broke; a goal that is missed is only said.
"""

import argparse
import importlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.reports import Report, machine

NAMES = (
    "reaction",
    "client",
    "check",
    "scheduler",
    "budget",
    "storage",
    "start",
    "alerts",
    "accounts",
    "fleet",
    "streams",
    "events",
    "day",
    "chart",
    "profit",
    "planning",
    "rebalancers",
    "basket",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--peers", help="the Python that has ccxt and freqtrade", default="")
    parser.add_argument("names", nargs="*", metavar="NAME")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    peers = Path(chosen.peers).absolute() if chosen.peers else None
    if peers is not None and not peers.exists():
        print(f"no peers: {chosen.peers} is not there\n")
        peers = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing started stays behind
    names = chosen.names or NAMES
    if len(names) == 1:
        return _run(names[0], peers)
    print(f"{machine()}\n", flush=True)
    broken = [name for name in names if _run_apart(name, peers)]
    if broken:
        print(f"broken: {', '.join(broken)}")
    return 1 if broken else 0


def _run(name: str, peers: Path | None) -> int:
    begun = time.monotonic()
    report: Report = importlib.import_module(f"benchmarks.{name}").run(peers)
    report.notes.append(f"took {time.monotonic() - begun:.0f} s")
    print(report.show(), flush=True)
    report.save()
    return 0


def _run_apart(name: str, peers: Path | None) -> int:
    command = [sys.executable, "-m", "benchmarks", "--peers", str(peers or ""), name]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own


if __name__ == "__main__":
    sys.exit(main())
