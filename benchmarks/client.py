"""CPU per signed request: our client, bare httpx, and ccxt, alone and 50 at once."""

import sys
from pathlib import Path

from benchmarks.processes import NotMeasured, fake, run_json
from benchmarks.reports import Goal, Report, middle

_RUNS = 3
_LOADS = ((1, 400), (50, 1500))


def run(peers: Path | None) -> Report:
    report = Report(
        "client",
        f"CPU per signed account read, microseconds (median of {_RUNS}, taken in turns)",
        ["client", "alone: CPU", "alone: wall", "50 at once: CPU", "50 at once: wall"],
    )
    commands = {
        "Ballast": [sys.executable, "-m", "benchmarks.loads", "ours"],
        "bare httpx, signed by hand": [sys.executable, "-m", "benchmarks.loads", "httpx"],
    }
    theirs = ("ccxt, unified (fetch_balance)", "ccxt, implicit (raw JSON)")
    if peers is not None:
        script = "benchmarks/peers/ccxt_client.py"
        commands |= {
            theirs[0]: [str(peers), script, "unified"],
            theirs[1]: [str(peers), script, "implicit"],
        }
    cpu: dict[tuple[str, int], list[float]] = {}
    wall: dict[tuple[str, int], list[float]] = {}
    with fake("mexc") as mexc:
        for _ in range(_RUNS):
            for name, command in commands.items():
                for at_once, requests in _LOADS:
                    try:
                        found = run_json([*command, mexc.url, str(at_once), str(requests)])
                    except NotMeasured as e:
                        report.notes.append(f"{name}: {str(e).strip().splitlines()[-1]}")
                        continue
                    cpu.setdefault((name, at_once), []).append(found["cpu_us"])
                    wall.setdefault((name, at_once), []).append(found["wall_us"])
    for name in (*commands, *(() if peers else theirs)):
        cells = [
            middle(measured[name, at_once]) if (name, at_once) in measured else None
            for at_once, _ in _LOADS
            for measured in (cpu, wall)
        ]
        report.rows.append([name, *cells])
    report.goals = _goals({who: middle(values) for who, values in cpu.items()}, theirs[0])
    return report


def _goals(cpu: dict[tuple[str, int], float], ccxt: str) -> list[Goal]:
    """Only of what could be measured."""
    ours, bare = "Ballast", "bare httpx, signed by hand"
    wanted = (
        ("3", "CPU alone, of bare httpx's", (ours, 1), (bare, 1), 1.15),
        ("4", "CPU at 50 at once, of that alone", (ours, 50), (ours, 1), 1.5),
        ("ccxt", "CPU alone, of ccxt's", (ours, 1), (ccxt, 1), 1.0),
        ("ccxt", "CPU at 50 at once, of ccxt's", (ours, 50), (ccxt, 50), 1.0),
    )
    return [
        Goal(row, says, cpu[one] / cpu[other], limit)
        for row, says, one, other, limit in wanted
        if {one, other} <= cpu.keys()
    ]
